"""The owner's programs, each run as a child that hangs, crashes and floods at its own cost."""

import asyncio
import contextlib
import fcntl
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, BinaryIO, Final

from .arguments import flaw

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What providers take for the name of a tool."""
_MOST: Final = 8 << 10
"""Bytes of output that are told; some two thousand tokens."""
_FLOOD: Final = 1 << 20
"""A program that prints so much is ended: reading on would cost the conversation its time."""
TAIL: Final = 500
"""Bytes of complaints that are told of a failure."""
DRAIN_S: Final = 0.2
"""What a program that has ended left in its pipes is there by then."""
GRACE_S: Final = 1.0
"""A killed process that is still not gone hangs in the kernel; nobody waits for that."""
_LIMITS: Final = (
    "--core=0",
    f"--data={256 << 20}",
    f"--fsize={256 << 20}",
    "--nofile=256",
)
"""Bytes and files that one process may have; the service has 384 MiB, its programs included."""
_TASKS: Final = "--nproc=40"
"""Threads and processes of its user at most, ours included where it is ours: the service may have
64. People have more than that on their own machines, so it holds for system users alone."""
_LAST: Final = 19
"""The lowest priority there is: however much programs reckon, who is spoken to goes first."""
_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
"""What a program gets to know; our own environment may have the key in it."""


@dataclass(frozen=True)
class Command:
    """A program of the owner's that the model may call."""

    name: str
    """What the model calls it; one that is called like another tool takes its place."""
    description: str
    """What it does and when to call it, for the model."""
    argv: tuple[str, ...]
    """The program, by its whole path, and what stands behind it on its command line; no shell
    reads it."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The JSON Schema of the arguments, which reach the program as one JSON object on its standard
    input; leave it out for none."""
    timeout_s: Annotated[float, "0.5 to 60"] = 10.0
    """A program that runs longer is ended, with everything that it started."""

    def flaws(self) -> Iterator[tuple[str, str]]:
        """The settings that cannot be, and why."""
        if not NAME.fullmatch(self.name):
            yield "name", "expected up to 64 letters, digits, _ and -"
        if not self.argv or not self.argv[0].startswith("/"):
            yield "argv", "expected a list that begins with the whole path of a program"
        if why := flaw(self.parameters):
            yield "parameters", f"is no JSON Schema of arguments: {why}"


class Failed(Exception):
    """The program did not do its work; the text says why."""


async def run(command: Command, given: str) -> str:
    """What the program prints, given `given` on its standard input; raises `Failed`.

    It runs in `/`, in a session of its own, with none of our open files and next to nothing of our
    environment. A speaker that runs as root gives it to nobody. When this returns, or is cancelled,
    its process group is gone; what has left the group lives on, and is not waited for.
    """
    hears, complains = Ear(head=_MOST), Ear(tail=TAIL)
    async with contextlib.AsyncExitStack() as stack:
        child = await stack.enter_async_context(_started(command, given, hears, complains))
        hears.flooded = complains.flooded = child.kill
        try:
            async with asyncio.timeout(command.timeout_s):
                await child.over.wait()
        except TimeoutError as late:
            raise Failed(f"it did not end within {command.timeout_s:g} seconds") from late
        # What it started holds its pipes open.
        child.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await hears.ended
                await complains.ended
    if hears.count > _FLOOD or complains.count > _FLOOD:
        raise Failed(f"it printed more than {_FLOOD >> 20} MiB, and was ended")
    if child.status:
        said = complains.text().removeprefix("prlimit: ") or hears.text()[-TAIL:]
        raise Failed(f"it ended with {child.how()}" + (f": {said}" if said else ""))
    cut = f"\n[cut here: it printed {hears.count} bytes]" if hears.count > _MOST else ""
    return hears.text() + cut


def nobody() -> Mapping[str, Any]:
    """The user of a child, where we are one who may choose."""
    if os.geteuid():
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": ()}


@contextlib.asynccontextmanager
async def _started(
    command: Command, given: str, hears: "Ear", complains: "Ear"
) -> AsyncIterator["Child"]:
    """The child, heard; afterwards neither it nor its group is there."""
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.ExitStack() as theirs:
            out = theirs.enter_context(await stack.enter_async_context(pipe(hears)))
            err = theirs.enter_context(await stack.enter_async_context(pipe(complains)))
            asked = theirs.enter_context(_paper(given))
            try:
                child = Child(command.argv, asked, out, err)
            except OSError as error:
                raise Failed(f"{command.argv[0]} cannot be started: {error.strerror}") from error
        stack.callback(child.close)
        try:
            yield child
        finally:
            child.kill()
            await child.passed(GRACE_S)


