"""Buttons to talk: what is said while one is held is the utterance, and nothing else leaves."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import (
    AskReply,
    CancelReply,
    Chime,
    ClearInput,
    CommitInput,
    DeleteItem,
    DetectTurns,
    Fact,
    TruncateReply,
)
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import Evening, chimes, facts, notes, only, repairs, sent

PUSH = Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK)
BINDINGS = {
    "push": PUSH,
    "other": PUSH,
    "talk": Bindings(),
    "both": Bindings(press=Action.TALK, hold=Action.PUSH_TO_TALK),
}
TURN = (DetectTurns, ClearInput, CommitInput, AskReply)


def speaker(policy: Conversation | None = None) -> Evening:
    return Evening(policy, BINDINGS)


def turn(commands: list[do.Command]) -> list[do.Command]:
    """What the provider is told about whose turn it is, in order."""
    return [command for command in commands if isinstance(command, TURN)]


def talks(evening: Evening, seconds: float = 1.0, button: str = "push") -> list[do.Command]:
    """The button is held for so long."""
    commands = evening.holds(button)
    commands += evening.passes(seconds)
    return commands + evening.lets_go(button)


def has_talked(answer_s: float = 1.0) -> Evening:
    """Woken by the button, answered, and between presses."""
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    evening.holds()
    evening.connects()
    evening.passes(1.0)
    evening.lets_go()
    evening.answers(seconds=answer_s)
    evening.passes(answer_s + 0.5)
    evening.forgets()
    return evening


# --- from asleep --------------------------------------------------------------------------


def test_a_whole_turn_from_asleep() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    first = evening.frames - 15
    commands = evening.holds()
    assert len(only(commands, do.OpenLink)) == 1
    assert chimes(commands) == [Chime.WOKEN]
    assert evening.shows(Scene.WAKING)
    evening.passes(0.5)
    assert evening.shows(Scene.CONNECTING)
    commands = evening.connects()
    assert only(commands, DetectTurns) == [DetectTurns(False)]
    assert evening.shows(Scene.HEARING)
    evening.passes(1.0)
    commands = evening.lets_go()
    assert turn(commands) == [CommitInput(), AskReply()]
    assert sent(evening.commands) == list(range(first, evening.frames))
    assert evening.shows(Scene.THINKING)
    evening.answers(seconds=1.0)
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(0.6)
    assert evening.shows(Scene.ASLEEP), "nobody is listened to until the next press"
    evening.passes(8.1)
    assert len(only(evening.commands, do.CloseLink)) == 1
    assert chimes(evening.commands) == [Chime.WOKEN], "a silent end of a silent line"
    assert notes(evening.commands, Fact.FALSE_WAKE) == []


def test_let_go_before_the_line_is_up_only_what_was_said_till_then_leaves() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    first = evening.frames - 15
    talks(evening)
    last = evening.frames
    evening.passes(0.7)
    assert sent(evening.commands) == []
    commands = evening.connects()
    assert sent(commands) == list(range(first, last))
    assert turn(commands) == [DetectTurns(False), ClearInput(), CommitInput(), AskReply()]
    assert evening.shows(Scene.THINKING)
    assert sent(evening.passes(0.5)) == []
    evening.answers(seconds=1.0)
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)


def test_talked_twice_before_the_line_is_up_what_was_said_between_stays_here() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    first = evening.frames - 15
    talks(evening)
    pause = evening.frames
    evening.passes(1.0)
    again = evening.frames - 15
    talks(evening)
    last = evening.frames
    evening.passes(0.1)
    commands = evening.connects()
    assert sent(commands) == [*range(first, pause), *range(again, last)]
    assert turn(commands)[-2:] == [CommitInput(), AskReply()]


def test_talked_again_while_connecting_and_still_held() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    first = evening.frames - 15
    talks(evening)
    evening.passes(0.1)
    evening.holds()
    evening.connects()
    evening.passes(0.5)
    evening.lets_go()
    assert sent(evening.commands) == list(range(first, evening.frames)), "nothing twice"
    assert only(evening.commands, CommitInput, AskReply) == [CommitInput(), AskReply()]


def test_a_touch_too_brief_to_say_anything_opens_nothing_for_long() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    commands = talks(evening, 0.06)
    assert len(only(commands, do.OpenLink)) == len(only(commands, do.CloseLink)) == 1
    evening.hangs_up()
    evening.passes(1.0)
    assert turn(evening.commands) == []
    assert chimes(evening.commands) == [Chime.WOKEN]
    assert evening.shows(Scene.ASLEEP)


def test_a_touch_too_brief_while_the_line_is_up_is_forgotten() -> None:
    evening = has_talked()
    commands = talks(evening, 0.06)
    assert turn(commands) == [ClearInput()]
    assert sent(evening.passes(1.0)) == []
    evening.passes(7.1)
    assert len(only(evening.commands, do.CloseLink)) == 1


def test_what_was_forgotten_with_a_brief_touch_is_said_again() -> None:
    """A finger that slips: the word began before the second try."""
    evening = has_talked()
    talks(evening, 0.06)
    evening.passes(0.04)
    first = evening.frames - 15
    commands = talks(evening)
    assert sent(commands) == list(range(first, evening.frames))


def test_exactly_the_shortest_press_asks() -> None:
    for frames, asks in ((4, False), (5, True)):
        evening = has_talked()
        commands = evening.holds()
        for _ in range(frames):
            commands += evening.frame()
        commands += evening.lets_go()
        assert bool(only(commands, CommitInput, AskReply)) is asks


def test_a_button_pressed_before_anything_was_heard_asks_nothing() -> None:
    evening = speaker(Conversation(shortest_press_ms=0))
    evening.feed(ev.Started())
    evening.holds()
    assert len(only(evening.lets_go(), do.CloseLink)) == 1


def test_a_press_or_a_hold_on_one_button() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    first = evening.frames - 15
    evening.holds("both")
    assert only(evening.commands, do.OpenLink) == [], "which one is not known yet"
    assert evening.shows(Scene.WAKING), "but that it was touched is seen"
    evening.passes(0.3)
    evening.connects()
    evening.passes(1.0)
    commands = evening.lets_go("both")
    assert turn(commands) == [CommitInput(), AskReply()]
    assert sent(evening.commands) == list(range(first, evening.frames)), "from before the touch"


def test_a_short_press_on_that_button_lets_the_provider_find_the_end() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    evening.presses("both")
    evening.connects()
    evening.says()
    evening.answers(seconds=1.0)
    evening.passes(0.5)
    assert turn(evening.commands) == []
    assert evening.shows(Scene.SPEAKING)


# --- during a conversation ----------------------------------------------------------------


def test_between_presses_nothing_leaves() -> None:
    evening = has_talked()
    evening.passes(2.0)
    assert only(evening.commands, do.SendAudio, do.SendNoise) == []
    assert not any(shown.look.sending for shown in only(evening.commands, do.Show))


def test_every_press_is_a_turn_and_nothing_leaves_twice() -> None:
    evening = has_talked()
    left: list[int] = []
    for n in range(2, 5):
        first = evening.frames - 15
        commands = talks(evening)
        assert turn(commands) == [CommitInput(), AskReply()], "detection stays off"
        assert sent(commands) == list(range(first, evening.frames))
        left += sent(commands)
        evening.answers(f"resp_{n}", item=f"item_{n}", seconds=0.5)
        evening.passes(1.0)
    assert left == sorted(set(left))


def test_pressed_again_at_once_what_has_been_asked_is_not_said_again() -> None:
    evening = has_talked()
    talks(evening)
    committed = evening.frames
    evening.passes(0.1)
    commands = talks(evening)
    assert sent(commands) == list(range(committed, evening.frames))


def test_what_has_been_asked_is_not_said_again_although_detection_was_on_meanwhile() -> None:
    evening = has_talked()
    talks(evening)
    committed = evening.frames
    evening.wakes()
    evening.passes(0.1)
    commands = talks(evening)
    assert turn(commands)[:2] == [DetectTurns(False), ClearInput()]
    assert sent(commands) == list(range(committed, evening.frames))


def test_who_holds_the_button_is_heard_over_its_earcon_too() -> None:
    evening = has_talked()
    evening.holds()
    evening.passes(0.1)
    evening.sounded_at = evening.now
    evening.forgets()
    first = evening.frames
    commands = evening.passes(0.2)
    assert sent(commands) == list(range(first, evening.frames))
    assert only(commands, do.SendNoise) == []


def test_a_press_while_listening_takes_over() -> None:
    evening = speaker()
    evening.converses()
    evening.passes(1.0)
    first = evening.frames - 15
    commands = evening.holds()
    assert turn(commands) == [DetectTurns(False), ClearInput()]
    assert evening.shows(Scene.HEARING)
    commands += evening.passes(1.0) + evening.lets_go()
    assert sent(commands) == list(range(first, evening.frames))
    assert turn(commands)[2:] == [CommitInput(), AskReply()]


def test_a_press_while_somebody_speaks_goes_on_with_what_was_said() -> None:
    evening = speaker()
    evening.converses()
    evening.forgets()
    first = evening.frames
    evening.feed(ev.SpeechStarted("user_1"))
    evening.passes(1.0)
    commands = talks(evening)
    assert turn(commands) == [DetectTurns(False), CommitInput(), AskReply()]
    assert sent(evening.commands) == list(range(first, evening.frames)), "nothing twice"


def test_what_the_provider_still_says_of_its_own_detection_is_not_believed() -> None:
    evening = speaker()
    evening.converses()
    evening.feed(ev.SpeechStarted("user_1"))
    evening.passes(0.5)
    evening.holds()
    evening.feed(ev.SpeechStopped("user_1"), ev.UserItemCommitted("user_1"))
    assert evening.shows(Scene.HEARING)
    assert repairs(evening.feed(ev.ReplyStarted("resp_1"))) == [CancelReply("resp_1")]
    evening.feed(ev.SpeechStarted("user_2"))
    evening.passes(0.5)
    assert only(evening.lets_go(), CommitInput, AskReply) == [CommitInput()]
    assert only(evening.feed(ev.ReplyDone("resp_1", "cancelled")), AskReply) == [AskReply()]


def test_between_presses_nobody_is_taken_to_speak() -> None:
    """The provider may have heard something before it was told not to listen."""
    evening = has_talked()
    evening.feed(ev.SpeechStarted("user_9"))
    assert evening.shows(Scene.ASLEEP)
    talks(evening)
    evening.answers("resp_2", item="item_2", seconds=5.0)
    evening.passes(1.0)
    assert repairs(evening.feed(ev.SpeechStarted("user_9"))) == []
    assert evening.shows(Scene.SPEAKING)


def test_a_press_while_the_provider_thinks_asks_when_the_first_answer_is_called_off() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    evening.holds()
    evening.passes(0.5)
    assert only(evening.lets_go(), CommitInput, AskReply) == [CommitInput()]
    assert repairs(evening.feed(ev.ReplyStarted("resp_1"))) == [CancelReply("resp_1")]
    assert only(evening.feed(ev.ReplyDone("resp_1", "cancelled")), AskReply) == [AskReply()]
    evening.answers("resp_2", seconds=1.0)
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)


@pytest.mark.parametrize("done", [True, False])
def test_a_press_during_the_answer_interrupts_first(done: bool) -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=done)
    commands = evening.holds()
    cancelled: list[do.Command] = [] if done else [CancelReply("resp_1")]
    assert repairs(commands) == [*cancelled, TruncateReply("item_1", 0, 1000)]
    assert turn(commands) == [DetectTurns(False), ClearInput()]
    kinds = [type(command) for command in commands]
    assert kinds.index(do.Hush) < kinds.index(DetectTurns) < kinds.index(do.SendAudio)
    assert evening.shows(Scene.HEARING)
    assert len(sent(commands)) == 15, "what was said just before leaves though the gate was shut"


def test_asking_waits_until_the_cut_answer_is_done() -> None:
    evening = speaker()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    commands = talks(evening, 0.5) + evening.passes(2.0)
    assert only(commands, CommitInput, AskReply) == [CommitInput()]
    assert evening.shows(Scene.THINKING)
    commands = evening.feed(ev.ReplyDone("resp_1", "cancelled", "client_cancelled"))
    assert only(commands, AskReply) == [AskReply()]
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)


def test_a_press_while_the_last_one_is_still_being_asked() -> None:
    evening = has_talked()
    talks(evening)
    commands = talks(evening)
    assert only(commands, CommitInput, AskReply) == [CommitInput()]
    assert repairs(evening.feed(ev.ReplyStarted("resp_2"))) == [CancelReply("resp_2")]
    evening.sends_sound("resp_2", item="item_2")
    commands = evening.feed(ev.ReplyDone("resp_2", "cancelled"))
    assert repairs(commands) == [DeleteItem("item_2")]
    assert only(commands, AskReply) == [AskReply()]


def test_a_brief_touch_during_the_answer_only_stops_it() -> None:
    evening = has_talked(answer_s=1.0)
    talks(evening)
    evening.answers("resp_2", item="item_2", seconds=5.0)
    evening.passes(1.0)
    commands = talks(evening, 0.06) + evening.passes(1.0)
    assert repairs(commands) == [TruncateReply("item_2", 0, 1000)]
    assert turn(commands) == [ClearInput()]


def test_a_tool_that_nobody_waits_for_does_not_keep_the_next_turn_waiting() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"), ev.ToolCalled("resp_1", "call_1", "slow", "{}"))
    evening.feed(ev.ReplyDone("resp_1"))
    assert only(talks(evening), CommitInput, AskReply) == [CommitInput(), AskReply()]
    evening.answers("resp_2", seconds=5.0)
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)
    commands = evening.feed(ev.ToolFinished("call_1", "at last"))
    assert only(commands, do.AnswerTool, AskReply) == [do.AnswerTool("call_1", "at last")]


# --- back to the provider's detection -----------------------------------------------------


def test_the_wake_word_turns_detection_on_again() -> None:
    evening = has_talked()
    first = evening.frames - 25
    evening.wakes()
    assert only(evening.commands, DetectTurns) == [DetectTurns(True)]
    assert evening.shows(Scene.LISTENING)
    evening.passes(0.5)
    assert sent(evening.commands) == list(range(first, evening.frames))
    evening.says(item="user_2")
    assert evening.shows(Scene.THINKING)


def test_a_press_to_talk_turns_detection_on_again() -> None:
    evening = has_talked()
    evening.presses("talk")
    assert only(evening.commands, DetectTurns) == [DetectTurns(True)]
    assert evening.shows(Scene.LISTENING)
    evening.passes(8.1)
    assert chimes(evening.commands)[-1] is Chime.SLEEPING


def test_every_conversation_begins_with_detection() -> None:
    evening = has_talked()
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.forgets()
    evening.wakes()
    evening.connects()
    evening.says()
    assert evening.shows(Scene.THINKING)
    assert turn(evening.commands) == []


# --- fingers and hands --------------------------------------------------------------------


def test_a_second_button_to_talk_changes_nothing() -> None:
    evening = has_talked()
    first = evening.frames - 15
    evening.holds("push")
    evening.passes(0.5)
    commands = evening.holds("other")
    assert (turn(commands), chimes(commands)) == ([], [])
    evening.passes(0.06)
    assert turn(evening.lets_go("push")) == [CommitInput(), AskReply()]
    assert sent(evening.commands) == list(range(first, evening.frames)), "nothing twice"
    evening.passes(0.5)
    assert turn(evening.lets_go("other")) == [], "the first one ends it"


def test_a_press_to_talk_and_the_wake_word_are_nothing_while_a_button_is_held() -> None:
    evening = has_talked()
    evening.holds()
    evening.passes(0.5)
    commands = evening.presses("talk") + evening.wakes()
    assert turn(commands) == []
    assert evening.shows(Scene.HEARING)
    assert turn(evening.lets_go()) == [CommitInput(), AskReply()]


def test_muted_while_held() -> None:
    evening = has_talked()
    evening.holds()
    evening.passes(0.5)
    commands = evening.feed(ev.MuteAsked(True))
    assert len(only(commands, do.CloseLink)) == len(only(commands, do.CloseMicrophone)) == 1
    assert turn(evening.lets_go()) == []
    evening.hangs_up()
    assert evening.shows(Scene.MUTED)


def test_muted_nobody_may_talk_and_is_told() -> None:
    evening = speaker()
    evening.starts(muted=True)
    commands = talks(evening)
    assert chimes(commands) == [Chime.MUTED]
    assert only(commands, do.OpenLink) == []


@pytest.mark.parametrize("trouble", [ev.Trouble.NETWORK, None])
def test_a_line_lost_while_held(trouble: ev.Trouble | None) -> None:
    evening = has_talked()
    evening.holds()
    evening.passes(0.5)
    evening.hangs_up(trouble)
    commands = evening.passes(0.5) + evening.lets_go() + evening.passes(5.0)
    assert turn(commands) == []
    assert evening.shows(Scene.ASLEEP)
    assert len(only(talks(evening), do.OpenLink)) == 1, "and the next press works"


def test_a_line_lost_while_connecting_and_held() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    evening.holds()
    evening.passes(0.5)
    evening.hangs_up(ev.Trouble.NETWORK)
    commands = evening.lets_go() + evening.passes(5.0)
    assert only(commands, do.OpenLink) == []
    assert evening.shows(Scene.ASLEEP)


def test_held_longer_than_an_utterance_may_last() -> None:
    evening = has_talked()
    evening.holds()
    evening.passes(59.9)
    assert evening.shows(Scene.HEARING)
    assert len(only(evening.passes(0.2), do.CloseLink)) == 1
    assert turn(evening.lets_go()) == []


def test_pressed_while_the_last_conversation_is_closing() -> None:
    evening = has_talked()
    evening.feed(ev.StopAsked())
    evening.passes(0.5)
    first = evening.frames - 15
    evening.forgets()
    evening.holds()
    evening.passes(0.5)
    evening.hangs_up()
    evening.passes(0.2)
    evening.connects()
    evening.passes(0.2)
    evening.lets_go()
    assert sent(evening.commands) == list(range(first, evening.frames))
    assert only(evening.commands, CommitInput, AskReply) == [CommitInput(), AskReply()]


def test_a_brief_touch_calls_off_only_what_it_began() -> None:
    """Woken by the word, and then a finger slipped over the button."""
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    evening.wakes()
    evening.passes(0.2)
    talks(evening, 0.06)
    evening.passes(0.2)
    evening.connects()
    assert evening.shows(Scene.LISTENING)
    assert turn(evening.commands) == []


def test_a_press_is_seen_and_heard_at_once() -> None:
    for evening in (speaker(), has_talked()):
        if not evening.frames:
            evening.starts()
            evening.passes(1.0)
        commands = evening.holds()
        assert chimes(commands) == [Chime.WOKEN]
        assert len(only(commands, do.Show)) == 1


def test_an_answer_while_held_is_not_heard() -> None:
    evening = has_talked()
    talks(evening)
    evening.feed(ev.ReplyStarted("resp_2"))
    evening.holds()
    assert only(evening.sends_sound("resp_2", item="item_2"), do.Play) == []


def test_the_turn_is_told_with_its_times() -> None:
    evening = has_talked()
    talks(evening)
    evening.passes(0.4)
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(1.1)
    fields = notes(evening.commands, Fact.TURN_ENDED)[-1].fields
    assert fields["speech_end_to_first_audio_ms"] == 400
    assert fields["heard_ms"] == 1000


def test_the_button_is_named_in_the_journal() -> None:
    evening = speaker()
    evening.starts()
    evening.passes(1.0)
    commands = evening.holds()
    assert Fact.WOKEN in facts(commands)
    assert [told.fields["word"] for told in notes(commands, Fact.WOKEN)] == ["button"]


def test_an_answer_refused_because_another_is_being_made_is_asked_for_again() -> None:
    """The provider had just committed the first half of what was said when the button came."""
    evening = Evening(bindings=BINDINGS)
    evening.converses()
    evening.feed(ev.SpeechStarted("user_1"))
    evening.passes(1.0)
    evening.holds()
    evening.passes(1.0)
    assert len(only(evening.lets_go(), AskReply)) == 1
    evening.feed(ev.ReplyStarted("resp_1"))
    evening.feed(ev.RequestRefused("busy", "one is being made", benign=True, asked=True, busy=True))
    evening.sends_sound(seconds=0.5)
    assert len(only(evening.feed(ev.ReplyDone("resp_1")), AskReply)) == 1
    evening.answers("resp_2", item="item_2", seconds=0.5)
    evening.passes(0.7)
    assert evening.shows(Scene.SPEAKING)


def test_an_answer_that_is_refused_for_good_does_not_make_the_button_dumb() -> None:
    evening = has_talked()
    talks(evening)
    evening.feed(ev.RequestRefused("server_error", "no", benign=False, asked=True))
    assert evening.shows(Scene.TROUBLE)
    evening.passes(evening.policy.trouble_s + 0.1)
    assert evening.shows(Scene.ASLEEP)
    assert len(only(talks(evening), AskReply)) == 1


def test_a_cancelled_answer_that_never_ends_costs_two_seconds() -> None:
    evening = speaker()
    evening.is_answered(3.0, heard_s=1.0, done=False)
    assert not only(talks(evening), AskReply)
    assert not only(evening.passes(0.9), AskReply)
    assert len(only(evening.passes(1.2), AskReply)) == 1


def test_a_due_answer_that_nobody_wants_and_that_never_begins_costs_two_seconds() -> None:
    evening = speaker()
    evening.converses()
    evening.says()
    assert not only(talks(evening), AskReply)
    assert len(only(evening.passes(2.1), AskReply)) == 1
