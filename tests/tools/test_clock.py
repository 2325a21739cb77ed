"""The clock: what the model is told when somebody asks for the time."""

import asyncio
import json
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edged.tools import clock


def test_the_time_is_told_with_day_and_date() -> None:
    moment = datetime(2026, 3, 1, 7, 5, tzinfo=ZoneInfo("Europe/Berlin"))
    assert json.loads(clock.tell(moment, "Europe/Berlin")) == {
        "time": "07:05",
        "weekday": "Sunday",
        "date": "2026-03-01",
        "timezone": "Europe/Berlin",
        "utc_offset": "+0100",
    }


def test_somebody_asks_for_the_time_elsewhere() -> None:
    before = datetime.now(ZoneInfo("Asia/Kolkata"))
    told = json.loads(asyncio.run(clock.call({"timezone": "Asia/Kolkata"})))
    after = datetime.now(ZoneInfo("Asia/Kolkata"))
    assert told["timezone"] == "Asia/Kolkata"
    assert told["utc_offset"] == "+0530"
    assert told["time"] in (f"{before:%H:%M}", f"{after:%H:%M}")
    assert told["date"] in (f"{before:%Y-%m-%d}", f"{after:%Y-%m-%d}")


@pytest.mark.parametrize("arguments", [{}, {"timezone": ""}, {"timezone": None}])
def test_here_is_where_the_speaker_stands_now(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, object]
) -> None:
    try:
        for zone, offset in (("Asia/Tokyo", "+0900"), ("America/Phoenix", "-0700")):
            monkeypatch.setenv("TZ", zone)
            assert json.loads(asyncio.run(clock.call(arguments)))["utc_offset"] == offset
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "Europe", "../passwd", "/etc/passwd", "\0", "x" * 300]
)
def test_a_zone_that_there_is_not_is_said_so(zone: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        asyncio.run(clock.call({"timezone": zone}))
