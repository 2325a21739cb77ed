"""Stands in an echo driver's place and writes down what is played and heard, and when."""

from math import inf

import numpy as np
from numpy.typing import NDArray

from ..core.frames import Cleaned
from ..ports import Change

Row = NDArray[np.float64]


class Listener:
    """An `Echo` that changes nothing; both rows are at the wire's rate, full scale 1.

    It sees exactly what an echo driver would: so its figures are what such a driver has to bear.
    """

    hears_through = False
    late = 0
    drift_ppm = 0.0

    def __init__(self) -> None:
        self._far = bytearray()
        self._near = bytearray()
        self._places: list[int] = []
        self._trips: list[int] = []
        self.changes: list[Change] = []
        """What was told of changes on the way."""

    def far(self, samples: bytes) -> None:
        """What was just handed to the device."""
        self._far += samples

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        """Note it; nothing is held back."""
        self._near += samples
        trip = play_delay + capture_delay
        self._trips.append(trip)
        self._places.append(len(self._far) // 2 - trip)
        return Cleaned(samples, inf, 0.0, bytes(len(samples)))

    def flushed(self, frames: int) -> None:
        """The last so many samples will never sound."""
        del self._far[len(self._far) - 2 * frames :]

    def notify(self, why: Change) -> None:
        """The way has changed."""
        self.changes.append(why)

    @property
    def played(self) -> Row:
        """All that was handed to the device."""
        return np.frombuffer(bytes(self._far), dtype="<i2") / 32768

    @property
    def heard(self) -> Row:
        """All that the microphone delivered."""
        return np.frombuffer(bytes(self._near), dtype="<i2") / 32768

    def due(self, place: float) -> float:
        """Where in `heard` the sample at `place` of `played` sounds, by the devices' own times."""
        ends = (np.arange(len(self._places)) + 1) * (len(self._near) // 2 / len(self._places))
        return float(np.interp(place, np.maximum.accumulate(self._places), ends))

    def trip(self, place: float) -> float:
        """Samples from handing a sample over until the microphone delivers what sounds then."""
        at = int(np.searchsorted(np.maximum.accumulate(self._places), place))
        return float(np.median(self._trips[max(0, at - 25) : at + 25]))
