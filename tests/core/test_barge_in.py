"""Interruptions: silence first, then the truth about what was heard, whoever interrupts."""

from collections.abc import Callable

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import AskReply, CancelReply, DeleteItem, Fact, TruncateReply
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import WIRE_RATE, Evening, notes, only, repairs, sent

BINDINGS = {
    "push": Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK),
    "stop": Bindings(press=Action.STOP, long=Action.NONE),
}
WAYS: dict[str, Callable[[Evening], list[do.Command]]] = {
    "speech": lambda evening: evening.feed(ev.SpeechStarted("user_2")),
    "wake word": Evening.wakes,
    "stop word": Evening.says_stop,
    "touch": lambda evening: evening.holds("talk"),
    "stop button": lambda evening: evening.holds("stop"),
    "held button": lambda evening: evening.holds("push"),
}
OURS = [way for way in WAYS if way != "speech"]
"""Of these the provider knows nothing until it is told."""


def speaker(*, slow_to_hush: bool = False) -> Evening:
    evening = Evening(Conversation(stop_words=("stop",)), BINDINGS)
    evening.slow_to_hush = slow_to_hush
    return evening


def sounds_out(evening: Evening, seconds: float = 1.0) -> None:
    """An answer that starts now is really played to its end, and then the user is listened to."""
    evening.passes(seconds - 0.1)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(0.2)
    assert evening.shows(Scene.LISTENING)


# --- silence first ------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("done", [True, False])
def test_whoever_interrupts_it_is_silent_before_anything_else_is_said(way: str, done: bool) -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=done)
    commands = WAYS[way](evening)
    told = only(commands, do.Hush, TruncateReply, DeleteItem)
    assert told == [do.Hush(), TruncateReply("item_1", 0, 1000)]
    commands += evening.passes(1.0, room=False)
    assert len(only(commands, do.Hush)) == 1


@pytest.mark.parametrize("way", WAYS)
def test_only_where_the_provider_does_not_know_it_is_told_to_stop(way: str) -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    cancelled = only(WAYS[way](evening), CancelReply)
    assert cancelled == ([] if way == "speech" else [CancelReply("resp_1")])


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_is_complete_is_not_cancelled(way: str) -> None:
    evening = speaker()
    evening.is_answered(seconds=60.0, heard_s=2.5)
    assert repairs(WAYS[way](evening)) == [TruncateReply("item_1", 0, 2500)]


@pytest.mark.parametrize("gesture", ["short", "long", "double"])
def test_the_touch_is_enough_whatever_the_gesture_will_be(gesture: str) -> None:
    evening = Evening(bindings={"talk": Bindings(double=Action.END)})
    evening.is_answered(seconds=5.0, heard_s=1.0)
    touched = evening.holds("talk")
    assert only(touched, do.Hush, TruncateReply) == [do.Hush(), TruncateReply("item_1", 0, 1000)]
    later = evening.passes(1.0 if gesture == "long" else 0.1)
    later += evening.lets_go("talk")
    if gesture == "double":
        later += evening.passes(0.1) + evening.presses("talk")
    later += evening.passes(0.5)
    assert only(later, do.Hush, TruncateReply, DeleteItem) == []
    shown = {"short": Scene.LISTENING, "long": Scene.MUTED, "double": Scene.ASLEEP}
    if gesture != "short":
        evening.hangs_up()
    assert evening.shows(shown[gesture])


def test_a_finger_on_the_volume_does_not_interrupt() -> None:
    bindings = {"up": Bindings(press=Action.VOLUME_UP, long=Action.NONE, hold=Action.VOLUME_UP)}
    evening = Evening(bindings=bindings)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.holds("up") + evening.passes(1.0) + evening.lets_go("up")
    assert only(commands, do.Hush) == []
    assert len(only(commands, do.SetVolume)) >= 3
    assert evening.shows(Scene.SPEAKING)


