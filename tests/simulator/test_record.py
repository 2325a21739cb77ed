"""The light over time: what counts as the light of a state."""

from edged.simulator.evening.record import LIGHTS, Timeline


def test_a_light_that_is_on_its_way_to_the_pins_is_not_held_against_a_state() -> None:
    timeline = Timeline()
    timeline.look(0.0, "listening", LIGHTS["listening"])
    timeline.look(2.0, "asleep", LIGHTS["listening"])
    assert timeline.lights(["listening", "asleep"], 2.05)[0]
    timeline.look(2.06, "asleep", LIGHTS["asleep"])
    assert timeline.lights(["asleep"], 2.3) == (True, "light asleep #000000")


def test_a_light_that_stays_wrong_is_seen() -> None:
    timeline = Timeline()
    timeline.look(0.0, "listening", LIGHTS["listening"])
    timeline.look(2.0, "asleep", LIGHTS["listening"])
    right, shown = timeline.lights(["asleep"], 2.3)
    assert not right
    assert LIGHTS["listening"] in shown


def test_a_light_that_comes_before_the_word_for_it_belongs_to_the_next_state() -> None:
    timeline = Timeline()
    timeline.look(0.0, "listening", LIGHTS["listening"])
    timeline.look(0.5, "listening", LIGHTS["hearing"])
    assert timeline.lights(["listening"], 0.7)[0] is False
    timeline.look(0.55, "hearing", LIGHTS["hearing"])
    assert timeline.lights(["listening", "hearing"], 1.0)[0]
