"""Room sound on its way to the provider: from the microphone's rate to frames of the wire."""

import random

import numpy as np

from .rates import Stream, resampler


class Uplink:
    """Gives whole frames of `frame_ms` at `wire_rate`; the port says what each method does.

    `noise_dbfs` is the level of the noise that stands for sound held back: not digital silence,
    which some turn detections take for a dead line.
    """

    def __init__(self, wire_rate: int, frame_ms: int = 20, noise_dbfs: float = -70.0) -> None:
        self._wire_rate = wire_rate
        self._size = 2 * (wire_rate * frame_ms // 1000)
        self._noise_dbfs = noise_dbfs
        self.restart(wire_rate)

    def restart(self, capture_rate: int) -> None:
        """Begin anew, at this capture rate."""
        self._stream: Stream = resampler(capture_rate, self._wire_rate)
        self._waiting = b""
        # White noise loses what lies above the wire's band; make up for it. Random bytes are
        # samples from -1 to 1 of full scale with a mean square of a third.
        wider = max(1.0, capture_rate / self._wire_rate)
        self._noise_gain = 10 ** (self._noise_dbfs / 20) * (3 * wider) ** 0.5

    def room(self, samples: bytes) -> bytes:
        """Room sound at the wire's rate; empty while a wire frame fills."""
        sound = self._waiting + self._stream.convert(samples)
        whole = len(sound) - len(sound) % self._size
        self._waiting = sound[whole:]
        return sound[:whole]

    def noise(self, samples: int) -> bytes:
        """Low noise as long as `samples` of the capture rate, at the wire's rate."""
        # Through the same filter and frames, so that the wire's clock never skips a sample.
        # numpy's own generators take 10 ms and a megabyte to load.
        noise = np.frombuffer(random.randbytes(2 * samples), dtype="<i2") * self._noise_gain
        return self.room(np.rint(noise).astype("<i2").tobytes())
