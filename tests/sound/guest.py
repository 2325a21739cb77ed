"""A process with a sound card in the software room: obeys lines, tells what it was fed.

Each line of its standard input is a JSON list: a name and its arguments. Each event comes out as
a JSON list: the monotonic time, its kind, and its fields; samples go into the file it is given.
"""

import asyncio
import base64
import contextlib
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edged import plugins
from edged.core.commands import Chime
from edged.core.events import Event, MicFrame
from edged.echo import off
from edged.ports import Echo
from edged.sound import portaudio

from .witness import Believer

WIRE_RATE = 24000


class Guest:
    """The card, and whoever tells it what to do."""

    def __init__(self, recording: Path, settings: dict[str, Any]) -> None:
        self._recording = recording.open("wb")
        name = settings.pop("echo", "off")
        echo = self._echo = Believer() if name == "believer" else driver(name)
        self.card = portaudio.open(
            portaudio.Settings(**settings), self._feed, WIRE_RATE, 20, echo, name
        )

    def _feed(self, event: Event) -> None:
        now = time.monotonic()
        fields = asdict(event)
        if isinstance(event, MicFrame):
            self._recording.write(fields.pop("samples"))
            if event.clean is not None:
                fields["clean"] = [event.clean.score, event.clean.erle_db]
        sys.stdout.write(json.dumps([now, type(event).__name__, fields]) + "\n")
        sys.stdout.flush()

    def obey(self, line: str) -> None:
        match json.loads(line):
            case ["queue", str(samples)]:
                self.card.queue(base64.b64decode(samples))
            case ["set_volume", int(volume_db)]:
                self.card.set_volume(volume_db)
            case ["doze", bool(dozing)]:
                self.card.doze(dozing)
            case ["sound", str(chime)]:
                self.card.sound(Chime(chime))
            case [("finish" | "hush" | "open_microphone" | "close_microphone") as name]:
                getattr(self.card, name)()
            case unknown:
                raise ValueError(unknown)

    async def close(self) -> None:
        await self.card.close()
        self._recording.close()
        if isinstance(self._echo, Believer):
            both = self._echo.played + self._echo.heard
            Path(self._recording.name).with_suffix(".both").write_bytes(both)


def driver(name: str) -> Echo:
    """An echo driver of edged's, as it comes."""
    module = plugins.load("echo", name)
    opened: Echo = module.open(module.Settings(), WIRE_RATE)
    return opened


async def visit(recording: str, settings: str) -> None:
    """Live until standard input ends."""
    # A machine that is busy with something else must not be taken for a loss of ours; threads
    # that are started from here on inherit it. Not everybody may.
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(4))
    guest = Guest(Path(recording), json.loads(settings))
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        guest.obey(line.decode())
    await guest.close()


async def come_and_go(times: int) -> None:
    """Open both streams, let them run, and close them, over and over."""
    for _ in range(times):
        heard = asyncio.Event()

        def feed(event: Event, heard: asyncio.Event = heard) -> None:
            if isinstance(event, MicFrame) and event.position > 0:
                heard.set()

        echo = off.open(off.Settings(), WIRE_RATE)
        card = portaudio.open(portaudio.Settings(), feed, WIRE_RATE, 20, echo, "off")
        card.open_microphone()
        card.sound(Chime.WOKEN)
        await heard.wait()
        card.queue(bytes(48000))
        await card.close()


if __name__ == "__main__":
    asyncio.run(come_and_go(int(sys.argv[2])) if sys.argv[1] == "often" else visit(*sys.argv[1:3]))
