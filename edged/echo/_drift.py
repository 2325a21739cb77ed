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


class Drift:
    """Fits a line through how far two counts of samples are apart, over minutes."""

    def __init__(self) -> None:
        self._round: list[float] = []
        self._points: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self.ppm = 0.0
        """Positive where the second count runs ahead; 0 until it is known to differ."""

    def note(self, count: float, ahead: float) -> None:
        """At `count` samples of the first clock the second is `ahead` by so many."""
        self._round.append(ahead)
        if len(self._round) < _ROUND:
            return
        self._points.append((count, sorted(self._round)[_ROUND // 2]))
        self._round.clear()
        if len(self._points) < _LEAST:
            return
        points = np.array(self._points)
        middle = len(points) // 2
        slopes = [_slope(points), _slope(points[:middle]), _slope(points[middle:])]
        # A step gives a slope too, but not to both halves.
        steady = all(half / slopes[0] > 0.5 for half in slopes[1:]) if slopes[0] else False
        self.ppm = slopes[0] * 1e6 if steady and abs(slopes[0]) * 1e6 > _WORTH_PPM else 0.0


def _slope(points: NDArray[np.float64]) -> float:
    """Of the line that fits them best."""
    at, off = points.T - points.mean(axis=0)[:, None]
    return float(at @ off / (at @ at))
