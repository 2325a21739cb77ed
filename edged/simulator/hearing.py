"""What is said and heard in the software room, and when."""

import os
import subprocess
import threading
import time
from bisect import bisect_left, bisect_right
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
"""Samples per second of both sinks and of everything said and heard."""

Samples = NDArray[np.int16]
"""One channel at `RATE`."""

Place = Literal["loudspeaker", "microphone"]

PATIENCE_S: Final = 15.0
"""No step of the room's takes this long, not even on a Pi Zero that swaps."""

_SETTLING_BYTES: Final = RATE // 10 * 2
"""Left out of a recording: a sink nobody listened to was up to 50 ms ahead of the clock, and slows
down to the 10 ms that the recording asks for."""


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop `process` within two seconds, by force if it must be."""
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Recording:
    """What is heard at one place, from the moment it began until it is closed.

    Sample positions count from its beginning; times are monotonic seconds.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._heard = bytearray()
        self._counts: list[int] = []
        self._times: list[float] = []
        self._grown = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, name="room-hear", daemon=True)
        self._reader.start()
        self.wait_for(1)

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Samples heard so far."""
        with self._grown:
            return len(self._heard) // 2

    @property
    def samples(self) -> Samples:
        """A copy of everything heard so far."""
        return self.cut(0, len(self))

    def cut(self, start: int, end: int) -> Samples:
        """The samples from position `start` to before `end`, as far as they were heard."""
        with self._grown:
            piece = bytes(self._heard[2 * max(0, start) : 2 * max(0, end)])
        return np.frombuffer(piece[: len(piece) // 2 * 2], dtype=np.int16)

    def between(self, start: float, end: float) -> Samples:
        """The samples heard from one time to another; waits until `end` has been heard."""
        self.wait_until(end)
        return self.cut(self.position_at(start), self.position_at(end))

    def time_of(self, position: int) -> float:
        """When the sample at `position` was heard.

        The early arrivals within a second to either side tell: later ones were held up by the
        scheduler, the very earliest are blocks that the sink rendered ahead, and the sink's clock
        is only good (within 375 ppm) over a short window. Good to a few milliseconds.

        """
        with self._grown:
            return self._offset(self._counts, position, RATE) + position / RATE

    def position_at(self, when: float) -> int:
        """Which sample was heard at `when`; 0 for anything before the beginning."""
        with self._grown:
            roughly = (when - self._offset(self._times, when, 1)) * RATE
            return max(0, round((when - self._offset(self._counts, roughly, RATE)) * RATE))

    def wait_for(self, count: int, timeout_s: float = PATIENCE_S) -> None:
        """Wait until `count` samples were heard.

        Raises:
            TimeoutError: they were not heard in time.
            OSError: the recording has ended.

        """
        deadline = time.monotonic() + timeout_s
        with self._grown:
            while len(self._heard) < 2 * count:
                if self._over:
                    raise OSError("the recording of the room has ended")
                if not self._grown.wait(deadline - time.monotonic()):
                    raise TimeoutError("the room delivers no sound")

    def wait_until(self, when: float) -> None:
        """Wait until everything up to the time `when` was heard; raises as `wait_for` does."""
        while len(self) < (position := self.position_at(when)):
            ahead = (position - len(self)) / RATE
            self.wait_for(position, ahead + PATIENCE_S)

    def level_dbfs(self, window_s: float = 0.05) -> float:
        """Root mean square of the last moment, for a meter; -120 for silence."""
        end = len(self)
        piece = self.cut(end - round(window_s * RATE), end).astype(np.float64)
        power = float(np.mean(np.square(piece / 32768))) if piece.size else 0.0
        return max(-120.0, 10 * float(np.log10(power + 1e-12)))

    def close(self) -> None:
        """Hear nothing more; what was heard stays."""
        end(self._process)
        self._reader.join()

    def _offset(self, axis: list[int] | list[float], middle: float, second: int) -> float:
        if not self._counts:
            raise OSError("nothing was heard yet")
        first = min(bisect_left(axis, middle - second), len(axis) - 1)
        last = max(bisect_right(axis, middle + second), first + 1)
        offsets = sorted(
            when - count / RATE
            for when, count in zip(self._times[first:last], self._counts[first:last], strict=True)
        )
        return offsets[len(offsets) // 10]

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        settling = _SETTLING_BYTES
        while piece := os.read(stream.fileno(), 65536):
            now = time.monotonic()
            if settling > 0:
                settling -= len(piece)
                continue
            with self._grown:
                # A sink renders a block at the moment its first sample is due.
                self._counts.append(len(self._heard) // 2)
                self._times.append(now)
                self._heard += piece
                self._grown.notify_all()
        with self._grown:
            self._over = True
            self._grown.notify_all()
        stream.close()


class Saying:
    """Something being said into the microphone."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._began = threading.Event()
        self._over = threading.Event()
        self._started: float | None = None
        self._watcher = threading.Thread(target=self._watch, name="room-say", daemon=True)
        self._watcher.start()

    @property
    def started(self) -> float:
        """The monotonic time at which the first sample reached the microphone; waits for it.

        Good to some 20 ms; a recording of the microphone tells it to the sample.

        Raises:
            OSError: it never did.

        """
        self._began.wait(PATIENCE_S)
        if self._started is None:
            raise OSError("nothing could be said in the room")
        return self._started

    @property
    def over(self) -> bool:
        """Whether the last sample was said, or it was stopped."""
        return self._over.is_set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the last sample was said; raises `TimeoutError`."""
        if not self._over.wait(timeout_s):
            raise TimeoutError("still being said")

    def stop(self) -> None:
        """Fall silent at once."""
        end(self._process)
        self._watcher.join()

    def _watch(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as words:
            for line in words:
                if b"Stream started" in line:
                    self._started = time.monotonic()
                    self._began.set()
        self._process.wait()
        self._began.set()
        self._over.set()
