"""How a conversation goes on by itself, and how it ends: silence, goodbye, false wakes, limits."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import AskReply, Chime, CommitInput, Fact
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import Evening, chimes, notes, only, sent

PUSH = {"push": Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK), "talk": Bindings()}


def closes_after(evening: Evening, seconds: float) -> None:
    """The speaker listens for so long, and not longer."""
    evening.passes(seconds - 0.1)
    assert evening.shows(Scene.LISTENING)
    evening.passes(0.2)
    assert evening.shows(Scene.ASLEEP)


def asks(evening: Evening, reply: str = "resp_1", text: str = "Shall I?") -> None:
    """The answer that plays turns out to end like this."""
    evening.feed(ev.ReplyText(reply, "item_1", text))


# --- after the answer ---------------------------------------------------------------------


def test_the_time_to_go_on_counts_from_the_last_sample_not_from_the_last_word_received() -> None:
    evening = Evening()
    evening.is_answered(seconds=20.0, heard_s=19.9)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(0.1)
    closes_after(evening, 8.0)
    assert chimes(evening.commands)[-1] is Chime.SLEEPING


def test_after_a_question_there_is_more_time() -> None:
    evening = Evening()
    evening.is_answered(seconds=2.0, done=False)
    asks(evening)
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(2.0)
    closes_after(evening, 15.0)


def test_a_statement_gives_no_more() -> None:
    evening = Evening()
    evening.is_answered(seconds=2.0, done=False)
    asks(evening, text="Is that so? It is.")
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(2.0)
    closes_after(evening, 8.0)


def test_a_question_is_forgotten_by_the_next_answer() -> None:
    evening = Evening()
    evening.is_answered(seconds=2.0, done=False)
    asks(evening)
    evening.feed(ev.ReplyDone("resp_1"))
    evening.passes(3.0)
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(1.0)
    closes_after(evening, 8.0)


def test_a_question_that_was_cut_off_is_none() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    asks(evening)
    evening.feed(ev.ReplyDone("resp_1"))
    evening.wakes()
    closes_after(evening, 8.0)


def test_a_question_of_an_answer_that_nobody_hears_is_none() -> None:
    evening = Evening()
    evening.is_answered(seconds=5.0, heard_s=1.0, done=False)
    evening.wakes()
    asks(evening)
    evening.feed(ev.ReplyDone("resp_1", "cancelled"))
    closes_after(evening, 8.0)


def test_who_goes_on_in_time_needs_no_wake_word_and_has_all_the_time_again() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.0)
    for n in range(2, 5):
        evening.passes(7.5)
        evening.says(item=f"user_{n}")
        evening.answers(f"resp_{n}", item=f"item_{n}", seconds=1.0)
        evening.passes(1.0)
    closes_after(evening, 8.0)
    assert len(only(evening.commands, do.OpenLink)) == 1


def test_after_push_to_talk_the_end_is_silent() -> None:
    evening = Evening(bindings=PUSH)
    evening.is_answered(seconds=1.0, heard_s=1.5)
    evening.holds("push")
    evening.passes(1.0)
    evening.lets_go("push")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.forgets()
    evening.passes(9.2)
    assert len(only(evening.commands, do.CloseLink)) == 1
    assert chimes(evening.commands) == []


# --- goodbye ------------------------------------------------------------------------------


def says_goodbye(*, sound_s: float = 0.0, done: bool = True) -> Evening:
    """The model takes leave, with or without a word."""
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    if sound_s:
        evening.sends_sound(seconds=sound_s)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "goodbye", "{}"))
    if done:
        evening.feed(ev.ReplyDone("resp_1"))
    return evening


TAKES_LEAVE = ev.ToolFinished("call_1", "bye", farewell=True)


def test_goodbye_without_a_word_ends_the_conversation_at_once() -> None:
    evening = says_goodbye()
    commands = evening.feed(TAKES_LEAVE)
    assert only(commands, do.AnswerTool) == [do.AnswerTool("call_1", "bye")]
    assert only(commands, AskReply) == []
    assert len(only(commands, do.CloseLink)) == 1
    assert chimes(commands) == [Chime.SLEEPING]
    evening.hangs_up()
    ended = notes(evening.commands, Fact.SESSION_ENDED)
    assert [told.fields["reason"] for told in ended] == ["goodbye"]


def test_goodbye_waits_for_the_provider_to_be_done() -> None:
    evening = says_goodbye(done=False)
    assert only(evening.feed(TAKES_LEAVE), do.CloseLink) == []
    assert len(only(evening.feed(ev.ReplyDone("resp_1")), do.CloseLink)) == 1


@pytest.mark.parametrize("quick", [True, False])
def test_the_words_of_a_goodbye_are_heard_to_the_end(quick: bool) -> None:
    evening = says_goodbye(sound_s=2.0)
    if quick:
        evening.feed(TAKES_LEAVE)
        evening.passes(1.9)
    else:
        evening.passes(1.9)
        evening.feed(TAKES_LEAVE)
    assert evening.shows(Scene.SPEAKING)
    commands = evening.passes(0.1)
    assert len(only(commands, do.CloseLink)) == 1
    assert only(evening.commands, AskReply) == []


def test_a_goodbye_that_is_done_after_its_words() -> None:
    evening = says_goodbye(sound_s=1.0)
    evening.passes(1.5)
    assert evening.shows(Scene.WORKING)
    assert len(only(evening.feed(TAKES_LEAVE), do.CloseLink)) == 1


def test_who_speaks_again_before_it_is_over_is_answered() -> None:
    evening = says_goodbye(sound_s=2.0)
    evening.feed(TAKES_LEAVE)
    evening.passes(1.0)
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(1.0)
    closes_after(evening, 8.0)


def test_a_goodbye_is_not_over_when_somebody_speaks_meanwhile() -> None:
    evening = says_goodbye()
    evening.feed(ev.SpeechStarted("user_2"))
    evening.feed(TAKES_LEAVE)
    evening.passes(0.5)
    evening.feed(ev.SpeechStopped("user_2"))
    evening.answers("resp_2", item="item_2", seconds=1.0)
    evening.passes(1.0)
    closes_after(evening, 8.0)


@pytest.mark.parametrize("by", ["wake word", "press"])
def test_who_interrupts_a_goodbye_is_listened_to(by: str) -> None:
    evening = says_goodbye(sound_s=2.0)
    evening.feed(TAKES_LEAVE)
    evening.passes(1.0)
    commands = evening.wakes() if by == "wake word" else evening.presses()
    assert only(commands, do.CloseLink) == []
    assert evening.shows(Scene.LISTENING)


def test_a_goodbye_of_an_answer_that_was_cut_is_none() -> None:
    evening = says_goodbye()
    evening.wakes()
    evening.feed(TAKES_LEAVE)
    closes_after(evening, 8.0)


def test_a_goodbye_beside_a_question_about_the_time_waits_for_the_time() -> None:
    evening = says_goodbye(done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_2", "clock", "{}"), ev.ReplyDone("resp_1"))
    evening.feed(TAKES_LEAVE)
    assert only(evening.feed(ev.ToolFinished("call_2", "noon")), AskReply) == [AskReply()]
    evening.answers("resp_2", seconds=1.0)
    assert len(only(evening.passes(1.1), do.CloseLink)) == 1


def test_the_next_conversation_does_not_begin_with_a_goodbye() -> None:
    evening = says_goodbye(sound_s=2.0)
    evening.feed(TAKES_LEAVE)
    evening.hangs_up(ev.Trouble.NETWORK)
    evening.wakes()
    evening.connects()
    closes_after(evening, 6.0)


# --- false wakes --------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["wake word", "button", "shell"])
def test_a_false_wake_ends_in_silence_and_is_told(by: str) -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    if by == "wake word":
        evening.wakes()
    elif by == "button":
        evening.presses()
    else:
        evening.feed(ev.WakeAsked())
    evening.connects()
    closes_after(evening, 6.0)
    evening.hangs_up()
    assert chimes(evening.commands) == [Chime.WOKEN]
    word = "hey_jarvis" if by == "wake word" else by
    false = notes(evening.commands, Fact.FALSE_WAKE)
    assert [told.fields["word"] for told in false] == [word]
    ended = notes(evening.commands, Fact.SESSION_ENDED)
    assert [told.fields["reason"] for told in ended] == ["false wake"]
    billed = (AskReply, CommitInput, do.AnswerTool)
    assert only(evening.commands, *billed) == []
    assert notes(evening.commands, Fact.TURN_ENDED) == []


def test_the_wake_word_again_gives_more_time() -> None:
    evening = Evening()
    evening.converses()
    evening.passes(5.0)
    evening.wakes()
    closes_after(evening, 6.0)


def test_a_conversation_is_no_false_wake() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.0)
    closes_after(evening, 8.0)
    assert notes(evening.commands, Fact.FALSE_WAKE) == []
    assert chimes(evening.commands) == [Chime.WOKEN, Chime.SLEEPING]


def test_a_false_wake_after_a_conversation_is_one() -> None:
    evening = Evening()
    evening.is_answered(seconds=1.0, heard_s=1.0)
    evening.passes(8.1)
    evening.hangs_up()
    evening.forgets()
    evening.wakes()
    evening.connects()
    closes_after(evening, 6.0)
    assert len(notes(evening.commands, Fact.FALSE_WAKE)) == 1


# --- limits -------------------------------------------------------------------------------


def test_the_longest_utterance_ends_the_conversation() -> None:
    evening = Evening(Conversation(utterance_timeout_s=20.0))
    evening.converses()
    evening.feed(ev.SpeechStarted("user_1"))
    evening.passes(19.9)
    assert evening.shows(Scene.HEARING)
    commands = evening.passes(0.2)
    assert len(only(commands, do.CloseLink)) == 1
    assert chimes(commands) == [Chime.SLEEPING]


def test_an_utterance_that_goes_on_after_a_pause_is_another_one() -> None:
    evening = Evening(Conversation(utterance_timeout_s=20.0))
    evening.converses()
    for n in range(3):
        evening.says(15.0, item=f"user_{n}")
        assert evening.shows(Scene.THINKING)


@pytest.mark.parametrize("when", ["listening", "speaking"])
def test_the_longest_conversation_ends_whoever_speaks(when: str) -> None:
    evening = Evening(Conversation(longest_s=30.0, follow_up_s=60.0))
    evening.is_answered(seconds=60.0 if when == "speaking" else 1.0)
    evening.passes(27.0)
    commands = evening.passes(3.0)
    assert len(only(commands, do.CloseLink)) == 1
    assert evening.queued == 0, "and it is silent"
    evening.hangs_up()
    ended = notes(evening.commands, Fact.SESSION_ENDED)
    assert [told.fields["reason"] for told in ended] == ["length"]


# --- what leaves meanwhile ----------------------------------------------------------------


def test_with_no_echo_the_room_is_heard_all_the_while() -> None:
    evening = Evening(echo="off")
    evening.converses()
    evening.forgets()
    first = evening.frames
    evening.says()
    evening.answers(seconds=2.0)
    evening.passes(1.0)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(2.0)
    assert sent(evening.commands) == list(range(first, evening.frames))
    assert only(evening.commands, do.SendNoise) == []


def test_with_no_echo_a_wake_word_over_the_answer_sends_nothing_twice() -> None:
    evening = Evening(echo="off")
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.forgets()
    first = evening.frames
    evening.wakes()
    evening.passes(0.5)
    assert sent(evening.commands) == list(range(first, evening.frames))


def test_the_mark_that_sound_leaves_follows_the_rooms_own_only() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    evening.wakes()
    evening.passes(1.0)
    looks: list[tuple[Scene, bool]] = []

    def look() -> tuple[Scene, bool]:
        shown = only(evening.commands, do.Show)[-1].look
        return shown.scene, shown.sending

    assert look() == (Scene.CONNECTING, False)
    evening.connects()
    looks.append(look())
    evening.says()
    looks.append(look())
    evening.answers(seconds=1.0)
    evening.passes(0.5)
    looks.append(look())
    evening.passes(0.7)
    looks.append(look())
    evening.passes(0.3)
    looks.append(look())
    evening.feed(ev.StopAsked())
    looks.append(look())
    assert looks == [
        (Scene.LISTENING, True),
        (Scene.THINKING, True),
        (Scene.SPEAKING, False),
        (Scene.LISTENING, False),
        (Scene.LISTENING, True),
        (Scene.ASLEEP, False),
    ]


def test_while_a_button_is_held_sound_leaves_and_the_mark_says_so() -> None:
    evening = Evening(bindings=PUSH)
    evening.starts()
    evening.passes(1.0)
    evening.holds("push")
    evening.connects()
    evening.passes(0.5)
    assert only(evening.commands, do.Show)[-1].look.sending
    evening.lets_go("push")
    evening.passes(0.02)
    assert not only(evening.commands, do.Show)[-1].look.sending
