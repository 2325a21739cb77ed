"""Whoever speaks is deaf: nothing counts while our own sound, or its ring, is in the room."""

from dataclasses import dataclass
from math import inf
from typing import Annotated

import numpy as np

from ..core.frames import Cleaned
from ..ports import Change, Echo
from ._noise import Noise
from ._reference import Reference

_AUDIBLE = 10 ** (-65 / 20) * 32768
"""The peak of what is played that counts as sound."""


@dataclass(frozen=True)
class Settings:
    """Section [echo.half_duplex]."""

    tail_ms: Annotated[int, "0 to 2000"] = 450
    """How long the room rings on after our own sound has ended, in milliseconds."""


def open(settings: Settings, wire_rate: int) -> Echo:
    """Sound is passed unchanged; the score is 0 while ours is in the room, or infinite."""
    return _HalfDuplex(settings.tail_ms * wire_rate // 1000, wire_rate)


class _HalfDuplex:
    hears_through = False
    late = 0

    def __init__(self, tail: int, rate: int) -> None:
        self._tail = tail
        self._ringing = 0
        self._reference = Reference(rate)
        self._noise = Noise(rate)

    @property
    def drift_ppm(self) -> float:
        return self._reference.drift_ppm

    def far(self, samples: bytes) -> None:
        self._reference.far(samples)

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        count = len(samples) // 2
        played, _ = self._reference.near(count, play_delay, capture_delay)
        peak = np.abs(np.frombuffer(played, dtype="<i2").astype(np.int32)).max(initial=0)
        self._ringing = self._tail + count if peak > _AUDIBLE else self._ringing - count
        alone = self._ringing <= 0
        noise = self._noise.comfort(samples, alone)
        return Cleaned(samples, inf if alone else 0.0, 0.0, noise)

    def flushed(self, frames: int) -> None:
        self._reference.flushed(frames)

    def notify(self, why: Change) -> None:
        self._reference.realign()
