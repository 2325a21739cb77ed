"""Spares the engine a quiet room: it rests until something is louder than the room's floor."""

from collections import deque
from collections.abc import Mapping

import numpy as np

from ._detector import RATE
from ._worker import DEAF_FRAMES, Engine

_ABOVE_DB = 6.0
"""So much louder than the floor is worth hearing."""

_RISE_DB_S = 1.0
"""The floor follows a quieter room at once and a louder one this slowly, slower than speech."""

_HANG_S = 2.0
"""The engine goes on hearing for this long. Longer than what is replayed, so that nothing is
examined twice."""

_CATCH_UP = 3
"""So many frames are examined in the time of one after opening, not all 16 in a burst."""

_SLOTS = 4
"""A frame is as loud as its loudest quarter, 20 ms of an 80 ms frame."""


class Gate:
    """An engine in front of an engine; gives 0 for every word while the room is quiet.

    On opening, the inner engine starts anew and hears the last 16 frames first; until it has
    caught up, its scores come late by what is left of them, for 8 frames at most. Levels, times
    and replay are those measured to lose no word on synthetic speech in quiet and in noise.
    """

    def __init__(self, engine: Engine, words: Mapping[str, object]) -> None:
        self.frame = engine.frame
        self._engine = engine
        self._quiet = dict.fromkeys(words, 0.0)
        self._rise = _RISE_DB_S * engine.frame / RATE
        self._hang = round(_HANG_S * RATE / engine.frame)
        self._recent: deque[bytes] = deque(maxlen=DEAF_FRAMES)
        self._backlog: deque[bytes] = deque()
        self.restart()

    def restart(self) -> None:
        """Forget everything heard, the floor too."""
        self._engine.restart()
        self._recent.clear()
        self._backlog.clear()
        self._floor = np.inf
        self._left = 0

    def scores(self, samples: bytes) -> Mapping[str, float]:
        """The best scores of the frames that were examined in the time of this one."""
        self._recent.append(samples)
        loud = self._loud(samples)
        if loud and not self._left:
            self._engine.restart()
            self._backlog.extend(self._recent)
        elif self._left:
            self._backlog.append(samples)
        self._left = self._hang if loud else max(self._left - 1, 0)
        best = self._quiet
        for _ in range(min(_CATCH_UP, len(self._backlog))):
            scores = self._engine.scores(self._backlog.popleft())
            best = {word: max(best[word], score) for word, score in scores.items()}
        return best

    def _loud(self, samples: bytes) -> bool:
        """Whether the frame stands out of the floor, which moves on."""
        slots = np.frombuffer(samples, "<i2").reshape(_SLOTS, -1).astype(np.float32)
        # One bit of 16 is added: digital silence has a level too.
        level = 10 * float(np.log10(np.square(slots).mean(axis=1).max() + 1))
        loud = level > self._floor + _ABOVE_DB
        self._floor = min(level, self._floor + self._rise)
        return loud
