"""The light over time: what counts as the light of a state."""

from dataclasses import replace

import pytest

from edged.simulator.evening.record import BargeIn
from edged.simulator.evening.timeline import LIGHTS, Look, Timeline


def spent(states: list[tuple[float, str]], lights: list[tuple[float, str]]) -> Timeline:
    timeline = Timeline()
    for t, state in states:
        timeline.enter(t, state)
    for t, state in lights:
        timeline.shine(t, LIGHTS[state])
    return timeline


def test_a_light_that_is_on_its_way_to_the_pins_is_not_held_against_a_state() -> None:
    timeline = spent([(0.0, "listening"), (2.0, "asleep")], [(0.0, "listening"), (2.06, "asleep")])
    assert timeline.lights(["listening", "asleep"], 2.3) == (
        True,
        "light listening #0073b2, asleep #000000",
    )


def test_a_light_that_stays_wrong_is_seen() -> None:
    timeline = spent([(0.0, "listening"), (2.0, "asleep")], [(0.0, "listening")])
    right, shown = timeline.lights(["asleep"], 2.3)
    assert not right
    assert LIGHTS["listening"] in shown


def test_a_light_that_comes_before_the_word_for_it_belongs_to_the_next_state() -> None:
    timeline = spent(
        [(0.0, "listening"), (0.55, "hearing")], [(0.0, "listening"), (0.5, "hearing")]
    )
    assert timeline.lights(["listening", "hearing"], 1.0)[0]


def test_news_that_arrives_late_is_put_where_it_belongs() -> None:
    timeline = spent(
        [(0.0, "listening"), (0.5, "hearing")], [(0.0, "listening"), (0.51, "hearing")]
    )
    assert list(timeline) == [
        Look(0.0, "listening", LIGHTS["listening"]),
        Look(0.5, "hearing", LIGHTS["listening"]),
        Look(0.51, "hearing", LIGHTS["hearing"]),
    ]


def test_what_lies_between_the_pins_of_one_light_is_no_light() -> None:
    timeline = spent([(0.0, "hearing")], [(0.0, "hearing")])
    timeline.shine(1.0, "#00b5e8")
    timeline.shine(1.001, "#0073e8")
    timeline.shine(1.002, LIGHTS["listening"])
    assert [look.light for look in timeline] == [LIGHTS["hearing"], LIGHTS["listening"]]


def test_a_state_too_short_to_be_seen_is_not_judged() -> None:
    timeline = spent([(0.0, "listening"), (0.05, "hearing")], [(0.0, "connecting")])
    assert timeline.lights(["listening"], 1.0) == (True, "no light was due")


CUT = BargeIn(silence_ms=400, told_ms=2800, error_ms=1, sent_ms=11_300)


def test_an_interruption_is_good_that_is_quick_and_told_truly() -> None:
    assert CUT.true


@pytest.mark.parametrize(
    "wrong",
    [
        replace(CUT, silence_ms=900),
        replace(CUT, silence_ms=-60),
        replace(CUT, told_ms=None, error_ms=None),
        replace(CUT, told_ms=0),
        replace(CUT, told_ms=12_000),
        replace(CUT, error_ms=60),
        replace(CUT, missing_ms=200),
    ],
)
def test_an_interruption_that_is_late_or_told_wrongly_is_none(wrong: BargeIn) -> None:
    assert not wrong.true
