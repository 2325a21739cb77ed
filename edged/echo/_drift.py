"""Two clocks that should run alike: how much faster the loudspeaker's is than the microphone's."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

_ROUND = 50
"""Readings of which the middle one counts: device delays jump about by a period."""

_LEAST, _MOST = 40, 180
"""Rounds to fit a line through; 40 s to 3 min of 20 ms frames."""

_WORTH_PPM = 10.0
"""Less than this is not told from the jitter of the delays, nor does it do harm."""

_STRAIGHT = 0.08
"""The points may lie so far beside the line, in the mean, as a share of its rise. A step in the
middle lies 0.17 beside the line through it, and anywhere else further."""


class Drift:
    """Fits a line through how far two counts of samples are apart, over minutes."""

    def __init__(self) -> None:
        self._round: list[float] = []
        self._points: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self.ppm = 0.0
        """Positive where the second count runs ahead; 0 until it is known to differ."""

    def rest(self) -> None:
        """What is noted from now on has nothing to do with what was; the clocks are the same."""
        self._round.clear()
        self._points.clear()

    def note(self, count: float, ahead: float) -> None:
        """At `count` samples of the first clock the second is `ahead` by so many."""
        self._round.append(ahead)
        if len(self._round) < _ROUND:
            return
        self._points.append((count, sorted(self._round)[_ROUND // 2]))
        self._round.clear()
        if len(self._points) >= _LEAST:
            self.ppm = _slope(np.array(self._points)) * 1e6


def _slope(points: NDArray[np.float64]) -> float:
    """Of the line that fits them best; 0 where they do not lie on one, or it hardly rises."""
    at, off = points.T - points.mean(axis=0)[:, None]
    slope = float(at @ off / (at @ at))
    beside = float(np.sqrt(np.mean((off - slope * at) ** 2)))
    rise = abs(slope) * float(at[-1] - at[0])
    return slope if beside < _STRAIGHT * rise and abs(slope) * 1e6 > _WORTH_PPM else 0.0