def test_a_press_during_the_answer_interrupts_and_listens() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.presses("talk") + evening.passes(1.0)
    assert only(commands, do.CloseLink, do.OpenLink) == []
    assert evening.shows(Scene.LISTENING)


def test_a_press_that_stops_does_not_end_the_conversation() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.presses("stop")
    evening.passes(1.0)
    assert evening.shows(Scene.LISTENING)
    evening.presses("stop")
    assert evening.shows(Scene.ASLEEP), "where nothing plays it ends it"


# --- the truth ----------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_what_was_heard_is_what_the_loudspeaker_says_when_it_is_silent(way: str) -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    assert only(WAYS[way](evening), do.Hush, TruncateReply) == [do.Hush()]
    evening.now += 0.03
    assert repairs(evening.hushed(late_ms=24)) == [TruncateReply("item_1", 0, 1024)]


def test_the_provider_is_told_to_stop_before_the_loudspeaker_has_answered() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    assert repairs(evening.wakes()) == [CancelReply("resp_1")]
    assert repairs(evening.hushed()) == [TruncateReply("item_1", 0, 1000)]


def test_the_truth_is_never_less_than_what_was_told_already() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.wakes()
    assert repairs(evening.hushed(late_ms=-100)) == [TruncateReply("item_1", 0, 1000)]


def test_the_truth_is_never_more_than_was_received() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    evening.wakes()
    assert repairs(evening.hushed(late_ms=60_000)) == [TruncateReply("item_1", 0, 5000)]


def test_nothing_is_taken_back_of_an_answer_that_sounded_out_meanwhile() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=1.0, heard_s=0.98)
    evening.wakes()
    commands = evening.hushed(late_ms=20)
    assert repairs(commands) == []
    assert [told.fields["heard_ms"] for told in notes(commands, Fact.INTERRUPTED)] == [1000]


def test_the_item_that_sounded_last_is_found_when_the_loudspeaker_is_silent() -> None:
    evening = speaker(slow_to_hush=True)
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    evening.sends_sound(seconds=1.0, item="one")
    evening.sends_sound(seconds=1.0, item="two")
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(0.98)
    evening.wakes()
    assert repairs(evening.hushed(late_ms=40)) == [TruncateReply("two", 0, 20)]


def test_milliseconds_are_whole_ones_that_were_heard() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.wakes()
    assert repairs(evening.hushed(late_ms=0.9)) == [TruncateReply("item_1", 0, 1000)]


def test_the_louder_or_softer_it_is_the_same_is_heard() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=0.5)
    evening.feed(ev.VolumeTurned(-3))
    evening.passes(0.5)
    evening.feed(ev.VolumeTurned(1), ev.SpeakerUnderran(120.0))
    assert repairs(evening.wakes()) == [TruncateReply("item_1", 0, 1000)]


# --- what was heard of which item ---------------------------------------------------------


def test_nothing_heard_is_deleted_and_never_cut_at_nothing() -> None:
    for way in WAYS:
        evening = speaker()
        evening.is_answered(seconds=5.0)
        assert repairs(WAYS[way](evening)) == [DeleteItem("item_1")], way


def test_less_than_a_millisecond_is_nothing() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0)
    evening.wakes()
    assert repairs(evening.hushed(late_ms=0.9)) == [DeleteItem("item_1")]


def test_an_answer_of_which_nothing_came_is_only_cancelled() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    commands = evening.wakes()
    assert repairs(commands) == [CancelReply("resp_1")]
    assert only(commands, do.Hush) == []


def test_an_answer_that_was_caught_up_with_is_cut_where_it_was() -> None:
    """All that had come was heard, and the provider believes that more was."""
    evening = speaker()
    evening.is_answered(seconds=1.0, heard_s=1.5, done=False)
    assert repairs(evening.wakes()) == [CancelReply("resp_1"), TruncateReply("item_1", 0, 1000)]


