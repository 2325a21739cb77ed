"""The flight recorder: the last minutes of events in memory, written down when something fails."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from .core import events as ev
from .key import blotted
from .record import Header, Tape, encode
from .store import Clerk, Store

_STILL_S = 16.0
"""Asleep for so long with nothing but room sound, the core waits for nothing: the last timer that
could still run, that of a closing line, runs out after 15 s at most."""
_PAGE_S = 60.0
"""The memory is forgotten in pieces, from one still moment to another, of at least this length."""
_KEEP_S = 180.0
"""So much is remembered at least, from the first still moment before."""
_LIMIT = 4 << 20
"""Bytes in memory; some six minutes of uninterrupted conversation."""
_PAUSE_S = 60.0
"""The same trouble may come back at once, and a card does not live for ever."""
_FILES = 10


@dataclass
class _Chapter:
    """From one moment at which a fresh core can be brought to where the speaker was, on."""

    began: float
    opening: bytes = b""
    """The events that bring it there."""
    lines: bytearray = field(default_factory=bytearray)


class Flight:
    """The last minutes as lines, forgotten in chapters so that what is left can be replayed.

    A core that sleeps and waits for nothing is told from a fresh one only by its volume, its
    devices and the last seconds of room sound. So a chapter begins when that has been so for a
    while, is opened by made-up events with the first two, and counts once it has heard enough.
    """

    def __init__(
        self,
        rests: Callable[[float], bool],
        remembered: Callable[[], ev.Started],
        ring_s: float,
        *,
        page_s: float = _PAGE_S,
        keep_s: float = _KEEP_S,
        limit: int = _LIMIT,
    ) -> None:
        """`rests`: whether it did before the event; it keeps `ring_s` of room sound asleep."""
        self._rests = rests
        self._remembered = remembered
        self._ring_s = ring_s
        self._page_s = page_s
        self._keep_s = keep_s
        self._limit = limit
        self._chapters: deque[_Chapter] = deque()
        self._size = 0
        self._microphone: ev.MicOpened | None = None
        self._speaker: ev.SpeakerOpened | None = None
        self._pressed: set[str] = set()
        self._still_since: float | None = None
        self._next: _Chapter | None = None
        """A chapter that may begin `_at` bytes into the last one."""
        self._at = 0
        self._heard = 0
        """Samples since then."""
        self.cut = False
        """Whether the beginning had to be forgotten in the middle of something."""

    def took(self, event: ev.Event, line: bytes, now: float) -> None:
        """Remember an event, written as `line`."""
        if not self._chapters:
            self._chapters.append(_Chapter(now))
        self._rest(event, now)
        self._chapters[-1].lines += line
        self._size += len(line)
        while self._size > self._limit:
            self._forget()

    def text(self) -> bytes:
        """The lines that are remembered, to be replayed unless they are `cut`."""
        opening = self._chapters[0].opening if self._chapters else b""
        return opening + b"".join(chapter.lines for chapter in self._chapters)

    def _rest(self, event: ev.Event, now: float) -> None:
        """Begin a chapter where one can begin."""
        if not self._quiet(event, now):
            self._still_since = self._next = None
            return
        if self._still_since is None:
            self._still_since = now
        last = self._chapters[-1]
        if self._next is None:
            if now - self._still_since >= _STILL_S and now - last.began >= self._page_s:
                self._next = _Chapter(now, self._opening(now))
                self._at, self._heard = len(last.lines), 0
        elif self._microphone and self._heard > self._ring_s * self._microphone.rate:
            self._next.lines = last.lines[self._at :]
            del last.lines[self._at :]
            self._chapters.append(self._next)
            self._next = None
            self._let_go(now)
        if isinstance(event, ev.MicFrame):
            self._heard += len(event.samples) // 2

    def _quiet(self, event: ev.Event, now: float) -> bool:
        """Whether the speaker sleeps on; note by the way what it has and who touches it."""
        match event:
            case ev.MicFrame() | ev.WakeNearlyHeard() | ev.Tick():
                opened = self._microphone is not None and self._speaker is not None
                return opened and not self._pressed and self._rests(now)
            case ev.MicOpened():
                self._microphone = event
            case ev.SpeakerOpened():
                self._speaker = event
            case ev.ButtonPressed():
                self._pressed.add(event.button)
            case ev.ButtonReleased():
                self._pressed.discard(event.button)
            case _:
                pass
        return False

    def _opening(self, now: float) -> bytes:
        known = (self._remembered(), self._speaker, self._microphone)
        return b"".join(encode(event, now) for event in known if event is not None)

    def _let_go(self, now: float) -> None:
        """Forget chapters that are not needed for the time to be kept, or cannot be replayed."""
        while len(self._chapters) > 1 and (
            self.cut or self._chapters[1].began <= now - self._keep_s
        ):
            self._drop_first()

    def _forget(self) -> None:
        """It is too much: the oldest chapter goes, or half of the only one."""
        if len(self._chapters) > 1:
            self._drop_first()
            return
        lines = self._chapters[0].lines
        end = lines.find(b"\n", len(lines) // 2) + 1
        del lines[:end]
        self._size -= end
        self._chapters[0].opening = b""
        self._at -= end
        if self._at < 0:
            self._next = None
        self.cut = True

    def _drop_first(self) -> None:
        self._size -= len(self._chapters.popleft().lines)
        self.cut = False


class Recorder:
    """Writes every event to the tape, if there is one, and the last minutes down when told to.

    At most one file a minute is written, `flight-<UTC time>.jsonl` beside the other state, and
    the newest ten are kept. The key, which `secret` tells, appears in none, wherever it came from.
    """

    def __init__(
        self,
        header: Header,
        flight: Flight,
        store: Store,
        clerk: Clerk,
        *,
        tape: Tape | None = None,
        secret: Callable[[], str] = str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._header = header
        self._flight = flight
        self._store = store
        self._clerk = clerk
        self._tape = tape
        self._secret = secret
        self._clock = clock
        self._now: float | None = None
        self._written_at: float | None = None

    def took(self, event: ev.Event, now: float) -> None:
        """Note an event on its way into the core."""
        line = encode(event, now, self._secret())
        self._now = now
        self._flight.took(event, line, now)
        if self._tape is not None:
            self._tape.write(line)

    def failed(self, why: str) -> None:
        """Something failed: keep the last minutes on disk."""
        if self._now is None:
            return
        if self._written_at is not None and self._now - self._written_at < _PAUSE_S:
            return
        self._written_at = self._now
        shown = blotted(why, self._secret())
        header = replace(self._header, why=shown, cut=self._flight.cut)
        content = header.line() + self._flight.text()
        name = f"flight-{self._clock():%Y%m%dT%H%M%SZ}.jsonl"
        self._clerk.do(partial(self._write, name, content))

    def _write(self, name: str, content: bytes) -> None:
        if self._store.keep(name, content):
            self._store.thin("flight-*.jsonl", _FILES, name)
