"""From one sample rate to another, a millisecond or two late.

A polyphase filter: a Kaiser-windowed low-pass at the rate both sides share, of which each output
sample uses every L-th tap (Crochiere & Rabiner, Multirate Digital Signal Processing, 1983,
chapter 4). Its length follows from the delay we allow, 32 samples of the lower rate: 1.3 ms at
24 kHz, 2 ms at 16 kHz, 4 ms at 8 kHz. soxr holds 26 to 32 ms back at its default quality and
5 to 15 ms with `vr=True`.
"""

from functools import lru_cache
from math import gcd
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_REACH = 32
"""Half the filter's length, in samples of the lower rate."""
_CUTOFF = 0.93
"""The filter's -6 dB point, of the lower Nyquist frequency: flat to 0.87, gone from 1.0."""
_BETA = 7.0
"""Kaiser's shape for about 70 dB of rejection."""


class Stream(Protocol):
    """A `Resampler` whose tail can be had, and whose delay is known."""

    delay: int
    """Output samples before the place of the first input sample."""
    delay_ms: float

    def convert(self, samples: bytes) -> bytes:
        """The next samples; any number may come and go at a time."""

    def flush(self) -> bytes:
        """What is still inside: `delay` samples. Begin a new stream after it."""


def resampler(from_rate: int, to_rate: int) -> Stream:
    """One direction of one stream of 16-bit mono; equal rates pass through."""
    return _Straight() if from_rate == to_rate else _Polyphase(from_rate, to_rate)


@lru_cache(maxsize=8)
def _taps(up: int, down: int) -> tuple[NDArray[np.float32], int, int]:
    """The filter as a matrix, and how many periods it makes at once, and its delay.

    Row: one of `groups * down + reach` neighbouring input samples; column: one of
    `groups * up` output samples. Delay in output samples.
    """
    factor = max(up, down)
    delay = -(-_REACH * factor // down)
    half = delay * down
    at = np.arange(-half, half + 1)
    ideal = np.sinc(at * _CUTOFF / factor) * np.kaiser(2 * half + 1, _BETA)
    prototype = ideal * (up / ideal.sum())
    reach = 2 * half // up
    groups = max(1, round(reach / down))
    inputs = np.arange(groups * down + reach)[:, None] - reach
    outputs = np.arange(groups * up)[None, :]
    tap = outputs * down - inputs * up
    inside = (tap >= 0) & (tap <= 2 * half)
    matrix = np.where(inside, prototype[np.clip(tap, 0, 2 * half)], 0.0)
    return np.ascontiguousarray(matrix, dtype=np.float32), groups, delay


class _Polyphase:
    """n samples in give n·to/from out at once, `delay_ms` late; no drift over any time."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        common = gcd(from_rate, to_rate)
        self._up, self._down = to_rate // common, from_rate // common
        self._matrix, self._groups, self.delay = _taps(self._up, self._down)
        self.delay_ms = self.delay * 1000 / to_rate
        self._reach = len(self._matrix) - self._groups * self._down
        self._wanted = 0
        """The next output sample's number, from a multiple of `up`."""
        self._given = 0
        """Input samples since the one that belongs to output sample 0."""
        self._known: NDArray[np.float32] = np.zeros(self._reach, dtype=np.float32)
        """Input samples from `reach` before that one on."""

    def convert(self, samples: bytes) -> bytes:
        """The next samples; any number may come and go at a time."""
        fresh = np.frombuffer(samples, dtype="<i2").astype(np.float32)
        self._known = np.concatenate((self._known, fresh))
        self._given += len(fresh)
        # Output sample j needs the input up to j * down / up.
        end = -(-self._given * self._up // self._down)
        if end <= self._wanted:
            return b""
        step, made = self._groups * self._down, self._groups * self._up
        blocks = -(-end // made)
        lacking = blocks * step - self._given
        sound = self._known
        if lacking > 0:
            sound = np.concatenate((sound, np.zeros(lacking, dtype=np.float32)))
        # What sliding_window_view gives, which takes longer to say so than the filter to run.
        size = sound.itemsize
        windows: NDArray[np.float32] = np.ndarray(
            (blocks, step + self._reach), np.float32, sound, strides=(step * size, size)
        )
        # A copy: overlapping rows are not what BLAS multiplies fast.
        out = (np.ascontiguousarray(windows) @ self._matrix).ravel()[self._wanted : end]
        self._forget(end)
        rounded: NDArray[np.int16] = np.clip(np.rint(out), -32768, 32767).astype("<i2")
        return rounded.tobytes()

    def flush(self) -> bytes:
        """Zeros push it out."""
        needed = -(-self.delay * self._down // self._up) + 1
        return self.convert(bytes(2 * needed))[: 2 * self.delay]

    def _forget(self, end: int) -> None:
        """Keep only the input that output samples from `end` on need."""
        periods = end // self._up
        self._wanted = end - periods * self._up
        self._given -= periods * self._down
        self._known = self._known[periods * self._down :]


class _Straight:
    """The `Resampler` for equal rates."""

    delay = 0
    delay_ms = 0.0

    def convert(self, samples: bytes) -> bytes:
        return samples

    def flush(self) -> bytes:
        return b""
