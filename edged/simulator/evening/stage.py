"""Everything an evening needs: a room, a provider, pins, and the daemon among them."""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..pinboard import Change, PinsClient
from ..provider.house import Options
from ..room import AcousticPath, Recording, Room
from ..server import Server, serve
from .daemon import PATIENCE_S, Daemon

RED, GREEN, BLUE, BUTTON = 22, 23, 27, 17
"""The pins of the light and the button, as they are by default."""

KEY = "sk-simulated"

_CLOSE_FRAME = 139
_UNDERWAY_S = 0.1
"""What was sent before it fell asleep may be read so much later on a busy machine."""

_CONFIGURATION = """\
[provider.openai]
url = "{url}"

[lights]
drivers = ["gpio"]

[lights.gpio]
kind = "rgb"
brightness = 1.0

[control]
socket = "{folder}/control"
"""


@dataclass
class Stage:
    """What an evening is played on and watched through."""

    daemon: Daemon
    server: Server
    pins: PinsClient
    room: Room
    loudspeaker: Recording
    folder: Path

    @property
    def light(self) -> str:
        """The light as it is at the pins, #rrggbb."""
        return self.pins.hex(RED, GREEN, BLUE)

    async def closed(self, session: int) -> None:
        """Wait until the connection with this number, from 1, is gone; raises `TimeoutError`."""
        async with asyncio.timeout(PATIENCE_S):
            await self.server.visits[session - 1].over.wait()

    def asleep_bytes(self) -> int:
        """Bytes that reached the server while the daemon said that it was asleep.

        The one frame that closes a line comes then too; it is no more than 139 bytes
        (RFC 6455: a header of 14 and at most 125 of reason).
        """
        began = time.monotonic() - self.server.ledger.now
        state_at = self.daemon.state_at
        slept = [
            sum(
                size
                for t, size in visit.arrivals
                if state_at(began + t - _UNDERWAY_S) == state_at(began + t) == "asleep"
            )
            for visit in self.server.visits
        ]
        return sum(size for size in slept if size > _CLOSE_FRAME)

    async def press(self, seconds: float = 0.08) -> None:
        """Press the button and let it go."""
        await self.pins.press(BUTTON)
        await asyncio.sleep(seconds)
        await self.pins.release(BUTTON)

    @contextlib.asynccontextmanager
    async def restarted(self) -> AsyncIterator["Stage"]:
        """The same stage with the daemon stopped and started again, as long as the block lasts."""
        old = self.daemon
        await old.stop()
        async with (
            Daemon(old.configuration, old.environment, old.folder, old.options) as again,
            PinsClient(self.folder / "pins") as pins,
        ):
            yield replace(self, daemon=again, pins=pins)


@contextlib.asynccontextmanager
async def stage(
    options: Options,
    settings: str = "",
    *,
    words: Sequence[str] = (),
    acoustic_path: AcousticPath | None = None,
    variables: Mapping[str, str] | None = None,
    tell: Callable[[], None] = lambda: None,
    pin_changed: Callable[[Change], None] = lambda _: None,
) -> AsyncIterator[Stage]:
    """Set everything up and take it down again, whatever happens.

    `settings` is TOML that is laid over the stage's own; `words` go onto the daemon's command line
    and `variables` into its environment; `tell` is called when the daemon has news, `pin_changed`
    when the pins have.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_undisturbed())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edged-stage-")))
        room = stack.enter_context(Room(acoustic_path))
        server = await stack.enter_async_context(await serve(options))
        loudspeaker = stack.enter_context(room.hear("loudspeaker"))
        configuration = folder / "edged.toml"
        configuration.write_text(_CONFIGURATION.format(url=server.url, folder=folder))
        drop_ins = folder / "edged.toml.d"
        drop_ins.mkdir()
        (drop_ins / "evening.toml").write_text(settings)
        environment = {
            **room.environment,
            "GPIOZERO_PIN_FACTORY": "room",
            "EDGED_ROOM_PINS": str(folder / "pins"),
            "RUNTIME_DIRECTORY": str(folder),
            "STATE_DIRECTORY": str(folder),
            "OPENAI_API_KEY": KEY,
            "PYTHONPATH": os.pathsep.join(_package_path()),
            **(variables or {}),
        }
        daemon = await stack.enter_async_context(
            Daemon(configuration, environment, folder, words, tell=tell)
        )
        pins = await stack.enter_async_context(PinsClient(folder / "pins", pin_changed))
        yield Stage(daemon, server, pins, room, loudspeaker, folder)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Our loop, which is the provider too, gets a place among the room's programs where allowed.

    Our other threads and the children do not.
    """
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(2))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def _package_path() -> list[str]:
    """Where the running edged is imported from, before what the environment says."""
    here = str(Path(__file__).resolve().parent.parent.parent)
    return [here, *filter(None, [os.environ.get("PYTHONPATH")])]
