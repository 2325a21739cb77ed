"""A frame of room sound, as it came and as it may leave."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One frame of the microphone for the provider, and what the driver thinks of it."""

    samples: bytes
    """16-bit mono at the wire's rate, up to a frame late; empty where the driver has to fill
    itself first."""
    score: float
    """How sure it is that somebody in the room speaks: 1 and above is yes, and infinity says that
    nothing was played that could be heard as an echo: there is nothing to hold back."""
    erle_db: float
    """How much quieter the echo leaves than it came in; 0 where nothing takes it away."""
    noise: bytes
    """Noise as long as the frame, at the floor of the sound that is sent; never digital zeros."""


@dataclass(frozen=True, slots=True)
class MicFrame:
    """One frame of room sound, in capture order without gaps unless `position` jumps."""

    samples: bytes
    """Signed 16-bit little-endian mono at the capture rate."""
    position: int
    """Capture samples before this frame."""
    level: float
    """Root mean square in dBFS; -120 for digital silence."""
    clean: Cleaned | None = None
    """What may leave the device; None while nobody is on the line, nor about to be."""

    @property
    def score(self) -> float:
        """The driver's; what comes as it is comes from a room with nothing of ours in it."""
        return inf if self.clean is None else self.clean.score
