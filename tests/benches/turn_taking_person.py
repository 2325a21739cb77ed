"""Whoever asks and interrupts: by speech, the wake word, a button, or push-to-talk."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import median

from edged.simulator.evening.daemon import Daemon
from edged.simulator.hearing import RATE, Samples
from edged.simulator.pinboard import PinsClient
from edged.simulator.provider.ledger import Entry
from edged.simulator.server import Server

from .rig import Rig, ask, until

KINDS = ("voice", "wake", "push", "button")
"""In this order: after push-to-talk the server hears no speech until a button or a word wakes."""
ANSWER_S = 1.6
"""Every answer lasts so long."""
THINK_S = 0.2
"""From the question to the first of the answer's sound."""
MOMENTS: Mapping[str, tuple[float, float]] = {
    "the first 100 ms": (0.0, 0.1),
    "the first word": (0.1, 0.4),
    "the middle": (0.5, 1.1),
    "anywhere": (0.1, ANSWER_S - 0.1),
    "the last syllable": (ANSWER_S - 0.2, ANSWER_S - 0.05),
}
"""Seconds from the first sound; where the server is quick, generation has finished in most."""
_ONSET_S = 0.045
_SETTLE_S = 0.45
"""From an interruption to what makes the next answer."""
_BUTTON = 17
_PRESS_S = 0.08
_SOON_S = 2.5
"""A wake word that was not recognised until then was not heard."""
_PATIENCE_S = 1.0
"""An answer that was not begun until then was interrupted before."""


@dataclass
class Cut:
    """One answer that was interrupted."""

    kind: str
    when: float
    """The monotonic time of the onset, the edge, or the recognition."""
    session: int
    """The connection's number."""
    reply: str
    light: float | None = None
    """When the light showed it."""


class Person:
    """Asks and interrupts whoever answers: the bare loop, or edged with its pins."""

    def __init__(
        self,
        here: Rig,
        chance: random.Random,
        word: Samples,
        daemon: Daemon | None = None,
        pins: PinsClient | None = None,
    ) -> None:
        self._here = here
        self._server: Server = here.server
        self._chance = chance
        self._word = word
        self._daemon = daemon
        self._pins = pins
        self._leads = [len(word) / RATE + 0.3]
        self._thinks = [THINK_S]
        self._ask: Callable[[], Awaitable[None]] | None = None
        """Makes the next answer: whoever interrupted by voice falls silent, or lets go."""
        self.cuts: list[Cut] = []

    async def interrupt(self, kind: str, moment: str) -> bool:
        """Ask something, and interrupt the answer; False when the moment was missed."""
        low, high = MOMENTS[moment]
        after_s = _ONSET_S + self._chance.uniform(low, high)
        lead_s = median(self._leads[-5:]) if kind == "wake" else 0.0
        if self._ask is None:
            await self._onset()
            await asyncio.sleep(_PRESS_S)
        thinks_s = median(self._thinks[-5:])
        ask_at = time.monotonic() + max(0.0, lead_s - thinks_s - after_s)
        calling = None
        if kind == "wake":
            calling = asyncio.create_task(self._call(ask_at + thinks_s + after_s - lead_s))
        await _sleep_until(ask_at)
        begun = await self._answer()
        when = None
        if calling:
            when = await calling
        elif begun:
            await _sleep_until(begun.t + self._here.epoch + after_s)
            when = await self._trigger(kind)
        await asyncio.sleep(_SETTLE_S)
        if begun is None or when is None:
            return False
        first = begun.t + self._here.epoch
        self._thinks.append(first - ask_at)
        if hit := first < when < first + _ONSET_S + ANSWER_S:
            self.cuts.append(Cut(kind, when, begun.session, begun.details["response_id"]))
        return hit

    async def finish(self) -> None:
        """Let go of whatever is held, and let the last answer be over."""
        if self._ask:
            await self._ask()
        await asyncio.sleep(THINK_S + ANSWER_S + 2 * _SETTLE_S)

    async def _trigger(self, kind: str) -> float:
        match kind:
            case "voice":
                return await self._onset()
            case "button":
                when = await self._finger(down=True)
                await asyncio.sleep(_PRESS_S)
                await self._finger(down=False)
                return when
            case _:
                self._ask = self._let_go
                return await self._finger(down=True)

    async def _onset(self) -> float:
        known = len(self._server.log)
        if not self._speech() and self._daemon:
            # A press that came too late has ended the session, or a word was missed after one.
            await ask(self._daemon, "wake")
            await until(self._speech)
        self._ask = self._fall_silent
        kind = "input_audio_buffer.speech_started"
        await until(lambda: self._said(kind, known) is not None)
        said = self._said(kind, known)
        assert said is not None
        return said.t + self._here.epoch

    def _speech(self) -> bool:
        """Let the server hear an onset, if it listens for one."""
        with contextlib.suppress(RuntimeError):
            self._server.hears_speech()
            return True
        return False

    async def _fall_silent(self) -> None:
        self._server.hears_silence()

    async def _finger(self, *, down: bool) -> float:
        assert self._pins is not None
        return await (self._pins.press if down else self._pins.release)(_BUTTON)

    async def _let_go(self) -> None:
        await self._finger(down=False)

    async def _call(self, at: float) -> float | None:
        """Say the wake word; when it was recognised, if it was soon."""
        assert self._daemon is not None
        lines = self._daemon.lines
        await _sleep_until(at)
        first, began = len(lines), time.monotonic()
        self._here.room.say(self._word)

        def woken() -> float | None:
            return next((line.time for line in lines[first:] if "woken by" in line.text), None)

        with contextlib.suppress(TimeoutError):
            await until(lambda: woken() is not None, _SOON_S)
        when = woken()
        if when is not None:
            self._leads.append(when - began)
        return when

    async def _answer(self) -> Entry | None:
        """Have the question answered; the first sound of the answer, or None if there is none."""
        assert self._ask is not None
        known = len(self._server.log)
        await self._ask()
        self._ask = None
        kind = "response.output_audio.delta"
        with contextlib.suppress(TimeoutError):
            await until(lambda: self._said(kind, known) is not None, _PATIENCE_S)
        return self._said(kind, known)

    def _said(self, kind: str, known: int) -> Entry | None:
        """What the server said first of this kind after so many entries."""
        entries = itertools.islice(self._server.log, known, None)
        return next((entry for entry in entries if entry.type == kind), None)


async def _sleep_until(when: float) -> None:
    await asyncio.sleep(when - time.monotonic())
