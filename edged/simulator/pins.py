"""GPIO pins made of software, which stand on a Unix socket.

`GPIOZERO_PIN_FACTORY=room` with `EDGED_ROOM_PINS=PATH` gives a process these pins instead of a
board's; whoever connects to PATH sees its lights and presses its buttons from outside. Each line
is one JSON object. To the client, for every pin in use, first as it is and then as it changes:
`{"pin": 22, "role": "output", "value": 0.5, "time": 12.3}`, the role being `input`, `output` or
`closed`, the value the level at the pin (0 to 1, PWM in between), the time monotonic seconds.
From the client, to drive an input: `{"pin": 17, "value": 0}`; an input that is driven before it
is in use gets the level when it is.
"""

import contextlib
import json
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import msgspec
from gpiozero.pins.mock import MockFactory, MockPWMPin

from .pinboard import Change, PinsClient

__all__ = ["SOCKET_VARIABLE", "Change", "PinsClient", "RoomFactory"]

SOCKET_VARIABLE: Final = "EDGED_ROOM_PINS"
"""The environment variable that names the socket."""

_SLOWEST_READER: Final = 1 << 20
"""Bytes that may wait for one client; one that lets more pile up is not reading at all."""


class _Drive(msgspec.Struct):
    pin: int
    value: Literal[0, 1]


class _RoomPin(MockPWMPin):  # type: ignore[misc]
    """A pin that tells the room about itself; its name in gpiozero is GPIO and its number."""

    def close(self) -> None:
        super().close()
        self._tell("closed")

    def drive(self, level: bool) -> None:
        """Put an outside level on the pin; an output is stronger."""
        if self.function == "input":
            (self.drive_high if level else self.drive_low)()

    def _change_state(self, value: float) -> bool:
        changed: bool = super()._change_state(value)
        if changed and self._function == "output":
            self._tell("output")
        elif changed and self._when_changed is not None:
            self._tell("input")
        return changed

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        if value == "output":
            self._tell("output")

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        # A finger on the button is stronger than the pull resistor.
        driven = self.factory.driven.get(self._number)
        if driven is not None:
            self.drive(driven)

    def _enable_event_detect(self) -> None:
        super()._enable_event_detect()
        self._tell("input")

    def _tell(self, role: Literal["input", "output", "closed"]) -> None:
        value = 0.0 if role == "closed" else float(self._state)
        self.factory.tell(Change(self._number, role, value, time.monotonic()))


class RoomFactory(MockFactory):  # type: ignore[misc]
    """A gpiozero pin factory whose pins stand on a Unix socket (mode 0600) for outside clients.

    It pretends to be a Pi 3B, so that board questions have an answer anywhere. Edges arrive on its
    one thread. Without a `path` the environment variable `EDGED_ROOM_PINS` says it.

    Raises:
        OSError: no path, or another process stands there.

    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__(pin_class=_RoomPin)
        named = path or os.environ.get(SOCKET_VARIABLE)
        if not named:
            raise OSError(f"the pin factory room needs {SOCKET_VARIABLE}=PATH, the socket's path")
        self.driven: dict[int, bool] = {}
        """The levels put on pins from outside."""
        self._stand = _Stand(Path(named), self._drive)

    def tell(self, change: Change) -> None:
        """Let the clients know, now and when they connect; from any thread, never blocks."""
        self._stand.tell(change)

    def close(self) -> None:
        """Close the pins, let the clients go and remove the socket."""
        super().close()
        self._stand.close()

    def _drive(self, number: int, level: bool) -> None:
        self.driven[number] = level
        for pin in list(self.pins.values()):
            if pin.info.name == f"GPIO{number}":
                pin.drive(level)


@dataclass(eq=False)
class _Client:
    connection: socket.socket
    incoming: bytes = b""
    outgoing: bytearray = field(default_factory=bytearray)


class _Stand:
    """The socket, and the one thread that serves it."""

    def __init__(self, path: Path, drive: Callable[[int, bool], None]) -> None:
        self._path = path
        self._drive = drive
        self._lock = threading.Lock()
        self._latest: dict[int, bytes] = {}
        self._clients: list[_Client] = []
        self._closing = False
        self._listener = _listen(path)
        self._bell, self._rope = socket.socketpair()
        self._rope.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="room-pins", daemon=True)
        self._thread.start()

    def tell(self, change: Change) -> None:
        line = msgspec.json.encode(change) + b"\n"
        with self._lock:
            self._latest[change.pin] = line
            for client in self._clients:
                client.outgoing += line
        self._ring()

    def close(self) -> None:
        self._closing = True
        self._ring()
        self._thread.join(2)
        self._rope.close()

    def _ring(self) -> None:
        # A bell that rings already need not ring twice, and a closed one not at all.
        with contextlib.suppress(OSError):
            self._rope.send(b"!")

    def _serve(self) -> None:
        try:
            while not self._closing:
                for key, _ in self._selector.select():
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj is self._bell:
                        self._bell.recv(4096)
                    else:
                        self._read(key.data)
                for client in list(self._clients):
                    self._write(client)
        finally:
            for client in list(self._clients):
                self._write(client)
                self._dismiss(client)
            for thing in (self._selector, self._listener, self._bell):
                thing.close()
            self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        client = _Client(connection)
        with self._lock:
            client.outgoing += b"".join(self._latest.values())
            self._clients.append(client)
        self._selector.register(connection, selectors.EVENT_READ, client)

    def _read(self, client: _Client) -> None:
        try:
            piece = client.connection.recv(4096)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        if not piece:
            self._dismiss(client)
            return
        *lines, client.incoming = (client.incoming + piece).split(b"\n")
        for line in lines:
            try:
                wish = msgspec.json.decode(line, type=_Drive)
            except msgspec.DecodeError as error:
                with self._lock:
                    client.outgoing += json.dumps({"error": str(error)}).encode() + b"\n"
            else:
                self._drive(wish.pin, bool(wish.value))

    def _write(self, client: _Client) -> None:
        with self._lock:
            try:
                sent = client.connection.send(client.outgoing) if client.outgoing else 0
            except BlockingIOError:
                sent = 0
            except OSError:
                sent = -1
            if sent > 0:
                del client.outgoing[:sent]
            left = len(client.outgoing)
        if sent < 0 or left > _SLOWEST_READER:
            self._dismiss(client)
        elif client in self._clients:
            waiting = selectors.EVENT_WRITE if left else 0
            self._selector.modify(client.connection, selectors.EVENT_READ | waiting, client)

    def _dismiss(self, client: _Client) -> None:
        with self._lock:
            if client not in self._clients:
                return
            self._clients.remove(client)
        self._selector.unregister(client.connection)
        client.connection.close()


def _listen(path: Path) -> socket.socket:
    """A listening socket at `path` for this user alone; one that nobody serves is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Before it is bound: the file never exists with wider rights.
        os.fchmod(listener.fileno(), 0o600)
        if path.is_socket():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(str(path))
                except ConnectionRefusedError:
                    path.unlink()
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
