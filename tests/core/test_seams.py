"""Where two things happen at once: money and tools, a finger and a line that breaks, and so on."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.budget import Budget, Price, Prices, Purse
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import Evening, facts, only, sent

BINDINGS = {
    "talk": Bindings(),
    "stop": Bindings(press=Action.STOP),
    "push": Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK),
}
BROKEN = ev.LinkDown(ev.Trouble.NETWORK, "1006", "it broke", transient=True)
HALF = ev.Usage(audio_out=1)
"""Half of what may be spent."""


def spender() -> Evening:
    purse = Purse(Prices(models={"m": Price(audio_out=5e5)}), Budget(day_usd=1.0), "m")
    return Evening(purse=purse, bindings=BINDINGS)


def spent(evening: Evening) -> float:
    return sum(book.usd for book in only(evening.commands, do.Book))


def between_presses(*, detects_turns: bool = True, policy: Conversation | None = None) -> Evening:
    """Somebody has talked by push-to-talk and was answered; the line is still up."""
    evening = Evening(policy, bindings=BINDINGS, detects_turns=detects_turns)
    evening.starts()
    evening.passes(1.0)
    evening.holds()
    evening.connects()
    evening.passes(1.0)
    evening.lets_go()
    evening.answers(seconds=1.0)
    evening.passes(2.0)
    return evening


# --- money --------------------------------------------------------------------------------


def test_a_model_that_calls_one_tool_after_the_other_spends_no_more_than_allowed() -> None:
    evening = spender()
    evening.converses()
    evening.says()
    for turn in range(5):
        reply, call = f"r{turn}", f"c{turn}"
        evening.feed(ev.ReplyStarted(reply), ev.ToolCalled(reply, call, "clock", "{}"))
        evening.feed(ev.ReplyDone(reply, usage=HALF))
        evening.passes(0.5)
        evening.feed(ev.ToolFinished(call, "noon"))
        if only(evening.commands, do.CloseLink):
            break
    assert only(evening.commands, do.CloseLink)
    assert spent(evening) == pytest.approx(1.0)


def test_nor_does_whoever_interrupts_each_answer() -> None:
    evening = spender()
    evening.converses()
    evening.says()
    for turn in range(5):
        reply, item = f"r{turn}", f"u{turn}"
        evening.feed(ev.ReplyStarted(reply))
        evening.sends_sound(reply, seconds=5.0, item=f"i{turn}")
        evening.passes(0.5)
        evening.feed(ev.SpeechStarted(item), ev.ReplyDone(reply, "cancelled", usage=HALF))
        evening.passes(0.5)
        evening.feed(ev.SpeechStopped(item), ev.UserItemCommitted(item))
        if only(evening.commands, do.CloseLink):
            break
    assert only(evening.commands, do.CloseLink)
    assert spent(evening) == pytest.approx(1.0)


def test_a_line_that_breaks_when_all_is_spent_is_not_opened_again() -> None:
    purse = Purse(Prices(models={"m": Price(minute=1.0)}), Budget(day_usd=0.5), "m")
    evening = Evening(purse=purse, by_minute=True)
    evening.converses()
    evening.says()
    evening.answers(seconds=40.0)
    evening.passes(35.0)
    evening.forgets()
    evening.feed(BROKEN)
    evening.passes(3.0)
    assert not only(evening.commands, do.OpenLink)
    assert evening.shows(Scene.ASLEEP) or evening.shows(Scene.TROUBLE)


# --- the button to talk -------------------------------------------------------------------


@pytest.mark.parametrize("detects_turns", [True, False])
def test_between_presses_no_fresh_session_listens(detects_turns: bool) -> None:
    evening = between_presses(
        detects_turns=detects_turns, policy=Conversation(follow_up_s=60.0, rotate_minutes=1.0)
    )
    evening.forgets()
    evening.passes(70.0)
    assert only(evening.commands, do.CloseLink)
    evening.hangs_up()
    evening.passes(3.0)
    assert not only(evening.commands, do.OpenLink)
    assert not sent(evening.commands)


@pytest.mark.parametrize("detects_turns", [True, False])
def test_a_press_too_brief_to_mean_anything_opens_no_ear_when_the_line_breaks(
    detects_turns: bool,
) -> None:
    evening = between_presses(detects_turns=detects_turns)
    evening.forgets()
    evening.feed(ev.ButtonPressed("push"))
    evening.passes(0.04)
    evening.feed(BROKEN)
    evening.passes(0.02)
    evening.lets_go()
    evening.passes(3.0)
    evening.forgets()
    evening.connects()
    evening.passes(3.0)
    assert not sent(evening.commands)


@pytest.mark.parametrize("detects_turns", [True, False])
def test_a_finger_that_has_gone_is_gone_though_the_microphone_was_opened_anew(
    detects_turns: bool,
) -> None:
    evening = Evening(bindings=BINDINGS, detects_turns=detects_turns)
    evening.starts()
    evening.passes(1.0)
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.passes(0.2)
    evening.microphone_opens()
    evening.passes(0.3)
    evening.connects()
    evening.passes(5.0)
    assert not sent(evening.commands)


def test_without_turn_detection_a_wake_word_over_the_answer_sends_no_room() -> None:
    evening = between_presses(detects_turns=False)
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.answers("resp_2", item="item_2", seconds=3.0)
    evening.passes(1.0)
    evening.forgets()
    evening.wakes()
    assert not sent(evening.commands)


# --- what is remembered -------------------------------------------------------------------


def test_neither_announcements_nor_false_wakes_keep_the_memory_fresh() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.UserText("user_1", "a secret"))
    evening.answers()
    evening.passes(11.0)
    evening.hangs_up()
    for times in range(2):
        evening.dozes(120.0)
        evening.microphone_opens()
        evening.passes(0.1)
        evening.feed(ev.SayAsked("the wash is done"))
        evening.connects()
        evening.answers(f"a{times}", item=f"ai{times}", seconds=1.0)
        evening.passes(1.5)
        evening.hangs_up()
        evening.dozes(60.0)
        evening.microphone_opens()
        evening.passes(0.1)
        evening.wakes()
        evening.connects()
        evening.passes(7.0)
        evening.hangs_up()
    evening.passes(0.1)
    evening.forgets()
    evening.wakes()
    evening.connects()
    assert "a secret" not in [item.text for item in only(evening.commands, do.Recall)]


def test_a_tool_that_was_cut_off_may_have_been_done() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.UserText("user_1", "open the garage"))
    evening.feed(ev.ReplyStarted("r"), ev.ToolCalled("r", "c", "garage", "{}"), ev.ReplyDone("r"))
    evening.passes(0.5)
    evening.feed(BROKEN)
    evening.passes(1.0)
    told = only(evening.connects(), do.Recall)
    (call,) = [item.text for item in told if "garage was called" in item.text]
    assert "may have been done" in call


def test_a_question_that_was_dismissed_is_not_asked_again_when_the_line_breaks() -> None:
    evening = Evening(bindings=BINDINGS)
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("r"))
    evening.passes(0.3)
    evening.presses("stop")
    evening.feed(ev.ReplyDone("r", "cancelled"))
    evening.passes(2.0)
    evening.feed(BROKEN)
    began = evening.frames
    evening.passes(0.8)
    evening.forgets()
    evening.connects()
    assert all(number >= began for number in sent(evening.commands))


def test_a_server_that_refuses_what_it_is_told_of_before_still_answers() -> None:
    evening = Evening()
    evening.converses()
    refusal = ev.RequestRefused("not_implemented", "no items here", benign=False)
    evening.feed(refusal, refusal, refusal)
    evening.says()
    evening.answers(seconds=1.0)
    evening.passes(2.0)
    assert not only(evening.commands, do.CloseLink)
    assert evening.shows(Scene.LISTENING)


# --- sessions that follow each other ------------------------------------------------------


def test_a_fresh_session_that_breaks_while_it_opens_is_opened_once_more() -> None:
    evening = Evening(Conversation(rotate_minutes=1.0, follow_up_s=100.0))
    evening.converses()
    evening.says()
    evening.answers()
    evening.passes(60.0)
    evening.hangs_up()
    evening.forgets()
    evening.feed(BROKEN)
    evening.passes(3.0)
    assert only(evening.commands, do.OpenLink)
    evening.connects()
    assert evening.shows(Scene.LISTENING)


def test_stop_also_stops_what_waits_to_be_said() -> None:
    evening = Evening()
    evening.is_answered(5.0, heard_s=1.0)
    evening.feed(ev.SayAsked("dinner"))
    evening.forgets()
    evening.feed(ev.StopAsked())
    (told,) = only(evening.commands, do.Announced)
    assert not told.whole
    evening.hangs_up()
    evening.passes(1.0)
    assert not only(evening.commands, do.OpenLink)


def test_by_push_to_talk_a_line_that_breaks_while_a_tool_works_comes_back_for_its_answer() -> None:
    evening = between_presses()
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.feed(ev.ReplyStarted("r"), ev.ToolCalled("r", "c", "clock", "{}"), ev.ReplyDone("r"))
    evening.passes(0.2)
    evening.feed(BROKEN)
    evening.forgets()
    evening.passes(2.0)
    assert only(evening.commands, do.OpenLink)
    assert do.Fact.TROUBLE not in facts(evening.commands)
    evening.connects()
    assert only(evening.commands, do.AskReply)
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(2.0)
    assert not sent(evening.commands), "between presses nobody is heard"
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    assert sent(evening.commands)


@pytest.mark.parametrize("detects_turns", [True, False])
def test_so_it_does_where_the_model_had_said_that_it_would_look(detects_turns: bool) -> None:
    evening = between_presses(detects_turns=detects_turns)
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.feed(ev.ReplyStarted("r"))
    evening.sends_sound("r", seconds=0.5, item="one_moment")
    evening.feed(ev.ToolCalled("r", "c", "clock", "{}"), ev.ReplyDone("r"))
    evening.passes(1.0)
    evening.feed(BROKEN)
    evening.forgets()
    evening.passes(2.0)
    assert only(evening.commands, do.OpenLink)
    evening.connects()
    assert only(evening.commands, do.AskReply)
    evening.passes(1.0)
    assert not sent(evening.commands)


def test_whoever_asks_by_hand_while_the_line_comes_back_is_answered_once() -> None:
    evening = between_presses()
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.feed(ev.ReplyStarted("r"), ev.ToolCalled("r", "c", "clock", "{}"), ev.ReplyDone("r"))
    evening.feed(BROKEN)
    evening.passes(0.1)
    evening.holds()
    evening.passes(0.8)
    evening.lets_go()
    evening.passes(0.5)
    assert only(evening.connects(), do.AskReply)
    evening.forgets()
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(2.0)
    assert not only(evening.commands, do.AskReply)


def recalled(evening: Evening) -> list[str]:
    return [item.text for item in only(evening.commands, do.Recall)][:-1]


@pytest.mark.parametrize("stopped", [True, False])
def test_whoever_goes_on_after_a_pause_is_heard_once_more_from_the_beginning(stopped: bool) -> None:
    evening = Evening()
    evening.converses()
    evening.says(item="a0")
    evening.feed(ev.UserText("a0", "Hello."))
    evening.answers(seconds=0.5)
    evening.passes(1.0)
    began = evening.frames
    evening.says(item="a1")
    evening.feed(ev.ReplyStarted("r1"), ev.UserText("a1", "What is the weather"))
    evening.passes(0.2)
    evening.feed(ev.SpeechStarted("a2"), ev.ReplyDone("r1", "cancelled"))
    evening.passes(0.5)
    if stopped:
        evening.feed(ev.SpeechStopped("a2"), ev.UserItemCommitted("a2"))
    evening.forgets()
    evening.feed(BROKEN)
    evening.passes(1.0)
    evening.connects()
    assert recalled(evening) == ["Hello."]
    assert sent(evening.commands)[0] < began


def test_whoever_presses_to_ask_something_else_has_asked_both() -> None:
    evening = between_presses()
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.feed(ev.UserItemCommitted("a1"), ev.UserText("a1", "What is the weather?"))
    evening.holds()
    evening.passes(1.0)
    evening.forgets()
    evening.feed(BROKEN)
    evening.passes(1.0)
    evening.connects()
    assert recalled(evening) == ["What is the weather?"]


def test_speech_that_is_told_of_late_keeps_no_ear_open_that_a_finger_has_closed() -> None:
    evening = between_presses()
    evening.holds()
    evening.passes(1.0)
    evening.lets_go()
    evening.feed(ev.SpeechStarted("late"))
    evening.feed(BROKEN)
    evening.passes(1.0)
    evening.connects()
    assert only(evening.commands, do.CommitInput)
    evening.forgets()
    evening.passes(1.0)
    assert not sent(evening.commands)


# --- what is told besides -----------------------------------------------------------------


def test_what_is_told_once_is_told_to_somebody_and_not_to_an_announcement() -> None:
    evening = Evening(bindings=BINDINGS)
    evening.starts()
    evening.passes(1.0)
    evening.feed(ev.SayAsked("the wash is done"))
    assert only(evening.commands, do.Attend) == [do.Attend(somebody=False)]
    evening.connects()
    evening.answers(seconds=2.0)
    evening.passes(0.5)
    evening.forgets()
    evening.wakes()
    joined = only(evening.commands, do.Attend, do.Brief)
    assert joined == [do.Attend(somebody=True), do.Brief()]


@pytest.mark.parametrize("comes", ["wakes", "holds"])
def test_so_it_is_where_somebody_comes_while_the_line_for_it_opens(comes: str) -> None:
    evening = Evening(bindings=BINDINGS)
    evening.starts()
    evening.passes(1.0)
    evening.feed(ev.SayAsked("the wash is done"))
    evening.forgets()
    getattr(evening, comes)()
    assert only(evening.commands, do.Attend) == [do.Attend(somebody=True)]
    evening.passes(0.2)
    assert only(evening.connects(), do.Brief)
