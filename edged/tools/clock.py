"""The time and the date, here or in another time zone."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

NAME = "clock"
DESCRIPTION = "The current time, weekday and date, here or in another time zone."
PARAMETERS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "timezone": {
            "type": "string",
            "description": "An IANA time zone such as Europe/Berlin; leave it out for here.",
        }
    },
    "additionalProperties": False,
}

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""In English whatever this box speaks: the model translates."""


async def call(arguments: Mapping[str, object]) -> str:
    """Time, weekday, date and zone as JSON; `ValueError` for a zone that there is not."""
    zone = str(arguments.get("timezone") or "")
    if zone:
        return tell(datetime.now(_zone(zone)), zone)
    # Where "here" is may have changed since this process first asked.
    time.tzset()
    now = datetime.now().astimezone()
    return tell(now, now.tzname() or "")


def tell(moment: datetime, zone: str) -> str:
    """`moment` as JSON."""
    return json.dumps(
        {
            "time": f"{moment:%H:%M}",
            "weekday": _WEEKDAYS[moment.weekday()],
            "date": f"{moment:%Y-%m-%d}",
            "timezone": zone,
            "utc_offset": f"{moment:%z}",
        }
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        # A name that is a folder of the database (Europe) is an OSError.
        raise ValueError(
            f'there is no time zone "{name}" here: an IANA name such as Europe/Berlin is expected'
        ) from error
