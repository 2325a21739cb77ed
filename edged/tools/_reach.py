"""What a tool can reach: the speaker, its memory, and the time."""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ..core.commands import Note
from ..core.events import Event
from ..core.settings import Volume
from ..night import Known, clock_is_set
from ..ports import Feed
from ..store import Clerk, Store

T = TypeVar("T")
Default = TypeVar("Default")


@dataclass(frozen=True)
class Moment:
    """A time, by all clocks there are."""

    steady: float
    """Seconds that nobody sets; they begin anew at each boot."""
    wall: float
    """Seconds since 1970, by this machine's clock."""
    known: bool
    """Whether that clock has been set."""
    boot: str
    """Which boot this is."""


class Speaker(Protocol):
    """Whoever lives: a `runner.Runner`."""

    def feed(self, event: Event) -> None:
        """Let the core decide about `event`."""

    def tell(self, note: Note) -> None:
        """Write an entry into the journal."""


class Reach:
    """What the tools of a speaker can reach; all of it on the event loop's thread."""

    def __init__(
        self,
        store: Store | None = None,
        clerk: Clerk | None = None,
        *,
        status: Callable[[], Mapping[str, object]] = dict,
        volume: Volume = Volume(),  # noqa: B008
        moment: Callable[[], Moment] | None = None,
    ) -> None:
        """Without a store and a clerk nothing is remembered; `status` is what `edged status` tells.

        The tools of such a one can be told of, and tried.
        """
        self._store = store
        self._clerk = clerk
        self.status = status
        self.volume = volume
        self.moment = moment or functools.partial(now, Known(clock_is_set))
        self.feed: Feed = lambda event: None
        """Let the core decide about an event; nobody hears it before the speaker lives."""

    def recall(self, name: str, shape: type[T], default: Default) -> T | Default:
        """What was kept under `name`, or `default` where it is nothing, or not like `shape`."""
        return default if self._store is None else self._store.read(name, shape, default)

    def keep(self, name: str, value: object) -> None:
        """Have `value`, which never changes again, in the state directory soon.

        A disk that refuses is told to the journal and nobody else.
        """
        store, clerk = self._store, self._clerk
        if store is not None and clerk is not None:
            clerk.do(lambda: store.write(name, value))


def now(known: Callable[[], bool] = clock_is_set) -> Moment:
    """What it is now; `known` tells whether the clock is set."""
    return Moment(time.monotonic(), time.time(), known(), _boot())


@functools.cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # No two processes agree then, and what was kept is read by the clock on the wall.
        return f"{time.time_ns()}"
