"""Timers: several at once, by name; they ring offline and after a restart."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

from ._bells import Bells
from ._reach import Moment, Reach
from ._tool import Kit, told

_DRIFT_S: Final = 2.0
"""The clock on the wall has been set when it differs by more."""

_LAST: Final = 4e9
"""Seconds; the year 2096."""


@dataclass(frozen=True)
class Settings:
    """What becomes of a timer that ran out while the speaker was off."""

    late_s: Annotated[float, "0 to 86400"] = 3600.0
    """It rings late by so much at most; an older one is only told of, in the next conversation."""


@dataclass(frozen=True)
class Timer:
    """When it runs out: by a clock that nobody sets, and for the next boot by the one on the wall.

    A machine without a clock chip begins with about the time at which it was switched off, so what
    is left goes on from there until the network tells the time.
    """

    name: str
    steady: float
    wall: float
    boot: str

    def __post_init__(self) -> None:
        """Refuse times that no clock shows; ValueError."""
        if not (0 <= self.steady < _LAST and 0 <= self.wall < _LAST):
            raise ValueError("no clock shows that time")

    def left_s(self, now: Moment) -> float:
        """Seconds until it runs out."""
        return self.steady - now.steady if self.boot == now.boot else self.wall - now.wall

    def settled(self, now: Moment) -> "Timer":
        """Follow the clock on the wall when that is set, or after a boot do as it says."""
        left_s = self.left_s(now)
        if self.boot == now.boot:
            moved = abs(self.wall - now.wall - left_s) > _DRIFT_S
            return replace(self, wall=now.wall + left_s) if moved else self
        return replace(self, steady=now.steady + left_s, boot=now.boot) if now.known else self

    def after(self, now: Moment) -> None:
        """It runs out once."""

    def due(self, now: Moment) -> str:
        """The time, and the date where it is another one."""
        at = datetime.fromtimestamp(now.wall + self.left_s(now))
        today = at.date() == datetime.fromtimestamp(now.wall).date()
        return f"at {at:%H:%M}" if today else f"on {at:%Y-%m-%d} at {at:%H:%M}"


def open(settings: Settings, reach: Reach) -> Kit:
    """Tools that set, list and cancel timers."""
    tools = _Timers(settings, reach)
    bells = tools.bells
    return Kit(
        [tools.set_timer, tools.list_timers, tools.cancel_timer],
        serve=bells.serve,
        instructions=bells.instructions,
    )


class _Timers:
    """Waits for them, and tells of them."""

    def __init__(self, settings: Settings, reach: Reach) -> None:
        self.bells = Bells(reach, "timer", Timer, settings.late_s)
        self._reach = reach

    async def set_timer(self, seconds: Annotated[int, "1 to 604800"], name: str = "") -> str:
        """Sets a timer: this speaker rings when it runs out, whether anybody talks to it or not.

        Several can run at once. For a time of day set an alarm instead.

        Args:
            seconds: How long, in seconds.
            name: What it is for, in the user's words, such as pasta; leave it out where they did
                not say.

        """
        now = self._reach.moment()
        timer = Timer(self.bells.named(name), now.steady + seconds, now.wall + seconds, now.boot)
        self.bells.add(timer)
        return told(set=timer.name, seconds=seconds)

    async def list_timers(self) -> str:
        """Lists the timers that run, with the time that is left."""
        now = self._reach.moment()
        return told(
            timers=[
                {"name": timer.name, "seconds_left": max(0, round(timer.left_s(now)))}
                for timer in self.bells.waiting()
            ]
        )

    async def cancel_timer(self, name: str = "", every: bool = False) -> str:
        """Cancels a timer that has not run out yet. One that rings is stopped by the user's word.

        Args:
            name: Which one; leave it out where there is one alone.
            every: True cancels all timers.

        """
        return told(cancelled=self.bells.cancel(name, every=every))