class Child:
    """A process in a session of its own, within bounds."""

    def __init__(
        self,
        argv: Sequence[str],
        asked: BinaryIO,
        out: BinaryIO,
        err: BinaryIO,
        told: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Start it, with `told` in its environment besides; raises OSError.

        asyncio's own way could be cancelled when the child runs and nobody knows its number.
        """
        # Set by the child itself, before it becomes the program.
        limits = _LIMITS if 1000 <= os.geteuid() < 60_000 else (*_LIMITS, _TASKS)
        self._child = subprocess.Popen(
            ["/usr/bin/prlimit", *limits, "--", *argv], stdin=asked, stdout=out, stderr=err,
            cwd="/", env={**_ENVIRONMENT, **told}, start_new_session=True, **nobody(),
        )  # fmt: skip
        try:
            self._watched = os.pidfd_open(self._child.pid)
        except OSError:
            self.kill()
            self._child.wait()
            raise
        # A container may bar it: no reason not to run the program.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PGRP, self._child.pid, _LAST)
        # Where memory runs out it goes first, not the speaker.
        with contextlib.suppress(OSError):
            score = Path(f"/proc/{self._child.pid}/oom_score_adj")
            score.write_text("1000", encoding="ascii")
        self.over = asyncio.Event()
        """It has ended, and is not buried: nobody else can have its number."""
        self.status: int | None = None
        """Known when it is buried; negative for a signal."""
        asyncio.get_running_loop().add_reader(self._watched, self._end)

    def _end(self) -> None:
        # It would be told again and again.
        asyncio.get_running_loop().remove_reader(self._watched)
        self.over.set()

    def ask(self) -> None:
        """Have it end by itself, if it will."""
        with contextlib.suppress(OSError):
            os.killpg(self._child.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it, and all that has stayed in its process group; not once it is buried."""
        with contextlib.suppress(OSError):
            os.killpg(self._child.pid, signal.SIGKILL)

    async def passed(self, within_s: float) -> None:
        """Wait for its end, but no longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.over.wait()

    def how(self) -> str:
        """How it ended, once it is buried."""
        status = self.status or 0
        return f"signal {-status}" if status < 0 else f"status {status}"

    def close(self) -> None:
        """Bury it, if it is dead; else whatever starts next does."""
        asyncio.get_running_loop().remove_reader(self._watched)
        os.close(self._watched)
        self.status = self._child.poll()


@contextlib.asynccontextmanager
async def pipe(ear: asyncio.Protocol) -> AsyncIterator[BinaryIO]:
    """The end of a pipe on which a child speaks into `ear`."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: ear, os.fdopen(ours, "rb", 0))
    try:
        yield os.fdopen(theirs, "wb", 0)
    finally:
        transport.close()


def _paper(text: str) -> BinaryIO:
    """A file in memory, to be read from its beginning; nobody waits for who does not read it."""
    file = os.fdopen(os.memfd_create("asked", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b", 0)
    file.write(text.encode())
    file.seek(0)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW)
    return file


class Ear(asyncio.Protocol):
    """Keeps the beginning or the end of what comes through a pipe, and counts the rest."""

    def __init__(self, head: int = 0, tail: int = 0) -> None:
        self._head = head
        self._tail = tail
        self._kept = bytearray()
        self.count = 0
        self.flooded: Callable[[], None] = lambda: None
        """Called when far too much has come."""
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Some came."""
        self.count += len(data)
        if self._tail:
            self._kept = (self._kept + data)[-self._tail :]
        else:
            self._kept += data[: self._head - len(self._kept)]
        if self.count > _FLOOD:
            self.flooded()

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody holds the other end any more, or we have let go of ours."""
        if not self.ended.done():
            self.ended.set_result(None)

    def text(self) -> str:
        """What was kept; what is not UTF-8 shows as such, and a NUL as nothing."""
        return self._kept.decode(errors="replace").replace("\0", "").strip()
