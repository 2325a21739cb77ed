"""A server that hears no ends of turns: only who holds a button is answered."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import AskReply, Chime, ClearInput, CommitInput, DetectTurns, Fact
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene

from ..script import Evening, chimes, notes, only, sent

BINDINGS = {"push": Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK), "talk": Bindings()}


def speaker() -> Evening:
    evening = Evening(bindings=BINDINGS, detects_turns=False)
    evening.starts()
    evening.passes(1.0)
    return evening


def talks(evening: Evening) -> list[do.Command]:
    """The button is held for a second."""
    return evening.holds() + evening.passes(1.0) + evening.lets_go()


def test_a_held_button_is_answered_without_a_word_of_turn_detection() -> None:
    evening = speaker()
    evening.holds()
    evening.connects()
    evening.passes(1.0)
    evening.lets_go()
    asked = only(evening.commands, DetectTurns, ClearInput, CommitInput, AskReply)
    assert asked == [CommitInput(), AskReply()]
    evening.answers(seconds=1.0)
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(1.0)
    commands = talks(evening)
    assert len(sent(commands)) >= 50
    assert only(commands, DetectTurns, CommitInput, AskReply) == [CommitInput(), AskReply()]


def test_between_presses_nothing_leaves_and_the_line_closes_in_the_end() -> None:
    evening = speaker()
    evening.holds()
    evening.connects()
    evening.passes(1.0)
    evening.lets_go()
    evening.answers(seconds=1.0)
    evening.passes(1.5)
    evening.forgets()
    evening.passes(10.0)
    assert not sent(evening.commands)
    assert only(evening.commands, do.CloseLink)


@pytest.mark.parametrize("how", ["word", "press", "shell"])
def test_whoever_wakes_it_otherwise_is_told_at_once_what_to_do(how: str) -> None:
    evening = speaker()
    match how:
        case "word":
            evening.wakes()
        case "press":
            evening.presses()
        case _:
            evening.feed(ev.WakeAsked())
    assert not only(evening.commands, do.OpenLink)
    assert chimes(evening.commands) == [Chime.PROVIDER]
    (told,) = notes(evening.commands, Fact.TROUBLE)
    assert "hold a button" in str(told.fields["detail"])
    assert evening.shows(Scene.TROUBLE)
    evening.passes(5.0)
    assert evening.shows(Scene.ASLEEP)


def test_a_word_over_the_answer_still_silences_it() -> None:
    evening = speaker()
    evening.holds()
    evening.connects()
    evening.passes(1.0)
    evening.lets_go()
    evening.answers(seconds=5.0)
    evening.passes(1.0)
    evening.forgets()
    evening.wakes()
    assert only(evening.commands, do.Hush)
    assert not only(evening.commands, DetectTurns)
    assert not sent(evening.passes(1.0))


def test_a_line_that_breaks_under_a_held_button_goes_on() -> None:
    evening = speaker()
    evening.holds()
    evening.connects()
    evening.passes(1.0)
    evening.feed(ev.LinkDown(ev.Trouble.NETWORK, "1006", transient=True))
    evening.passes(1.0)
    evening.forgets()
    evening.connects()
    evening.lets_go()
    asked = only(evening.commands, DetectTurns, ClearInput, CommitInput, AskReply)
    assert asked == [CommitInput(), AskReply()]
