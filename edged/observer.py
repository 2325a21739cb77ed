"""What is known of the speaker from watching it: what it shows, tells and hears at the moment."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field

from .core.commands import Fact, Note
from .core.events import Event, MicFrame
from .core.scenes import Look, Scene, colour
from .ports import Journal, Recorder

TICK_S = 0.1
"""Those who watch are told so often how it is."""
_HISTORY = 30
"""Entries that whoever begins to watch is told of."""
_MOST = 200
"""News that wait for one who watches; who is slower is left behind."""
_SILENCE_DBFS = -100.0
_BEGAN = time.monotonic()
"""When this process did, or nearly."""
_DEAF_S = 0.5
"""A level older than this is that of a microphone that is closed."""

News = Mapping[str, object]


class TooSlow(Exception):
    """Whoever watches does not follow."""


@dataclass
class _Onlooker:
    """What one who watches has still to be told."""

    waiting: deque[News] = field(default_factory=deque)
    come: asyncio.Event = field(default_factory=asyncio.Event)


class Story:
    """A journal that those who watch are told of too; one for every speaker of this process."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._history: deque[News] = deque(maxlen=_HISTORY)
        self._onlookers: list[_Onlooker] = []

    def note(self, note: Note, state: str) -> None:
        """As a `ports.Journal`."""
        self._journal.note(note, state)
        told = {
            "time": time.time(),
            "fact": note.fact.value,
            "message": note.message,
            "state": state,
            "warning": note.warning,
            "fields": dict(note.fields),
        }
        self._history.append({"note": told})
        self.spread({"note": told})

    def forget(self) -> None:
        """Whoever begins to watch is told only what comes from now on."""
        self._history.clear()

    def spread(self, news: News | None) -> None:
        """Tell everybody; None: something can be seen anew."""
        for onlooker in self._onlookers:
            if news is not None and len(onlooker.waiting) <= _MOST:
                onlooker.waiting.append(news)
            onlooker.come.set()

    async def watch(self) -> AsyncGenerator[Sequence[News], None]:
        """The last entries, and then what is new at every tick, maybe nothing.

        Raises `TooSlow` when too much has come while somebody else was to be waited for.
        """
        onlooker = _Onlooker(deque(self._history))
        self._onlookers.append(onlooker)
        try:
            while True:
                if len(onlooker.waiting) > _MOST:
                    raise TooSlow
                # A signal's handler may tell something at any line.
                news, onlooker.waiting = onlooker.waiting, deque()
                onlooker.come.clear()
                yield list(news)
                try:
                    async with asyncio.timeout(TICK_S):
                        await onlooker.come.wait()
                except TimeoutError:
                    pass
        finally:
            self._onlookers.remove(onlooker)


class Observer:
    """Stands between the core and its journal and recorder, and among its lights.

    It passes everything on, keeps the newest, and costs next to nothing while nobody watches.
    Create it on the loop's thread.
    """

    def __init__(self, story: Story, recorder: Recorder, volume_db: float) -> None:
        """`volume_db` is the volume until one is told of."""
        self._story = story
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._volume_db = volume_db
        self._look = Look(Scene.ASLEEP)
        self._since = self._loop.time()
        self._level = _SILENCE_DBFS
        self._heard_at = 0.0
        self._session: dict[str, object] = {}
        self._turn: dict[str, object] = {}

    # --- what it passes on ----------------------------------------------------------------

    def note(self, note: Note, state: str) -> None:
        """As a `ports.Journal`."""
        self._story.note(note, state)
        match note.fact:
            case Fact.CONNECTED:
                self._session = {**note.fields, "turns": 0}
            case Fact.SESSION_ENDED:
                self._session = {}
            case Fact.TURN_ENDED:
                self._turn = dict(note.fields)
                self._session |= {"turns": note.fields.get("turn", 0)} if self._session else {}
            case Fact.VOLUME_CHANGED:
                self._volume_db = float(note.fields.get("volume_db", self._volume_db))
            case _:
                pass

    def took(self, event: Event, now: float) -> None:
        """As a `ports.Recorder`."""
        self._recorder.took(event, now)
        if isinstance(event, MicFrame):
            self._level, self._heard_at = event.level, now

    def failed(self, why: str) -> None:
        """As a `ports.Recorder`."""
        self._recorder.failed(why)

    def show(self, look: Look) -> None:
        """As `ports.Lights`."""
        before, self._look = self._look, look
        if (before.scene, before.trouble) != (look.scene, look.trouble):
            self._since = self._loop.time()
        self._story.spread(None)

    def close(self) -> None:
        """As `ports.Lights`; there is nothing to be closed."""

    # --- what it knows --------------------------------------------------------------------

    @property
    def look(self) -> Look:
        """What is shown."""
        return self._look

    def now(self) -> dict[str, object]:
        """State, light, level and volume at this moment, for programs."""
        now, look = self._loop.time(), self._look
        deaf = now - self._heard_at > _DEAF_S
        return {
            "state": look.scene.value,
            **({"trouble": look.trouble.value} if look.trouble else {}),
            "light": colour(look, now - self._since).hex,
            "sending": look.sending,
            "microphone_dbfs": None if deaf else round(self._level, 1),
            "volume_db": self._volume_db,
        }

    def status(self) -> dict[str, object]:
        """All of it: this moment, the session, the last turn, and for how long the process runs."""
        return {
            **self.now(),
            "uptime_s": round(time.monotonic() - _BEGAN, 1),
            "session": self._session or None,
            "last_turn": self._turn or None,
        }

    def watch(self) -> AsyncGenerator[Sequence[News], None]:
        """As `Story.watch`."""
        return self._story.watch()
