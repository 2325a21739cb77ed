"""Answers that fail: asked for once more where that helps, told where it does not."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import Conversation
from edged.core.troubles import ADVICE

from ..script import Evening, chimes, facts, notes, only

LIMITED = "inference_rate_limit_exceeded"
REFUSED = ev.RequestRefused("rate_limit_exceeded", "later", False, asked=True, transient=True)


def passing(reply: str, jitter: float = 0.0) -> ev.ReplyDone:
    """The failure of an answer that another try may well not meet."""
    return ev.ReplyDone(reply, "failed", "", None, LIMITED, transient=True, jitter=jitter)


def asked() -> Evening:
    """Somebody has asked something."""
    evening = Evening()
    evening.converses()
    evening.says()
    evening.forgets()
    return evening


def failed_once() -> Evening:
    """The provider was too busy for the answer."""
    evening = asked()
    evening.feed(ev.ReplyStarted("resp_1"), passing("resp_1"))
    return evening


def requests(evening: Evening) -> int:
    """How often an answer was asked for."""
    return len(only(evening.commands, do.AskReply))


def test_an_answer_that_fails_for_a_moment_is_asked_for_once_more_and_nobody_notices() -> None:
    evening = failed_once()
    assert requests(evening) == 0
    evening.passes(0.9)
    assert requests(evening) == 0
    evening.passes(0.2)
    assert requests(evening) == 1
    evening.answers("resp_2")
    evening.passes(3.0)
    assert evening.shows(Scene.LISTENING)
    assert requests(evening) == 1
    assert not chimes(evening.commands)
    scenes = [told.message for told in notes(evening.commands, Fact.STATE_CHANGED)]
    assert scenes == ["speaking", "listening"], "thinking all the while"


def test_a_request_that_is_refused_for_a_moment_is_made_once_more() -> None:
    evening = asked()
    evening.feed(REFUSED)
    evening.passes(1.1)
    assert requests(evening) == 1
    assert evening.shows(Scene.THINKING)
    evening.answers("resp_1")
    evening.passes(3.0)
    assert requests(evening) == 1


def test_the_same_trouble_told_twice_is_one() -> None:
    evening = asked()
    evening.feed(ev.ReplyStarted("resp_1"), REFUSED, passing("resp_1"), REFUSED)
    evening.passes(3.0)
    assert requests(evening) == 1
    assert not chimes(evening.commands)


def test_the_pause_before_that_differs_from_speaker_to_speaker() -> None:
    waits = []
    for jitter in (0.0, 1.0):
        evening = asked()
        evening.feed(ev.ReplyStarted("resp_1"), passing("resp_1", jitter))
        deadline = evening.speaker.deadline()
        assert deadline is not None
        waits.append(deadline - evening.now)
    assert waits == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize("how", ["an answer", "a request"])
def test_when_that_fails_too_it_is_told_and_the_conversation_goes_on(how: str) -> None:
    evening = failed_once()
    evening.passes(1.1)
    evening.forgets()
    if how == "an answer":
        evening.feed(ev.ReplyStarted("resp_2"), passing("resp_2"))
    else:
        evening.feed(REFUSED)
    assert evening.shows(Scene.TROUBLE)
    assert chimes(evening.commands) == [Chime.PROVIDER]
    (told,) = notes(evening.commands, Fact.TROUBLE)
    assert told.fields["advice"] == ADVICE[ev.Trouble.PROVIDER]
    evening.passes(evening.policy.trouble_s + 0.1)
    assert evening.shows(Scene.LISTENING)
    assert requests(evening) == 0
    assert not only(evening.commands, do.CloseLink)
    evening.says(item="user_2")
    evening.answers("resp_3")
    assert evening.shows(Scene.THINKING)
    evening.passes(1.0)
    assert evening.shows(Scene.SPEAKING)


def test_whoever_speaks_on_sees_that_the_speaker_hears() -> None:
    evening = asked()
    evening.feed(ev.ReplyStarted("resp_1"), ev.ReplyDone("resp_1", "failed", detail="boom"))
    assert evening.shows(Scene.TROUBLE)
    evening.feed(ev.SpeechStarted("user_2"))
    assert evening.shows(Scene.HEARING)


def test_each_question_has_its_second_try() -> None:
    evening = failed_once()
    evening.passes(1.1)
    evening.answers("resp_2")
    evening.passes(3.0)
    evening.says(item="user_2")
    evening.feed(ev.ReplyStarted("resp_3"), passing("resp_3"))
    evening.passes(2.1)
    assert requests(evening) == 2
    assert not chimes(evening.commands)


def test_an_answer_of_which_something_was_heard_is_not_begun_again() -> None:
    evening = asked()
    evening.answers(seconds=1.0, done=False)
    evening.passes(0.5)
    evening.feed(passing("resp_1"))
    assert chimes(evening.commands) == [Chime.PROVIDER]
    evening.passes(5.0)
    assert requests(evening) == 0
    assert evening.shows(Scene.LISTENING)


@pytest.mark.parametrize("reason", ["content_filter", "max_output_tokens"])
def test_an_answer_that_ends_before_its_first_sound_is_told(reason: str) -> None:
    evening = asked()
    evening.feed(ev.ReplyStarted("resp_1"), ev.ReplyDone("resp_1", "incomplete", reason))
    assert chimes(evening.commands) == [Chime.PROVIDER]
    assert notes(evening.commands, Fact.TROUBLE)[0].fields["detail"] == reason
    evening.passes(6.0)
    assert requests(evening) == 0
    assert evening.shows(Scene.LISTENING)


def test_one_that_ends_in_the_middle_or_has_begun_to_do_something_is_not() -> None:
    evening = asked()
    evening.answers("resp_1", done=False)
    evening.feed(ev.ReplyDone("resp_1", "incomplete", "max_output_tokens"))
    evening.passes(3.0)
    evening.says(item="user_2")
    evening.feed(ev.ReplyStarted("resp_2"), ev.ToolCalled("resp_2", "call_1", "clock", "{}"))
    evening.feed(ev.ReplyDone("resp_2", "incomplete", "max_output_tokens"))
    evening.feed(ev.ToolFinished("call_1", "noon"))
    assert requests(evening) == 1
    assert not chimes(evening.commands)


def test_who_goes_on_talking_meanwhile_is_answered_once() -> None:
    evening = failed_once()
    evening.passes(0.5)
    evening.says(2.0, item="user_2")
    evening.answers("resp_2")
    evening.passes(4.0)
    assert requests(evening) == 0
    assert evening.shows(Scene.LISTENING)


def test_an_answer_that_comes_by_itself_meanwhile_is_the_one() -> None:
    evening = failed_once()
    evening.passes(0.5)
    evening.answers("resp_2")
    evening.passes(4.0)
    assert requests(evening) == 0


@pytest.mark.parametrize("how", ["the word", "stop", "mute", "the line"])
def test_whoever_ends_it_meanwhile_has_the_last_word(how: str) -> None:
    evening = failed_once()
    evening.passes(0.5)
    match how:
        case "the word":
            evening.wakes()
        case "stop":
            evening.feed(ev.StopAsked())
        case "mute":
            evening.feed(ev.MuteAsked(True))
        case _:
            evening.hangs_up()
    evening.passes(2.0)
    assert requests(evening) == 0


def test_a_tool_that_returns_meanwhile_asks_once() -> None:
    evening = asked()
    evening.feed(
        ev.ReplyStarted("resp_1"),
        ev.ToolCalled("resp_1", "call_1", "clock", "{}"),
        passing("resp_1"),
    )
    assert evening.shows(Scene.WORKING)
    evening.feed(ev.ToolFinished("call_1", "noon"))
    evening.passes(3.0)
    assert requests(evening) == 1
    assert not chimes(evening.commands)


def test_whoever_holds_a_button_has_a_second_try_as_well() -> None:
    bound = Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK)
    evening = Evening(bindings={"push": bound})
    evening.converses()
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.feed(REFUSED)
    evening.passes(0.5)
    assert evening.shows(Scene.THINKING)
    evening.passes(0.6)
    assert requests(evening) == 2
    assert not chimes(evening.commands)[2:], "one for the wake, one for the button"


# --- what does not pass -------------------------------------------------------------------


def test_a_complaint_that_names_no_request_costs_the_turn_that_waits() -> None:
    evening = asked()
    evening.feed(ev.RequestRefused("tts_error", "no voice", False, asked=True))
    assert evening.shows(Scene.TROUBLE)
    assert chimes(evening.commands) == [Chime.PROVIDER]
    evening.passes(4.1)
    assert evening.shows(Scene.LISTENING)
    assert requests(evening) == 0


def test_one_that_comes_beside_an_answer_does_not() -> None:
    evening = asked()
    evening.answers(done=False)
    evening.passes(0.5)
    evening.feed(ev.RequestRefused("invalid_value", "what?", False, asked=True))
    assert evening.shows(Scene.SPEAKING)
    assert not chimes(evening.commands)


# --- too much of it -----------------------------------------------------------------------


def complain(evening: Evening, apart_s: float = 5.0) -> None:
    """Three requests fail, one after the other."""
    for _ in range(3):
        evening.passes(apart_s)
        evening.feed(ev.RequestRefused("invalid_event", "what?", False))


def test_a_session_in_which_too_much_fails_is_replaced_once() -> None:
    evening = Evening(Conversation(follow_up_s=60.0, false_wake_s=60.0))
    evening.converses()
    complain(evening)
    assert len(only(evening.commands, do.CloseLink)) == 1
    assert not chimes(evening.commands)[1:], "nobody notices"
    evening.hangs_up()
    assert len(only(evening.commands, do.OpenLink)) == 2
    evening.connects()
    assert evening.shows(Scene.LISTENING)
    evening.forgets()
    complain(evening)
    assert chimes(evening.commands) == [Chime.PROVIDER]
    assert Fact.TROUBLE in facts(evening.commands)
    evening.hangs_up()
    evening.passes(5.0)
    assert evening.shows(Scene.ASLEEP)
    assert not only(evening.commands, do.OpenLink)


def test_a_later_conversation_may_again() -> None:
    evening = Evening(Conversation(follow_up_s=60.0, false_wake_s=60.0, longest_s=60.0))
    evening.converses()
    for _ in range(2):
        complain(evening)
        evening.hangs_up()
        evening.connects()
    evening.passes(60.0)
    evening.wakes()
    evening.connects()
    evening.forgets()
    complain(evening)
    assert Fact.TROUBLE not in facts(evening.commands)
    evening.hangs_up()
    assert only(evening.commands, do.OpenLink)


def test_now_and_then_something_may_fail() -> None:
    evening = Evening(Conversation(follow_up_s=120.0, false_wake_s=120.0))
    evening.converses()
    complain(evening, apart_s=16.0)
    assert not only(evening.commands, do.CloseLink)


def test_races_are_nobodys_fault() -> None:
    evening = Evening(Conversation(follow_up_s=60.0, false_wake_s=60.0))
    evening.converses()
    for _ in range(5):
        evening.feed(ev.RequestRefused("response_cancel_not_active", "", True))
    assert not only(evening.commands, do.CloseLink)