def test_speech_in_a_gap_of_the_answer_cuts_it_too() -> None:
    evening = speaker()
    evening.is_answered(seconds=1.0, heard_s=1.5, done=False)
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert repairs(commands) == [TruncateReply("item_1", 0, 1000)]
    assert only(evening.sends_sound(), do.Play) == []
    assert evening.shows(Scene.HEARING)


def test_after_the_last_sample_there_is_nothing_to_cut() -> None:
    for way in WAYS:
        evening = speaker()
        evening.is_answered(seconds=1.0, heard_s=1.5)
        assert repairs(WAYS[way](evening)) == [], way


def test_of_an_earlier_answer_that_was_heard_nothing_is_taken_back() -> None:
    evening = speaker()
    evening.is_answered(seconds=1.0, heard_s=1.5)
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=5.0)
    evening.passes(0.5)
    assert repairs(evening.wakes()) == [TruncateReply("item_2", 0, 500)]


def test_a_tools_answer_is_cut_together_with_the_words_before_it() -> None:
    evening = speaker()
    evening.is_answered(seconds=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.feed(ev.ToolFinished("call_1", "noon"))
    evening.answers("resp_2", item="item_2", seconds=2.0)
    evening.passes(0.5)
    assert repairs(evening.wakes()) == [TruncateReply("item_1", 0, 500), DeleteItem("item_2")]


def test_a_tools_answer_is_cut_after_the_words_before_it_were_heard() -> None:
    evening = speaker()
    evening.is_answered(seconds=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.feed(ev.ToolFinished("call_1", "noon"))
    evening.answers("resp_2", item="item_2", seconds=2.0, done=False)
    evening.passes(1.5)
    assert repairs(evening.feed(ev.SpeechStarted("user_2"))) == [TruncateReply("item_2", 0, 500)]


def test_an_answer_still_being_made_is_cancelled_too() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    assert repairs(evening.wakes()) == [
        CancelReply("resp_1"),
        TruncateReply("item_1", 0, 1000),
    ]


def test_speech_over_the_answer_is_cancelled_by_the_provider_itself() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert len(only(commands, do.Hush)) == 1
    assert repairs(commands) == [TruncateReply("item_1", 0, 1000)]
    assert evening.shows(Scene.HEARING)


def test_speech_over_an_answer_that_was_complete_long_ago_cuts_it_all_the_same() -> None:
    evening = Evening()
    evening.is_answered(seconds=60.0, heard_s=2.5)
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert len(only(commands, do.Hush)) == 1
    assert repairs(commands) == [TruncateReply("item_1", 0, 2500)]


def test_items_are_cut_deleted_or_left_by_how_much_of_them_was_heard() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    for item in ("heard", "begun", "never"):
        evening.sends_sound(seconds=1.0, item=item)
    evening.passes(1.4)
    assert repairs(evening.wakes()) == [
        CancelReply("resp_1"),
        TruncateReply("begun", 0, 400),
        DeleteItem("never"),
    ]


def test_nothing_is_taken_back_of_an_item_heard_to_its_end() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    evening.sends_sound(seconds=1.0, item="one")
    evening.sends_sound(seconds=1.0, item="two")
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(1.2)
    assert repairs(evening.wakes()) == [TruncateReply("two", 0, 200)]


def test_an_answer_cut_before_its_first_sound_is_deleted() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.answers(done=False)
    commands = evening.feed(ev.SpeechStarted("user_2"))
    assert len(only(commands, do.Hush)) == 1
    assert repairs(commands) == [DeleteItem("item_1")]


def test_a_content_part_begun_late_does_not_delete_what_was_heard_of_its_item() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    evening.sends_sound(seconds=1.0, item="one", index=0)
    evening.sends_sound(seconds=1.0, item="one", index=1)
    evening.passes(0.4)
    assert repairs(evening.wakes()) == [CancelReply("resp_1"), TruncateReply("one", 0, 400)]


def test_items_that_alternate_are_counted_each_by_itself() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    for item in ("one", "two", "one"):
        evening.sends_sound(seconds=1.0, item=item)
    evening.passes(2.5)
    assert repairs(evening.wakes()) == [CancelReply("resp_1"), TruncateReply("one", 0, 1500)]


@pytest.mark.parametrize("by", ["speech", "wake word"])
def test_late_sound_of_a_cut_answer_is_dropped_until_it_is_done(by: str) -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5, done=False)
    evening.feed(ev.SpeechStarted("user_2")) if by == "speech" else evening.wakes()
    late = evening.sends_sound() + evening.sends_sound(item="item_2")
    late += evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"))
    late += evening.feed(ev.ReplyDone("resp_1", "cancelled", "turn_detected"))
    assert only(late, do.Play, do.FinishPlay, do.RunTool) == []
    assert evening.shows(Scene.HEARING if by == "speech" else Scene.LISTENING)


def test_a_cut_answer_does_not_come_back_under_its_name() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5, done=False)
    evening.wakes()
    evening.feed(ev.ReplyDone("resp_1", "cancelled"), ev.ReplyStarted("resp_1"))
    assert only(evening.sends_sound(), do.Play) == []


