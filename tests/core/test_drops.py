"""The line breaks at every point of a conversation: nothing is heard twice, nobody left over."""

from collections.abc import Callable

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene

from ..script import Evening, facts, only

BROKEN = ev.LinkDown(ev.Trouble.NETWORK, "1006", "the line broke", transient=True)
BINDINGS = {"push": Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK), "talk": Bindings()}
Point = Callable[[Evening], object]


def woken(evening: Evening) -> None:
    evening.starts()
    evening.passes(1.0)
    evening.wakes()
    evening.passes(0.2)


def accepted(evening: Evening) -> None:
    woken(evening)
    evening.feed(ev.LinkAccepted("sess_1"))


def silent(evening: Evening) -> None:
    evening.converses()
    evening.passes(1.0)


def within_an_utterance(evening: Evening) -> None:
    silent(evening)
    evening.feed(ev.SpeechStarted("user_1"))
    evening.passes(1.0)


def before_the_commit(evening: Evening) -> None:
    within_an_utterance(evening)
    evening.feed(ev.SpeechStopped("user_1"))


def before_an_answer(evening: Evening) -> None:
    before_the_commit(evening)
    evening.feed(ev.UserItemCommitted("user_1"))
    evening.passes(0.3)


def before_its_first_sound(evening: Evening) -> None:
    before_an_answer(evening)
    evening.feed(ev.ReplyStarted("resp_1"))


def within_an_answer(evening: Evening) -> None:
    before_its_first_sound(evening)
    evening.sends_sound(seconds=4.0)
    evening.passes(1.0)


def behind_the_end_of_making_it(evening: Evening) -> None:
    within_an_answer(evening)
    evening.feed(ev.ReplyText("resp_1", "item_1", "It is noon, and time to eat."))
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(1.0)


def behind_an_interruption(evening: Evening) -> None:
    within_an_answer(evening)
    evening.wakes()
    evening.passes(0.1)


def during_a_tool(evening: Evening) -> None:
    before_its_first_sound(evening)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"))
    evening.passes(0.2)


def behind_a_tool(evening: Evening) -> None:
    during_a_tool(evening)
    evening.feed(ev.ToolFinished("call_1", "noon"))


def between_two_answers(evening: Evening) -> None:
    behind_the_end_of_making_it(evening)
    evening.passes(4.0)


def with_the_button_held(evening: Evening) -> None:
    silent(evening)
    evening.holds("push")
    evening.passes(1.0)


def with_the_button_let_go(evening: Evening) -> None:
    with_the_button_held(evening)
    evening.lets_go("push")


def while_it_closes(evening: Evening) -> None:
    between_two_answers(evening)
    evening.feed(ev.StopAsked())


POINTS: list[Point] = [
    woken,
    accepted,
    silent,
    within_an_utterance,
    before_the_commit,
    before_an_answer,
    before_its_first_sound,
    within_an_answer,
    behind_the_end_of_making_it,
    behind_an_interruption,
    during_a_tool,
    behind_a_tool,
    between_two_answers,
    with_the_button_held,
    with_the_button_let_go,
    while_it_closes,
]
FOR_GOOD = (woken, accepted, while_it_closes)
"""Where no conversation is under way there is none to go on with."""


def at(point: Point) -> Evening:
    evening = Evening(bindings=BINDINGS)
    point(evening)
    evening.forgets()
    evening.feed(BROKEN)
    return evening


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.__name__.replace("_", " "))
def test_it_goes_on_or_sleeps(point: Point) -> None:
    evening = at(point)
    evening.passes(1.0)
    again = len(only(evening.commands, do.OpenLink))
    assert again == (point not in FOR_GOOD)
    if again:
        evening.connects()
        assert evening.speaker.state in (Scene.LISTENING, Scene.HEARING, Scene.THINKING)
        assert do.Fact.TROUBLE not in facts(evening.commands)
    evening.lets_go("push")
    evening.passes(70.0)
    if evening.laws.line == "closing":
        evening.hangs_up()
    evening.passes(10.0)
    assert evening.shows(Scene.ASLEEP)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.__name__.replace("_", " "))
def test_nothing_sounds_twice_and_no_late_tool_answers(point: Point) -> None:
    evening = at(point)
    evening.passes(1.0)
    evening.connects()
    evening.forgets()
    evening.feed(
        ev.ReplyAudio("resp_1", "item_1", 0, bytes(4800)),
        ev.ToolFinished("call_1", "noon"),
        ev.ReplyDone("resp_1"),
    )
    assert not only(evening.commands, do.Play, do.AnswerTool)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.__name__.replace("_", " "))
def test_a_line_that_stays_away_is_told_and_the_next_wake_tries_again(point: Point) -> None:
    evening = at(point)
    evening.lets_go("push")
    evening.passes(1.0)
    if point not in FOR_GOOD:
        evening.feed(BROKEN)
    evening.passes(10.0)
    assert evening.shows(Scene.ASLEEP)
    evening.forgets()
    evening.wakes()
    assert only(evening.commands, do.OpenLink)
