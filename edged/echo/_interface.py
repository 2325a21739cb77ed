"""What an echo driver promises."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One frame of the microphone after the driver's work, and what it thinks of it."""

    samples: bytes
    """16-bit mono, as long as the frame that came in; up to a frame late."""
    score: float
    """How sure it is that somebody in the room speaks: 1 and above is yes, and infinity says that
    nothing was played that could be heard as an echo: there is nothing to hold back."""
    erle_db: float
    """How much quieter the echo leaves than it came in; 0 where nothing takes it away."""
    noise: bytes
    """Noise as long as the frame, at the floor of the sound that is sent; never digital zeros."""


class Echo(Protocol):
    """Takes the device's own voice out of its microphone; decides nothing about what is sent.

    All sound is 16-bit mono at the wire's rate, and all delays are samples of it.
    """

    @property
    def drift_ppm(self) -> float:
        """How much faster the loudspeaker's clock runs than the microphone's; 0 until known."""

    def far(self, samples: bytes) -> None:
        """What was just handed to the device, after volume and mixing, silence included."""

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        """Clean 20 ms of the microphone; other lengths raise ValueError.

        `play_delay`: how much of what was given to `far` has not sounded yet. `capture_delay`:
        how long ago the frame's last sample was picked up.
        """

    def flushed(self, frames: int) -> None:
        """The last so many samples given to `far` were thrown away and will never sound."""

    def notify(self, why: str) -> None:
        """The way from loudspeaker to microphone has changed: `underrun`, `reopened`, `volume`.

        What was learned of it is learned again; the score stays below 1 for the next second of
        sound from the loudspeaker.
        """