def test_the_answer_after_an_interruption_is_heard_to_its_end() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.wakes()
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    sounds_out(evening)


@pytest.mark.parametrize("by", ["speech", "wake word"])
def test_the_books_agree_with_the_loudspeaker_after_a_cut_in_silence(by: str) -> None:
    """Everything queued had been heard: nothing to hush, and yet the counts begin anew."""
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.5)
    evening.says(item="user_2")
    evening.says(item="user_3") if by == "speech" else evening.wakes()
    evening.says(item="user_4")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(0.3)
    assert repairs(evening.feed(ev.SpeechStarted("user_5"))) == [TruncateReply("item_2", 0, 300)]


# --- what comes late ----------------------------------------------------------------------


@pytest.mark.parametrize("way", OURS)
def test_late_items_are_deleted_when_the_answer_is_done(way: str) -> None:
    evening = speaker()
    evening.is_answered(seconds=2.0, heard_s=0.5, done=False)
    WAYS[way](evening)
    late = (
        evening.sends_sound() + evening.sends_sound(item="late") + evening.sends_sound(item="late")
    )
    assert repairs(late) == []
    done = evening.feed(ev.ReplyDone("resp_1", "cancelled", "client_cancelled"))
    assert repairs(done) == [DeleteItem("late")], "the other one has been cut already"
    assert repairs(evening.feed(ev.ReplyDone("resp_1"))) == []


def test_items_of_an_answer_that_nobody_wanted_are_deleted() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    evening.wakes()
    evening.feed(ev.ReplyStarted("resp_1"))
    evening.sends_sound(item="one")
    evening.sends_sound(item="two")
    done = evening.feed(ev.ReplyDone("resp_1", "cancelled"))
    assert repairs(done) == [DeleteItem("one"), DeleteItem("two")]


def test_the_truth_may_come_after_the_answer_is_done() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=2.0, heard_s=0.5, done=False)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.sends_sound(item="late")
    done = evening.feed(ev.ReplyDone("resp_1", "cancelled", "turn_detected"))
    assert repairs(done) == [DeleteItem("late")]
    assert repairs(evening.hushed(late_ms=10)) == [TruncateReply("item_1", 0, 510)]


def test_the_next_answer_may_come_before_the_truth_about_the_last() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=2.0, heard_s=0.5)
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.answers("resp_2", item="item_2", seconds=1.0)
    assert repairs(evening.hushed(late_ms=10)) == [TruncateReply("item_1", 0, 510)]
    sounds_out(evening)


# --- loudspeakers that do not answer ------------------------------------------------------


