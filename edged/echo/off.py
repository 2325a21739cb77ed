"""No suppression: for a headset, or a device that takes its own echo away."""

from dataclasses import dataclass
from math import inf

from ..core.frames import Cleaned
from ..ports import Change, Echo
from ._noise import Noise


@dataclass(frozen=True)
class Settings:
    """Section [echo.off]: nothing to choose."""


def open(settings: Settings, wire_rate: int) -> Echo:
    """Passes everything through; the score is always infinite."""
    return _Off(wire_rate)


class _Off:
    hears_through = False
    late = 0
    drift_ppm = 0.0

    def __init__(self, rate: int) -> None:
        self._noise = Noise(rate)

    def far(self, samples: bytes) -> None:
        """Not needed."""

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        return Cleaned(samples, inf, 0.0, self._noise.comfort(samples))

    def flushed(self, frames: int) -> None:
        """Nothing is kept."""

    def notify(self, why: Change) -> None:
        """Nothing was learned."""
