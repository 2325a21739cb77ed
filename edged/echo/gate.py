"""Knows how our own voice comes back in 18 bands, and hears whoever is louder than that."""

from dataclasses import dataclass
from math import isinf
from typing import Annotated

from ..core.frames import Cleaned
from ..ports import Change, Echo
from ._bands import Guess, Judge
from ._noise import Noise
from ._reference import Reference

_NEED = 10.0
"""The evidence that scores 1, as `Judge` counts it."""


@dataclass(frozen=True)
class Settings:
    """Section [echo.gate]."""

    caution: Annotated[float, "0.3 to 5"] = 1.0
    """How much evidence of a voice it takes: more misses soft voices, less hears our own."""


def open(settings: Settings, wire_rate: int) -> Echo:
    """Sound is passed unchanged, with a score; needs no native library."""
    return _Gate(settings, wire_rate)


class _Gate:
    hears_through = True
    late = 0

    def __init__(self, settings: Settings, rate: int) -> None:
        self._reference = Reference(rate)
        self._judge = Judge(rate, (_NEED * settings.caution,))
        self._noise = Noise(rate)

    @property
    def drift_ppm(self) -> float:
        return self._reference.drift_ppm

    @property
    def guess(self) -> Guess:
        return self._judge.guess

    def recall(self, guess: Guess) -> None:
        self._judge.recall(guess)

    def far(self, samples: bytes) -> None:
        self._reference.far(samples)

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        # What is heard over several frames is compared: a reference set anew spoils nothing.
        played, _ = self._reference.near(len(samples) // 2, play_delay, capture_delay)
        score = self._judge.hear((samples,), played)
        return Cleaned(samples, score, 0.0, self._noise.comfort(samples, isinf(score)))

    def flushed(self, frames: int) -> None:
        self._reference.flushed(frames)

    def notify(self, why: Change) -> None:
        if why == "rested":
            self._reference.resume()
            return
        if why != "underrun":
            self._reference.realign()
        self._judge.relearn()
