"""The whole speaker in this process: what it tells, who speaks to it, and what it leaves."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edged import app, schema
from edged.core import commands as do
from edged.simulator.provider.script import Answer
from edged.simulator.server import Options, Server, Speech, serve

CONFIGURATION = """
[provider]
driver = "{driver}"
[provider.{driver}]
url = "{url}"
[conversation]
reconnect_s = 0.05
trouble_s = 0.5
[volume]
db = 0.0
[sound]
driver = "wavefile"
[sound.wavefile]
speaker = "{folder}/heard.wav"
[echo]
mode = "off"
[wake]
driver = "button"
[lights]
drivers = []
[buttons]
drivers = []
[control]
socket = "{folder}/control"
[[tools.command]]
name = "lamp"
description = "Switches the lamp."
argv = ["/bin/sleep", "1000"]
timeout_s = 60
{more}
"""
RATE = 24_000
BOUND_S = 10.0
"""No wait of a story is longer; all of them together take a second or three."""


def answer(number: int) -> Speech:
    """Noise that is like no other: where it sounds it can be told."""
    chance = np.random.default_rng(number)
    return Speech(f"Answer {number}.", chance.normal(0, 5000, RATE // 2).astype(np.int16))


ANSWERS: list[Answer] = [answer(number) for number in range(8)]


@dataclass
class Here:
    """A speaker, its provider, and what it has told so far."""

    folder: Path
    server: Server
    notes: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    read: int = 0
    """Of its notes so many have been waited for."""
    ended: bool = False
    """Whether it tells no more."""

    async def asks(self, verb: str) -> None:
        """Somebody types it."""
        reader, writer = await asyncio.open_unix_connection(self.folder / "control")
        writer.write(json.dumps({"verb": verb}).encode() + b"\n")
        assert json.loads(await reader.readline())["ok"]
        writer.close()
        await writer.wait_closed()

    async def follows(self) -> None:
        """Write down what it tells; cancelled in the end."""
        reader, writer = await asyncio.open_unix_connection(self.folder / "control")
        writer.write(b'{"verb":"watch"}\n')
        try:
            async for line in reader:
                if note := json.loads(line).get("note"):
                    async with self.news:
                        self.notes.append(note)
                        self.news.notify_all()
        finally:
            writer.close()
            async with self.news:
                self.ended = True
                self.news.notify_all()

    async def tells(self, fact: do.Fact, *words: str) -> str:
        """Wait for the next such note, of one of these words if any are given; its words."""

        def found() -> int | None:
            for place in range(self.read, len(self.notes)):
                told = self.notes[place]
                if told["fact"] == fact.value and told["message"] in (words or [told["message"]]):
                    return place
            return None

        try:
            async with asyncio.timeout(BOUND_S), self.news:
                await self.news.wait_for(lambda: found() is not None or self.ended)
        except TimeoutError:
            pass
        place = found()
        if place is None:
            told = [f"{note['fact']}: {note['message']}" for note in self.notes]
            raise AssertionError("\n".join([*told, f"no {fact.value} {words}"]))
        self.read = place + 1
        return str(self.notes[place]["message"])

    async def is_now(self, *states: str) -> str:
        return await self.tells(do.Fact.STATE_CHANGED, *states)

    async def connects(self) -> None:
        """Woken, and on the line."""
        await self.asks("wake")
        await self.tells(do.Fact.CONNECTED)

    async def is_spoken_to(self) -> None:
        """Somebody speaks; the end is not heard yet."""
        self.server.hears_speech()
        await self.is_now("hearing")

    async def is_asked(self) -> None:
        await self.is_spoken_to()
        self.server.hears_silence()

    async def is_answered(self) -> None:
        """A question, and the whole answer."""
        await self.is_asked()
        await self.tells(do.Fact.TURN_ENDED)

    async def answers(self) -> None:
        """A question, and the answer begins to sound."""
        await self.is_asked()
        await self.is_now("speaking")


@contextlib.asynccontextmanager
async def speaker(
    folder: Path, options: Options, more: str = "", rotate_minutes: float = 50.0
) -> AsyncIterator[Here]:
    """A speaker that was at rest before, and is again: no task more than then.

    `more` is TOML besides; a session grows old sooner than any configuration may have it.
    """
    async with await serve(options) as server:
        file = folder / "edged.toml"
        told = {"driver": options.dialect, "url": server.url, "more": more}
        file.write_text(CONFIGURATION.format(folder=folder, **told))
        settings = schema.read(file)
        settings = replace(
            settings, conversation=replace(settings.conversation, rotate_minutes=rotate_minutes)
        )
        life = asyncio.create_task(app.run(settings, folder / "evening.jsonl"))
        here = Here(folder, server)
        while not (folder / "control").exists():
            await asyncio.sleep(0)
            assert not life.done(), life.exception()
        follows = asyncio.create_task(here.follows())
        await here.tells(do.Fact.MICROPHONE_OPENED)
        at_rest = asyncio.all_tasks()
        yield here
        if new := asyncio.all_tasks() - at_rest:
            _, left = await asyncio.wait(new, timeout=BOUND_S)
            assert not left, left
        assert not life.done()
        life.cancel()
        await asyncio.wait_for(life, BOUND_S)
        with contextlib.suppress(asyncio.CancelledError):
            follows.cancel()
            await follows
    assert asyncio.all_tasks() == {asyncio.current_task()}
