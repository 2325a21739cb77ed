"""What a speaker does besides conversations: it feeds the watchdog, and tells how it is."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from .core.commands import Fact, Note, warn
from .core.vigil import Vigil
from .ports import Service
from .runner import Duty, Runner

Heartbeat = Callable[[Mapping[str, object]], Note]
"""Makes the entry that tells how the process is, out of the runner's status."""
_HEARTBEAT_S = 3600.0


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
