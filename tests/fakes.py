"""Devices that keep, and enforce, the promises written in `edged.ports`."""

import asyncio
from collections.abc import Callable, Mapping
from math import inf

from edged.core.commands import Book, Chime, LinkCommand, Note, Remember, SendAudio
from edged.core.events import (
    Event,
    LinkAccepted,
    LinkDown,
    LinkReady,
    MicFrame,
    MicOpened,
    SpeakerHushed,
    SpeakerOpened,
    SpeakerProgress,
)
from edged.core.frames import Cleaned
from edged.core.scenes import Look
from edged.core.vigil import Pulse
from edged.ports import Feed, Session


class FakeSound:
    """A sound card on which the test speaks and listens."""

    def __init__(self, feed: Feed, rate: int = 24_000) -> None:
        self._feed = feed
        self.rate = rate
        self.open = False
        self.closed = False
        self.position = 0
        self.spool = bytearray()
        self.heard = 0
        self.finished = True
        self.chimes: list[Chime] = []
        self.said = bytearray()
        """Our own words that have not been ended."""
        self.hushed = 0
        self.volumes: list[float] = []
        self.ducked_db = 0.0
        self.dozed: list[bool] = []
        self.score = inf
        """What the echo driver thinks of the room while nobody dozes."""
        self.watched = 0
        self.sounded = 0

    def open_microphone(self) -> None:
        assert not self.open, "opened twice"
        self.open = True
        self.position = 0
        asyncio.get_running_loop().call_soon(self._feed, MicOpened("fake", self.rate))

    def close_microphone(self) -> None:
        self.open = False

    def doze(self, dozing: bool) -> None:
        self.dozed.append(dozing)

    def queue(self, samples: bytes) -> None:
        assert not self.closed
        assert len(samples) % 2 == 0
        self.spool += samples
        self.finished = False

    def finish(self) -> None:
        self.finished = True

    def hush(self) -> None:
        heard, self.heard = self.heard, 0
        self.spool.clear()
        self.hushed += 1
        asyncio.get_running_loop().call_soon(self._feed, SpeakerHushed(heard))

    def set_volume(self, volume_db: float) -> None:
        self.volumes.append(volume_db)

    def duck(self, by_db: float) -> None:
        assert by_db >= 0
        self.ducked_db = by_db

    def status(self) -> Mapping[str, str | int | float]:
        return {"echo": "fake"}

    def pulse(self) -> Pulse:
        return Pulse(self.watched, self.sounded, self.heard < len(self.spool) // 2)

    def sound(self, chime: Chime) -> None:
        self.chimes.append(chime)
        self.said.clear()

    def say(self, samples: bytes) -> None:
        assert not self.closed
        assert len(samples) % 2 == 0
        self.said += samples
        if not samples:
            self.said.clear()

    async def close(self) -> None:
        assert not self.closed, "closed twice"
        self.closed = True

    def capture(self, samples: bytes) -> None:
        """The room sounds like `samples` for as long as they last."""
        assert self.open, "nobody may hear us while the microphone is closed"
        awake = self.dozed[-1:] == [False]
        clean = Cleaned(samples, self.score, 0.0, b"\x01\x00" * (len(samples) // 2))
        self._feed(MicFrame(samples, self.position, -40.0, clean if awake else None))
        self.position += len(samples) // 2

    def play(self, frames: int | None = None) -> None:
        """Let the loudspeaker sound; all that is queued unless `frames` are given."""
        queued = len(self.spool) // 2
        self.heard = queued if frames is None else min(queued, self.heard + frames)
        self._feed(SpeakerProgress(self.heard))

    def plug_in(self) -> None:
        self._feed(SpeakerOpened("fake", self.rate, 20.0))


class FakeWake:
    """An engine that recognises nothing and remembers what it was offered."""

    def __init__(self) -> None:
        self.offered = bytearray()
        self.positions: list[int] = []
        self.resets = 0
        self.hangs = False
        self.examined: int | None = 0

    def offer(self, samples: bytes, position: int) -> None:
        self.positions.append(position)
        self.offered += samples
        if self.examined is not None and not self.hangs:
            self.examined += 1

    def reset(self) -> None:
        self.resets += 1

    def scores(self) -> Mapping[str, float]:
        return {"fake": 0.25}

    def status(self) -> Mapping[str, str | int]:
        return {"engine": "fake"}

    async def close(self) -> None:
        pass


class FakeSession:
    """A line that the test brings up, talks on and cuts."""

    def __init__(self) -> None:
        self.sent: list[LinkCommand] = []
        self.running = False
        self.closing = asyncio.Event()
        self._end: asyncio.Future[LinkDown] = asyncio.get_running_loop().create_future()
        self._feed: Feed | None = None

    def offer(self, command: LinkCommand) -> None:
        assert self.running, "sent on a line that is not up"
        assert not self.closing.is_set(), "sent on a line that is closing"
        self.sent.append(command)

    def close(self) -> None:
        self.closing.set()
        if not self._end.done():
            self._end.set_result(LinkDown())

    async def run(self, feed: Feed) -> LinkDown:
        assert not self.running, "run twice"
        self.running = True
        self._feed = feed
        try:
            return await self._end
        finally:
            self.running = False

    def comes_up(self) -> None:
        assert self._feed is not None
        self._feed(LinkAccepted("sess_1"))
        self._feed(LinkReady())

    def breaks(self, down: LinkDown) -> None:
        self._end.set_result(down)

    @property
    def audio(self) -> bytes:
        return b"".join(c.samples for c in self.sent if isinstance(c, SendAudio))


class FakeProvider:
    """Hands out one session at a time."""

    def __init__(self, make: Callable[[], Session] = FakeSession) -> None:
        self._make = make
        self.sessions: list[Session] = []

    def session(self) -> Session:
        for earlier in self.sessions:
            assert not getattr(earlier, "running", False), "a second line while one is open"
        self.sessions.append(self._make())
        return self.sessions[-1]


class FakeUplink:
    """Passes room sound on as it is."""

    def __init__(self) -> None:
        self.rates: list[int] = []

    def restart(self, capture_rate: int) -> None:
        self.rates.append(capture_rate)

    def room(self, samples: bytes) -> bytes:
        return samples

    def clean(self, samples: bytes) -> bytes:
        return samples


class FakeResampler:
    """Keeps every n-th sample."""

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target

    def convert(self, samples: bytes) -> bytes:
        frames = len(samples) // 2 * self._target // self._source
        return samples[: 2 * frames]


class FakeLights:
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self.shown = asyncio.Event()

    def show(self, look: Look) -> None:
        self.looks.append(look)
        self.shown.set()

    def close(self) -> None:
        pass


class FakeTools:
    """Answers when the test lets it."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def call(self, name: str, arguments: str) -> str:
        self.called.set()
        return await asyncio.shield(self.answer)

    def farewell(self, name: str) -> bool:
        return name == "goodbye"


class FakeMemory:
    """Remembers until the test ends."""

    def __init__(self) -> None:
        self.remembered: list[Remember] = []

    def remember(self, what: Remember) -> None:
        self.remembered.append(what)


class FakeLedger:
    """Knows what was booked."""

    def __init__(self) -> None:
        self.booked: list[Book] = []

    def book(self, what: Book) -> None:
        self.booked.append(what)


class FakeRecorder:
    """Knows what was recorded, and why it was kept."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failures: list[str] = []

    def took(self, event: Event, now: float) -> None:
        self.events.append(event)

    def failed(self, why: str) -> None:
        self.failures.append(why)


class FakeJournal:
    """Remembers what was told."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.told = asyncio.Event()

    def note(self, note: Note, state: str) -> None:
        self.notes.append(note)
        self.told.set()


class FakeService:
    """A service manager that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fed = asyncio.Event()
        self.feeds = 0

    def ready(self) -> None:
        self.said.append("ready")

    def status(self, text: str) -> None:
        self.said.append(text)

    def alive(self) -> None:
        self.feeds += 1
        self.fed.set()

    def turning(self) -> None:
        pass

    def stopping(self) -> None:
        self.said.append("stopping")
