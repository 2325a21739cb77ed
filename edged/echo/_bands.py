"""A learned guess of our own echo in 18 bands, and how much more than that is heard."""

from collections.abc import Sequence
from math import inf, log10

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Guess = Sequence[Sequence[float]]
"""How much of each kind of sound that is played comes back: a row a kind, a number a band."""

BANDS = 18
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 8000.0

_LAGS = 6
"""Frames of the reference that count singly; older ones only as what they left ringing."""

_RING = 0.8
"""How much of the ring is left a frame later, in power: an RT60 of 1.2 s."""

_KINDS = _LAGS + 2
"""The kinds of sound that our echo is guessed from, without a canceller's estimate."""

_UP, _DOWN, _UP_NEAR = 0.1, 0.3, 0.004
"""Share of an error by which the guess is corrected: where more was heard, where less, and where
more was heard while somebody speaks."""

_WEIGHTS = (1e-8, 1e3)
"""The limits of what comes back of anything, in power."""

_WATCH = 0.02
"""How fast the usual size of the errors is learned."""

_SPREAD = (0.4, 1.5)
"""Its limits, in nepers of power."""

_BEYOND, _ENOUGH = 1.5, 3.0
"""A band speaks for a voice from so many usual errors on, and by at most so many."""

_SMOOTHING = 0.5
"""The share of the newest frame in the score."""

_LEAST_LEFT = 10 ** (-20 / 10)
"""No canceller is believed to leave less of the echo than this, in power."""

_ASTRAY, _AVERAGING = 0.5, 0.2
"""A canceller that leaves more than this share of the power, averaged so, has lost its way."""

_KNOWN = 3.0
"""Sound up to so many times the guess may still be our echo, come a little earlier or later."""

_DOUBT_FRAMES = 75
"""Nobody speaks over us for longer, because then we stop: it is our echo, come another way."""

_FLOOR_FRAMES = 75
_COLD_FRAMES = 50
"""Frames with our own sound in them after which a fresh guess is trusted."""

_QUIET_FRAMES = 15
"""Frames without our own sound after which there is nothing to hold back."""


