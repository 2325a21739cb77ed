"""Echo drivers that clean nothing: one enforces what real ones punish, one finds what sounded."""

import threading
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from edged.core.frames import Cleaned
from edged.echo._reference import Reference
from edged.ports import Change

MARGIN_MS = 15
"""So much earlier than told the reference is read, in its own words."""
STALE = 0x7777
"""What a driver that is late gives first: whatever it held from before."""


@dataclass
class Witness:
    """Passes the microphone through, `late` samples later."""

    hears_through: bool = True
    late: int = 0
    drift_ppm: float = 0.0
    rate: int = 24000
    score: float = inf
    erle_db: float = 0.0
    played: bytearray = field(default_factory=bytearray)
    heard: bytearray = field(default_factory=bytearray)
    places: list[int] = field(default_factory=list)
    """For each frame heard: the sample played that sounded at its end, by the delays told."""
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._held = np.full(self.late, STALE, dtype="<i2").tobytes()
        self._thread = threading.current_thread()

    def far(self, samples: bytes) -> None:
        self._check()
        assert len(samples) % 2 == 0
        assert len(samples) <= 2 * 4 * self.rate, "more than a driver keeps, at a time"
        self.played += samples

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        self._check()
        assert len(samples) == 2 * (self.rate // 50)
        assert capture_delay >= 0
        self.heard += samples
        self.places.append(len(self.played) // 2 - play_delay - capture_delay)
        sound = self._held + samples
        self._held = sound[len(samples) :]
        return Cleaned(sound[: len(samples)], self.score, self.erle_db, b"\1\0" * 480)

    def flushed(self, frames: int) -> None:
        raise AssertionError(f"PortAudio cannot take back what it was given: {frames}")

    def notify(self, why: Change) -> None:
        self._check()
        self.changes.append(why)

    def played_samples(self) -> NDArray[np.int16]:
        return np.frombuffer(bytes(self.played), dtype="<i2")

    def _check(self) -> None:
        assert threading.current_thread() is self._thread, "off the loop"


class Believer:
    """An `Echo` made of nothing but the real reference: puts what it reads beside what it hears."""

    hears_through = True
    late = 0
    drift_ppm = 0.0

    def __init__(self) -> None:
        self._reference = Reference(24000, MARGIN_MS)
        self.played = bytearray()
        self.heard = bytearray()

    def far(self, samples: bytes) -> None:
        self._reference.far(samples)

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        played, _ = self._reference.near(len(samples) // 2, play_delay, capture_delay)
        self.played += played
        self.heard += samples
        return Cleaned(samples, inf, 0.0, samples)

    def flushed(self, frames: int) -> None:
        raise AssertionError(frames)

    def notify(self, why: Change) -> None:
        if why == "rested":
            self._reference.resume()
        else:
            self._reference.realign()
