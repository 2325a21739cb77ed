"""Which day it is: told at once, at midnight, and whenever the clock is set or put right."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

import pytest

from edged.core.events import DayTurned, Event
from edged.duties import keep_date, save_again
from edged.runner import Runner

NOON = datetime(2026, 11, 21, 12, 0)


class Wall:
    """A clock on the wall, somebody who looks at it, and a speaker who is told."""

    def __init__(self, now: datetime = NOON, *, known: bool = True) -> None:
        self.now = now
        self.known = known
        self.told: list[tuple[datetime, str]] = []
        self.naps: list[float] = []
        self._happens: list[tuple[int, Callable[[], None]]] = []
        self._left = 0

    def at(self, nap: int, what: Callable[[], None]) -> None:
        """This happens during that nap, counted from 0."""
        self._happens.append((nap, what))

    def jumps(self, by: timedelta) -> None:
        self.now += by

    def is_set(self, now: datetime) -> None:
        self.now, self.known = now, True

    def feed(self, event: Event) -> None:
        assert isinstance(event, DayTurned)
        self.told.append((self.now, event.day))

    def passes(self, naps: int) -> list[str]:
        """So many looks at the clock; what was told."""
        self._left = naps

        async def live() -> None:
            duty = keep_date(
                lambda day: DayTurned(day, 0.0, 0.0),
                lambda: self.known,
                lambda: self.now,
                self._sleep,
            )
            await duty(cast(Runner, self))

        with pytest.raises(TimeoutError):
            asyncio.run(live())
        return [day for _, day in self.told]

    async def _sleep(self, seconds: float) -> None:
        if self._left == 0:
            raise TimeoutError
        self._left -= 1
        for nap, happens in self._happens:
            if nap == len(self.naps):
                happens()
        self.naps.append(seconds)
        self.now += timedelta(seconds=seconds)


def test_it_is_told_at_once_and_not_again() -> None:
    wall = Wall()
    assert wall.passes(600) == ["2026-11-21"]
    assert wall.told[0][0] == NOON
    assert set(wall.naps) == {60.0}, "nobody looks more often than once a minute"


def test_at_midnight_the_day_turns_within_a_second() -> None:
    wall = Wall(datetime(2026, 11, 30, 23, 57, 30, 500_000))
    assert wall.passes(10) == ["2026-11-30", "2026-12-01"]
    midnight = datetime(2026, 12, 1)
    assert midnight <= wall.told[1][0] < midnight + timedelta(seconds=1)
    assert len(wall.naps) == 10
    assert max(wall.naps) == 60.0


def test_a_timer_that_is_early_is_looked_at_again() -> None:
    wall = Wall(datetime(2026, 11, 21, 23, 59, 59))
    wall.at(0, lambda: wall.jumps(timedelta(seconds=-0.5)))
    assert wall.passes(3) == ["2026-11-21", "2026-11-22"]
    assert wall.told[1][0] < datetime(2026, 11, 22, 0, 0, 1)


def test_until_the_clock_is_set_there_is_no_day() -> None:
    wall = Wall(datetime(2026, 3, 1), known=False)
    wall.at(2, lambda: wall.is_set(NOON))
    assert wall.passes(5) == ["", "2026-11-21"]


def test_a_clock_that_was_set_stays_so() -> None:
    wall = Wall()
    wall.at(1, lambda: setattr(wall, "known", False))
    assert wall.passes(5) == ["2026-11-21"]


@pytest.mark.parametrize(("days", "day"), [(3, "2026-11-24"), (-20, "2026-11-01")])
def test_a_clock_that_jumps_is_followed_within_a_minute(days: int, day: str) -> None:
    wall = Wall()
    wall.at(1, lambda: wall.jumps(timedelta(days=days)))
    assert wall.passes(3) == ["2026-11-21", day]


def test_a_jump_on_the_same_day_changes_nothing() -> None:
    wall = Wall()
    wall.at(1, lambda: wall.jumps(timedelta(hours=-5)))
    assert wall.passes(5) == ["2026-11-21"]


def test_a_disk_that_refused_is_asked_again_and_again() -> None:
    async def live() -> int:
        asked, thrice = 0, asyncio.Event()

        def again() -> None:
            nonlocal asked
            asked += 1
            if asked == 3:
                thrice.set()

        async def go_on() -> None:
            await save_again(again, 0.001)(cast(Runner, None))

        duty = asyncio.create_task(go_on())
        async with asyncio.timeout(10):
            await thrice.wait()
        duty.cancel()
        await asyncio.wait([duty])
        return asked

    assert asyncio.run(live()) >= 3
