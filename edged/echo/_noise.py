"""Comfort noise: what a quiet room sends, while it is held back."""

import random

import numpy as np
from numpy.typing import NDArray

_LOWEST, _HIGHEST = 10 ** (-75 / 20) * 32768, 10 ** (-45 / 20) * 32768
"""Some noise there always is, and never enough to be taken for a voice."""

_BLOCK = 40
"""Frames after which the lowest of them counts: with the block before, 0.8 to 1.6 s."""

_RISE = 1.2
"""The mean of noise over its lowest smoothed frame in a block, in power."""

_SMOOTHING = 0.3


class Noise:
    """Follows the floor of the sound that is sent, and makes noise as loud as it.

    The floor is the lowest smoothed power of the last second or so, as in minimum statistics
    (Martin, Noise power spectral density estimation, 2001).
    """

    def __init__(self, rate: int) -> None:
        drawn = np.frombuffer(random.Random(rate).randbytes(4 * rate), dtype="<i2")
        # Rooms are louder below 2 kHz than above.
        soft = np.convolve(drawn.astype(np.float32), np.hanning(9).astype(np.float32), "valid")
        self._noise = soft / soft.std()
        self._at = 0
        self._power = self._lowest = self._before = -1.0
        self._frames = 0

    def comfort(self, samples: bytes, alone: bool = True) -> bytes:
        """Noise as long as `samples`; the floor follows them where the room is `alone` in them.

        Our own voice makes the room louder, and what suppresses it, quieter than it is. Until the
        room was alone for long enough the floor may sink all the same.
        """
        sound = np.frombuffer(samples, dtype="<i2").astype(np.float32)
        power = float(sound @ sound) / len(sound)
        if power > 0 and (alone or self._frames < _BLOCK):
            self._follow(power, alone)
        level = min(max((_RISE * self.floor) ** 0.5, _LOWEST), _HIGHEST)
        # A prime step: the noise does not repeat for as long as anybody listens.
        self._at = (self._at + 7919) % (len(self._noise) - len(sound))
        noise = self._noise[self._at : self._at + len(sound)] * np.float32(level)
        rounded: NDArray[np.int16] = np.rint(noise).astype("<i2")
        return rounded.tobytes()

    @property
    def floor(self) -> float:
        """Power of the quietest moments, in squared units of a 16-bit sample."""
        return max(0.0, min(self._lowest, self._before))

    def _follow(self, power: float, alone: bool) -> None:
        if self._power < 0:
            self._power = self._lowest = self._before = power
        self._power += _SMOOTHING * (power - self._power)
        self._lowest = min(self._lowest, self._power)
        self._frames += alone
        if alone and self._frames % _BLOCK == 0:
            self._before, self._lowest = self._lowest, self._power
