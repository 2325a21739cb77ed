"""The unmodified daemon as a child process, seen only from outside.

What it says of itself comes as a service manager would hear it (`READY`, `STATUS`) and as its
journal lines; everything else is measured at the pins, the loudspeaker and the server.
"""

import asyncio
import contextlib
import os
import re
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 20.0


_SO_TIMESTAMPNS = 35
"""From asm-generic/socket.h; Python has no name for it."""


class DaemonFailed(Exception):
    """The daemon ended, or did not do in time what was awaited; its last lines are the text."""


@dataclass(frozen=True)
class Line:
    """One line of its journal."""

    time: float
    """Monotonic seconds."""
    text: str


@dataclass
class Daemon:
    """`edged run` with this configuration, for as long as the `async with` block lasts."""

    configuration: Path
    environment: Mapping[str, str]
    folder: Path
    """Where its sockets may stand."""
    options: Sequence[str] = ()
    """More words for the command line."""
    undisturbed: bool = True
    """Whether it gets, where allowed, a place among the room's own programs: what else this
    machine does must not be heard as gaps."""
    lines: list[Line] = field(default_factory=list)
    states: list[tuple[float, str]] = field(default_factory=list)
    """Every state with the monotonic time from which it held."""
    ready: bool = False
    tell: Callable[[], None] = lambda: None
    """Called when anything is new."""

    async def __aenter__(self) -> "Daemon":
        self._news = asyncio.Condition()
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        address = str(self.folder / "notify")
        self._notify.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._notify.bind(address)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._notify, self._hear_notice)
        self._announcements: set[asyncio.Task[None]] = set()
        command = [sys.executable, "-m", "edged", "run", "--config", str(self.configuration)]
        command += self.options
        self.process = await asyncio.create_subprocess_exec(
            *command,
            env={**self.environment, "NOTIFY_SOCKET": address, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        if self.undisturbed:
            with contextlib.suppress(OSError):
                os.sched_setscheduler(self.process.pid, os.SCHED_RR, os.sched_param(3))
        self._reader = asyncio.create_task(self._read())
        try:
            await self.until(lambda: self.ready, "be ready")
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def state(self) -> str:
        """What it last said it was; "" before it said anything."""
        return self.states[-1][1] if self.states else ""

    def state_at(self, when: float) -> str:
        """What it was at this monotonic time; "" before it said anything."""
        return next((state for since, state in reversed(self.states) if since <= when), "")

    async def until(
        self, true: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S
    ) -> None:
        """Wait until `true` holds; raises `DaemonFailed` when it does not in time."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: true() or self.process.returncode is not None)
        except TimeoutError as late:
            raise DaemonFailed(
                self._complaint(f"it did not come to {what} in {timeout_s:g} s")
            ) from late
        if not true():
            raise DaemonFailed(self._complaint(f"it ended before it came to {what}"))

    async def reaches(
        self, *states: str, since: float = 0.0, timeout_s: float = PATIENCE_S
    ) -> float:
        """Wait until it has been in one of `states` after `since`; the time from which it was."""

        def when() -> float | None:
            for number, (start, state) in enumerate(self.states):
                over = self.states[number + 1][0] if number + 1 < len(self.states) else None
                if state in states and (over is None or over > since):
                    return start
            return None

        await self.until(lambda: when() is not None, f"be {' or '.join(states)}", timeout_s)
        return when() or 0.0

    async def says(self, pattern: str, since: float = 0.0) -> re.Match[str]:
        """Wait for a journal line after `since` in which `pattern` is found."""

        def found() -> re.Match[str] | None:
            for line in self.lines:
                if line.time >= since and (match := re.search(pattern, line.text)):
                    return match
            return None

        words = max(re.split(r"[^\w ]+", pattern), key=len).strip()
        await self.until(lambda: found() is not None, f'say "{words}"')
        match = found()
        assert match is not None
        return match

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """End it; the seconds that took."""
        began = time.monotonic()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            try:
                async with asyncio.timeout(10):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        took = time.monotonic() - began
        await self._reader
        if self._notify.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._notify)
            self._notify.close()
            (self.folder / "notify").unlink()
        return took

    def _hear_notice(self) -> None:
        with contextlib.suppress(BlockingIOError):
            said, marks, _, _ = self._notify.recvmsg(4096, 64)
            for word in said.decode().splitlines():
                name, _, value = word.partition("=")
                if name == "READY":
                    self.ready = True
                elif name == "STATUS" and value != self.state:
                    self.states.append((_sent_at(marks), value))
            self._announce()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            self.lines.append(Line(time.monotonic(), raw.decode(errors="replace").rstrip()))
            self._announce()
        await self.process.wait()
        self._announce()

    def _announce(self) -> None:
        self.tell()
        task = asyncio.create_task(self._wake_waiters())
        self._announcements.add(task)
        task.add_done_callback(self._announcements.discard)

    async def _wake_waiters(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _complaint(self, what: str) -> str:
        return "\n  ".join([what, *(line.text for line in self.lines[-12:])])


def _sent_at(marks: list[tuple[int, int, bytes]]) -> float:
    """The monotonic time the kernel noted for a datagram; we may be late in reading it."""
    now = time.monotonic()
    for level, kind, mark in marks:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("qq", mark)
            behind: float = time.time() - (seconds + nanoseconds / 1e9)
            return now - max(0.0, behind)
    return now
