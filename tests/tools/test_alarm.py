"""Alarms: at a time of day, once or again and again, with or without a clock."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from edged.tools import alarm

from .stand import Life, Stand


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """It is noon on Monday, 2 March 2026."""
    return Stand(tmp_path)


def test_it_rings_at_the_next_time_it_is_that_late(stand: Stand) -> None:
    life = Life(stand, alarm)
    assert life("set_alarm", time="7:05") == {
        "set": "alarm 1",
        "time": "07:05",
        "date": "2026-03-03",
        "repeat": "never",
    }
    assert life("set_alarm", time="19:30", name="news")["date"] == "2026-03-02"
    life.at("2026-03-02", "19:29:59")
    assert stand.rung == []
    life.at("2026-03-02", "19:30")
    life.at("2026-03-03", "07:05")
    life.at("2026-03-09", "12:00")
    assert stand.rung == ["news", "alarm 1"]


def test_it_rings_on_the_day_that_is_named(stand: Stand) -> None:
    life = Life(stand, alarm)
    life("set_alarm", time="06:00", date="2026-03-05", name="train")
    life.at("2026-03-04", "06:00")
    assert stand.rung == []
    life.at("2026-03-05", "06:00")
    assert stand.rung == ["train"]


@pytest.mark.parametrize(
    ("repeat", "days"),
    [
        ("daily", ["03", "04", "05", "06", "07", "08", "09", "10"]),
        ("weekdays", ["03", "04", "05", "06", "09", "10"]),
        ("weekends", ["07", "08"]),
    ],
)
def test_it_rings_again_and_again(stand: Stand, repeat: str, days: list[str]) -> None:
    life = Life(stand, alarm)
    assert life("set_alarm", time="07:00", repeat=repeat)["date"] == f"2026-03-{days[0]}"
    rung = []
    for day in range(3, 11):
        before = len(stand.rung)
        life.at(f"2026-03-{day:02}", "07:00:10")
        rung += [f"{day:02}"] * (len(stand.rung) - before)
    assert rung == days
    assert len(life("list_alarms")["alarms"]) == 1
    assert life("cancel_alarm") == {"cancelled": ["alarm 1"]}


@pytest.mark.parametrize(
    "given",
    [
        {"time": "25:00"},
        {"time": "seven"},
        {"time": ""},
        {"time": "07:00", "date": "tomorrow"},
        {"time": "07:00", "date": "2026-03-02"},
        {"time": "07:00", "date": "2028-03-02"},
        {"time": "07:00", "date": "0001-01-01"},
        {"time": "07:00", "repeat": "monthly"},
        {"date": "2026-03-05"},
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_what_is_no_time_to_come_is_said_so(
    stand: Stand, given: dict[str, object], known: bool
) -> None:
    stand.now = replace(stand.now, known=known)
    life = Life(stand, alarm)
    if known or not str(given.get("date", "")).startswith("202"):
        assert "error" in life("set_alarm", **given)
        assert life("list_alarms") == {"alarms": []}


# --- the clock ----------------------------------------------------------------------------


def test_before_the_clock_is_set_it_waits_and_says_so(stand: Stand) -> None:
    stand.now = replace(stand.now, known=False)
    life = Life(stand, alarm)
    told = life("set_alarm", time="12:30")
    assert told.endswith("the alarm waits until it is. Tell the user.")
    assert "waits until it is" in life("list_alarms")
    stand.pass_s(7200)
    assert life.look() == 30, "somebody may set the clock"
    assert stand.rung == []
    # It is ten in the evening, in truth.
    wall = datetime(2026, 6, 1, 22, 0).timestamp()
    stand.now = replace(stand.now, wall=wall, known=True)
    life.look()
    assert life("list_alarms")["alarms"][0]["date"] == "2026-06-02"
    life.at("2026-06-02", "12:30")
    assert stand.rung == ["alarm 1"]


def test_a_clock_set_back_and_forth_rings_it_once(stand: Stand) -> None:
    life = Life(stand, alarm)
    life("set_alarm", time="12:30")
    stand.now = replace(stand.now, wall=stand.now.wall + 1800)
    life.look()
    stand.now = replace(stand.now, wall=stand.now.wall - 1800)
    life.look()
    life.at("2026-03-02", "12:30")
    assert stand.rung == ["alarm 1"]


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_summer_time_does_not_let_anybody_sleep_late(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.now = replace(stand.now, wall=datetime(2026, 3, 28, 22, 0).timestamp())
    life = Life(stand, alarm)
    life("set_alarm", time="07:00", name="up", repeat="daily")
    life("set_alarm", time="02:30", name="in the hour that there is not")
    stand.pass_s(4.4 * 3600)
    life.look()
    assert stand.rung == []
    stand.pass_s(0.2 * 3600)
    life.look()
    assert stand.rung == ["in the hour that there is not"]
    stand.pass_s(3.4 * 3600)
    life.look()
    assert f"{datetime.fromtimestamp(stand.now.wall):%H:%M}" == "07:00"
    assert stand.rung[1:] == ["up"]


# --- restarts -----------------------------------------------------------------------------


def test_it_outlives_a_restart(stand: Stand) -> None:
    life = Life(stand, alarm)
    life("set_alarm", time="13:00", name="lunch", repeat="daily")
    stand.boot(600)
    life = Life(stand, alarm)
    life.look()
    assert life("list_alarms")["alarms"][0]["name"] == "lunch"
    life.at("2026-03-02", "13:00")
    life.at("2026-03-03", "13:00")
    assert stand.rung == ["lunch", "lunch"]


def test_one_that_was_missed_by_less_than_an_hour_rings_late(stand: Stand) -> None:
    Life(stand, alarm)("set_alarm", time="12:30", name="lunch")
    stand.boot(3600, known=False)
    life = Life(stand, alarm)
    life.look()
    assert stand.rung == []
    stand.now = replace(stand.now, wall=stand.now.wall + 3600, known=True)
    life.look()
    assert stand.rung == ["lunch"]


def test_one_that_was_missed_by_more_is_told_and_comes_again(stand: Stand) -> None:
    Life(stand, alarm)("set_alarm", time="07:00", name="up", repeat="daily")
    stand.boot(2 * 86_400)
    life = Life(stand, alarm)
    life.look()
    assert stand.rung == []
    assert life.kit.instructions() == (
        'The alarm "up" was due on 2026-03-03 at 07:00, while this speaker was off: tell the user.'
    )
    life.at("2026-03-05", "07:00")
    assert stand.rung == ["up"]


def test_a_damaged_memory_is_put_aside(stand: Stand, tmp_path: Path) -> None:
    for number, time_and_day in enumerate([("26:00", ""), ("07:00", "0001-01-01"), ("x", "x")]):
        clock, day = time_and_day
        (tmp_path / "alarms.json").write_text(
            f'[{{"name": "a", "time": "{clock}", "day": "{day}", "repeat": "never"}}]'
        )
        life = Life(stand, alarm)
        life.look()
        assert life("list_alarms") == {"alarms": []}
        assert len(stand.warnings) == number + 1
