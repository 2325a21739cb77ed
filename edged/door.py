"""The control socket's file: made for its owner and its group, and never in another's place."""

import contextlib
import errno
import fcntl
import grp
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

_LONGEST = 107
"""Bytes of a socket's path: `sun_path` of unix(7), less the NUL behind it."""


class ControlError(Exception):
    """The speaker cannot be asked, or says no; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def membership(group: int) -> str:
    """What to type to be let in."""
    try:
        name = grp.getgrgid(group).gr_name
    except KeyError:
        name = str(group)
    return f"as root: usermod -aG {name} USER, and log in again"


def fit(path: Path) -> None:
    """Raise OSError where the kernel takes no socket's path of this length."""
    if len(os.fsencode(path)) > _LONGEST:
        raise OSError(errno.ENAMETOOLONG, f"its path has more than {_LONGEST} bytes")


def listen(path: Path, callers: int) -> tuple[socket.socket, os.stat_result]:
    """A socket with room for so many callers, and its file.

    Everyone is refused until the file's rights are set. Raises `ControlError` where there can be
    none, or another speaker has it.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        fit(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(path.parent):
            _clear(path)
            listener.bind(str(path))
            path.chmod(0o660)
            listener.listen(callers)
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


def remove(path: Path, made: os.stat_result) -> None:
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