def test_a_loudspeaker_that_does_not_answer_is_waited_for_briefly() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.feed(ev.SpeechStarted("user_2"))
    commands += evening.passes(0.19)
    assert repairs(commands) == []
    assert repairs(evening.passes(0.02)) == [TruncateReply("item_1", 0, 1000)]
    assert repairs(evening.hushed(late_ms=30)) == [], "it is told once"


def test_an_answer_to_the_last_cut_is_not_taken_for_one_to_the_next() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=4.0)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(0.3)
    evening.feed(ev.SpeechStopped("user_2"))
    evening.answers("resp_2", item="item_2", seconds=9.0)
    evening.passes(1.0)
    evening.feed(ev.SpeechStarted("user_3"))
    assert repairs(evening.feed(ev.SpeakerHushed(4 * WIRE_RATE))) == []
    assert repairs(evening.feed(ev.SpeakerHushed(WIRE_RATE))) == [TruncateReply("item_2", 0, 1000)]


def test_a_second_cut_does_not_wait_for_the_first_ones_truth() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    evening.answers("resp_2", item="item_2", seconds=5.0)
    evening.plays(0.1)
    cut = evening.feed(ev.SpeechStarted("user_3"))
    assert repairs(cut) == [TruncateReply("item_1", 0, 1000)]
    assert len(evening.hushes) == 2
    assert repairs(evening.feed(ev.SpeakerHushed(round(1.02 * WIRE_RATE)))) == []
    assert repairs(evening.feed(ev.SpeakerHushed(round(0.12 * WIRE_RATE)))) == [
        TruncateReply("item_2", 0, 120)
    ]


def test_a_loudspeaker_that_broke_its_promise_once_is_believed_in_the_next_conversation() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(0.3)
    evening.hushes.clear()
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.wakes()
    evening.connects()
    evening.says()
    evening.answers("resp_1", seconds=5.0)
    evening.passes(1.0)
    evening.feed(ev.SpeechStarted("user_2"))
    assert repairs(evening.hushed(late_ms=15)) == [TruncateReply("item_1", 0, 1015)]


def test_a_loudspeaker_lost_before_it_answered_ends_the_conversation() -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2"))
    commands = evening.feed(ev.SpeakerLost("unplugged"))
    commands += evening.hushed() + evening.passes(0.5)
    assert repairs(commands) == [], "nobody is left to be told"
    assert len(only(commands, do.CloseLink)) == 1
    ended = notes(commands, Fact.TURN_ENDED)
    assert [(told.fields["heard_ms"], told.fields["interrupted"]) for told in ended] == [(1000, 1)]


@pytest.mark.parametrize("end", [ev.LinkDown(ev.Trouble.NETWORK), ev.StopAsked()])
def test_a_line_lost_before_the_loudspeaker_answered_is_told_nothing(end: ev.Event) -> None:
    evening = speaker(slow_to_hush=True)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2"))
    commands = evening.feed(end)
    commands += evening.hushed(late_ms=20) + evening.passes(0.5)
    assert only(commands, TruncateReply, DeleteItem, CancelReply) == []
    ended = notes(commands, Fact.TURN_ENDED)
    assert [(told.fields["heard_ms"], told.fields["interrupted"]) for told in ended] == [(1000, 1)]


# --- the gate and the first words ---------------------------------------------------------


def test_what_was_said_since_shortly_before_the_wake_word_leaves_once() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=2.0)
    first = evening.frames - 25
    evening.forgets()
    evening.wakes()
    evening.passes(1.0)
    assert sent(evening.commands) == list(range(first, evening.frames))
    assert only(evening.commands, do.SendNoise) == []


def test_a_word_recognised_late_costs_no_frame_and_doubles_none() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=2.0)
    first = evening.frames - 10 - 25
    evening.forgets()
    evening.wakes(late_ms=200)
    evening.passes(0.2)
    assert sent(evening.commands) == list(range(first, evening.frames))


