"""Timers: set by voice, they ring whatever becomes of the network and the power."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from edged.core.commands import Note
from edged.core.events import Event, Rang
from edged.store import Clerk
from edged.tools import timer
from edged.tools._reach import Reach
from edged.tools._toolbox import Toolbox
from edged.tools.timer import Settings, Timer

from .stand import Life, Stand


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_a_timer_rings_when_it_runs_out_and_once(stand: Stand) -> None:
    life = Life(stand, timer)
    assert life("set_timer", seconds=300, name=" soft  eggs ") == {
        "set": "soft eggs",
        "seconds": 300,
    }
    assert life.look() == 30
    stand.pass_s(290)
    assert life.look() == pytest.approx(10)
    assert stand.rung == []
    stand.pass_s(10)
    assert life.look() is None
    assert stand.rung == ["soft eggs"]
    stand.pass_s(1000)
    life.look()
    assert stand.rung == ["soft eggs"]


def test_several_run_at_once_and_are_told_apart(stand: Stand) -> None:
    life = Life(stand, timer)
    for seconds in (600, 60, 3600):
        life("set_timer", seconds=seconds)
    life("set_timer", seconds=120, name="Tee")
    stand.pass_s(30)
    assert life("list_timers") == {
        "timers": [
            {"name": "timer 2", "seconds_left": 30},
            {"name": "Tee", "seconds_left": 90},
            {"name": "timer 1", "seconds_left": 570},
            {"name": "timer 3", "seconds_left": 3570},
        ]
    }
    stand.pass_s(100)
    life.look()
    assert stand.rung == ["timer 2", "Tee"]


def test_one_is_cancelled_by_its_name(stand: Stand) -> None:
    life = Life(stand, timer)
    for name in ("pasta", "pasta sauce", "Bread"):
        life("set_timer", seconds=600, name=name)
    assert life("cancel_timer", name="BREAD") == {"cancelled": ["Bread"]}
    assert life("cancel_timer", name="sauce") == {"cancelled": ["pasta sauce"]}
    assert life("cancel_timer") == {"cancelled": ["pasta"]}
    assert life("list_timers") == {"timers": []}
    assert life.look() is None


def test_which_one_is_meant_must_be_clear(stand: Stand) -> None:
    life = Life(stand, timer)
    assert life("cancel_timer")["error"].endswith("say which timer; there are: none")
    for name in ("pasta", "pizza"):
        life("set_timer", seconds=600, name=name)
    for given in ({}, {"name": "p"}, {"name": "tea"}):
        told = life("cancel_timer", **given)["error"]
        assert told.endswith('say which timer; there are: "pasta", "pizza"')
    assert life("cancel_timer", name="tea", every=True) == {"cancelled": ["pasta", "pizza"]}
    assert life("cancel_timer", every=True) == {"cancelled": []}


@pytest.mark.parametrize(
    "given",
    [
        {"seconds": 0},
        {"seconds": 700_000},
        {"seconds": -5},
        {"name": "tea"},
        {"seconds": 5, "name": "x" * 41},
        {"seconds": 5, "name": "tea\u0007"},
        {"seconds": 5, "name": "PASTA"},
    ],
)
def test_what_cannot_be_set_is_said_so(stand: Stand, given: dict[str, object]) -> None:
    life = Life(stand, timer)
    life("set_timer", seconds=600, name="pasta")
    assert "error" in life("set_timer", **given)
    assert len(life("list_timers")["timers"]) == 1


def test_a_name_is_in_any_language(stand: Stand) -> None:
    life = Life(stand, timer)
    for name in (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "na\u00efve caf\u00e9",
        "\U0001f35d",
    ):
        assert life("set_timer", seconds=600, name=name)["set"] == name
        assert life("cancel_timer", name=name) == {"cancelled": [name]}


def test_of_what_was_missed_the_newest_is_told(stand: Stand, tmp_path: Path) -> None:
    """However long somebody's list is: it goes into every session."""
    missed = [f"The timer {number}." for number in range(5000)]
    (tmp_path / "timers-missed.json").write_text(json.dumps(missed))
    assert Life(stand, timer).kit.instructions().splitlines() == missed[-20:]


def test_there_is_an_end_to_them(stand: Stand) -> None:
    life = Life(stand, timer)
    for _ in range(20):
        assert "set" in life("set_timer", seconds=60)
    told = life("set_timer", seconds=60)["error"]
    assert told == "set_timer: there are 20 timers already: cancel one first"


def test_setting_the_clock_moves_no_timer(stand: Stand) -> None:
    life = Life(stand, timer)
    life("set_timer", seconds=600)
    stand.now = replace(stand.now, wall=stand.now.wall + 1e7)
    life.look()
    stand.pass_s(599)
    life.look()
    assert stand.rung == []
    stand.pass_s(1)
    life.look()
    assert stand.rung == ["timer 1"]


# --- restarts -----------------------------------------------------------------------------


def test_it_goes_on_after_a_restart(stand: Stand) -> None:
    Life(stand, timer)("set_timer", seconds=600, name="tea")
    stand.pass_s(500)
    life = Life(stand, timer)
    assert life("list_timers") == {"timers": [{"name": "tea", "seconds_left": 100}]}
    stand.pass_s(100)
    life.look()
    assert stand.rung == ["tea"]
    assert Life(stand, timer)("list_timers") == {"timers": []}


