"""The control socket: one JSON object a line each way, from peers known by their credentials."""

import asyncio
import contextlib
import fcntl
import grp
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

LINE_BYTES = 64 * 1024
"""The longest line either side takes, its end included."""
PEERS = 16
"""The most connections at a time; more are refused."""
IDLE_S = 30.0
"""A connection is closed when nothing was asked for this long."""
TAKE_S = 5.0
"""A peer that does not take its reply within this is hung up on."""
SYSTEM = Path("/run/edged/control")
"""Where the service's socket is."""

_PEER = struct.Struct("3i")
"""struct ucred of unix(7): process, user, group."""
_SO_PEERGROUPS = 59
"""socket(7): the peer's supplementary groups; `socket` has no name for it."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be asked of a running speaker."""

    verb: Literal["wake", "stop", "status"]


class ControlError(Exception):
    """The speaker cannot be asked, or says no; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


Handle = Callable[[Request], Mapping[str, object]]
"""Does what is asked, at once, and returns the reply's fields; `ControlError` is a refusal."""


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
    return next((path for path in there if path.exists()), there[-1])


# --- the speaker's side -------------------------------------------------------------------


@contextlib.asynccontextmanager
async def serve(path: Path, handle: Handle) -> AsyncIterator[None]:
    """Answer on `path` until left, within milliseconds, whoever is connected.

    The socket is for its owner, its group and root. One that nobody listens on any more is
    replaced. Raises `ControlError` where there can be none.
    """
    listener, made = _listen(path)
    desk = _Desk(handle, made.st_gid)
    server = await asyncio.start_unix_server(desk.receive, sock=listener, limit=LINE_BYTES)
    try:
        yield
    finally:
        server.close()
        await desk.close()
        _remove(path, made)


@dataclass
class _Desk:
    """Everyone who is connected."""

    handle: Handle
    group: int
    """Whose members may ask."""
    peers: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)
    closed: bool = False

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, line by line."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("run as a task")
        self.peers[task] = writer
        if self.closed:
            writer.transport.abort()
        try:
            refusal = self._refusal(writer.get_extra_info("socket"))
            if refusal:
                await _put(writer, refusal)
            else:
                await self._converse(reader, writer)
        except (OSError, TimeoutError):
            # The peer has gone, or neither asks nor listens.
            writer.transport.abort()
        finally:
            del self.peers[task]
            writer.close()

    async def close(self) -> None:
        """Hang up on everyone, and on those who come too late."""
        self.closed = True
        for writer in self.peers.values():
            writer.transport.abort()
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
        return _no(f"user {user} may not control this speaker", _membership(self.group))

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
            await _put(writer, self._answer(line))

    def _answer(self, line: bytes) -> Mapping[str, object]:
        try:
            request = msgspec.json.decode(line, type=Request)
            return {"ok": True, **self.handle(request)}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _no(f"that is no request: {error}", _EXAMPLE)
        except ControlError as error:
            return _no(str(error), error.hint)


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


def _membership(group: int) -> str:
    try:
        name = grp.getgrgid(group).gr_name
    except KeyError:
        name = str(group)
    return f"as root: usermod -aG {name} USER, and log in again"


def _listen(path: Path) -> tuple[socket.socket, os.stat_result]:
    """A listening socket and its file; everyone is refused until the file's rights are set."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(path.parent):
            _clear(path)
            listener.bind(str(path))
            path.chmod(0o660)
            listener.listen(PEERS)
            return listener, path.stat()
    except OSError as error:
        listener.close()
        raise ControlError(
            f"the control socket {path} cannot be made: {error.strerror or error}",
            "name a place where edged may write as `socket` in [control]",
        ) from error
    except ControlError:
        listener.close()
        raise


def _remove(path: Path, made: os.stat_result) -> None:
    """Remove our socket, unless another has taken its place."""
    with contextlib.suppress(OSError):
        if path.stat().st_ino == made.st_ino:
            path.unlink()


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Of two speakers that start at once, the second must not take the first's socket for dead."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens on."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ControlError(
            f"{path} is in the way of the control socket, and no socket itself",
            "move it away, or name another place as `socket` in [control]",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.setblocking(False)
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            # Its queue of callers is full: somebody is at home.
            pass
    raise ControlError(
        f"another edged is running: it listens on {path}",
        "stop it first (systemctl stop edged), or name another place as `socket` in [control]",
    )


# --- the side of whoever asks -------------------------------------------------------------


def ask(path: Path, request: Request, timeout_s: float = 3.0) -> dict[str, Any]:
    """Ask a running speaker and return its reply; blocks for `timeout_s` seconds at most a step.

    Raises `ControlError` when it does not run, does not answer, or says no.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            line.connect(str(path))
            # Who is refused is told so before they have asked, and hung up on.
            with contextlib.suppress(BrokenPipeError):
                line.sendall(msgspec.json.encode(request) + b"\n")
            with line.makefile("rb") as replies:
                reply = msgspec.json.decode(replies.readline(LINE_BYTES), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as error:
        raise _unanswered(path, error) from error
    if not reply.pop("ok", False):
        raise ControlError(str(reply.get("error", "no")), str(reply.get("hint", "")))
    return reply


def _unanswered(path: Path, error: Exception) -> ControlError:
    start = "start it: systemctl start edged, or edged run"
    match error:
        case FileNotFoundError():
            return ControlError(f"edged is not running (no socket at {path})", start)
        case ConnectionRefusedError():
            return ControlError(f"edged is not running (nobody listens on {path})", start)
        case PermissionError():
            try:
                hint = _membership(path.stat().st_gid)
            except OSError:
                hint = "try it as root"
            return ControlError(f"you may not ask edged ({path} is not for you)", hint)
        case TimeoutError() | BlockingIOError():
            return ControlError(
                f"edged does not answer on {path}", "see journalctl -u edged for what it does"
            )
        case OSError():
            what = os.strerror(error.errno) if error.errno else str(error)
            return ControlError(f"edged cannot be asked on {path}: {what}", start)
        case _:
            return ControlError(
                f"whoever listens on {path} is no edged, or has just left: {error}",
                "see journalctl -u edged",
            )
