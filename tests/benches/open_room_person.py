"""Who speaks in the open room: wakes, asks, stays silent through an answer, or talks over it."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edged.simulator.evening import talker
from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.evening import WAKE_WORD
from edged.simulator.hearing import RATE, Samples
from edged.simulator.provider.companding import resample
from edged.simulator.provider.ledger import Entry
from edged.simulator.provider.voice import Speech
from edged.simulator.server import Server

from .echo_scene import NEAR_DBFS, active_rms
from .echo_voices import RATE as VOICE_RATE
from .echo_voices import REPORTED, Cast, Sound, Voice, say
from .rig import Rig, ask

ANSWER_DBFS = -20.0
"""How loud a provider's voice is while it speaks."""
QUESTIONS = (
    "What can you tell me about this?",
    "And what else is there to know?",
    "How did all of that begin?",
    "Tell me more about the other one.",
)
_WORD_GAIN = 0.35
_PAUSE_S = 0.25
_MOMENTS_S = (0.6, 8.0)
"""When an answer is talked over, from its first sound."""
_SOON_S = 6.0
"""An answer that has not begun until then will not."""
_SETTLE_S = 1.0
_CALM_S = 30.0
_LOOK_S = 0.02
_SOUND = "response.output_audio.delta"

Monotonic = float
"""Seconds of this machine's clock."""


@dataclass(frozen=True)
class Said:
    """A sentence that was said in the room."""

    words: Samples
    """At 48 kHz, at the level at which it reaches the microphone."""
    began: Monotonic
    session: int

    @property
    def ended(self) -> Monotonic:
        """When its last sample was said."""
        return self.began + len(self.words) / RATE


@dataclass(frozen=True)
class Listened:
    """An answer through which nobody spoke."""

    question: Said
    reply: str
    first: Monotonic
    """When the first of its sound left the server."""
    until: Monotonic
    """Nobody spoke until then."""


@dataclass(frozen=True)
class Interrupted:
    """An answer that somebody talked over."""

    said: Said
    reply: str
    until: Monotonic
    """Nobody said anything else until then."""


@dataclass(frozen=True)
class Woken:
    """A wake with a pause behind it, in which the earcon sounded."""

    began: Monotonic
    until: Monotonic
    """When the question began."""
    session: int


@dataclass
class Diary:
    """Everything that was said, and when."""

    listened: list[Listened] = field(default_factory=list)
    interrupted: list[Interrupted] = field(default_factory=list)
    asked: list[Said] = field(default_factory=list)
    """Into a quiet room."""
    woken: list[Woken] = field(default_factory=list)
    unanswered: int = 0
    """Questions."""


