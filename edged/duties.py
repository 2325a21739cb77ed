"""What a speaker does besides conversations: it feeds the watchdog, and tells how it is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, time, timedelta

from .core.commands import Fact, Note, warn
from .core.events import DayTurned
from .core.vigil import Vigil
from .night import Known, clock_is_set
from .ports import Service
from .runner import Duty, Runner

Heartbeat = Callable[[Mapping[str, object]], Note]
"""Makes the entry that tells how the process is, out of the runner's status."""
_HEARTBEAT_S = 3600.0
_GLANCE_S = 60.0
"""How often somebody looks at the clock: it may be set, forwards or back, at any moment; and at a
disk that has refused something."""
_LATE_S = 0.05
"""So long after midnight it is a new day by any timer."""


def all_of(service: Service, watchdog_s: float | None, heartbeat: Heartbeat) -> Sequence[Duty]:
    """Those of a daemon; None: nobody watches it."""
    beats = beat(heartbeat, _HEARTBEAT_S)
    return (feed_watchdog(service, watchdog_s), beats) if watchdog_s else (beats,)


def feed_watchdog(service: Service, watchdog_s: float) -> Duty:
    """Feed it while everything that is owed goes on, and tell of what does not before the end."""

    async def keep(runner: Runner) -> None:
        vigil, loop = Vigil(watchdog_s), asyncio.get_running_loop()
        while True:
            service.turning()
            found = vigil.look(runner.signs(), loop.time())
            if found.alive:
                service.alive()
            if found.stuck:
                told = f"{found.stuck} stands still: the service manager will start edged again"
                runner.tell(warn(Fact.PART_STUCK, told, part=found.stuck))
            await asyncio.sleep(found.again_s)

    return keep


def beat(heartbeat: Heartbeat, every_s: float) -> Duty:
    """Tell from time to time how the process is."""

    async def go_on(runner: Runner) -> None:
        while True:
            await asyncio.sleep(every_s)
            runner.tell(heartbeat(runner.status()))

    return go_on


def save_again(again: Callable[[], None], every_s: float = _GLANCE_S) -> Duty:
    """Have what the disk has refused saved as soon as it takes it."""

    async def go_on(_: Runner) -> None:
        while True:
            await asyncio.sleep(every_s)
            again()

    return go_on


def keep_date(
    turned: Callable[[str], DayTurned],
    known: Callable[[], bool] = clock_is_set,
    now: Callable[[], datetime] = datetime.now,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Duty:
    """Tell which day it is: at once, at midnight, and after the clock was set or put right.

    `turned` makes the event out of an ISO date, "" while the clock is not `known` to be right; a
    clock that once was stays so. `now` is local time.
    """

    async def go_on(runner: Runner) -> None:
        told, right = None, Known(known)
        while True:
            day = now().date().isoformat() if right() else ""
            if day != told:
                told = day
                runner.feed(turned(day))
            await sleep(min(_GLANCE_S, _to_midnight_s(now())))

    return go_on


def _to_midnight_s(now: datetime) -> float:
    midnight = datetime.combine(now.date() + timedelta(days=1), time())
    return (midnight - now.replace(tzinfo=None)).total_seconds() + _LATE_S
