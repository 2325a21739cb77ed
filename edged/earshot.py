"""The wake word, said to one microphone and one engine without the rest of the speaker."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import plugins
from .core.events import Event, MicFrame, MicLost, MicOpened, WakeHeard, WakeNearlyHeard
from .parts import PartTrouble, open_part
from .ports import SoundCard, Wake
from .schema import Settings

_HEARD = 16_000
"""Samples per second that wake engines hear."""
_OPENS_S = 15.0
_LEVEL_S = 0.1

Meter = Callable[[float, float], None]
"""Takes the level in dBFS and the score of the moment, ten times a second."""


@dataclass(frozen=True)
class Heard:
    """What the engine made of one time that the word was said."""

    word: str
    """The one that came nearest."""
    score: float
    """Its best."""
    woke: bool


async def hear_words(
    settings: Settings,
    times: int,
    patience_s: float,
    ask: Callable[[int], None],
    meter: Meter,
) -> Sequence[Heard]:
    """Ask for the wake word so many times; what was heard of each.

    `ask` is told the number, from 1. Raises `PartTrouble`.
    """
    ear = _Ear(settings, meter)
    async with ear.listening():
        heard = []
        for number in range(1, times + 1):
            ask(number)
            heard.append(await ear.next(patience_s))
            if number < times:
                await asyncio.sleep(ear.rest_s)
        return heard


class _Ear:
    """A microphone and a wake engine behind it, as in the speaker."""

    def __init__(self, settings: Settings, meter: Meter) -> None:
        self._settings = settings
        self._meter = meter
        self._heard: asyncio.Queue[Heard | PartTrouble] = asyncio.Queue()
        self._opened = asyncio.Event()
        self._resampler: Any = None
        self._wake: Wake | None = None
        self._offered = 0
        self._metered = 0.0
        self._best = ("", 0.0)
        words = getattr(settings.wake.settings, "words", {})
        self.rest_s = max((word.refractory_s for word in words.values()), default=0.0)
        """After a word the same one is not heard again for so long."""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        sound, rate = self._settings.sound, 24_000
        off = plugins.load("echo", "off")
        echo = off.open(off.Settings(), rate)
        self._wake = open_part("wake engine", self._settings.wake, self._feed)
        try:
            card: SoundCard = open_part(
                "sound", sound, self._feed, rate, self._settings.frame_ms, echo, "off"
            )
            try:
                card.open_microphone()
                await self._open_for_real()
                yield
            finally:
                await card.close()
        finally:
            await self._wake.close()

    async def next(self, patience_s: float) -> Heard:
        """What is heard next, or came nearest when time is up."""
        while not self._heard.empty():
            self._heard.get_nowait()
        self._best = ("", 0.0)
        try:
            async with asyncio.timeout(patience_s):
                heard = await self._heard.get()
        except TimeoutError:
            return Heard(*self._best, woke=False)
        if isinstance(heard, PartTrouble):
            raise heard
        return heard

    async def _open_for_real(self) -> None:
        hint = "`edged devices` shows what there is"
        try:
            async with asyncio.timeout(_OPENS_S):
                await self._opened.wait()
        except TimeoutError as late:
            raise PartTrouble("the microphone delivers nothing", hint) from late
        if not self._heard.empty() and isinstance(trouble := self._heard.get_nowait(), PartTrouble):
            raise trouble

    def _feed(self, event: Event) -> None:
        match event:
            case MicOpened(rate=rate):
                self._resampler = plugins.load("sound", "rates").resampler(rate, _HEARD)
            case MicFrame(samples=samples, level=level):
                self._opened.set()
                self._hear(samples, level)
            case MicLost(detail=detail):
                hint = "`edged devices` shows what there is"
                trouble = PartTrouble(f"the microphone cannot be used: {detail}", hint)
                self._heard.put_nowait(trouble)
                self._opened.set()
            case WakeHeard(word=word, score=score):
                self._heard.put_nowait(Heard(word, score, woke=True))
            case WakeNearlyHeard(word=word, score=score):
                self._heard.put_nowait(Heard(word, score, woke=False))
            case _:
                pass

    def _hear(self, samples: bytes, level: float) -> None:
        if self._wake is None or self._resampler is None:
            return
        sound = self._resampler.convert(samples)
        self._wake.offer(sound, self._offered)
        self._offered += len(sound) // 2
        now = time.monotonic()
        if now - self._metered >= _LEVEL_S:
            self._metered = now
            scores = self._wake.scores().items()
            word, score = max(scores, key=lambda each: each[1], default=("", 0.0))
            self._best = max(self._best, (word, score), key=lambda each: each[1])
            self._meter(level, score)