class Person:
    """Lives in the room with the speaker; everything goes into the diary."""

    def __init__(self, here: Rig, daemon: Daemon, word: Samples, chance: random.Random) -> None:
        self._here = here
        self._server: Server = here.server
        self._daemon = daemon
        self._word = word
        self._chance = chance
        self.diary = Diary()

    async def open(self, question: Samples) -> Entry | None:
        """Wake word and question in one breath; the first sound of the answer."""
        breath = np.concatenate((self._word, np.zeros(RATE // 10, np.int16)))
        return await self._answer(question, breath)

    async def wake(self) -> None:
        """Wake it without a word, which would be answered, and hear its earcon out."""
        began = time.monotonic()
        await ask(self._daemon, "wake")
        await self._daemon.reaches("listening", since=began)
        await asyncio.sleep(_SETTLE_S)
        session = self._here.visit.number
        self.diary.woken.append(Woken(began, time.monotonic(), session))

    async def ask(self, question: Samples) -> Entry | None:
        """Ask into the quiet room; the first sound of the answer, None when there is none."""
        if self._daemon.state == "asleep":
            await self.wake()
        return await self._answer(question)

    async def listen(self, first: Entry, lasts_s: float) -> None:
        """Say nothing until the answer that has begun must be over."""
        until = first.t + self._here.epoch + lasts_s + _SETTLE_S
        await asyncio.sleep(until - time.monotonic())
        question = self.diary.asked[-1]
        reply = first.details["response_id"]
        self.diary.listened.append(
            Listened(question, reply, first.t + self._here.epoch, time.monotonic())
        )
        await self.calm()

    async def interrupt(self, words: Samples, first: Entry) -> Entry | None:
        """Talk over the answer that has begun; the first sound of the next, if there is one."""
        moment = first.t + self._here.epoch + self._chance.uniform(*_MOMENTS_S)
        await asyncio.sleep(moment - time.monotonic())
        said = await self._say(words)
        following = await self._first_sound(said)
        reply = first.details["response_id"]
        self.diary.interrupted.append(Interrupted(said, reply, time.monotonic()))
        return following

    async def calm(self) -> None:
        """Wait until it says nothing any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CALM_S):
                while self._daemon.state not in ("listening", "asleep"):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(_SETTLE_S)

    async def dismiss(self) -> None:
        """Send it to sleep; raises `DaemonFailed`."""
        await ask(self._daemon, "stop")
        await self._daemon.reaches("asleep", since=time.monotonic())
        await asyncio.sleep(_SETTLE_S)

    async def _answer(self, question: Samples, before: Samples | None = None) -> Entry | None:
        said = await self._say(question, before)
        self.diary.asked.append(said)
        first = await self._first_sound(said)
        self.diary.unanswered += first is None
        return first

    async def _say(self, words: Samples, before: Samples | None = None) -> Said:
        lead = np.zeros(0, np.int16) if before is None else before
        saying = self._here.room.say(np.concatenate((lead, words)))
        began = await asyncio.to_thread(lambda: saying.started)
        await asyncio.to_thread(saying.wait, _CALM_S)
        return Said(words, began + len(lead) / RATE, self._here.visit.number)

    async def _first_sound(self, said: Said) -> Entry | None:
        """Of a response that was created after `said` had begun."""
        since = said.began - self._here.epoch
        latest = said.ended + _SOON_S

        def first() -> Entry | None:
            made: set[str] = set()
            for entry in entries_since(self._server, since):
                if entry.direction == "out" and entry.type == "response.created":
                    made.add(entry.details["response"]["id"])
                elif entry.type == _SOUND and entry.details["response_id"] in made:
                    return entry
            return None

        while (found := first()) is None and time.monotonic() < latest:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        return found


def entries_since(server: Server, since: float) -> Sequence[Entry]:
    """The latest entries of its log, in order, from this time of its clock on."""
    latest: list[Entry] = []
    for entry in reversed(server.log):
        if entry.t < since:
            break
        latest.append(entry)
    return latest[::-1]


async def wake_word() -> Samples:
    """In the voice that the models know; raises what the talker raises."""
    samples: Samples = np.rint(await talker.speak(WAKE_WORD) * _WORD_GAIN).astype(np.int16)
    return samples


def near(voice: Voice, text: str) -> Samples:
    """A sentence as it reaches the microphone, at 48 kHz."""
    samples: Samples = resample(_at(say(voice, text), NEAR_DBFS), VOICE_RATE, RATE)
    return samples


def answer(number: int, seconds: float, voice: Voice, cast: Cast = REPORTED) -> Speech:
    """An answer of the assistant's, so long and no longer; each number begins elsewhere."""
    sentences: list[str] = []
    sounds: list[Sound] = []
    left = round(seconds * VOICE_RATE)
    for turn in range(3 * number, 3 * number + 1000):
        if left <= 0:
            break
        text = cast.answers[turn % len(cast.answers)]
        sound = np.concatenate((say(voice, text), np.zeros(round(_PAUSE_S * VOICE_RATE))))
        sentences.append(text)
        sounds.append(sound[:left].astype(np.float32))
        left -= len(sound)
    return Speech(" ".join(sentences), _at(np.concatenate(sounds), ANSWER_DBFS))


def _at(sound: Sound, dbfs: float) -> Samples:
    """The same at this level while it is not silent, softly held below full scale."""
    loud = sound * (10 ** (dbfs / 20) / (active_rms(sound) or 1.0))
    samples: Samples = np.rint(np.clip(loud, -0.99, 0.99) * 32767).astype(np.int16)
    return samples
