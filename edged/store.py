"""What outlives a restart: small files in the state directory, never half written."""

import asyncio
import contextlib
import fcntl
import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

import msgspec

from . import home

NONSENSE = msgspec.MsgspecError, UnicodeDecodeError, RecursionError
"""What comes of reading a file that nobody wrote in order; the last of one that is too deep."""

T = TypeVar("T")
Default = TypeVar("Default")


class Homeless(LookupError):
    """Nobody knows where this user keeps anything; `hint` says what to do."""

    hint = "set STATE_DIRECTORY to a folder in which this user may write"


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The service's state directory; else, for a user by hand, their own; raises `Homeless`."""
    if state := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(state)
    if theirs := environment.get("XDG_STATE_HOME"):
        return Path(theirs, "edged")
    try:
        return home.path("~/.local/state/edged")
    except ValueError as error:
        raise Homeless(f"there is no place for what is remembered: {error}") from error


class Claimed(Exception):
    """Another speaker keeps its state there; `hint` says what to do."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another edged keeps its state in {folder}")
        self.hint = (
            "stop it first (systemctl stop edged), or give this one a folder of its own:"
            " STATE_DIRECTORY=FOLDER edged run"
        )


def claim(folder: Path) -> contextlib.AbstractContextManager[IO[bytes] | None]:
    """Have the state directory to oneself, from now on until this is left or the process ends.

    Two speakers would forget each other's mute, and spend each other's money. Raises `Claimed`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A file that stays: were it removed, two could each have one of its name. Who may read it
        # may lock it.
        file = os.fdopen(os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600), "wb")
    except OSError:
        # Where nothing can be written, nothing is written over.
        return contextlib.nullcontext()
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise Claimed(folder) from error
    except OSError:
        # Not every file system in a network has locks.
        pass
    return file


class Store:
    """Keeps one value a name in `NAME.json`, and whole files.

    A full disk or a read-only root costs one warning, until everything is saved again, and the
    values that it still refuses when the process ends; nothing is raised for it. One process
    writes, one thread at a time; calls block for as long as the disk takes to have the bytes (an
    SD card: up to some tenths of a second, and seconds while something else writes much): while
    the speaker lives, a `Clerk` makes them.
    """

    def __init__(
        self, folder: Path, warn: Callable[[str], None], owed: Mapping[str, bytes] | None = None
    ) -> None:
        """`warn` is told in words what its owner should know; `owed` is left by an earlier one."""
        self._folder = folder
        self._warn = warn
        self.owed = dict(owed or {})
        """The values that the disk does not have yet, as JSON, by name."""
        self._failing = bool(self.owed)

    def read(self, name: str, shape: type[T], default: Default) -> T | Default:
        """The newest value, or `default` where there is none or it does not fit `shape`.

        What does not fit, or cannot be read, is kept beside it as `NAME.json.damaged`. A save
        that a kill has interrupted is completed where all of it had been written.
        """
        file = self._file(name)
        # Behind a whole value follows nothing, so a piece of one does not fit.
        with contextlib.suppress(OSError, *NONSENSE):
            fresh = file.with_suffix(".new")
            msgspec.json.decode(fresh.read_bytes(), type=shape)
            fresh.replace(file)
        try:
            raw = self.owed.get(name) or file.read_bytes()
        except FileNotFoundError:
            return default
        except OSError as error:
            self._put_aside(file, f"cannot be read: {error.strerror}")
            return default
        try:
            return msgspec.json.decode(raw, type=shape)
        except NONSENSE as error:
            self._put_aside(file, f"is damaged ({error})")
            return default

    def write(self, name: str, value: object) -> bool:
        """Save `value`; after True it survives a power cut, after False `again` is to be called."""
        self.owed[name] = msgspec.json.encode(value)
        return self._pay(name)

    def again(self) -> None:
        """Try to save what the disk has refused: it was full for a moment, perhaps."""
        for name in list(self.owed):
            self._pay(name)

    def _pay(self, name: str) -> bool:
        paid = self.keep(self._file(name).name, self.owed[name])
        if paid:
            del self.owed[name]
            self._failing = bool(self.owed)
        return paid

    def keep(self, name: str, content: bytes) -> bool:
        """Save a whole file called `name`; after False the old one is there, and it stays so."""
        file = self._folder / name
        fresh = file.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_through(fresh, content)
            fresh.replace(file)
            _sync(self._folder)
        except OSError as error:
            # A piece of a file on a full disk is in everybody's way.
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            if not self._failing:
                self._warn(f"{file} cannot be saved: {error.strerror}; everything else goes on")
            self._failing = True
            return False
        self._failing = bool(self.owed)
        return True

    def thin(self, pattern: str, keep: int, but: str) -> None:
        """Of the files whose names fit `pattern` leave the newest `keep`, the one called `but` too.

        What cannot be deleted stays.
        """
        with contextlib.suppress(OSError):
            others = [file for file in self._folder.glob(pattern) if file.name != but]
            others.sort(key=lambda file: (file.stat().st_mtime_ns, file.name))
            for file in others[: max(0, len(others) + 1 - keep)]:
                file.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _put_aside(self, file: Path, problem: str) -> None:
        aside = file.with_name(file.name + ".damaged")
        number = 1
        # One that may not be looked at cannot be put aside there either, which is told.
        while os.path.exists(aside):  # noqa: PTH110
            number += 1
            aside = file.with_name(f"{file.name}.damaged.{number}")
        try:
            file.rename(aside)
        except OSError as error:
            kept = f"it cannot be put aside: {error.strerror}"
        else:
            kept = f"it is kept as {aside.name}"
        self._warn(f"{file} {problem}; starting without it, {kept}")


class Clerk:
    """Does what waits for the disk beside the event loop: one job at a time, in order.

    It works in the threads in which asyncio looks up addresses. On the loop an `fsync` would hold
    up the conversation, and on a card that something else writes to it may take longer than the
    watchdog waits. Leaving the context waits for what is left to do; a disk that never answers
    is ended by the service manager's time to stop. A job that raises ends the process as any
    bug does.
    """

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], object]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Clerk":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._work is not None:
            await self._work

    def do(self, job: Callable[[], object]) -> None:
        """Have `job` done soon; on the loop's thread."""
        self._jobs.append(job)
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._do())

    async def _do(self) -> None:
        while self._jobs:
            await asyncio.to_thread(self._jobs.popleft())


def _write_through(file: Path, content: bytes) -> None:
    """Return only when the disk has it."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(handle)


def _sync(folder: Path) -> None:
    """Without this a power cut may undo the renaming."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