class Judge:
    """Guesses from what is played how much echo is in a frame, and scores what exceeds it.

    Judges several versions of the microphone at a time, a row each: the raw one first, then what
    cancellers leave of it. In each band the echo's power is guessed as a weighted sum of what is
    played now, what was a few frames ago, what still rings, and the loudest of all bands (for
    loudspeakers that distort); for what a canceller leaves also of what it took away, which tells
    best when and where there was any. The weights follow the errors in the logarithm, each by its
    share of the guess, which keeps them positive. A band's error counts by its usual size, which
    a distorting loudspeaker or a poor filter makes large. All numbers above were found on
    simulated rooms, by trial.

    `needs`, one for each row: the sum over all bands, in usual errors, that scores 1.
    """

    def __init__(self, rate: int, needs: Sequence[float]) -> None:
        frame = rate // 50
        rows = len(needs)
        self._frame, self._rows = frame, rows
        self._needs = np.array(needs, np.float32)
        edges = np.geomspace(_LOWEST_HZ, min(_HIGHEST_HZ, 0.45 * rate), BANDS + 1)
        # Windows of two frames: bins are 25 Hz apart. No band is without one.
        at = np.rint(edges / 25).astype(int)
        for band in range(BANDS):
            at[band + 1] = max(at[band + 1], at[band] + 1)
        self._bins = slice(at[0], at[-1])
        self._first = at[:-1] - at[0]
        self._window = np.hanning(2 * frame).astype(np.float32)
        estimated = rows > 1
        self._before = np.zeros((rows + 1 + estimated, frame), np.float32)
        self._played = np.zeros((_KINDS + 2 * estimated, BANDS), np.float32)
        # At first everything is taken for echo that is not louder than what is played.
        self._weights = np.ones((rows, len(self._played), BANDS), np.float32)
        self._weights[:, _KINDS - 1] = 0.01
        self._weights[0, _KINDS:] = 0
        self._spread = np.full((rows, BANDS), 0.8, np.float32)
        self._floor = _Floor()
        self._average = np.zeros((rows + 1, BANDS), np.float32)
        self._scores = np.zeros(rows, np.float32)
        self._doubt = np.zeros(rows)
        self._cold, self._quiet = _COLD_FRAMES, _QUIET_FRAMES
        self._echo_power = np.ones(rows)

    def relearn(self) -> None:
        """The echo's way has changed: the score is 0 for the next second of our own sound."""
        # A canceller begins anew too, and leaves what it was given.
        self._weights[1:, :_KINDS] = self._weights[0, :_KINDS]
        self._cold = _COLD_FRAMES
        self._scores[:] = 0

    @property
    def guess(self) -> Guess:
        """What was learned of the way from loudspeaker to microphone, to be kept."""
        return [[float(f"{part:.3g}") for part in kind] for kind in self._weights[0, :_KINDS]]

    def recall(self, guess: Guess) -> None:
        """Begin with what was learned another time; the first second is still not trusted.

        Raises ValueError where it is no guess.
        """
        recalled = np.array(guess, np.float32)
        if recalled.shape != (_KINDS, BANDS) or not np.isfinite(recalled).all():
            raise ValueError(f"a guess has {_KINDS} rows of {BANDS} numbers")
        # A canceller begins anew, and leaves what it is given.
        self._weights[:, :_KINDS] = np.clip(recalled, *_WEIGHTS)

    @property
    def erle_db(self) -> float:
        """How much less echo the second row holds than the first."""
        if self._rows == 1:
            return 0.0
        return 10 * log10(self._echo_power[0] / self._echo_power[1])

    def hear(self, versions: Sequence[bytes], far: bytes) -> float:
        """The lowest score of a frame's versions after the raw one, or of the raw one alone.

        20 ms each, 16-bit; other lengths raise ValueError. Infinite where nothing was played.
        """
        if any(len(each) != 2 * self._frame for each in (*versions, far)):
            raise ValueError(f"a frame is {self._frame} samples")
        power = self._powers(versions, far)
        heard = power[: self._rows] + 1
        self._remember(power[self._rows :])
        floor = self._floor.follow(heard)
        parts = self._weights * self._played
        echo = parts.sum(axis=1)
        np.maximum(echo[1:], echo[0] * _LEAST_LEFT, out=echo[1:])
        guess = echo + floor
        error = np.log(heard / guess)
        self._score(error, heard, guess)
        if not (echo[0] > 0.5 * floor[0]).any():
            self._quiet += 1
            return inf if self._quiet > _QUIET_FRAMES else self._verdict()
        self._quiet = 0
        self._learn(parts, guess, error, echo)
        if self._scores.max() < 0.5:
            self._echo_power += 0.02 * (heard.sum(axis=1) - self._echo_power)
        self._cold = max(0, self._cold - 1)
        return self._verdict()

    def _verdict(self) -> float:
        if self._cold:
            return 0.0
        return float(self._scores[self._rows > 1 :].min())

    def _powers(self, versions: Sequence[bytes], far: bytes) -> Floats:
        """Each version's power in each band; then that of what is played, and taken away."""
        now = np.empty_like(self._before)
        for row, samples in enumerate((*versions, far)):
            now[row] = np.frombuffer(samples, dtype="<i2")
        if self._rows > 1:
            now[-1] = now[0] - now[1]
        both = np.concatenate((self._before, now), axis=1) * self._window
        self._before = now
        spectrum = np.fft.rfft(both, axis=1)[:, self._bins]
        power = spectrum.real**2 + spectrum.imag**2
        summed: Floats = np.add.reduceat(power, self._first, axis=1)
        return summed

    def _remember(self, power: Floats) -> None:
        """Move on what was played, and what was taken away, by a frame."""
        played = self._played
        played[_LAGS] = _RING * played[_LAGS] + played[_LAGS - 1]
        played[1:_LAGS] = played[: _LAGS - 1].copy()
        played[0] = power[0]
        played[_LAGS + 1] = played[:3].sum(axis=1).max()
        if self._rows > 1:
            played[-1] = _RING * played[-1] + played[-2]
            played[-2] = power[1]

    def _score(self, error: Floats, heard: Floats, guess: Floats) -> None:
        beyond = np.clip(error / self._spread - _BEYOND, 0, _ENOUGH)
        beyond[1:][self._lost(error[0], heard)] = 0
        if self._rows > 1 and self._gone_astray(guess[0], heard, beyond[0]):
            beyond[1:] = 0
        self._scores += _SMOOTHING * (beyond.sum(axis=1) / self._needs - self._scores)

    def _lost(self, error: Floats, heard: Floats) -> NDArray[np.bool_]:
        """Bands where the raw sound is the echo we know, and a canceller leaves it as it is."""
        lost: NDArray[np.bool_] = (error < np.log(2)) & (heard[1:] > _ASTRAY * heard[0])
        return lost

    def _gone_astray(self, guess: Floats, heard: Floats, beyond: Floats) -> bool:
        """Whether cancelling fails in most bands though there is little but our echo.

        So it is when the echo's delay jumps unannounced; a voice is louder than the echo, or the
        canceller leaves much less than it was given.
        """
        self._average += _AVERAGING * (np.vstack((guess, heard)) - self._average)
        expected, raw, left = self._average[:3]
        if np.count_nonzero(left > _ASTRAY * raw) * 2 <= BANDS:
            return False
        known = np.count_nonzero(raw < _KNOWN * expected) * 2 > BANDS
        return bool(known or beyond.sum() < self._needs[0])

    def _learn(self, parts: Floats, guess: Floats, error: Floats, echo: Floats) -> None:
        error = np.clip(error, -2, 2)
        calm = self._calm()
        up = _DOWN if self._cold else np.where(calm, _UP, _UP_NEAR)
        step = error * np.where(error > 0, up, _DOWN) / guess
        learned = self._weights * np.exp(step[:, None] * parts)
        np.clip(learned, *_WEIGHTS, out=self._weights)
        self._weights[0, _KINDS:] = 0
        variance = self._spread**2
        told = (echo > 0.3 * guess) & calm
        variance += told * _WATCH * (error**2 - variance)
        self._spread = np.clip(np.sqrt(variance), *_SPREAD)

    def _calm(self) -> NDArray[np.bool_]:
        """For each row, as a column, whether what is heard is our own echo, as far as we know."""
        near = self._scores > 0.5
        self._doubt = np.clip(self._doubt + np.where(near, 1, -0.25), 0, 2 * _DOUBT_FRAMES)
        return (~near | (self._doubt > _DOUBT_FRAMES))[:, None]


class _Floor:
    """The lowest power of each band in the last 1.5 to 3 s."""

    def __init__(self) -> None:
        self._frames = 0

    def follow(self, heard: Floats) -> Floats:
        """The floor, with this frame."""
        if not self._frames:
            self._smooth, self._lowest, self._last = heard.copy(), heard.copy(), heard.copy()
        self._frames += 1
        self._smooth += 0.3 * (heard - self._smooth)
        np.minimum(self._lowest, self._smooth, out=self._lowest)
        if self._frames % _FLOOR_FRAMES == 0:
            self._last, self._lowest = self._lowest, self._smooth.copy()
        floor: Floats = np.minimum(self._lowest, self._last) * np.float32(1.5)
        return floor
