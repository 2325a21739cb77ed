"""What is to be said to the room: on a line of its own, or in a conversation at a quiet moment."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.budget import Budget, Prices, Purse
from edged.core.commands import Announced, AskReply
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene

from ..script import Evening, chimes, facts, only, sent

DINNER = "Dinner is ready."
WHOLE = [Announced(whole=True, begun=True)]
FOR_THE_BOX = [Announced(whole=False, begun=False)]


def asleep() -> Evening:
    evening = Evening()
    evening.starts()
    evening.passes(2.0)
    return evening


def asks(evening: Evening) -> list[do.Command]:
    """Somebody types `edged say`."""
    return evening.feed(ev.SayAsked(DINNER))


def asked(commands: list[do.Command]) -> list[str]:
    """What the provider was asked to say."""
    return [command.words for command in only(commands, AskReply)]


def test_asleep_a_line_is_opened_for_it_and_closed_and_nobody_is_heard() -> None:
    evening = asleep()
    assert len(only(asks(evening), do.OpenLink)) == 1
    evening.passes(0.5)
    commands = evening.connects()
    assert asked(commands) == [DINNER]
    evening.passes(0.5)
    evening.answers(seconds=1.0)
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)
    commands = evening.passes(0.6)
    assert only(commands, Announced) == WHOLE
    assert only(commands, do.CloseLink)
    evening.hangs_up()
    assert evening.shows(Scene.ASLEEP)
    assert not sent(evening.commands)
    assert not only(evening.commands, do.SendNoise)
    assert not chimes(evening.commands), "nobody asked the speaker anything"
    assert do.Fact.WOKEN not in facts(evening.commands)


def test_in_a_conversation_it_waits_for_the_end_of_the_answer_and_the_talk_goes_on() -> None:
    evening = Evening()
    evening.is_answered(2.0, heard_s=1.0)
    assert not asked(asks(evening))
    assert not asked(evening.passes(0.9))
    assert asked(evening.passes(0.3)) == [DINNER]
    evening.answers("resp_2", item="item_2", seconds=1.0)
    commands = evening.passes(1.2)
    assert only(commands, Announced) == WHOLE
    assert not only(evening.commands, do.CloseLink)
    assert evening.shows(Scene.LISTENING)


def test_who_was_about_to_ask_asks_first() -> None:
    evening = Evening()
    evening.converses()
    assert not asked(asks(evening))
    evening.passes(1.0)
    evening.says()
    evening.answers(seconds=1.0)
    assert asked(evening.passes(1.2)) == [DINNER]


def test_a_conversation_that_ends_meanwhile_is_followed_by_a_line_of_its_own() -> None:
    evening = Evening()
    evening.converses()
    asks(evening)
    evening.says()
    evening.feed(ev.LinkDown(None, "1000"))
    assert only(evening.commands, do.OpenLink)
    assert asked(evening.connects()) == [DINNER]


def test_who_wakes_it_meanwhile_is_heard_and_it_is_said_afterwards() -> None:
    evening = asleep()
    asks(evening)
    evening.passes(0.2)
    woken = evening.frames
    commands = evening.wakes()
    assert chimes(commands) == [do.Chime.WOKEN]
    evening.passes(0.5)
    commands = evening.connects()
    assert not asked(commands)
    assert sent(commands)[-1] == evening.frames - 1
    assert woken in sent(commands)
    evening.says()
    evening.answers(seconds=0.5)
    assert asked(evening.passes(0.7)) == [DINNER]


def test_the_wake_word_cuts_it_and_begins_a_conversation() -> None:
    evening = asleep()
    asks(evening)
    evening.connects()
    evening.answers(seconds=3.0)
    evening.passes(1.0)
    commands = evening.wakes()
    assert only(commands, do.Hush)
    assert only(commands, do.DetectTurns) == [do.DetectTurns(True)]
    assert only(commands, Announced) == [Announced(whole=False, begun=True)]
    assert evening.shows(Scene.LISTENING)
    assert sent(evening.passes(0.1))


def test_an_utterance_that_comes_first_is_answered_first() -> None:
    evening = Evening()
    evening.is_answered(0.5, heard_s=0.6)
    assert asked(asks(evening)) == [DINNER]
    evening.says()
    evening.feed(ev.ReplyDone("resp_2", "cancelled", "turn_detected"))
    evening.answers("resp_3", item="item_3", seconds=0.5)
    assert asked(evening.passes(3.0)) == [DINNER]
    evening.answers("resp_4", item="item_4", seconds=0.5)
    assert only(evening.passes(0.7), Announced) == WHOLE


@pytest.mark.parametrize("muted", [True, False])
def test_where_no_line_may_be_opened_the_box_says_it(muted: bool) -> None:
    purse = Purse(Prices(), Budget(day_usd=1.0), "gpt-realtime-2.1-mini")
    evening = Evening(purse=purse)
    evening.starts()
    if muted:
        evening.feed(ev.MuteAsked(True))
    else:
        evening.feed(ev.DayTurned("2026-11-21", 2.0, 2.0))
    commands = asks(evening)
    assert only(commands, Announced) == FOR_THE_BOX
    assert not only(commands, do.OpenLink)


@pytest.mark.parametrize(
    "down", [ev.LinkDown(ev.Trouble.NETWORK, "1006"), ev.LinkDown(ev.Trouble.KEY, "no key")]
)
def test_where_the_line_cannot_be_opened_the_box_says_it_and_makes_no_more_of_it(
    down: ev.LinkDown,
) -> None:
    evening = asleep()
    asks(evening)
    commands = evening.feed(down)
    assert only(commands, Announced) == FOR_THE_BOX
    assert evening.shows(Scene.ASLEEP)
    assert not chimes(commands)
    assert evening.wakes(), "and whoever wakes it is told"


def test_a_provider_that_does_not_answer_is_not_waited_for() -> None:
    evening = asleep()
    asks(evening)
    commands = evening.passes(evening.policy.connect_timeout_s + 0.1)
    assert only(commands, Announced) == FOR_THE_BOX
    assert only(commands, do.CloseLink)
    assert not chimes(commands)


@pytest.mark.parametrize(
    "refusal",
    [
        ev.RequestRefused("bad", "what?", False, asked=True),
        ev.RequestRefused("busy", "not now", True, asked=True, busy=True),
    ],
)
def test_what_the_provider_will_not_say_the_box_says(refusal: ev.RequestRefused) -> None:
    evening = asleep()
    asks(evening)
    evening.connects()
    commands = evening.feed(refusal)
    assert only(commands, Announced) == FOR_THE_BOX
    assert only(commands, do.CloseLink)
    assert asked(evening.commands) == [DINNER], "never is an answer asked for in its place"


def test_told_to_stop_it_stops() -> None:
    evening = asleep()
    asks(evening)
    evening.connects()
    evening.answers(seconds=3.0)
    evening.passes(1.0)
    commands = evening.feed(ev.StopAsked())
    assert only(commands, do.Hush)
    assert only(commands, Announced) == [Announced(whole=False, begun=True)]


@pytest.mark.parametrize("connected", [True, False])
def test_who_holds_a_button_takes_the_line(connected: bool) -> None:
    evening = Evening(bindings={"push": Bindings(hold=Action.PUSH_TO_TALK)})
    evening.starts()
    evening.passes(1.0)
    asks(evening)
    if connected:
        evening.connects()
        evening.answers(seconds=3.0)
    evening.passes(0.5)
    held = evening.frames
    commands = evening.holds() + evening.passes(0.4)
    if connected:
        # The touch ends it, and with it the line that was open for nothing else.
        evening.hangs_up()
    commands += evening.connects() + evening.passes(0.5) + evening.lets_go()
    # What was still to be heard of it in the room does not leave.
    assert sent(commands)[0] <= held + 15
    assert only(commands, AskReply) == [AskReply()]
    assert only(commands, Announced) == [Announced(whole=False, begun=True)] * connected
