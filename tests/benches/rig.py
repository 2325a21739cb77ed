"""What benches are measured with: one room and one server, for edged and the bare loop in turn."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edged import control
from edged.simulator.evening.daemon import PATIENCE_S, Daemon
from edged.simulator.hearing import Recording, Samples
from edged.simulator.provider.house import Options
from edged.simulator.provider.ledger import Visit
from edged.simulator.room import AcousticPath, Room
from edged.simulator.server import Server, serve

HERE = Path(__file__).resolve().parent.parent.parent
KEY = "sk-bench"

_CONFIGURATION = """\
[provider.openai]
url = "{url}"

[control]
socket = "{folder}/control"
"""
_RIG_PRIORITY = 4
_LOOK_S = 0.01

Tell = Callable[[str], None]
"""Told in a few words what is being done."""


@dataclass
class Rig:
    """A room with everything in it but the one who listens and speaks."""

    room: Room
    server: Server
    microphone: Recording
    loudspeaker: Recording
    compiled: Path
    """Where Python keeps what it compiled, for all processes."""
    lateness_ms: list[float] = field(default_factory=list)
    """How late our own loop was, a hundred times a second: nothing here is timed better."""

    @property
    def epoch(self) -> float:
        """The monotonic time at which the server's clock began."""
        return time.monotonic() - self.server.ledger.now

    @property
    def visit(self) -> Visit:
        """The latest connection."""
        return self.server.visits[-1]

    @contextlib.asynccontextmanager
    async def edged(
        self, settings: str = "", *, pins: bool = False, undisturbed: bool = False
    ) -> AsyncIterator[Daemon]:
        """The unmodified daemon, ready; `settings` is TOML laid over the rig's own.

        With `pins` its buttons and lights stand on the socket `pins` in its folder; `undisturbed`
        where something else is measured than how it bears a busy machine.
        """
        with tempfile.TemporaryDirectory(prefix="edged-bench-") as temporary:
            folder = Path(temporary)
            file = folder / "edged.toml"
            file.write_text(_CONFIGURATION.format(url=self.server.url, folder=folder))
            drop_ins = folder / "edged.toml.d"
            drop_ins.mkdir()
            (drop_ins / "bench.toml").write_text(settings)
            places = dict.fromkeys(("RUNTIME_DIRECTORY", "STATE_DIRECTORY"), temporary)
            environment = {**self._environment(), **places, "OPENAI_API_KEY": KEY}
            if pins:
                stand = str(folder / "pins")
                environment |= {"GPIOZERO_PIN_FACTORY": "room", "EDGED_ROOM_PINS": stand}
            async with Daemon(file, environment, folder, undisturbed=undisturbed) as daemon:
                yield daemon

    @contextlib.asynccontextmanager
    async def bare(self, *task: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The bare loop at `task`, ready; ended by force."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benches.bare_loop", *task),
            env=self._environment(),
            cwd=HERE,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE_S):
                if await process.stdout.readline() != b"ready\n":
                    raise OSError(f"the bare loop ended before it could {task[0]}")
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def say(self, samples: Samples) -> float:
        """Say it at the microphone to its end; the monotonic time at which that was begun."""
        began = time.monotonic()
        await asyncio.to_thread(self.room.say(samples).wait, PATIENCE_S + len(samples) / 48_000)
        return began

    def _environment(self) -> Mapping[str, str]:
        # As installed: compiled once, whatever the environment says and wherever the code lies.
        return {
            **{k: v for k, v in self.room.environment.items() if k != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(HERE),
            "PYTHONPYCACHEPREFIX": str(self.compiled),
        }


@contextlib.asynccontextmanager
async def rig(options: Options, path: AcousticPath | None = None) -> AsyncIterator[Rig]:
    """Set it up, and take it down whatever happens; with `path` the room has an echo."""
    # The server must not be late because the machine is busy; not everybody may say so.
    with contextlib.suppress(OSError):
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(_RIG_PRIORITY))
    async with contextlib.AsyncExitStack() as stack:
        room = stack.enter_context(Room(path))
        server = await stack.enter_async_context(await serve(options))
        microphone, loudspeaker = (
            stack.enter_context(room.hear(place)) for place in ("microphone", "loudspeaker")
        )
        compiled = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edged-bench-")))
        here = Rig(room, server, microphone, loudspeaker, compiled)
        watch = asyncio.create_task(_watch(here.lateness_ms))
        try:
            yield here
        finally:
            watch.cancel()
            await asyncio.wait([watch])


async def ask(daemon: Daemon, verb: str) -> Mapping[str, object]:
    """Ask the daemon on its control socket: `wake`, `stop` or `status`."""
    request = control.Request(verb)  # type: ignore[arg-type]
    reply: Mapping[str, object] = await asyncio.to_thread(
        control.ask, daemon.folder / "control", request
    )
    return reply


async def until(true: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Wait until `true` holds; raises `TimeoutError`."""
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)


def cpu_s(process: int) -> float:
    """Seconds of processor time that all threads of a process have used so far."""
    # The number that clock_getcpuclockid(3) gives for another process.
    return time.clock_gettime((~process << 3) | 2)


def resident_mib(process: int) -> float:
    """Resident memory now, the libraries' files included."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def noise(seconds: float, rate: int, dbfs: float, seed: int) -> Samples:
    """White noise that begins at once and is like no other of another seed."""
    chance = np.random.default_rng(seed)
    sound = chance.standard_normal(round(seconds * rate)) * 32768 * 10 ** (dbfs / 20)
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


async def _watch(lateness_ms: list[float]) -> None:
    while True:
        due = time.monotonic() + _LOOK_S
        await asyncio.sleep(_LOOK_S)
        lateness_ms.append((time.monotonic() - due) * 1000)
