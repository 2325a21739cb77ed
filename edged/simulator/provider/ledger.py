"""What the simulated server saw and did: every event with its time, every byte, every sound."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .archive import Archive

_ENTRIES = 200_000
"""Entries kept in memory: an hour of conversation."""
_SOUND = {"input_audio_buffer.append": "audio", "response.output_audio.delta": "delta"}

Direction = Literal["in", "out", "note"]


@dataclass(frozen=True)
class Entry:
    """One line of the log. `t` is seconds since the server started, of a monotonic clock."""

    t: float
    session: int
    """Counts connections from 1; 0 is the server itself."""
    direction: Direction
    type: str
    details: Mapping[str, Any]
    """The event without its sound, of which only the size in bytes is told."""

    def line(self) -> str:
        """The entry as one line of JSON."""
        head = {"t": round(self.t, 6), "session": self.session, "direction": self.direction}
        return json.dumps({**head, "type": self.type, **self.details}, ensure_ascii=False)


@dataclass
class Visit:
    """One connection, from its first byte to its last."""

    number: int
    opened: float
    """Seconds since the server started; so is every time here."""
    closed: float | None = None
    close_code: int | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is closed."""
    socket_bytes: int = 0
    """Bytes that came through the socket: handshake, frames and their headers, without TLS's."""
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """When how many of them came."""
    heard: bytearray = field(default_factory=bytearray)
    """All appended sound, in order, as on the wire; only with `keep_audio`."""
    said: bytearray = field(default_factory=bytearray)
    """All answer sound that was sent, in order, as on the wire; only with `keep_audio`."""


class Ledger:
    """The log of one server, in memory and, where asked, in files."""

    def __init__(
        self, archive: Archive, log: Path | None, sounds: Path | None, keep_audio: bool
    ) -> None:
        """`log` is a file; into the folder `sounds` go session-N-in.pcm and session-N-out.pcm."""
        self._began = time.monotonic()
        self._archive = archive
        self._log = log
        self._sounds = sounds
        self._keep = keep_audio
        self.entries: deque[Entry] = deque(maxlen=_ENTRIES)
        self.visits: list[Visit] = []

    @property
    def now(self) -> float:
        """Seconds since the server started."""
        return time.monotonic() - self._began

    def open(self) -> Visit:
        """A connection was made."""
        visit = Visit(len(self.visits) + 1, self.now)
        self.visits.append(visit)
        self.note(visit.number, "connection.opened", {"wall": time.time()})
        return visit

    def close(self, visit: Visit, code: int | None, reason: str) -> None:
        """A connection is gone."""
        visit.closed, visit.close_code = self.now, code
        visit.over.set()
        told = {"code": code, "reason": reason, "socket_bytes": visit.socket_bytes}
        self.note(visit.number, "connection.closed", told)

    def arrived(self, visit: Visit, size: int) -> None:
        """So many bytes came through the socket."""
        visit.socket_bytes += size
        visit.arrivals.append((self.now, size))

    def note(self, session: int, kind: str, details: Mapping[str, Any]) -> None:
        """Something happened that is not an event of the protocol."""
        self._add(Entry(self.now, session, "note", kind, details))

    def received(self, visit: Visit, event: Mapping[str, Any]) -> None:
        """A client event came; `socket_bytes` is what its connection has brought so far."""
        told = {**_silent(event), "socket_bytes": visit.socket_bytes}
        self._add(Entry(self.now, visit.number, "in", str(event.get("type")), told))

    def sent(self, visit: Visit, event: Mapping[str, Any]) -> None:
        """A server event leaves."""
        self._add(Entry(self.now, visit.number, "out", str(event["type"]), _silent(event)))

    def heard(self, visit: Visit, sound: bytes) -> None:
        """Appended sound."""
        self._store(visit, "in", visit.heard, sound)

    def said(self, visit: Visit, sound: bytes) -> None:
        """Answer sound that leaves."""
        self._store(visit, "out", visit.said, sound)

    def received_bytes(self, since: float = 0.0, until: float = float("inf")) -> int:
        """Bytes that came through all sockets from `since` to before `until`."""
        return sum(
            size for visit in self.visits for t, size in visit.arrivals if since <= t < until
        )

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if self._log:
            self._archive.append(self._log, f"{entry.line()}\n".encode())

    def _store(self, visit: Visit, side: str, kept: bytearray, sound: bytes) -> None:
        if self._keep:
            kept += sound
        if self._sounds:
            self._archive.append(self._sounds / f"session-{visit.number}-{side}.pcm", sound)


def _silent(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with sizes in the place of sound, and its type left out."""
    sound = _SOUND.get(str(event.get("type")))
    return {
        name: _size(value) if name == sound else _without_sound(value)
        for name, value in event.items()
        if name != "type"
    }


def _without_sound(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_sound(one) for one in value]
    if isinstance(value, Mapping):
        return {
            name: _size(told) if name == "audio" and isinstance(told, str) else _without_sound(told)
            for name, told in value.items()
        }
    return value


def _size(base64: Any) -> Any:
    """How many bytes a base64 string stands for."""
    if not isinstance(base64, str):
        return base64
    return {"bytes": len(base64) * 3 // 4 - base64[-2:].count("=")}