def test_what_had_left_before_the_answer_began_does_not_leave_again() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    evening.answers(seconds=5.0)
    evening.passes(0.2)
    evening.wakes()
    evening.passes(0.2)
    left = sent(evening.commands)
    assert left == sorted(set(left))
    assert left[-20:] == list(range(evening.frames - 20, evening.frames)), "nor is any lost"


def test_what_was_said_since_shortly_before_a_press_leaves_once() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=2.0)
    first = evening.frames - 15
    evening.forgets()
    evening.presses("talk", seconds=0.2)
    evening.passes(0.5)
    assert sent(evening.commands) == list(range(first, evening.frames))


def test_after_a_stop_the_room_rings_out_before_it_is_listened_to() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.says_stop()
    assert sent(evening.passes(0.28)) == []
    assert len(sent(evening.passes(0.2))) >= 9


# --- the stop word ------------------------------------------------------------------------


def test_the_stop_word_ends_the_answer_and_begins_no_turn() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.says_stop()
    commands += evening.passes(7.9)
    assert only(commands, AskReply, do.CommitInput) == []
    assert evening.shows(Scene.LISTENING)
    evening.passes(0.2)
    assert evening.shows(Scene.ASLEEP)


def test_asleep_the_stop_word_does_nothing() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    assert evening.says_stop() == []


@pytest.mark.parametrize("when", ["connecting", "listening", "hearing"])
def test_where_nothing_plays_the_stop_word_does_nothing(when: str) -> None:
    evening = speaker()
    if when == "connecting":
        evening.starts()
        evening.wakes()
    else:
        evening.converses()
    if when == "hearing":
        evening.feed(ev.SpeechStarted("user_1"))
    assert evening.says_stop() == []


def test_while_the_provider_thinks_the_stop_word_calls_the_answer_off() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    evening.says_stop()
    assert evening.shows(Scene.LISTENING)
    assert repairs(evening.feed(ev.ReplyStarted("resp_1"))) == [CancelReply("resp_1")]
    assert only(evening.sends_sound(), do.Play) == []


def test_a_stop_word_that_was_heard_as_an_utterance_is_forgotten() -> None:
    evening = Evening(Conversation(stop_words=("stop",)), echo="off")
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(0.4)
    assert only(evening.says_stop(), do.ClearInput) == [do.ClearInput()]
    assert evening.shows(Scene.LISTENING)


def test_an_answer_to_the_stop_word_itself_is_not_wanted() -> None:
    """Its utterance was complete before the provider learned that it is to be forgotten."""
    evening = Evening(Conversation(stop_words=("stop",)), echo="off")
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(0.4)
    evening.says_stop()
    evening.feed(ev.SpeechStopped("user_2"), ev.UserItemCommitted("user_2"))
    assert evening.shows(Scene.LISTENING)
    assert repairs(evening.feed(ev.ReplyStarted("resp_2"))) == [CancelReply("resp_2")]
    assert only(evening.sends_sound("resp_2", item="item_2"), do.Play) == []
    evening.feed(ev.ReplyDone("resp_2", "cancelled"))
    evening.says(item="user_3")
    evening.answers("resp_3", item="item_3", seconds=1.0)
    sounds_out(evening)


def test_after_a_stop_that_was_heard_as_an_utterance_no_tool_is_answered() -> None:
    evening = Evening(Conversation(stop_words=("stop",)), echo="off")
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.feed(ev.SpeechStarted("user_2"))
    evening.feed(ev.ToolFinished("call_1", "noon"))
    commands = evening.says_stop() + evening.passes(1.0)
    assert only(commands, AskReply) == []
    assert evening.shows(Scene.LISTENING)
    assert only(evening.feed(ev.ReplyDone("resp_1")), AskReply) == []


