"""Alarms at a time of day, once or again and again; they ring offline and after a restart."""

import time as system
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, Literal

from ._bells import Bells
from ._reach import Moment, Reach
from ._tool import Kit, told

Repeat = Literal["never", "daily", "weekdays", "weekends"]

_FARTHEST: Final = timedelta(days=366)
_WAITS: Final = "This box's clock has not been set yet: the alarm waits until it is. Tell the user."


@dataclass(frozen=True)
class Settings:
    """What becomes of an alarm whose time came while the speaker was off."""

    late_s: Annotated[float, "0 to 86400"] = 3600.0
    """It rings late by so much at most; an older one is only told of, in the next conversation."""


@dataclass(frozen=True)
class Alarm:
    """A time of day, here, wherever that will be then."""

    name: str
    time: str
    """As 07:05."""
    day: str
    """ISO date on which it rings next; "" until the clock has been set."""
    repeat: Repeat = "never"

    def __post_init__(self) -> None:
        """Refuse what is no time of our days; ValueError."""
        if not 2000 <= _at(self.day or "2000-01-01", self.time).year < 2100:
            raise ValueError("a date of this century is expected")

    def left_s(self, now: Moment) -> float | None:
        """Seconds until it rings; None before the clock is set."""
        return _at(self.day, self.time).timestamp() - now.wall if now.known and self.day else None

    def settled(self, now: Moment) -> "Alarm":
        """With its day, once there is one."""
        return self if self.day or not now.known else replace(self, day=self._next(now))

    def after(self, now: Moment) -> "Alarm | None":
        """Its next day, if it repeats."""
        return None if self.repeat == "never" else replace(self, day=self._next(now))

    def due(self, now: Moment) -> str:
        """Date and time."""
        return f"on {self.day} at {self.time}"

    def _next(self, now: Moment) -> str:
        """The first day on which it would ring from `now` on."""
        here = _here(now)
        days = (here.date() + timedelta(days=ahead) for ahead in range(9))
        fit = (day.isoformat() for day in days if _repeats(self.repeat, day))
        return next(day for day in fit if _at(day, self.time) > here)


def open(settings: Settings, reach: Reach) -> Kit:
    """Tools that set, list and cancel alarms."""
    tools = _Alarms(settings, reach)
    bells = tools.bells
    return Kit(
        [tools.set_alarm, tools.list_alarms, tools.cancel_alarm],
        serve=bells.serve,
        instructions=bells.instructions,
    )


class _Alarms:
    """Waits for them, and tells of them."""

    def __init__(self, settings: Settings, reach: Reach) -> None:
        self.bells = Bells(reach, "alarm", Alarm, settings.late_s)
        self._reach = reach

    async def set_alarm(
        self, time: str, date: str = "", name: str = "", repeat: Repeat = "never"
    ) -> str:
        """Sets an alarm: this speaker rings then, whether anybody talks to it or not.

        For a length of time set a timer instead.

        Args:
            time: The time of day here, as 07:05 or 19:30.
            date: Its date as 2026-03-01; leave it out for the next time that it is that late.
            name: What it is for, in the user's words; leave it out where they did not say.
            repeat: Whether it rings again and again, and on which days.

        """
        now = self._reach.moment()
        at = _read(time, date)
        alarm = Alarm(self.bells.named(name), f"{at:%H:%M}", date and f"{at:%Y-%m-%d}", repeat)
        if now.known:
            if date and not _here(now) < at < _here(now) + _FARTHEST:
                raise ValueError("that is over already, or more than a year away")
            alarm = alarm.settled(now)
        self.bells.add(alarm)
        text = told(set=alarm.name, time=alarm.time, date=alarm.day, repeat=alarm.repeat)
        return text if now.known else f"{text} {_WAITS}"

    async def list_alarms(self) -> str:
        """Lists the alarms that are set."""
        listed = [
            {"name": each.name, "time": each.time, "date": each.day, "repeat": each.repeat}
            for each in self.bells.waiting()
        ]
        text = told(alarms=listed)
        return text if self._reach.moment().known or not listed else f"{text} {_WAITS}"

    async def cancel_alarm(self, name: str = "", every: bool = False) -> str:
        """Cancels an alarm that has not rung yet, and one that repeats for ever.

        One that rings is stopped by the user's word.

        Args:
            name: Which one; leave it out where there is one alone.
            every: True cancels all alarms.

        """
        return told(cancelled=self.bells.cancel(name, every=every))


def _read(clock: str, day: str) -> datetime:
    """The time that is meant; of no day in particular where that is ""."""
    try:
        at = datetime.strptime(clock.strip(), "%H:%M")
        return datetime.combine(date.fromisoformat(day), at.time()) if day else at
    except ValueError as error:
        expected = "a time such as 07:05 and a date such as 2026-03-01 are expected"
        raise ValueError(f"{expected}: {error}") from error


def _at(day: str, clock: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock))


def _here(now: Moment) -> datetime:
    # Where "here" is may have changed since this process first asked.
    system.tzset()
    return datetime.fromtimestamp(now.wall)


def _repeats(repeat: Repeat, day: date) -> bool:
    weekend = day.weekday() > 4
    return repeat in ("never", "daily", "weekends" if weekend else "weekdays")
