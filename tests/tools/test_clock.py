"""The clock: what the model is told when somebody asks for the time."""

import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edged.tools import clock

from .stand import Stand, asked


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_the_time_is_told_with_day_and_date() -> None:
    moment = datetime(2026, 3, 1, 7, 5, tzinfo=ZoneInfo("Europe/Berlin"))
    assert json.loads(clock.tell(moment, "Europe/Berlin")) == {
        "time": "07:05",
        "weekday": "Sunday",
        "date": "2026-03-01",
        "timezone": "Europe/Berlin",
        "utc_offset": "+0100",
    }


def test_somebody_asks_for_the_time_elsewhere(stand: Stand) -> None:
    stand.now = replace(stand.now, wall=1_772_452_800)
    told = asked(clock.open(clock.Settings(), stand.reach()), "clock", timezone="Asia/Kolkata")
    assert told == {
        "time": "17:30",
        "weekday": "Monday",
        "date": "2026-03-02",
        "timezone": "Asia/Kolkata",
        "utc_offset": "+0530",
    }


@pytest.mark.parametrize("arguments", [{}, {"timezone": ""}, {"timezone": None}])
def test_here_is_where_the_speaker_stands_now(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, object], stand: Stand
) -> None:
    kit = clock.open(clock.Settings(), stand.reach())
    try:
        for zone, offset in (("Asia/Tokyo", "+0900"), ("America/Phoenix", "-0700")):
            monkeypatch.setenv("TZ", zone)
            assert asked(kit, "clock", **arguments)["utc_offset"] == offset
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_clock_that_nobody_has_set_is_not_believed(stand: Stand) -> None:
    stand.now = replace(stand.now, known=False)
    told = asked(clock.open(clock.Settings(), stand.reach()), "clock")
    assert told.endswith("This box's clock has not been set yet: all of this may be wrong. Say so.")


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "Europe", "../passwd", "/etc/passwd", "\0", "x" * 300]
)
def test_a_zone_that_there_is_not_is_said_so(zone: str, stand: Stand) -> None:
    told = asked(clock.open(clock.Settings(), stand.reach()), "clock", timezone=zone)
    assert told["error"].startswith("clock: there is no time zone")
