"""The control socket: one JSON object a line each way, from peers known by their credentials."""

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from . import door
from .door import ControlError as ControlError
from .journal import printable

LINE_BYTES = 64 * 1024
"""The longest line either side takes, its end included."""
PEERS = 16
"""The most connections at a time; more are refused."""
IDLE_S = 30.0
"""A connection is closed when nothing was asked for this long."""
STREAMS = PEERS // 2
"""The most of them that may watch or wait for something."""
TAKE_S = 5.0
"""A peer that does not take its reply within this is hung up on."""
SYSTEM = Path("/run/edged/control")
"""Where the service's socket is."""

_PEER = struct.Struct("3i")
"""struct ucred of unix(7): process, user, group."""
_SO_PEERGROUPS = 59
"""socket(7): the peer's supplementary groups; `socket` has no name for it."""


Verb = Literal["wake", "stop", "status", "mute", "volume", "say", "watch"]
_TAKES = {"on": "mute", "db": "volume", "steps": "volume", "text": "say"}
"""What goes with which verb."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What can be asked of a running speaker.

    Raises ValueError for a verb with too little or too much.
    """

    verb: Verb
    on: bool | None = None
    """`mute`: whether nobody may be heard."""
    db: Annotated[float, msgspec.Meta(ge=-200, le=200)] | None = None
    """`volume`: so loud, 0 is as loud as it goes."""
    steps: Annotated[int, msgspec.Meta(ge=-1000, le=1000)] | None = None
    """`volume`: louder by so many steps."""
    text: str | None = None
    """`say`: what is to be said, ..."""
    local: bool = False
    """... and whether the box itself is to say it."""

    def __post_init__(self) -> None:
        given = {name for name in _TAKES if getattr(self, name) is not None}
        taken = {name for name, verb in _TAKES.items() if verb == self.verb}
        given |= {"local"} if self.local and self.verb != "say" else set()
        if stray := given - taken:
            raise ValueError(f"{self.verb} takes no {min(stray)}")
        if taken and len(given) != 1:
            raise ValueError(f"{self.verb} takes one of: {', '.join(sorted(taken))}")


News = AsyncGenerator[Mapping[str, object], None]
Handle = Callable[[Request], Mapping[str, object] | News]
"""Does what is asked, at once, and returns the reply's fields; or gives several replies, one after
another as they come. `ControlError` is a refusal."""


def places(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where a socket may be when none is named: a speaker takes the first.

    The service's runtime directory; else, for a user by hand, their own; else `SYSTEM`.
    """
    if runtime := environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]:
        return (Path(runtime, "control"),)
    own = environment.get("XDG_RUNTIME_DIR")
    return (Path(own, "edged", "control"), SYSTEM) if own and os.geteuid() else (SYSTEM,)


def find(environment: Mapping[str, str] = os.environ) -> Path:
    """The first of `places` where there is a socket; the last where there is none."""
    there = places(environment)
    # One that may not be looked at, as of a user whose environment was kept, is not there.
    return next((path for path in there if os.path.exists(path)), there[-1])  # noqa: PTH110


# --- the speaker's side -------------------------------------------------------------------


@contextlib.asynccontextmanager
async def serve(path: Path, handle: Handle) -> AsyncIterator[None]:
    """Answer on `path` until left, within milliseconds, whoever is connected.

    The socket is for its owner, its group and root. One that nobody listens on any more is
    replaced. Raises `ControlError` where there can be none.
    """
    listener, made = door.listen(path, PEERS)
    desk = _Desk(handle, made.st_gid)
    server = await asyncio.start_unix_server(desk.receive, sock=listener, limit=LINE_BYTES)
    try:
        yield
    finally:
        server.close()
        await desk.close()
        door.remove(path, made)


@dataclass
class _Desk:
    """Everyone who is connected."""

    handle: Handle
    group: int
    """Whose members may ask."""
    peers: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)
    streams: int = 0
    closed: bool = False

    def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to answer one connection."""
        if self.closed:
            writer.transport.abort()
            return
        # Not asyncio's own task: that one takes being cancelled for a mistake.
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self.peers[task] = writer
        task.add_done_callback(self._left)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, line by line."""
        try:
            refusal = self._refusal(writer.get_extra_info("socket"))
            if refusal:
                await _put(writer, refusal)
            else:
                await self._converse(reader, writer)
        except (OSError, TimeoutError):
            # The peer has gone, or neither asks nor listens.
            writer.transport.abort()

    def _left(self, task: asyncio.Task[None]) -> None:
        self.peers.pop(task).close()
        if not task.cancelled() and (bug := task.exception()) is not None:
            what = {"message": "a question was not answered", "exception": bug, "task": task}
            task.get_loop().call_exception_handler(what)

    async def close(self) -> None:
        """Hang up on everyone, and on those who come too late."""
        self.closed = True
        for task, writer in self.peers.items():
            writer.transport.abort()
            # It may be waiting for something to tell.
            task.cancel()
        if self.peers:
            await asyncio.wait(list(self.peers))

    def _refusal(self, connection: socket.socket) -> Mapping[str, object] | None:
        """Why this peer may not ask anything; None when it may."""
        if len(self.peers) > PEERS:
            return _no("too many are asking at once", "try again in a moment")
        _, user, group = _PEER.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        )
        if user in (0, os.geteuid()) or self.group in (group, *_groups(connection)):
            return None
        return _no(f"user {user} may not control this speaker", door.membership(self.group))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    line = await reader.readline()
            except ValueError:
                # Where the next line begins is unknown now.
                await _put(writer, _no(f"the line is longer than {LINE_BYTES} bytes", _EXAMPLE))
                return
            if not line.endswith(b"\n"):
                return
            reply = self._answer(line)
            if isinstance(reply, AsyncGenerator):
                await self._tell(reply, writer)
            else:
                await _put(writer, reply)

    def _answer(self, line: bytes) -> Mapping[str, object] | News:
        try:
            reply = self.handle(msgspec.json.decode(line, type=Request))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _no(f"that is no request: {error}", _EXAMPLE)
        except ControlError as error:
            return _no(str(error), error.hint)
        return reply if isinstance(reply, AsyncGenerator) else {"ok": True, **reply}

    async def _tell(self, news: News, writer: asyncio.StreamWriter) -> None:
        """Reply after reply; who does not take them in time is hung up on."""
        async with contextlib.aclosing(news):
            if self.streams >= STREAMS:
                await _put(writer, _no("too many watch or wait at once", "try again in a moment"))
                return
            self.streams += 1
            try:
                async for each in news:
                    await _put(writer, {"ok": True, **each})
            except ControlError as error:
                await _put(writer, _no(str(error), error.hint))
            finally:
                self.streams -= 1


_EXAMPLE = 'one JSON object a line is expected, as {"verb":"status"}'


def _no(error: str, hint: str) -> Mapping[str, object]:
    return {"ok": False, "error": error, "hint": hint}


async def _put(writer: asyncio.StreamWriter, reply: Mapping[str, object]) -> None:
    writer.write(msgspec.json.encode(reply) + b"\n")
    async with asyncio.timeout(TAKE_S):
        await writer.drain()


def _groups(connection: socket.socket) -> tuple[int, ...]:
    """The peer's supplementary groups; none where it has more than Python can be told of."""
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)
    except OSError:
        return ()
    return struct.unpack(f"{len(raw) // 4}I", raw)


