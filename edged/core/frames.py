"""A frame of room sound after the echo driver's work."""

from dataclasses import dataclass


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
