"""A tool of a server in the internet waits for a press."""

from edged.core import events as ev
from edged.core.commands import Approve, AskReply, Chime, Fact, Play
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene

from ..script import Evening, chimes, notes, only

BINDINGS = {"talk": Bindings(), "stop": Bindings(press=Action.STOP), "push": Bindings()}


def asked() -> Evening:
    """Somebody wants something in the calendar, and the provider asks for leave."""
    evening = Evening(bindings=BINDINGS)
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    evening.forgets()
    evening.feed(ev.ApprovalAsked("resp_1", "mcpr_1", "calendar.add"), ev.ReplyDone("resp_1"))
    assert chimes(evening.commands) == [Chime.ASKING]
    (told,) = notes(evening.commands, Fact.APPROVAL_ASKED)
    assert told.fields["tool"] == "calendar.add"
    assert evening.shows(Scene.WORKING)
    evening.forgets()
    return evening


def test_a_press_allows_it_and_the_provider_goes_on() -> None:
    evening = asked()
    evening.passes(5.0)
    evening.presses()
    assert only(evening.commands, Approve) == [Approve("mcpr_1", allowed=True)]
    evening.passes(0.3)
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(3.0)
    assert only(evening.commands, Play)
    assert not only(evening.commands, AskReply)
    assert evening.shows(Scene.LISTENING)


def test_a_provider_that_does_not_go_on_is_asked_to_once() -> None:
    evening = asked()
    evening.presses()
    evening.passes(3.0)
    assert only(evening.commands, Approve, AskReply) == [
        Approve("mcpr_1", allowed=True),
        AskReply(),
    ]
    assert evening.shows(Scene.THINKING)


def test_nobody_presses_and_it_is_refused() -> None:
    evening = asked()
    evening.passes(21.0)
    assert only(evening.commands, Approve) == [Approve("mcpr_1", allowed=False)]
    (told,) = notes(evening.commands, Fact.APPROVAL_DECIDED)
    assert told.fields["verdict"] == "refused"
    assert evening.shows(Scene.THINKING)
    evening.presses()
    assert len(only(evening.commands, Approve)) == 1


def test_who_does_something_else_refuses_it() -> None:
    for other in (
        lambda evening: evening.presses("stop"),
        Evening.wakes,
        lambda evening: evening.feed(ev.WakeAsked()),
    ):
        evening = asked()
        other(evening)
        assert only(evening.commands, Approve) == [Approve("mcpr_1", allowed=False)]
        assert evening.shows(Scene.LISTENING)


def test_what_is_said_meanwhile_is_no_leave() -> None:
    evening = asked()
    evening.says(item="user_2")
    evening.passes(1.0)
    assert not only(evening.commands, Approve)
    evening.presses()
    assert only(evening.commands, Approve) == [Approve("mcpr_1", allowed=True)]


def test_one_press_allows_all_that_ask_and_none_twice() -> None:
    evening = asked()
    evening.feed(ev.ApprovalAsked("resp_1", "mcpr_1", "calendar.add"))
    assert not chimes(evening.commands)
    evening.presses()
    evening.presses()
    assert len(only(evening.commands, Approve)) == 1


def test_leave_is_asked_for_in_the_answer_that_counts_alone() -> None:
    evening = Evening(bindings=BINDINGS)
    evening.converses()
    evening.forgets()
    evening.feed(ev.ApprovalAsked("resp_9", "mcpr_9", "calendar.add"))
    evening.presses()
    assert not only(evening.commands, Approve)


def test_the_line_breaks_and_nothing_waits_any_more() -> None:
    evening = asked()
    evening.feed(ev.LinkDown(ev.Trouble.NETWORK, "1006", "it broke"))
    evening.presses()
    evening.passes(25.0)
    assert not only(evening.commands, Approve)
