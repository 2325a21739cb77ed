"""Speech over the answer: two witnesses must agree, or one insist, before it stops."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import BargeIn, Conversation

from ..script import NOISE, Evening, facts, notes, only, repairs, sent


def hears_through(**barge_in: int) -> Evening:
    """A speaker with a canceller, a second into a long answer that is still being made."""
    evening = Evening(
        Conversation(stop_words=("stop",)),
        echo="canceller",
        barge_in=BargeIn(**{"cold_ms": 0, **barge_in}),  # type: ignore[arg-type]
    )
    evening.is_answered(seconds=6.0, heard_s=1.0, done=False)
    evening.forgets()
    return evening


def speaks(evening: Evening, seconds: float = 0.1) -> list[do.Command]:
    """Somebody speaks over us, and the gate opens for it."""
    evening.over_us = True
    return evening.passes(seconds)


# --- both witnesses -----------------------------------------------------------------------


def test_gate_and_provider_together_stop_the_answer() -> None:
    evening = hears_through()
    speaks(evening)
    assert only(evening.commands, do.Hush) == [], "one is not enough"
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert only(commands, do.Hush)
    assert repairs(commands) == [do.CancelReply("resp_1"), do.TruncateReply("item_1", 0, 1100)]
    assert evening.shows(Scene.HEARING)


def test_it_does_not_matter_who_hears_it_first() -> None:
    evening = hears_through()
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert only(commands, do.Hush, do.CancelReply) == []
    assert evening.shows(Scene.SPEAKING)
    commands = speaks(evening)
    assert len(only(commands, do.Hush)) == 1
    assert repairs(commands)[0] == do.CancelReply("resp_1")
    assert evening.shows(Scene.HEARING)


def test_the_gate_may_just_have_shut_again() -> None:
    evening = hears_through(hang_ms=0)
    speaks(evening)
    evening.over_us = False
    evening.passes(0.2)
    assert only(evening.feed(ev.SpeechStarted("user_2")), do.Hush), "people pause"


def test_whoever_talks_on_when_the_answer_begins_is_believed() -> None:
    evening = Evening(echo="canceller")
    evening.converses()
    evening.says()
    evening.answers(seconds=3.0)
    evening.passes(0.1)
    assert only(evening.feed(ev.SpeechStarted("user_2")), do.Hush)


def test_before_anything_sounds_the_provider_is_believed_at_once() -> None:
    evening = Evening(echo="canceller")
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert repairs(commands) == [do.CancelReply("resp_1")], "it does not cancel by itself"
    assert evening.shows(Scene.HEARING)


# --- the provider alone -------------------------------------------------------------------


def test_speech_that_nobody_said_stops_nothing_and_is_deleted() -> None:
    evening = hears_through()
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(1.0)
    evening.feed(ev.SpeechStopped("user_2"))
    assert repairs(evening.commands) == []
    commands = evening.feed(ev.UserItemCommitted("user_2"))
    assert repairs(commands) == [do.DeleteItem("user_2")]
    assert evening.shows(Scene.SPEAKING)
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(5.5)
    assert only(evening.commands, do.Hush, do.AskReply) == [], "the answer was heard to its end"
    assert evening.shows(Scene.LISTENING)
    assert facts(evening.commands).count(Fact.SPEECH_DOUBTED) == 1


def test_nor_is_it_answered_where_the_provider_has_done_with_the_answer() -> None:
    evening = hears_through()
    evening.feed(ev.ReplyDone("resp_1"))
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.feed(ev.UserItemCommitted("user_2"))
    commands = evening.feed(ev.ReplyStarted("resp_2"))
    assert repairs(commands) == [do.CancelReply("resp_2")]
    evening.sends_sound("resp_2", item="item_2")
    commands = evening.feed(ev.ReplyDone("resp_2", "cancelled"))
    assert repairs(commands) == [do.DeleteItem("item_2")]
    assert evening.shows(Scene.SPEAKING)
    evening.passes(6.0)
    evening.says(item="user_3")
    assert only(evening.answers("resp_3", item="item_3"), do.Play), "a person is answered again"


def test_after_a_doubt_the_next_words_are_answered() -> None:
    evening = hears_through()
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.feed(ev.UserItemCommitted("user_2"), ev.ReplyDone("resp_1"))
    evening.passes(6.0)
    evening.says(item="user_3")
    assert only(evening.answers("resp_2", item="item_2"), do.Play)


def test_who_goes_on_talking_after_our_last_word_was_a_person_all_along() -> None:
    evening = hears_through()
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(4.8)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(2.0)
    assert evening.shows(Scene.HEARING)
    evening.feed(ev.SpeechStopped("user_2"), ev.UserItemCommitted("user_2"))
    assert repairs(evening.commands) == []
    assert only(evening.answers("resp_2", item="item_2"), do.Play)


def test_speech_that_ends_with_our_last_word_was_ours() -> None:
    evening = hears_through()
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(4.8)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(1.3)
    evening.feed(ev.SpeechStopped("user_2"))
    commands = evening.feed(ev.UserItemCommitted("user_2"))
    assert repairs(commands) == [do.DeleteItem("user_2")]
    assert evening.shows(Scene.LISTENING)


# --- the gate alone -----------------------------------------------------------------------


def test_while_somebody_may_be_speaking_the_answer_is_quieter() -> None:
    evening = hears_through()
    assert only(speaks(evening, 0.04), do.Duck) == [do.Duck(12.0)], "as soon as the gate is open"
    evening.over_us = False
    assert only(evening.passes(0.3), do.Duck) == []
    assert only(evening.passes(0.1), do.Duck) == [do.Duck(0.0)], "nothing came of it"
    assert evening.shows(Scene.SPEAKING)


def test_whoever_goes_on_when_we_have_finished_makes_nothing_quieter() -> None:
    evening = hears_through(insists_ms=5000)
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(4.9)
    speaks(evening, 0.2)
    assert only(evening.commands, do.Duck) == [do.Duck(12.0), do.Duck(0.0)]
    assert evening.speaker._dialogue.gate.person


def test_when_nobody_answers_speech_is_believed_though_an_earcon_shuts_the_gate() -> None:
    evening = Evening(echo="canceller")
    evening.is_answered(seconds=1.0)
    evening.passes(2.0)
    for _ in range(40):
        evening.sounded_at = evening.now
        evening.passes(0.02)
    evening.feed(ev.SpeechStarted("user_2"))
    assert evening.shows(Scene.HEARING)


def test_the_next_answer_is_as_loud_as_any() -> None:
    evening = hears_through()
    speaks(evening)
    evening.feed(ev.SpeechStarted("user_2"))
    assert only(evening.passes(0.04), do.Duck) == [do.Duck(0.0)]


def test_a_session_that_ends_meanwhile_leaves_nothing_quiet() -> None:
    evening = hears_through()
    speaks(evening)
    assert only(evening.feed(ev.LinkDown(ev.Trouble.NETWORK)), do.Duck) == [do.Duck(0.0)]


def test_who_is_heard_for_long_stops_the_answer_though_the_provider_hears_nothing() -> None:
    evening = hears_through(insists_ms=1000)
    assert only(speaks(evening, 0.9), do.Hush) == []
    commands = evening.passes(0.3)
    assert only(commands, do.Hush)
    assert repairs(commands)[0] == do.CancelReply("resp_1")
    assert evening.shows(Scene.LISTENING)
    evening.feed(ev.SpeechStarted("user_2"))
    assert evening.shows(Scene.HEARING)


def test_with_the_provider_as_the_only_judge_its_word_is_enough() -> None:
    evening = Evening(echo="half_duplex")
    evening.is_answered(seconds=6.0, heard_s=1.0, done=False)
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert only(commands, do.Hush)
    assert only(commands, do.CancelReply) == [], "it cancels by itself"


# --- the answer to it ---------------------------------------------------------------------


def test_a_turn_that_ends_before_the_cut_answer_is_done_is_asked_for() -> None:
    evening = hears_through()
    speaks(evening)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.over_us = False
    evening.passes(0.5)
    evening.feed(ev.SpeechStopped("user_2"))
    assert only(evening.feed(ev.UserItemCommitted("user_2")), do.AskReply) == []
    commands = evening.feed(ev.ReplyDone("resp_1", "cancelled", "client_cancelled"))
    assert only(commands, do.AskReply) == [do.AskReply()]
    assert only(evening.answers("resp_2", item="item_2"), do.Play)


def test_a_turn_that_ends_after_it_is_answered_without_being_asked_for() -> None:
    evening = hears_through()
    speaks(evening)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.feed(ev.ReplyDone("resp_1", "cancelled", "client_cancelled"))
    evening.over_us = False
    evening.passes(0.5)
    evening.feed(ev.SpeechStopped("user_2"), ev.UserItemCommitted("user_2"))
    assert only(evening.answers("resp_2", item="item_2"), do.Play)
    assert only(evening.commands, do.AskReply) == []


def test_an_answer_that_the_provider_begins_all_the_same_is_enough() -> None:
    evening = hears_through()
    speaks(evening)
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.feed(ev.UserItemCommitted("user_2"), ev.ReplyDone("resp_1", "cancelled"))
    evening.over_us = False
    evening.feed(ev.ReplyStarted("resp_2"))
    evening.feed(ev.RequestRefused("busy", "one is active", benign=True, asked=True, busy=True))
    evening.sends_sound("resp_2", item="item_2")
    evening.feed(ev.ReplyDone("resp_2"))
    assert len(only(evening.commands, do.AskReply)) == 1, "nobody wants a second answer"


def test_speech_that_was_over_before_the_gate_knew_is_answered_too() -> None:
    evening = hears_through()
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    commands = speaks(evening)
    assert only(commands, do.Hush)
    assert evening.shows(Scene.THINKING)
    assert repairs(evening.feed(ev.UserItemCommitted("user_2"))) == []
    commands = evening.feed(ev.ReplyDone("resp_1", "cancelled"))
    assert only(commands, do.AskReply)


def test_a_provider_that_interrupts_by_itself_answers_by_itself() -> None:
    evening = Evening(echo="off")
    evening.is_answered(seconds=6.0, heard_s=1.0, done=False)
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.forgets()
    evening.feed(ev.UserItemCommitted("user_2"), ev.ReplyDone("resp_1", "cancelled"))
    evening.passes(3.0)
    assert only(evening.commands, do.AskReply) == []


def test_what_was_stopped_is_not_answered_though_it_was_committed() -> None:
    evening = hears_through()
    speaks(evening)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.says_stop()
    evening.feed(ev.SpeechStopped("user_2"), ev.UserItemCommitted("user_2"))
    evening.feed(ev.ReplyDone("resp_1", "cancelled"))
    evening.passes(3.0)
    assert only(evening.commands, do.AskReply) == []


def test_a_cut_answer_that_never_ends_is_not_waited_for() -> None:
    evening = hears_through()
    speaks(evening)
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.feed(ev.UserItemCommitted("user_2"))
    assert only(evening.passes(1.9), do.AskReply) == []
    assert only(evening.passes(0.2), do.AskReply) == [do.AskReply()]


def test_a_ghost_does_not_delay_what_a_tool_found_out() -> None:
    evening = hears_through()
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"))
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.feed(ev.UserItemCommitted("user_2"), ev.ReplyDone("resp_1"))
    assert only(evening.feed(ev.ToolFinished("call_1", "noon")), do.AskReply) == [do.AskReply()]


# --- button and wake word -----------------------------------------------------------------


def test_the_wake_word_settles_a_doubt() -> None:
    evening = hears_through()
    evening.feed(ev.SpeechStarted("user_2"))
    commands = evening.wakes()
    assert only(commands, do.Hush)
    assert evening.shows(Scene.HEARING), "the words after it belong to the same utterance"
    evening.feed(ev.SpeechStopped("user_2"), ev.ReplyDone("resp_1", "cancelled"))
    assert repairs(evening.feed(ev.UserItemCommitted("user_2"))) == []


def test_a_stop_word_that_only_the_provider_heard_as_speech_is_forgotten() -> None:
    evening = hears_through()
    evening.feed(ev.SpeechStarted("user_2"))
    commands = evening.says_stop()
    assert only(commands, do.ClearInput) == [do.ClearInput()]
    assert evening.shows(Scene.LISTENING)


@pytest.mark.parametrize("settled", ["before", "after"])
def test_a_button_that_stops_a_doubted_answer_leaves_no_item_behind(settled: str) -> None:
    evening = hears_through()
    evening.feed(ev.SpeechStarted("user_2"))
    if settled == "before":
        evening.feed(ev.SpeechStopped("user_2"))
    evening.says_stop()
    commands = evening.feed(ev.UserItemCommitted("user_2"))
    expected = [do.DeleteItem("user_2")] if settled == "before" else []
    assert repairs(commands) == expected
    assert only(commands, do.AskReply) == []


def test_the_wake_word_after_a_ghost_was_deleted_is_an_interruption_like_any() -> None:
    evening = hears_through()
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.feed(ev.UserItemCommitted("user_2"))
    evening.wakes()
    assert evening.shows(Scene.LISTENING)


def test_a_button_held_to_talk_settles_a_doubt_and_is_heard_in_our_ring() -> None:
    evening = Evening(
        echo="canceller", bindings={"push": Bindings(Action.NONE, hold=Action.PUSH_TO_TALK)}
    )
    evening.is_answered(seconds=6.0, heard_s=1.0, done=False)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.holds()
    commands = evening.passes(0.2)
    assert only(commands, do.SendNoise) == [], "who holds the button is believed"
    evening.lets_go()
    evening.feed(ev.ReplyDone("resp_1", "cancelled"))
    evening.answers("resp_2", item="item_2", seconds=3.0)
    evening.passes(0.5)
    evening.wakes()
    assert evening.shows(Scene.LISTENING), "nobody has been heard yet"


def test_a_doubt_from_before_the_button_is_none_behind_it() -> None:
    evening = Evening(
        echo="canceller", bindings={"push": Bindings(Action.NONE, hold=Action.PUSH_TO_TALK)}
    )
    evening.is_answered(seconds=6.0, heard_s=5.8)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(0.3)
    assert evening.shows(Scene.LISTENING)
    evening.holds()
    evening.passes(0.2)
    evening.lets_go()
    evening.answers("resp_2", item="item_2", seconds=3.0)
    evening.wakes()
    assert evening.shows(Scene.LISTENING), "nobody has been heard yet"


def test_a_doubt_that_is_over_is_not_believed_because_the_button_is_held() -> None:
    evening = Evening(
        echo="canceller", bindings={"push": Bindings(Action.NONE, hold=Action.PUSH_TO_TALK)}
    )
    evening.is_answered(seconds=9.0, heard_s=2.0)
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.holds()
    evening.passes(0.6)
    evening.over_us = True
    for _ in range(5):
        evening.sounded_at = evening.now
        evening.passes(0.02)
    assert evening.shows(Scene.HEARING)


def test_between_presses_to_talk_nobody_is_listened_to() -> None:
    evening = Evening(
        echo="canceller", bindings={"push": Bindings(Action.NONE, hold=Action.PUSH_TO_TALK)}
    )
    evening.is_answered(seconds=1.0)
    evening.passes(2.0)
    evening.holds()
    evening.passes(0.5)
    evening.lets_go()
    evening.answers("resp_2", item="item_2", seconds=6.0)
    evening.forgets()
    speaks(evening, 3.0)
    assert only(evening.commands, do.Duck, do.Hush, do.SendAudio, do.SendNoise) == []


# --- what leaves the room -----------------------------------------------------------------


def test_noise_leaves_while_only_we_are_heard_and_the_first_syllable_when_somebody_is() -> None:
    evening = hears_through()
    during = evening.passes(0.4)
    assert sent(during) == []
    assert [noise.samples for noise in only(during, do.SendNoise)] == [NOISE] * 20
    newest = evening.frames
    commands = speaks(evening, 0.04)
    assert sent(commands) == list(range(newest + 2 - 9, newest + 2)), "160 ms, and the newest"
    leaving = only(commands, do.SendAudio)
    assert {(audio.clean, len(audio.samples)) for audio in leaving} == {(True, len(NOISE))}


def test_no_frame_leaves_twice_when_the_gate_opens_again_soon() -> None:
    evening = hears_through(hang_ms=0)
    speaks(evening)
    evening.over_us = False
    evening.passes(0.06)
    speaks(evening)
    numbers = sent(evening.commands)
    assert numbers == sorted(set(numbers))


def test_an_earcon_in_the_room_leaves_no_trace_in_what_is_sent() -> None:
    evening = Evening(echo="canceller")
    evening.is_answered(seconds=1.0)
    evening.passes(2.0)
    evening.sounded_at = evening.now
    evening.forgets()
    evening.passes(0.2)
    assert sent(evening.commands) == []
    assert only(evening.commands, do.Duck) == []


def test_the_wake_earcon_is_held_back_from_what_waits_for_the_line() -> None:
    evening = Evening(echo="canceller")
    evening.is_answered(seconds=1.0)
    evening.passes(2.0)
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.passes(2.0)
    evening.forgets()
    assert Chime.WOKEN in [each.chime for each in only(evening.wakes(), do.Sound)]
    first = evening.frames
    evening.sounded_at = evening.now
    evening.passes(0.2)
    after = evening.frames
    evening.passes(0.6)
    commands = evening.connects()
    numbers = sent(commands)
    assert not set(numbers) & set(range(first, after)), "the earcon"
    assert numbers[-1] == evening.frames - 1, "the words behind it"
    assert len(only(commands, do.SendNoise)) >= after - first


@pytest.mark.parametrize("before", ["a voice over us", "a wake word over us"])
def test_nothing_of_the_last_conversation_opens_the_gate_for_the_next_ones_earcon(
    before: str,
) -> None:
    evening = hears_through()
    speaks(evening) if before == "a voice over us" else evening.wakes()
    evening.over_us = False
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.passes(5.0)
    evening.wakes()
    evening.connects()
    evening.forgets()
    for _ in range(20):
        evening.sounded_at = evening.now
        evening.frame()
    assert sent(evening.commands) == []


def test_a_room_that_no_echo_driver_hears_is_taken_as_it_is() -> None:
    evening = hears_through()
    speaks(evening)
    evening.awake = False
    evening.passes(0.7)
    assert only(evening.commands, do.Duck)[-1] == do.Duck(0.0)
    assert only(evening.feed(ev.SpeechStarted("user_2")), do.Hush)


def test_between_the_wake_and_the_line_the_echo_driver_is_not_needed() -> None:
    evening = Evening(echo="canceller")
    evening.starts()
    evening.passes(1.0)
    evening.wakes()
    commands = evening.connects()
    raw = [(audio.clean, len(audio.samples)) for audio in only(commands, do.SendAudio)]
    assert raw == [(False, 640)] * 25


def test_what_the_echo_driver_found_out_is_told() -> None:
    evening = Evening()
    evening.starts()
    told = notes(evening.feed(ev.EchoMeasured("speex", 24.4, -12.5)), Fact.ECHO_MEASURED)
    assert [dict(note.fields) for note in told] == [
        {"driver": "speex", "erle_db": 24.4, "drift_ppm": -12.5}
    ]
