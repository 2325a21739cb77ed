"""The unmodified daemon under a service manager made of one socket: what it says, and when."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edged.core.commands import Fact

CONFIGURATION = """
[provider.openai]
url = "{url}"
[sound]
driver = "wavefile"
[wake]
driver = "button"
[lights]
drivers = []
[control]
socket = "{folder}/control"
"""
NOBODY = "ws://127.0.0.1:9/v1/realtime"
"""Nobody answers at the discard port."""
Entry = dict[str, Any]


@dataclass
class Serviced:
    """One process: the lines of its journal and what it told its manager, each with its time."""

    folder: Path
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    told: list[tuple[float, str]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def times(self, assignment: str) -> list[float]:
        """When it told its manager this."""
        return [when for when, said in self.told if said == assignment]

    def counts(self, words: str) -> int:
        """In how many lines of its journal these words stand."""
        return sum(words in line for line in self.lines)

    async def until(self, true: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait for something that it says; the lines so far where it does not."""
        try:
            async with asyncio.timeout(timeout_s), self.news:
                await self.news.wait_for(true)
        except TimeoutError as late:
            raise AssertionError(
                "\n".join([*self.lines, *(said for _, said in self.told)])
            ) from late

    async def says(self, words: str, times: int = 1) -> None:
        await self.until(lambda: self.counts(words) >= times)

    async def types(self, verb: str, socket: str = "control", *more: str) -> str:
        """Somebody types a verb; what it answers."""
        typed = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "edged", verb, "--socket", str(self.folder / socket), *more],
            stdout=asyncio.subprocess.PIPE,
        )
        answer, _ = await asyncio.wait_for(typed.communicate(), 20)
        assert typed.returncode == 0, self.lines
        return answer.decode()

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    async def stops(self) -> None:
        """It is asked to end, and does so in order."""
        self.process.terminate()
        assert await asyncio.wait_for(self.process.wait(), 10) == 0, self.lines


def configured(folder: Path, *more: str, url: str = NOBODY) -> Path:
    """Its configuration; `more` are further lines."""
    file = folder / "edged.toml"
    file.write_text("\n".join([CONFIGURATION.format(folder=folder, url=url), *more]))
    return file


@contextlib.asynccontextmanager
async def serviced(
    folder: Path,
    *options: str,
    watchdog_s: float = 0.0,
    program: Sequence[str] = ("-m", "edged"),
    state: Path | None = None,
    world: Mapping[str, str] = os.environ,
) -> AsyncIterator[Serviced]:
    """The daemon, ready; it is killed in the end unless it has ended."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(str(folder / "notify"))
        environment = {
            **world,
            "NOTIFY_SOCKET": str(folder / "notify"),
            "STATE_DIRECTORY": str(state or folder / "state"),
            "OPENAI_API_KEY": "sk-simulated",
            "GPIOZERO_PIN_FACTORY": "room",
            "EDGED_ROOM_PINS": str(folder / "pins"),
            "PYTHONASYNCIODEBUG": "0",
        }
        if watchdog_s:
            environment["WATCHDOG_USEC"] = str(round(watchdog_s * 1e6))
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, *program, "run", "--config", str(folder / "edged.toml"), *options],
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        speaker = Serviced(folder, process)
        readers = [
            loop.create_task(_journal(speaker)),
            loop.create_task(_notices(speaker, listener)),
        ]
        try:
            await speaker.until(lambda: bool(speaker.times("READY=1")))
            yield speaker
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await readers[0]
            readers[1].cancel()
            (folder / "notify").unlink()


@contextlib.asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[AsyncGenerator[Entry, None]]:
    """Somebody types `edged watch`; the entries that are shown, until they look away."""
    watching = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "edged", "watch", "--json", "--socket", str(folder / "control")],
        stdout=asyncio.subprocess.PIPE,
    )
    assert watching.stdout is not None
    shown = _shown(watching.stdout)
    try:
        yield shown
    finally:
        watching.kill()
        await watching.wait()
        await shown.aclose()


async def until(fact: Fact, shown: AsyncGenerator[Entry, None]) -> list[Entry]:
    """What is shown up to the next entry of this kind, and with it."""
    entries: list[Entry] = []
    async with asyncio.timeout(20):
        async for entry in shown:
            entries.append(entry)
            if entry["fact"] == fact.value:
                return entries
    raise AssertionError([*entries, f"no {fact.value}"])


async def _shown(lines: asyncio.StreamReader) -> AsyncGenerator[Entry, None]:
    async for line in lines:
        if entry := json.loads(line).get("entry"):
            yield entry


async def _journal(speaker: Serviced) -> None:
    assert speaker.process.stderr is not None
    async for line in speaker.process.stderr:
        async with speaker.news:
            speaker.lines.append(line.decode().rstrip())
            speaker.news.notify_all()


async def _notices(speaker: Serviced, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        said = await loop.sock_recv(listener, 4096)
        async with speaker.news:
            speaker.told += [(time.monotonic(), word) for word in said.decode().splitlines()]
            speaker.news.notify_all()
