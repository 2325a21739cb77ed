"""When a score is a wake word: threshold, frames in a row, rest and near misses, per word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from ..core.events import WakeHeard, WakeNearlyHeard

RATE = 16_000
"""Samples per second that every engine hears."""

_PHRASE = RATE
"""A near miss is over once the score stayed below half the threshold for this many samples:
scores of one phrase flicker, and it is to be told once."""


@dataclass(frozen=True)
class Word:
    """What makes one wake word count."""

    threshold: Annotated[float, "0.05 to 1"] = 0.5
    """A higher score wakes; raise it against false wakes, lower it when the word is missed."""
    min_frames: Annotated[int, "1 to 20"] = 1
    """So many frames in a row must reach the threshold; a phrase usually does for 5 to 15 of the
    80 ms of openwakeword, for about 20 of the 30 ms of microwakeword."""
    refractory_s: Annotated[float, "0.5 to 30"] = 2.0
    """After the last frame above the threshold the same word is not heard again for this long."""
    model: str = ""
    """The path of a model of your own; "" for the one that comes with the engine."""


class Detector:
    """Turns the scores of each frame into events; knows nothing of engines, threads or time."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._rules = words
        self.near_misses = 0
        self.reset()

    def reset(self) -> None:
        """Forget every phrase and rest; the count of near misses goes on."""
        self._ears = {name: _Ear(rule) for name, rule in self._rules.items()}

    def hear(self, position: int, scores: Mapping[str, float]) -> list[WakeHeard | WakeNearlyHeard]:
        """What the scores (0 to 1) of the frame that ends at `position` mean.

        `position` is in 16 kHz samples and grows from call to call.
        """
        events: list[WakeHeard | WakeNearlyHeard] = []
        for name, ear in self._ears.items():
            if ear.recognises(position, scores[name]):
                events.append(WakeHeard(name, scores[name], position))
            elif near := ear.missed(position, scores[name]):
                self.near_misses += 1
                events.append(WakeNearlyHeard(name, near))
        return events


class _Ear:
    """What one word was lately."""

    def __init__(self, rule: Word) -> None:
        self._threshold = rule.threshold
        self._min_frames = rule.min_frames
        self._rest = round(rule.refractory_s * RATE)
        self._streak = 0
        self._last_above: int | None = None
        """Where the rest after a wake is counted from; None before the first."""
        self._peak = 0.0
        """The best score of the current phrase; 0 between phrases."""
        self._last_near = 0

    def recognises(self, position: int, score: float) -> bool:
        """Whether the word is recognised in this very frame."""
        if not score >= self._threshold:
            self._streak = 0
            return False
        self._streak += 1
        if resting := self._resting(position):
            self._last_above = position
        if resting or self._streak < self._min_frames:
            self._peak, self._last_near = score, position
            return False
        self._peak, self._last_near, self._last_above = score, position, position
        return True

    def missed(self, position: int, score: float) -> float:
        """The best score of a near miss that is over now; 0 for none."""
        if score >= self._threshold:
            return 0.0
        if score >= self._threshold / 2 and not self._resting(position):
            self._peak, self._last_near = max(self._peak, score), position
        elif self._peak and position - self._last_near >= _PHRASE:
            peak, self._peak = self._peak, 0.0
            return peak if peak < self._threshold else 0.0
        return 0.0

    def _resting(self, position: int) -> bool:
        return self._last_above is not None and position - self._last_above < self._rest
