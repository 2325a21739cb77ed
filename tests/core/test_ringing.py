"""A timer rings, whatever else goes on, until somebody is there."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact
from edged.core.gestures import Bindings
from edged.core.scenes import Scene

from ..script import Evening, chimes, notes, only


def rings(commands: list[do.Command]) -> int:
    return chimes(commands).count(Chime.ALARM)


def test_it_rings_for_a_while_and_gives_up() -> None:
    evening = Evening()
    evening.starts()
    evening.feed(ev.Rang("pizza"))
    (told,) = notes(evening.commands, Fact.RANG)
    assert "pizza" not in told.message, "that is what somebody said"
    assert rings(evening.commands) == 1
    assert rings(evening.passes(20.1)) == 10
    evening.passes(90.0)
    assert rings(evening.passes(20.0)) == 0


def test_two_that_are_due_at_once_ring_as_one_and_as_long_as_the_later() -> None:
    evening = Evening(bindings={"talk": Bindings()})
    evening.starts()
    assert rings(evening.feed(ev.Rang("pizza"), ev.Rang("tea"))) == 1
    assert rings(evening.passes(60.1)) == 30
    assert rings(evening.feed(ev.Rang("bread"))) == 0
    assert rings(evening.passes(60.0)) == 30
    evening.feed(ev.ButtonPressed("talk"), ev.ButtonReleased("talk"))
    assert rings(evening.passes(60.0)) == 0


@pytest.mark.parametrize("does", [ev.ButtonPressed("talk"), ev.StopAsked()])
def test_a_touch_ends_it_and_does_nothing_else(does: ev.Event) -> None:
    evening = Evening(bindings={"talk": Bindings()})
    evening.starts()
    evening.feed(ev.Rang(""), does, ev.ButtonReleased("talk"))
    assert rings(evening.passes(10.0)) == 0
    assert not only(evening.commands, do.OpenLink)
    assert evening.presses("talk")
    assert only(evening.commands, do.OpenLink), "the next press is one again"


def test_the_wake_word_ends_it_and_is_listened_to() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    evening.feed(ev.Rang("pizza"))
    evening.wakes()
    assert only(evening.commands, do.OpenLink)
    assert rings(evening.passes(5.0)) == 0


def test_it_rings_muted_and_in_a_conversation_too() -> None:
    evening = Evening()
    evening.starts(muted=True)
    assert rings(evening.feed(ev.Rang("tea"))) == 1
    evening = Evening()
    evening.converses()
    assert rings(evening.feed(ev.Rang("tea"))) == 1
    assert evening.shows(Scene.LISTENING)