def test_speech_that_cut_nothing_is_not_forgotten_for_a_stop_word() -> None:
    evening = Evening(Conversation(stop_words=("stop",)), echo="off")
    evening.is_answered(seconds=1.0, heard_s=1.5)
    evening.feed(ev.SpeechStarted("user_2"))
    assert evening.says_stop() == []
    assert evening.shows(Scene.HEARING)


def test_the_wake_word_itself_may_only_stop() -> None:
    evening = Evening(Conversation(wake_while_speaking="stop"))
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.wakes()
    assert repairs(commands) == [TruncateReply("item_1", 0, 1000)]
    assert sent(commands) == [], "nothing of it leaves"
    assert sent(evening.passes(0.28)) == []
    evening.passes(8.0)
    assert evening.shows(Scene.ASLEEP)
    evening.hangs_up()
    assert len(only(evening.wakes(), do.OpenLink)) == 1, "asleep it wakes"


def test_a_wake_word_that_may_only_stop_was_heard_as_an_utterance() -> None:
    evening = Evening(Conversation(wake_while_speaking="stop"), echo="off")
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(0.4)
    assert only(evening.wakes(), do.ClearInput) == [do.ClearInput()]
    assert evening.shows(Scene.LISTENING)


# --- what is asked for next ---------------------------------------------------------------


def test_an_outcome_for_a_cut_answer_is_told_and_not_spoken_about() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"))
    evening.wakes()
    commands = evening.feed(ev.ToolFinished("call_1", "noon"), ev.ReplyDone("resp_1", "cancelled"))
    assert only(commands, do.AnswerTool) == [do.AnswerTool("call_1", "noon")]
    assert only(commands + evening.passes(2.0), AskReply) == []


def test_an_answer_is_asked_for_only_when_every_other_is_done() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"), ev.ToolCalled("resp_1", "call_1", "clock", "{}"))
    evening.feed(ev.SpeechStarted("user_2"), ev.SpeechStopped("user_2"))
    assert only(evening.feed(ev.ToolFinished("call_1", "noon")), AskReply) == []
    assert only(evening.feed(ev.ReplyStarted("resp_2")), AskReply) == []
    assert only(evening.feed(ev.ReplyDone("resp_2")), AskReply) == [], "the first is not"
    assert only(evening.feed(ev.ReplyDone("resp_1", "cancelled")), AskReply) == [AskReply()]


def test_the_bill_of_a_cut_answer_stands_in_the_line_of_its_turn() -> None:
    evening = Evening()
    evening.is_answered(5.0, heard_s=1.0, done=False)
    assert not notes(evening.wakes(), Fact.TURN_ENDED), "it has not come yet"
    used = ev.Usage(audio_in=100, audio_out=900)
    told = notes(evening.feed(ev.ReplyDone("resp_1", "cancelled", usage=used)), Fact.TURN_ENDED)
    assert told[0].fields["audio_out_tokens"] == 900
    assert told[0].fields["heard_ms"] == 1000


def test_a_cut_turn_whose_bill_never_comes_is_told_when_the_line_goes() -> None:
    evening = Evening()
    evening.is_answered(5.0, heard_s=1.0, done=False)
    evening.wakes()
    told = notes(evening.hangs_up(ev.Trouble.NETWORK), Fact.TURN_ENDED)
    assert [one.fields["heard_ms"] for one in told] == [1000]


def test_a_bill_that_comes_before_the_loudspeaker_has_answered_is_told_too() -> None:
    """A provider that cancels by itself says so right after the speech it has heard."""
    evening = Evening(echo="off")
    evening.slow_to_hush = True
    evening.is_answered(5.0, heard_s=1.0, done=False)
    evening.feed(ev.SpeechStarted("user_2"))
    used = ev.Usage(audio_in=100, audio_out=900)
    evening.feed(ev.ReplyDone("resp_1", "cancelled", "turn_detected", usage=used))
    told = notes(evening.hushed(), Fact.TURN_ENDED)
    assert [one.fields["audio_out_tokens"] for one in told] == [900]