def test_it_goes_on_after_the_power_was_off(stand: Stand) -> None:
    Life(stand, timer)("set_timer", seconds=600, name="tea")
    stand.boot(400)
    life = Life(stand, timer)
    life.look()
    stand.pass_s(199)
    life.look()
    assert stand.rung == []
    stand.pass_s(1)
    life.look()
    assert stand.rung == ["tea"]


def test_without_a_clock_chip_it_goes_on_where_it_was_until_the_network_tells_the_time(
    stand: Stand,
) -> None:
    Life(stand, timer)("set_timer", seconds=600, name="tea")
    Life(stand, timer)("set_timer", seconds=900, name="bread")
    Life(stand, timer)("set_timer", seconds=600, name="late")
    stand.boot(400, known=False)
    life = Life(stand, timer)
    life.look()
    left = {each["name"]: each["seconds_left"] for each in life("list_timers")["timers"]}
    assert left == {"tea": 600, "late": 600, "bread": 900}
    stand.pass_s(10)
    stand.now = replace(stand.now, wall=stand.now.wall + 400, known=True)
    life.look()
    left = {each["name"]: each["seconds_left"] for each in life("list_timers")["timers"]}
    assert left == {"tea": 190, "late": 190, "bread": 490}


def test_one_set_before_the_clock_was_outlives_the_setting_and_the_power(stand: Stand) -> None:
    stand.now = replace(stand.now, wall=1_000_000.0, known=False)
    life = Life(stand, timer)
    life("set_timer", seconds=3600, name="roast")
    life.look()
    stand.pass_s(60)
    stand.now = replace(stand.now, wall=1_780_000_000.0, known=True)
    life.look()
    stand.boot(600)
    life = Life(stand, timer)
    life.look()
    assert life("list_timers") == {"timers": [{"name": "roast", "seconds_left": 2940}]}


def test_one_that_ran_out_while_the_power_was_off_rings_late(stand: Stand) -> None:
    Life(stand, timer)("set_timer", seconds=600, name="tea")
    stand.boot(1800)
    life = Life(stand, timer)
    assert life.look() is None
    assert stand.rung == ["tea"]
    assert life.kit.instructions() == 'The timer "tea" rang at 12:10.'


def test_one_that_ran_out_long_ago_is_told_in_the_next_conversation(stand: Stand) -> None:
    Life(stand, timer)("set_timer", seconds=600, name='"tea"')
    stand.boot(36_000)
    life = Life(stand, timer)
    life.look()
    assert stand.rung == []
    told = 'The timer "\\"tea\\"" was due at 12:10, while this speaker was off: tell the user.'
    # Nobody has talked to it, and it is started again.
    stand.boot(86_400)
    life = Life(stand, timer)
    life.look()
    assert life.kit.instructions() == told
    stand.pass_s(60)
    life.look()
    assert life.kit.instructions() == told, "the line may have broken"
    stand.pass_s(600)
    life.look()
    assert life.kit.instructions() == ""
    assert Life(stand, timer).kit.instructions() == ""


def test_what_has_just_rung_can_be_asked_for(stand: Stand) -> None:
    life = Life(stand, timer)
    life("set_timer", seconds=60, name="tea")
    stand.pass_s(60)
    life.look()
    assert life.kit.instructions() == 'The timer "tea" rang at 12:01.'
    stand.pass_s(601)
    assert life.kit.instructions() == ""


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[3]",
        '[{"name": "tea"}]',
        '[{"name": "tea", "steady": 1e300, "wall": 5, "boot": ""}]',
        '[{"name": "tea", "steady": 1, "wall": -5, "boot": ""}]',
    ],
)
def test_a_damaged_memory_is_put_aside(stand: Stand, tmp_path: Path, content: str) -> None:
    (tmp_path / "timers.json").write_text(content)
    life = Life(stand, timer)
    life.look()
    assert life("list_timers") == {"timers": []}
    assert (tmp_path / "timers.json.damaged").read_text() == content
    assert len(stand.warnings) == 1


# --- the real time ------------------------------------------------------------------------


def test_it_rings_by_itself_and_a_new_one_is_not_slept_through(tmp_path: Path) -> None:
    """With a real clock, a real disk, and the loop."""

    class Neighbour:
        def __init__(self) -> None:
            self.heard: asyncio.Queue[Event] = asyncio.Queue()

        def feed(self, event: Event) -> None:
            self.heard.put_nowait(event)

        def tell(self, note: Note) -> None:
            """It keeps no journal."""

    async def story() -> None:
        stand = Stand(tmp_path)
        async with Clerk() as clerk:
            reach = Reach(stand.store, clerk)
            tools = Toolbox([timer.open(Settings(), reach)], reach=reach)
            neighbour = Neighbour()
            duty = asyncio.create_task(tools.serve(neighbour))
            assert "set" in await tools.call("set_timer", '{"seconds": 500, "name": "roast"}')
            assert "set" in await tools.call("set_timer", '{"seconds": 1, "name": "tea"}')
            assert await asyncio.wait_for(neighbour.heard.get(), 20) == Rang("tea")
            duty.cancel()
            with pytest.raises(asyncio.CancelledError):
                await duty
        kept = json.loads((tmp_path / "timers.json").read_text())
        assert [each["name"] for each in kept] == ["roast"]

    asyncio.run(story())


def test_a_timer_knows_its_date(stand: Stand) -> None:
    now = stand.now
    assert Timer("tea", now.steady, now.wall, now.boot).due(now) == "at 12:00"
    assert Timer("tea", now.steady + 86_400, 0, now.boot).due(now) == "on 2026-03-03 at 12:00"
