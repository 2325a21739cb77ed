"""The time and the date, here or in another time zone."""

import time
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ._reach import Reach
from ._tool import Kit, told

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""In English whatever this box speaks: the model translates."""
_UNSET = "This box's clock has not been set yet: all of this may be wrong. Say so."


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


def open(settings: Settings, reach: Reach) -> Kit:
    """A tool that tells the time."""

    async def clock(timezone: str = "") -> str:
        """The current time, weekday and date, here or in another time zone.

        Args:
            timezone: An IANA time zone such as Europe/Berlin; leave it out for here.

        """
        moment = reach.moment()
        if timezone:
            text = tell(datetime.fromtimestamp(moment.wall, _zone(timezone)), timezone)
        else:
            # Where "here" is may have changed since this process first asked.
            time.tzset()
            here = datetime.fromtimestamp(moment.wall).astimezone()
            text = tell(here, here.tzname() or "")
        return text if moment.known else f"{text} {_UNSET}"

    return Kit([clock])


def tell(moment: datetime, zone: str) -> str:
    """`moment` as JSON."""
    return told(
        time=f"{moment:%H:%M}",
        weekday=_WEEKDAYS[moment.weekday()],
        date=f"{moment:%Y-%m-%d}",
        timezone=zone,
        utc_offset=f"{moment:%z}",
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        # A name that is a folder of the database (Europe) is an OSError.
        raise ValueError(
            f'there is no time zone "{name}" here: an IANA name such as Europe/Berlin is expected'
        ) from error
