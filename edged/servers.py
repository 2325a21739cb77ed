"""The owner's programs that stay, spoken with line by line; one that misbehaves is ended."""

import asyncio
import contextlib
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Final

from .programs import DRAIN_S, GRACE_S, TAIL, Child, Ear, Failed, pipe

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,24}")
"""Behind it there is room for the name of a tool."""
_WINDOW_S: Final = 10.0
"""What is too much is counted anew after this."""
_PIECES: Final = 2000
"""Lines and pieces of them that may come in that time: the speaker itself reads them."""
_FLOOD: Final = 1 << 20
"""Bytes, in the same time; no line is longer, and no more waits to be read by the program."""
_LEAVE_S: Final = 0.3
"""A program that was asked to end may take this long to put its things away."""


@dataclass(frozen=True)
class Server:
    """A program of the owner's that stays, and offers tools by MCP on its standard streams."""

    name: str
    """What the names of its tools begin with, as the model calls them."""
    argv: tuple[str, ...]
    """The program, by its whole path, and what stands behind it on its command line; no shell
    reads it."""
    allowed_tools: tuple[str, ...] = ()
    """Those of its tools that may be called, as it calls them; leave it out for all of them."""
    environment: tuple[str, ...] = ()
    """The environment variables of this service that it gets to know; leave it out for none."""
    timeout_s: Annotated[float, "0.5 to 60"] = 10.0
    """A call that takes longer is given up."""

    def flaws(self) -> Iterator[tuple[str, str]]:
        """The settings that cannot be, and why."""
        if not _NAME.fullmatch(self.name):
            yield "name", "expected up to 24 letters, digits, _ and -"
        if not self.argv or not self.argv[0].startswith("/"):
            yield "argv", "expected a list that begins with the whole path of a program"


class Talk:
    """What a program that stays tells and is told, a line at a time."""

    def __init__(self, told: "_Lines", stdin: asyncio.WriteTransport) -> None:
        self._told = told
        self._stdin = stdin

    async def read(self) -> bytes:
        """The next line; b"" once there will be none."""
        return await self._told.next()

    def write(self, line: bytes) -> None:
        """Tell it something, without waiting; raises `Failed` where it does not listen."""
        if self._stdin.get_write_buffer_size() > _FLOOD:
            self.end("it does not read what it is told")
        if self._told.over:
            raise Failed(self.fault)
        self._stdin.write(line + b"\n")

    def end(self, fault: str) -> None:
        """No more of it, because of this."""
        self._told.end(fault)

    @property
    def fault(self) -> str:
        """Why there are no more lines; told best when the program is gone."""
        return self._told.fault


@contextlib.asynccontextmanager
async def talking(server: Server) -> AsyncIterator[Talk]:
    """The program, as much on its own as `programs.run` has one; raises `Failed`.

    Afterwards its process group is gone, within two seconds: it is asked to end, and then ended.
    """
    told = _Lines()
    complains = _Complaints(told)
    shown = {name: os.environ[name] for name in server.environment if name in os.environ}
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.ExitStack() as theirs:
            out = theirs.enter_context(await stack.enter_async_context(pipe(told)))
            err = theirs.enter_context(await stack.enter_async_context(pipe(complains)))
            asked, stdin = await stack.enter_async_context(_mouth(told))
            theirs.enter_context(asked)
            try:
                child = Child(server.argv, asked, out, err, shown)
            except OSError as error:
                raise Failed(f"{server.argv[0]} cannot be started: {error.strerror}") from error
        stack.callback(child.close)
        watch = asyncio.create_task(_watch(child, told))
        stack.callback(watch.cancel)
        try:
            yield Talk(told, stdin)
            if told.silent:
                # How it ended says more than that it fell silent.
                await child.passed(DRAIN_S)
                told.silent = child.over.is_set()
        finally:
            await _dismiss(child, stdin)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await complains.ended
    if told.silent:
        told.fault = f"it ended with {child.how()}"
    if said := complains.text().removeprefix("prlimit: "):
        told.fault += f": {said}"


async def _dismiss(child: Child, stdin: asyncio.WriteTransport) -> None:
    try:
        stdin.close()
        child.ask()
        await child.passed(_LEAVE_S)
    finally:
        child.kill()
        await child.passed(GRACE_S)


async def _watch(child: Child, told: "_Lines") -> None:
    """Count anew from time to time, until it is over."""
    while not child.over.is_set():
        await child.passed(_WINDOW_S)
        told.forgive()
    # What it has started may hold its pipes open.
    await asyncio.sleep(DRAIN_S)
    told.fall_silent("it ended")


@contextlib.asynccontextmanager
async def _mouth(told: "_Lines") -> AsyncIterator[tuple[BinaryIO, asyncio.WriteTransport]]:
    """Both ends of a pipe on which a child is told something."""
    theirs, ours = os.pipe2(os.O_CLOEXEC)
    loop = asyncio.get_running_loop()
    with os.fdopen(theirs, "rb", 0) as asked:
        mouth = _Mouth(told)
        stdin, _ = await loop.connect_write_pipe(lambda: mouth, os.fdopen(ours, "wb", 0))
        try:
            yield asked, stdin
        finally:
            if not mouth.shut:
                stdin.abort()


class _Lines(asyncio.Protocol):
    """Whole lines of what comes through a pipe, until there are too many."""

    def __init__(self) -> None:
        self._part = bytearray()
        self._whole: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._pieces = self._bytes = 0
        self.over = False
        """No more is taken."""
        self.silent = False
        """It was not we who ended it."""
        self.fault = ""

    async def next(self) -> bytes:
        """The next that is not empty; b"" after the last one."""
        while not self._whole and not self.over:
            self._news.clear()
            await self._news.wait()
        return self._whole.popleft() if self._whole else b""

    def data_received(self, data: bytes) -> None:
        """Some came."""
        first, *others = data.split(b"\n")
        self.spend(len(data), 1 + len(others))
        if self.over:
            return
        self._part += first
        for other in others:
            if self._part:
                self._whole.append(bytes(self._part))
            self._part = bytearray(other)
        if len(self._part) > _FLOOD:
            self.end("it printed a line without end")
        self._news.set()

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody holds the other end any more, or we have let go of ours."""
        self.fall_silent("it closed its standard output")

    def spend(self, size: int, pieces: int) -> None:
        """So much of our time was taken."""
        self._bytes += size
        self._pieces += pieces
        if self._bytes > _FLOOD or self._pieces > _PIECES:
            self._whole.clear()
            self.end("it printed without end")

    def forgive(self) -> None:
        """Count anew."""
        self._bytes = self._pieces = 0

    def fall_silent(self, fault: str) -> None:
        """It ends, or will not go on; what it has said stands."""
        self.silent = self.silent or not self.over
        self.end(fault)

    def end(self, fault: str) -> None:
        """Take no more."""
        self.fault = self.fault if self.over else fault
        self.over = True
        self._news.set()


class _Complaints(Ear):
    """What it says on standard error: the end of it is kept."""

    def __init__(self, told: _Lines) -> None:
        super().__init__(tail=TAIL)
        self._told = told

    def data_received(self, data: bytes) -> None:
        """Some came, which takes as much of our time as lines do."""
        super().data_received(data)
        self._told.spend(len(data), 1)


class _Mouth(asyncio.BaseProtocol):
    """On which it is told something."""

    def __init__(self, told: _Lines) -> None:
        self._told = told
        self.shut = False

    def connection_lost(self, error: Exception | None) -> None:
        """It does not listen any more, or we have nothing to say."""
        self.shut = True
        self._told.fall_silent("it closed its standard input")
