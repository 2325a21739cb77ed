"""A linear canceller, and a judge of what it leaves."""

from collections.abc import Callable
from math import isinf

from ..core.frames import Cleaned
from ..ports import Change
from ._bands import Guess, Judge
from ._noise import Noise
from ._reference import Reference
from ._speex import Canceller

Detector = Callable[[bytes, bytes], bytes]
"""Gives what another canceller leaves of a frame (near, far), to be judged too."""

_ALONE = (10.0, 12.0)
"""The evidence that scores 1, as `Judge` counts it: in the raw sound, and in Speex's residual."""

_AGREED = (10.0, 10.0, 4.0)
"""The same where the other canceller's residual must hold a voice too. WebRTC's leaves little of
a voice under a loud echo, and less of the echo: so little is enough."""


class Chain:
    """An `Echo` that sends Speex's sound; with a `detector`, both residuals must hold a voice."""

    hears_through = True

    def __init__(
        self, rate: int, tail_ms: int, caution: float, detector: Detector | None = None
    ) -> None:
        self._reference = Reference(rate)
        self.late = rate // 50
        self._canceller = Canceller(rate, tail_ms)
        self._detector = detector
        needs = _ALONE if detector is None else _AGREED
        self._judge = Judge(rate, [need * caution for need in needs])
        self._noise = Noise(rate)
        self._before = bytes(2 * self.late)

    @property
    def drift_ppm(self) -> float:
        """How much faster the loudspeaker's clock runs than the microphone's."""
        return self._reference.drift_ppm

    @property
    def guess(self) -> Guess:
        """What was learned of this room, to be kept."""
        return self._judge.guess

    def recall(self, guess: Guess) -> None:
        """Begin with what was learned another time; raises ValueError where it is no guess."""
        self._judge.recall(guess)

    def far(self, samples: bytes) -> None:
        """What was just handed to the device."""
        self._reference.far(samples)

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        """Cancelled, its residue suppressed; the score is that of the linear residual."""
        far, moved = self._reference.near(len(samples) // 2, play_delay, capture_delay)
        if moved:
            self._judge.relearn()
        linear, clean = self._canceller.cancel(samples, far)
        residuals = [linear] if self._detector is None else [linear, self._detector(samples, far)]
        score = self._judge.hear((samples, *residuals), far)
        before, self._before = self._before, samples
        if isinf(score):
            # There is nothing to suppress: a person alone is left as they are.
            clean = before
        noise = self._noise.comfort(clean, isinf(score))
        return Cleaned(clean, score, self._judge.erle_db, noise)

    def flushed(self, frames: int) -> None:
        """So many frames will never sound."""
        self._reference.flushed(frames)

    def notify(self, why: Change) -> None:
        """Begin to learn again; an underrun leaves the room as it was, and the filter with it."""
        if why == "rested":
            self._reference.resume()
            return
        if why != "underrun":
            self._reference.realign()
            self._canceller.reset()
        self._judge.relearn()
