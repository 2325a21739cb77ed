"""What rings by itself, offline and after a restart too: the part that timers and alarms share."""

import asyncio
import json
from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

from ..core.events import Rang
from ._reach import Moment, Reach
from ._tool import visible

_MOST: Final = 20
"""Bells that may wait; whoever wants more has lost count."""
_LONGEST: Final = 40
"""Characters of a name."""
_GLANCE_S: Final = 30.0
"""How often the clock on the wall is looked at while something waits: somebody may have set it."""
_NEWS_S: Final = 600.0
"""For so long the model is told of what has rung: "what was that?"."""

B = TypeVar("B", bound="Bell")


class Bell(Protocol):
    """Something that is due once or again and again; a frozen dataclass that JSON can hold."""

    @property
    def name(self) -> str:
        """What its owner calls it; no two are called alike."""

    def left_s(self, now: Moment) -> float | None:
        """How long until it is due, negative when it is over; None while nobody knows."""

    def settled(self: B, now: Moment) -> B:
        """The same bell, with what is known of the time now."""

    def after(self: B, now: Moment) -> B | None:
        """What it is when it has rung; None for nothing any more."""

    def due(self, now: Moment) -> str:
        """When it is due, in words."""


class Bells(Generic[B]):
    """Waits, rings and remembers; every change is in the state directory soon."""

    def __init__(self, reach: Reach, kind: str, shape: type[B], late_s: float) -> None:
        """`kind` is what one is called, in words and in the state directory."""
        self._reach = reach
        self._kind = kind
        self._late_s = late_s
        self._waiting: list[B] = reach.recall(f"{kind}s", list[shape], [])  # type: ignore[valid-type]
        self._missed: list[str] = reach.recall(f"{kind}s-missed", list[str], [])[-_MOST:]
        self._told_at: float | None = None
        """When the model was first told of those that were missed."""
        self._news: list[tuple[float, str]] = []
        """When what rang, in words."""
        self._changed = asyncio.Event()

    def waiting(self) -> Sequence[B]:
        """Those that will ring, the next one first."""
        now = self._reach.moment()
        return sorted(self._waiting, key=lambda bell: (bell.left_s(now) is None, bell.left_s(now)))

    def named(self, asked: str) -> str:
        """The name that a new one gets; ValueError where it is taken, or there are too many."""
        if len(self._waiting) >= _MOST:
            raise ValueError(f"there are {_MOST} {self._kind}s already: cancel one first")
        name = " ".join(asked.split())
        if len(name) > _LONGEST or not visible(name):
            raise ValueError(f"a name of up to {_LONGEST} characters is expected")
        taken = {bell.name.casefold() for bell in self._waiting}
        if name.casefold() in taken:
            raise ValueError(f'there is a {self._kind} called "{name}" already')
        numbered = (f"{self._kind} {number}" for number in range(1, _MOST + 2))
        return name or next(each for each in numbered if each not in taken)

    def add(self, bell: B) -> None:
        """Have it ring when it is due."""
        self._have([*self._waiting, bell])

    def cancel(self, asked: str, *, every: bool) -> Sequence[str]:
        """The names of those that will not ring any more; ValueError where it is not clear which.

        A part of a name will do where it fits one alone; no name will do where there is one alone.
        """
        gone = self._waiting if every else self._meant(" ".join(asked.split()).casefold())
        if len(gone) != 1 and not every:
            there = ", ".join(json.dumps(b.name, ensure_ascii=False) for b in self._waiting)
            raise ValueError(f"say which {self._kind}; there are: {there or 'none'}")
        self._have([bell for bell in self._waiting if bell not in gone])
        return [bell.name for bell in gone]

    def instructions(self) -> str:
        """What has rung lately, and what was missed; once told it is soon forgotten."""
        now = self._reach.moment()
        if self._missed and self._told_at is None:
            self._told_at = now.steady
            self._changed.set()
        rung = [text for at, text in self._news if now.steady - at <= _NEWS_S]
        return "\n".join([*rung, *self._missed])

    async def serve(self) -> None:
        """Ring them, until cancelled."""
        while True:
            pause_s = self.look(self._reach.moment())
            try:
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()

    def look(self, now: Moment) -> float | None:
        """Ring what is due, and take note of the time; when to look again, None for never."""
        waiting: list[B] = []
        for bell in self._waiting:
            left_s = bell.left_s(now)
            if left_s is None or left_s > 0:
                waiting.append(bell.settled(now))
                continue
            if again := bell.after(now):
                waiting.append(again)
            self._ring(bell, now, late=-left_s > self._late_s)
        if waiting != self._waiting:
            self._have(waiting)
        self._forget(now)
        if not waiting and self._told_at is None:
            return None
        known = [left_s for bell in waiting if (left_s := bell.left_s(now)) is not None]
        return max(0.0, min([*known, _GLANCE_S]))

    def _ring(self, bell: B, now: Moment, *, late: bool) -> None:
        called = f"The {self._kind} {json.dumps(bell.name, ensure_ascii=False)}"
        if late:
            text = f"{called} was due {bell.due(now)}, while this speaker was off: tell the user."
            self._missed = [*self._missed, text][-_MOST:]
            self._told_at = None
            self._reach.keep(f"{self._kind}s-missed", self._missed)
        else:
            self._news = [*self._news, (now.steady, f"{called} rang {bell.due(now)}.")][-_MOST:]
            self._reach.feed(Rang(bell.name))

    def _forget(self, now: Moment) -> None:
        """Who was told of what was missed does not want to hear it again."""
        if self._told_at is not None and now.steady - self._told_at > _NEWS_S:
            self._missed, self._told_at = [], None
            self._reach.keep(f"{self._kind}s-missed", self._missed)

    def _meant(self, name: str) -> list[B]:
        whole = [bell for bell in self._waiting if bell.name.casefold() == name]
        return whole or [bell for bell in self._waiting if name in bell.name.casefold()]

    def _have(self, waiting: list[B]) -> None:
        self._waiting = waiting
        self._reach.keep(f"{self._kind}s", waiting)
        self._changed.set()