# --- the side of whoever asks -------------------------------------------------------------


Replies = Generator[dict[str, Any], None, None]
_DEEPEST = 20
"""Replies are nested in tables of tables; nobody reads any deeper."""
_Told = TypeVar("_Told")


class Strange(ControlError):
    """What is answered is nothing that a speaker of this version says."""

    def __init__(self, why: str) -> None:
        hint = "one of another version may still run: sudo systemctl restart edged"
        super().__init__(f"the answer is none of this edged's: {why}", hint)


def ask(path: Path, request: Request, timeout_s: float = 3.0) -> dict[str, Any]:
    """Ask a running speaker and return its reply; blocks for `timeout_s` seconds at most a step.

    Raises `ControlError` when it does not run, does not answer, or says no.
    """
    with contextlib.closing(follow(path, request, timeout_s)) as replies:
        return next(replies)


def follow(path: Path, request: Request, timeout_s: float = 3.0) -> Replies:
    """Ask, and return one reply after another for as long as there are any; as `ask`."""
    try:
        asked = msgspec.json.encode(request) + b"\n"
    except UnicodeEncodeError as error:
        raise ControlError("that is no text", "write it in UTF-8, as this terminal does") from error
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            door.fit(path)
            line.connect(str(path))
            # Who is refused is told so before they have asked, and hung up on.
            with contextlib.suppress(BrokenPipeError):
                line.sendall(asked)
            with line.makefile("rb") as replies:
                while True:
                    said = replies.readline(LINE_BYTES)
                    yield _agreed(msgspec.json.decode(said, type=dict[str, Any]))
    except RecursionError as error:
        raise Strange("it is nested too deep") from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unanswered(path, error) from error


def read(kind: type[_Told], told: object) -> _Told:
    """A part of a reply as a `kind`; what a newer speaker tells beyond that is passed over.

    Raises `Strange` where it is none.
    """
    try:
        return msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        raise Strange(str(error)) from error


def _agreed(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply's fields; raises `ControlError` where it says no, or neither yes nor no."""
    if not _is_shallow(reply):
        raise Strange("it is nested too deep")
    match reply.pop("ok", None):
        case True:
            return reply
        case False:
            error, hint = (printable(str(reply.get(name, ""))) for name in ("error", "hint"))
            raise ControlError(error or "it says no, and not why", hint or _LOOK)
    raise Strange("neither yes nor no is said")


def _is_shallow(told: Any, left: int = _DEEPEST) -> bool:
    if not isinstance(told, dict | list):
        return True
    inner = told.values() if isinstance(told, dict) else told
    return left > 0 and all(_is_shallow(each, left - 1) for each in inner)


_LOOK = "see journalctl -u edged"


def _unanswered(path: Path, error: Exception) -> ControlError:
    start = "start it: sudo systemctl start edged, or edged run"
    match error:
        case FileNotFoundError():
            return ControlError(f"edged is not running (no socket at {path})", start)
        case ConnectionRefusedError():
            return ControlError(f"edged is not running (nobody listens on {path})", start)
        case PermissionError():
            try:
                hint = door.membership(path.stat().st_gid)
            except OSError:
                hint = "try it as root"
            return ControlError(f"you may not ask edged ({path} is not for you)", hint)
        case TimeoutError() | BlockingIOError():
            return ControlError(f"edged does not answer on {path}", f"{_LOOK} for what it does")
        case OSError(errno=errno.ENAMETOOLONG):
            what = f"no socket can be at {path}: {error.strerror}"
            return ControlError(what, "name the one of the speaker that is meant")
        case OSError():
            what = os.strerror(error.errno) if error.errno else str(error)
            return ControlError(f"edged cannot be asked on {path}: {what}", start)
        case _:
            return ControlError(
                f"whoever listens on {path} is no edged, or has just left: {error}", _LOOK
            )
