"""One thread that lets a wake engine hear."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from threading import Condition, Thread
from typing import NamedTuple, Protocol

from ..core.events import WakeHeard, WakeNearlyHeard
from ..handoff import Handoff
from ..ports import Feed
from ._detector import RATE, Detector, Word

DEAF_FRAMES = 16
"""So many frames fill the window of a classifier; what it says before is about silence."""

_GAP = RATE // 5
"""Sound that lacks more samples than this (200 ms) is not one phrase."""

_WAITING = 2 * RATE
"""So many samples wait for an engine that falls behind; then the oldest frame falls out."""

_RECENT_S = 0.3
"""What is shown of the scores is the best of so long: a phrase peaks for two or three frames."""

_CLOSE_S = 0.5


class Engine(Protocol):
    """What gives a score to every frame; called on the worker's thread only."""

    frame: int
    """Samples in a frame, at 16 kHz."""

    def restart(self) -> None:
        """Forget everything heard; the same sound then gives the same scores."""

    def scores(self, samples: bytes) -> Mapping[str, float]:
        """The score of each word, 0 to 1, after one more frame of 16-bit mono sound."""


class _Frame(NamedTuple):
    samples: bytes
    end: int
    """Where it ends, in the positions of the caller."""
    era: int
    """How often `reset` had been called."""


class Worker:
    """Keeps the promises of `ports.Wake` for any engine; create it on the loop's thread.

    `about` is the constant part of the status. An engine that raises ends the thread, and the
    exception is raised on the loop.
    """

    def __init__(
        self, engine: Engine, words: Mapping[str, Word], about: Mapping[str, str | int], feed: Feed
    ) -> None:
        self._engine = engine
        self._detector = Detector(words)
        self._about = about
        self._feed = feed
        self._handoff = Handoff(self._deliver)
        self._ended = asyncio.Event()
        self._partial = bytearray()
        self._offered = 0
        self._waiting: deque[_Frame] = deque()
        self._ready = Condition()
        self._era = 0
        self._open = True
        self._examined = 0
        self._dropped = 0
        self._recent: tuple[Mapping[str, float], ...] = ()
        """Newest first; replaced as a whole, so that nobody need wait."""
        self._kept = max(1, round(_RECENT_S * RATE / engine.frame))
        self._thread = Thread(target=self._run, name="wake", daemon=True)
        self._thread.start()

    def offer(self, samples: bytes, position: int) -> None:
        """Cut the sound into frames and leave them to the thread."""
        if abs(position - self._offered) > _GAP:
            self._partial.clear()
        self._offered = position + len(samples) // 2
        self._partial += samples
        size = 2 * self._engine.frame
        while len(self._partial) >= size:
            frame = bytes(self._partial[:size])
            del self._partial[:size]
            self._leave(_Frame(frame, self._offered - len(self._partial) // 2, self._era))

    def reset(self) -> None:
        """Forget everything heard; nothing heard before is reported any more."""
        self._partial.clear()
        self._recent = ()
        with self._ready:
            self._waiting.clear()
            self._era += 1

    @property
    def examined(self) -> int:
        """Frames that the engine has given a score."""
        return self._examined

    def scores(self) -> Mapping[str, float]:
        """The best score of each word lately; {} while nothing is heard."""
        recent = self._recent
        return {word: max(scores[word] for scores in recent) for word in (recent or ({},))[0]}

    def status(self) -> Mapping[str, str | int]:
        """What the engine is, and what it did so far."""
        return {
            **self._about,
            "frames_examined": self._examined,
            "frames_dropped": self._dropped,
            "near_misses": self._detector.near_misses,
        }

    async def close(self) -> None:
        """End the thread; one that hangs in its engine is left to the end of the process."""
        with self._ready:
            self._open = False
            self._era += 1
            self._ready.notify()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._ended.wait()
            self._thread.join()
        self._handoff.close()

    def _leave(self, frame: _Frame) -> None:
        with self._ready:
            if len(self._waiting) * self._engine.frame >= _WAITING:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(frame)
            self._ready.notify()

    def _deliver(self, item: tuple[int, WakeHeard | WakeNearlyHeard] | Exception | None) -> None:
        if isinstance(item, tuple):
            era, event = item
            if era == self._era:
                self._feed(event)
            return
        self._ended.set()
        if item is not None:
            raise item

    def _run(self) -> None:
        try:
            self._listen()
        except Exception as problem:
            self._handoff.put(problem)
            raise
        self._handoff.put(None)

    def _listen(self) -> None:
        era, end, deaf = -1, 0, 0
        while (frame := self._next()) is not None:
            missing = frame.end - self._engine.frame - end
            if frame.era != era or abs(missing) > _GAP:
                self._engine.restart()
                self._detector.reset()
                deaf = DEAF_FRAMES
            era, end = frame.era, frame.end
            scores = self._engine.scores(frame.samples)
            self._examined += 1
            self._recent = () if deaf else (scores, *self._recent[: self._kept - 1])
            if deaf:
                deaf -= 1
                continue
            for event in self._detector.hear(end, scores):
                self._handoff.put((era, event))

    def _next(self) -> _Frame | None:
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or not self._open)
            return self._waiting.popleft() if self._open else None
