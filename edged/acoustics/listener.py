"""Stands before an echo driver and writes down what is played and heard, and when."""

import numpy as np
from numpy.typing import NDArray

from ..core.frames import Cleaned
from ..ports import Change, Echo

Row = NDArray[np.float64]


class Listener:
    """An `Echo` before another one; both rows are at the wire's rate, full scale 1.

    It sees exactly what that driver does: so its figures are what it has to bear.
    """

    def __init__(self, driver: Echo) -> None:
        self._driver = driver
        self.hears_through = driver.hears_through
        self.late = driver.late
        self._far = bytearray()
        self._near = bytearray()
        self._places: list[int] = []
        self._trips: list[int] = []
        self.changes: list[Change] = []
        """What was told of changes on the way."""

    @property
    def drift_ppm(self) -> float:
        """As the driver says."""
        return self._driver.drift_ppm

    def far(self, samples: bytes) -> None:
        """What was just handed to the device."""
        self._far += samples
        self._driver.far(samples)

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        """Note it, and let the driver hear it."""
        self._near += samples
        trip = play_delay + capture_delay
        self._trips.append(trip)
        self._places.append(len(self._far) // 2 - trip)
        return self._driver.near(samples, play_delay, capture_delay)

    def flushed(self, frames: int) -> None:
        """The last so many samples will never sound."""
        del self._far[len(self._far) - 2 * frames :]
        self._driver.flushed(frames)

    def notify(self, why: Change) -> None:
        """The way has changed."""
        self.changes.append(why)
        self._driver.notify(why)

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
