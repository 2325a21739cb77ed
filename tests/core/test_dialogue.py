"""Whose turn it is: answers, interruptions, tools, and the races between them."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import AnswerTool, AskReply, CancelReply, Fact, Note, TruncateReply
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import NOISE, WIRE_RATE, Evening, notes, only, repairs, sent

Commands = list[do.Command]


def sounds_out(evening: Evening, seconds: float = 1.0) -> None:
    """An answer that starts now is really played to its end, and then the user is listened to."""
    evening.passes(seconds - 0.1)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(0.2)
    assert evening.shows(Scene.LISTENING)


# --- who goes on, who is dropped ------------------------------------------------------------


def test_going_on_before_the_answer_has_begun_goes_on_with_the_turn() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    assert evening.shows(Scene.THINKING)
    evening.feed(ev.SpeechStarted("user_2"))
    assert evening.shows(Scene.HEARING)
    assert only(evening.sends_sound(), do.Play) == []
    evening.feed(ev.ReplyDone("resp_1", "cancelled", "turn_detected"))
    evening.passes(1.0)
    evening.feed(ev.SpeechStopped("user_2"))
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)


def test_an_answer_that_begins_while_the_user_speaks_is_cancelled_and_never_heard() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.SpeechStarted("user_2"))
    assert repairs(evening.feed(ev.ReplyStarted("resp_1"))) == [CancelReply("resp_1")]
    assert only(evening.sends_sound(), do.Play) == []
    assert evening.shows(Scene.HEARING)


def test_a_turn_cut_before_its_answer_began_gets_no_answer() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.wakes()
    assert evening.shows(Scene.LISTENING)
    assert repairs(evening.feed(ev.ReplyStarted("resp_1"))) == [CancelReply("resp_1")]
    assert only(evening.sends_sound(), do.Play) == []
    assert evening.shows(Scene.LISTENING)
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)


def test_a_turn_cut_before_its_answer_began_does_not_cost_the_next_one() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.wakes()
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)


@pytest.mark.parametrize("end", [ev.StopAsked(), ev.LinkDown(ev.Trouble.NETWORK)])
def test_nothing_of_a_turn_that_was_cut_reaches_the_next_conversation(end: ev.Event) -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.wakes()
    evening.feed(end)
    evening.hangs_up()
    evening.wakes()
    evening.connects()
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)


@pytest.mark.parametrize("when", ["hearing", "thinking", "speaking"])
def test_a_conversation_that_has_ended_leaves_no_alarm_behind(when: str) -> None:
    evening = Evening()
    if when == "speaking":
        evening.is_answered(heard_s=0.5)
    else:
        evening.converses()
        evening.feed(ev.SpeechStarted("user_1"))
    if when == "thinking":
        evening.feed(ev.SpeechStopped("user_1"))
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.forgets()
    evening.passes(70.0)
    assert evening.commands == []


# --- odd orders ---------------------------------------------------------------------------


def test_an_end_of_speech_without_a_beginning_is_ignored() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.SpeechStopped("user_1"))
    assert evening.shows(Scene.LISTENING)
    evening.answers(seconds=1.0)
    sounds_out(evening)


def test_sound_after_its_answer_was_done_is_dropped() -> None:
    evening = Evening()
    evening.is_answered(seconds=0.5, heard_s=1.0)
    assert only(evening.sends_sound(), do.Play) == []


def test_an_answer_done_twice_is_one_turn() -> None:
    evening = Evening()
    evening.is_answered(seconds=0.5, heard_s=1.0)
    assert evening.feed(ev.ReplyDone("resp_1")) == []
    assert len(notes(evening.commands, Fact.TURN_ENDED)) == 1


def test_sound_of_somebody_else_is_dropped() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.1, done=False)
    assert only(evening.sends_sound("resp_unknown"), do.Play) == []
    assert only(evening.feed(ev.ReplyDone("resp_unknown")), do.FinishPlay) == []


def test_progress_beyond_what_was_queued_is_not_believed() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0)
    evening.feed(ev.SpeakerProgress(WIRE_RATE // 2))
    evening.feed(ev.SpeakerProgress(WIRE_RATE // 4))
    assert repairs(evening.wakes()) == [TruncateReply("item_1", 0, 500)]
    evening.feed(ev.SpeakerProgress(WIRE_RATE * 10))
    assert evening.shows(Scene.LISTENING)


def test_an_answer_without_sound_gives_the_turn_back() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    commands = evening.feed(ev.ReplyStarted("resp_1"), ev.ReplyDone("resp_1"))
    assert evening.shows(Scene.LISTENING)
    assert not only(commands, do.FinishPlay)
    evening.passes(8.1)
    assert evening.shows(Scene.ASLEEP)


# --- every turn ends ----------------------------------------------------------------------


def test_no_answer_is_the_providers_trouble() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    assert evening.shows(Scene.THINKING)
    evening.passes(29.9)
    assert evening.shows(Scene.THINKING)
    evening.passes(0.2)
    assert only(evening.commands, do.Show)[-1].look.trouble is ev.Trouble.PROVIDER


def test_an_answer_that_never_goes_on_is_given_up() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.2, done=False)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(30.1)
    assert only(evening.commands, do.Show)[-1].look.trouble is ev.Trouble.PROVIDER


def test_a_loudspeaker_that_stands_still_ends_the_process() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.queued = evening.heard
    assert len(only(evening.passes(30.1), do.Fail)) == 1


def test_a_long_answer_is_not_given_up() -> None:
    evening = Evening()
    evening.is_answered(seconds=100.0, heard_s=99.0)
    assert evening.shows(Scene.SPEAKING)


def test_an_utterance_without_end_is_given_up() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.SpeechStarted("user_1"))
    evening.passes(59.9)
    assert evening.shows(Scene.HEARING)
    assert len(only(evening.passes(0.2), do.CloseLink)) == 1


def test_a_turn_that_was_cut_leaves_no_alarm_behind() -> None:
    evening = Evening(Conversation(follow_up_s=60.0))
    evening.converses()
    evening.says()
    evening.wakes()
    evening.passes(50.0)
    assert evening.shows(Scene.LISTENING)


# --- tools --------------------------------------------------------------------------------


def asks_for_tools(evening: Evening, *calls: str) -> Commands:
    """The provider answers with nothing but calls, and is not done yet."""
    commands = evening.feed(ev.ReplyStarted("resp_1"))
    for call in calls:
        commands += evening.feed(ev.ToolCalled("resp_1", call, "clock", "{}"))
    return commands


def test_a_tool_runs_and_the_answer_to_it_is_asked_for() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    commands = asks_for_tools(evening, "call_1")
    assert only(commands, do.RunTool) == [do.RunTool("call_1", "clock", "{}")]
    assert evening.shows(Scene.WORKING)
    evening.feed(ev.ReplyDone("resp_1"))
    assert evening.shows(Scene.WORKING)
    commands = evening.feed(ev.ToolFinished("call_1", "noon"))
    assert only(commands, AnswerTool, AskReply) == [AnswerTool("call_1", "noon"), AskReply()]
    assert evening.shows(Scene.THINKING)
    evening.answers("resp_2", seconds=1.0)
    sounds_out(evening)


def test_a_quick_tool_waits_for_the_call_to_be_done() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    commands = evening.feed(ev.ToolFinished("call_1", "noon"))
    assert only(commands, AnswerTool, AskReply) == [AnswerTool("call_1", "noon")]
    commands = evening.feed(ev.ReplyDone("resp_1"))
    assert only(commands, AskReply) == [AskReply()]
    assert evening.shows(Scene.THINKING)


def test_a_call_that_is_told_again_is_not_made_again() -> None:
    """While it runs, and when it is done."""
    evening = Evening()
    evening.converses()
    evening.says()
    commands = asks_for_tools(evening, "call_1", "call_1")
    commands += evening.feed(ev.ToolFinished("call_1", "noon"))
    commands += evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"))
    commands += evening.feed(ev.ReplyDone("resp_1"))
    assert only(commands, do.RunTool) == [do.RunTool("call_1", "clock", "{}")]
    assert only(commands, AnswerTool, AskReply) == [AnswerTool("call_1", "noon"), AskReply()]


def test_calls_side_by_side_ask_for_one_answer() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1", "call_2")
    evening.feed(ev.ReplyDone("resp_1"))
    commands = evening.feed(ev.ToolFinished("call_2", "two"))
    assert only(commands, AskReply) == []
    commands = evening.feed(ev.ToolFinished("call_1", "one"))
    assert only(commands, AnswerTool, AskReply) == [AnswerTool("call_1", "one"), AskReply()]


def test_a_slow_tool_beside_a_quick_one_is_no_trouble() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1", "call_2")
    evening.feed(ev.ReplyDone("resp_1"), ev.ToolFinished("call_2", "two"))
    evening.passes(40.0)
    assert evening.shows(Scene.WORKING)


def test_a_call_of_an_ended_conversation_is_dropped() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    evening.hangs_up(ev.Trouble.NETWORK)
    evening.wakes()
    evening.connects()
    assert evening.feed(ev.ToolFinished("call_1", "noon")) == []


def test_a_call_after_spoken_words() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(0.6)
    assert evening.shows(Scene.WORKING)
    evening.feed(ev.ToolFinished("call_1", "noon"))
    assert evening.shows(Scene.THINKING)
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)


def test_an_answer_asked_for_while_the_first_words_still_play() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.passes(0.5)
    evening.feed(ev.ToolFinished("call_1", "noon"))
    assert evening.shows(Scene.SPEAKING)
    evening.passes(0.6)
    assert evening.shows(Scene.THINKING), "the answer is still to come"
    evening.passes(30.0)
    assert only(evening.commands, do.Show)[-1].look.trouble is ev.Trouble.PROVIDER


def test_silence_while_a_tool_runs_is_not_the_users() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.passes(30.0)
    assert evening.shows(Scene.WORKING)
    evening.feed(ev.ToolFinished("call_1", "noon"))
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)


def test_a_tool_that_ends_while_the_user_speaks_asks_for_nothing() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    evening.feed(ev.ReplyDone("resp_1"), ev.SpeechStarted("user_2"))
    commands = evening.feed(ev.ToolFinished("call_1", "noon"))
    assert only(commands, AnswerTool, AskReply) == [AnswerTool("call_1", "noon")]
    evening.passes(31.0)
    assert evening.shows(Scene.HEARING), "no answer is due while the user speaks"
    commands = evening.feed(ev.SpeechStopped("user_2"))
    commands += evening.answers("resp_2", seconds=1.0)
    assert only(commands, AskReply) == [], "the answer to the utterance sees the output"
    sounds_out(evening)


def test_a_tool_that_ends_while_an_answer_is_due_asks_after_that_one() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    evening.feed(ev.ReplyDone("resp_1"))
    evening.says(item="user_2")
    commands = evening.feed(ev.ToolFinished("call_1", "noon"))
    commands += evening.feed(ev.ReplyStarted("resp_2"))
    assert only(commands, AskReply) == []
    assert only(evening.feed(ev.ReplyDone("resp_2")), AskReply) == [AskReply()]


def test_a_tool_cut_short_by_a_press_is_answered_without_a_word() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    evening.feed(ev.ReplyDone("resp_1"))
    evening.wakes()
    commands = evening.feed(ev.ToolFinished("call_1", "noon"))
    assert only(commands, AnswerTool, AskReply) == [AnswerTool("call_1", "noon")]
    assert evening.shows(Scene.LISTENING)
    evening.passes(16.1)
    assert evening.shows(Scene.ASLEEP)


def test_an_answer_asked_for_and_then_not_wanted_is_cancelled() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    evening.feed(ev.ReplyDone("resp_1"), ev.ToolFinished("call_1", "noon"))
    evening.wakes()
    assert repairs(evening.feed(ev.ReplyStarted("resp_2"))) == [CancelReply("resp_2")]


def test_outputs_of_a_cut_answer_are_not_answered_later() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    evening.feed(ev.ToolFinished("call_1", "noon"))
    evening.wakes()
    evening.feed(ev.ReplyDone("resp_1", "cancelled"), ev.SpeechStarted("user_2"))
    commands = evening.says(item="user_2")
    commands += evening.answers("resp_2", seconds=1.0)
    assert only(commands, AskReply) == []
    sounds_out(evening)


def test_a_call_that_is_never_done_is_given_up() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    asks_for_tools(evening, "call_1")
    evening.feed(ev.ToolFinished("call_1", "noon"))
    evening.passes(30.1)
    assert only(evening.commands, do.Show)[-1].look.trouble is ev.Trouble.PROVIDER


def test_a_call_of_an_answer_that_is_done_is_dropped() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0)
    assert evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}")) == []


# --- the journal --------------------------------------------------------------------------


def test_a_turn_is_one_entry_with_its_times() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.passes(0.3)
    evening.feed(ev.ReplyStarted("resp_1"))
    evening.sends_sound(seconds=1.0)
    evening.passes(0.02)
    done = ev.ReplyDone("resp_1", usage=ev.Usage(audio_in=10, audio_out=20))
    evening.feed(done)
    evening.passes(1.0)
    assert [told.fields for told in notes(evening.commands, Fact.TURN_ENDED)] == [
        {
            "session": "sess_1",
            "turn": 1,
            "wake_to_connected_ms": 500,
            "connected_to_speech_end_ms": 1000,
            "speech_end_to_first_audio_ms": 300,
            "first_audio_to_sound_ms": 20,
            "heard_ms": 1000,
            "interrupted": 0,
            "audio_in_tokens": 10,
            "audio_out_tokens": 20,
            "cost_usd": 0.0,
        }
    ]
    assert notes(evening.commands, Fact.TURN_ENDED)[0].message == (
        "turn 1: wake +500 ms connected +1000 ms speech end +300 ms first audio +20 ms sound,"
        " 1000 ms heard"
    )


def test_only_the_first_turn_had_to_wait_for_the_line() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.5)
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)
    first, second = notes(evening.commands, Fact.TURN_ENDED)
    assert "wake_to_connected_ms" in first.fields
    assert second.message.startswith("turn 2: speech end +")
    assert not [name for name in second.fields if name.startswith(("wake", "connected"))]


def test_a_turn_without_a_sound_says_no_more_than_there_is() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"), ev.ReplyDone("resp_1"))
    told = notes(evening.commands, Fact.TURN_ENDED)[0]
    assert told.message.endswith("connected +1000 ms speech end, 0 ms heard")
    assert "first_audio_to_sound_ms" not in told.fields


def test_every_entry_of_a_session_names_it_and_the_turn() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.SpeechStarted("user_2"))
    evening.feed(ev.RequestRefused("some_code", "no", benign=False))
    evening.feed(ev.StopAsked())
    told = {one.fact: one.fields for one in evening.commands if isinstance(one, Note)}
    evening.hangs_up()
    ended = notes(evening.commands, Fact.SESSION_ENDED)[0].fields
    assert told[Fact.TOOL_CALLED] == {"session": "sess_1", "turn": 1, "tool": "clock"}
    assert told[Fact.INTERRUPTED] == {"session": "sess_1", "turn": 1, "heard_ms": 1000}
    assert told[Fact.REQUEST_REFUSED] == {"session": "sess_1", "code": "some_code"}
    assert ended["session"] == "sess_1"
    assert notes(evening.wakes(), Fact.WOKEN)[0].fields == {"word": "hey_jarvis", "score": 0.93}


def test_an_interrupted_turn_says_so() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert [told.fields["heard_ms"] for told in notes(commands, Fact.INTERRUPTED)] == [1000]
    ended = notes(commands, Fact.TURN_ENDED)[0]
    assert (ended.fields["heard_ms"], ended.fields["interrupted"]) == (1000, 1)


def test_a_turn_with_a_tool_is_one_entry() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.passes(1.1)
    evening.feed(ev.ToolFinished("call_1", "noon"))
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)
    ended = notes(evening.commands, Fact.TURN_ENDED)
    assert [told.fields["heard_ms"] for told in ended] == [2000]


def test_every_turn_is_told_by_itself() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.5)
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=2.0)
    sounds_out(evening, 2.0)
    ended = notes(evening.commands, Fact.TURN_ENDED)
    assert [(told.fields["turn"], told.fields["heard_ms"]) for told in ended] == [
        (1, 1000),
        (2, 2000),
    ]


def test_another_session_counts_its_turns_anew_and_may_use_the_same_names() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.5)
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.forgets()
    evening.wakes()
    evening.connects()
    evening.says()
    evening.answers(seconds=1.0)
    sounds_out(evening)
    assert [told.fields["turn"] for told in notes(evening.commands, Fact.TURN_ENDED)] == [1]


# --- the gate at work ---------------------------------------------------------------------


def test_while_the_answer_is_audible_noise_leaves_in_place_of_the_room() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0)
    during = evening.passes(1.0)
    assert sent(during) == []
    assert [noise.samples for noise in only(during, do.SendNoise)] == [NOISE] * 50
    tail = evening.passes(0.28)
    assert sent(tail) == []
    after = evening.passes(1.0)
    assert len(sent(after)) >= 49


def test_every_frame_of_an_open_line_sends_exactly_one() -> None:
    evening = Evening()
    evening.converses()
    evening.forgets()
    before = evening.frames
    evening.says()
    evening.answers(seconds=1.0)
    evening.passes(4.0)
    assert len(only(evening.commands, do.SendAudio, do.SendNoise)) == evening.frames - before


def test_earcons_never_shut_the_gate() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    evening.wakes()
    evening.connects()
    assert only(evening.passes(1.0), do.SendNoise) == []


@pytest.mark.parametrize("by", ["speech", "wake word"])
def test_after_an_interruption_the_first_words_go_out(by: str) -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2")) if by == "speech" else evening.wakes()
    assert only(evening.passes(0.5), do.SendNoise) == []
