"""A conversation that outlives its sessions: lines break, grow old, and are woken again."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact, Recall
from edged.core.scenes import Scene
from edged.core.settings import Conversation, History

from ..script import FRAME_S, Evening, chimes, facts, notes, only, sent

BROKEN = ev.LinkDown(ev.Trouble.NETWORK, "1006", "the line broke", transient=True)
EXPIRED = ev.LinkDown(None, "1001", "Your session hit the maximum duration of 60 minutes.")


def told(commands: list[do.Command]) -> list[tuple[str, str]]:
    """What a new session is told, but for the last word, which is ours."""
    items = only(commands, Recall)
    assert [item.who for item in items[-1:]] in ([], ["system"])
    return [(item.who, item.text) for item in items[:-1]]


def talk(evening: Evening, number: int, question: str, answer: str) -> None:
    """One question, answered and heard to the end."""
    evening.says(item=f"user_{number}")
    evening.answers(f"resp_{number}", item=f"item_{number}", seconds=2.0)
    evening.feed(ev.ReplyText(f"resp_{number}", f"item_{number}", answer))
    evening.feed(ev.UserText(f"user_{number}", question))
    evening.passes(3.0)


def test_a_line_that_breaks_is_opened_once_more_and_told_what_was_said() -> None:
    evening = Evening()
    evening.converses()
    talk(evening, 1, "What is the time?", "Nine o'clock.")
    evening.forgets()
    evening.feed(BROKEN)
    assert evening.shows(Scene.CONNECTING)
    assert not chimes(evening.commands)
    evening.passes(1.0)
    assert len(only(evening.commands, do.OpenLink)) == 1
    commands = evening.connects()
    assert told(commands) == [("user", "What is the time?"), ("assistant", "Nine o'clock.")]
    assert evening.shows(Scene.LISTENING)
    assert Fact.TROUBLE not in facts(evening.commands)
    assert not only(commands, do.AskReply)


def test_the_pause_before_that_differs_from_speaker_to_speaker() -> None:
    waits = []
    for jitter in (0.0, 1.0):
        evening = Evening()
        evening.converses()
        evening.feed(ev.LinkDown(ev.Trouble.NETWORK, "1006", transient=True, jitter=jitter))
        deadline = evening.speaker.deadline()
        assert deadline is not None
        waits.append(deadline - evening.now)
    assert waits == pytest.approx([0.5, 0.75])


def test_what_is_said_while_the_line_is_gone_leaves_in_order() -> None:
    evening = Evening()
    evening.converses()
    talk(evening, 1, "Hello?", "Hello.")
    evening.forgets()
    evening.feed(BROKEN)
    first = evening.frames
    evening.passes(2.0)
    assert sent(evening.commands) == []
    assert sent(evening.connects()) == list(range(first, evening.frames))


def test_an_utterance_cut_in_two_by_the_break_is_sent_again_whole() -> None:
    evening = Evening()
    evening.converses()
    talk(evening, 1, "Hello?", "Hello.")
    evening.feed(ev.SpeechStarted("user_2"))
    began = evening.frames
    evening.passes(2.0)
    evening.feed(BROKEN)
    evening.passes(1.0)
    frames = sent(evening.connects())
    assert frames[0] == began - round(0.6 / FRAME_S)
    assert frames == list(range(frames[0], evening.frames))


def test_a_question_that_was_not_answered_yet_is_heard_again_and_told_only_once() -> None:
    evening = Evening()
    evening.converses()
    evening.says(item="user_1")
    evening.feed(ev.UserText("user_1", "What is the time?"), ev.ReplyStarted("resp_1"))
    evening.feed(BROKEN)
    evening.passes(1.0)
    commands = evening.connects()
    assert told(commands) == []
    assert len(sent(commands)) > 1.0 / FRAME_S


def test_of_an_answer_that_the_break_cut_only_what_was_heard_is_told() -> None:
    evening = Evening()
    evening.converses()
    evening.says(item="user_1")
    evening.answers(seconds=4.0)
    evening.feed(ev.UserText("user_1", "And tomorrow?"))
    evening.feed(ev.ReplyText("resp_1", "item_1", "Tomorrow it will rain all day long."))
    evening.passes(2.0)
    evening.feed(BROKEN)
    assert not evening.speaker._dialogue.playback.audible
    evening.passes(1.0)
    commands = evening.connects()
    assert told(commands) == [("user", "And tomorrow?"), ("assistant", "Tomorrow it will\u2026")]
    assert not only(commands, do.AskReply), "it was being answered"


def test_what_a_tool_has_done_is_not_done_twice() -> None:
    evening = Evening()
    evening.converses()
    evening.says(item="user_1")
    evening.feed(ev.UserText("user_1", "Set a timer."), ev.ReplyStarted("resp_1"))
    evening.feed(ev.ToolCalled("resp_1", "call_1", "timer", '{"minutes": 3}'))
    evening.feed(ev.ToolFinished("call_1", "set"))
    evening.feed(BROKEN)
    evening.passes(1.0)
    commands = evening.connects()
    assert told(commands) == [
        ("user", "Set a timer."),
        ("system", 'The tool timer was called: {"minutes": 3} It returned: set'),
    ]
    assert only(commands, do.AskReply)
    first = sent(commands)[0]
    assert first >= evening.frames - 1.1 / FRAME_S, "the question is not heard again"


def test_a_line_that_breaks_again_at_once_is_trouble() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(BROKEN)
    evening.passes(1.0)
    evening.connects()
    evening.passes(2.0)
    evening.feed(BROKEN)
    assert evening.shows(Scene.TROUBLE)
    evening.passes(10.0)
    assert evening.shows(Scene.ASLEEP)


def test_a_line_that_does_not_come_back_is_trouble() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(BROKEN)
    evening.passes(1.0)
    evening.feed(BROKEN)
    assert evening.shows(Scene.TROUBLE)


@pytest.mark.parametrize("trouble", [ev.Trouble.KEY, ev.Trouble.CREDIT, ev.Trouble.PROVIDER])
def test_what_another_try_would_not_mend_is_not_tried(trouble: ev.Trouble) -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.LinkDown(trouble, "4000"))
    evening.passes(2.0)
    assert len(only(evening.commands, do.OpenLink)) == 1


def test_a_press_or_a_mute_ends_the_waiting() -> None:
    for ends in (ev.StopAsked(), ev.MuteAsked(True)):
        evening = Evening()
        evening.converses()
        evening.feed(BROKEN, ends)
        evening.passes(20.0, room=False)
        assert len(only(evening.commands, do.OpenLink)) == 1
        assert evening.speaker._line.link.value == "down"


def test_between_presses_to_talk_a_broken_line_stays_down() -> None:
    from .test_push_to_talk import BINDINGS

    evening = Evening(bindings=BINDINGS)
    evening.starts()
    evening.passes(1.0)
    evening.holds()
    evening.passes(0.5)
    evening.connects()
    evening.passes(1.0)
    evening.lets_go()
    evening.answers()
    evening.passes(3.0)
    evening.feed(BROKEN)
    evening.passes(2.0)
    assert len(only(evening.commands, do.OpenLink)) == 1


def test_a_word_spoken_by_the_button_is_sent_again() -> None:
    from .test_push_to_talk import BINDINGS

    evening = Evening(bindings=BINDINGS)
    evening.starts()
    evening.passes(1.0)
    evening.holds()
    evening.passes(0.5)
    evening.connects()
    evening.passes(1.0)
    evening.lets_go()
    first = sent(evening.commands)
    evening.forgets()
    evening.feed(BROKEN)
    evening.passes(1.0)
    commands = evening.connects()
    assert sent(commands) == first
    assert only(commands, do.CommitInput)
    assert only(commands, do.AskReply)


def test_an_old_session_is_replaced_when_nobody_speaks() -> None:
    evening = Evening(Conversation(rotate_minutes=1.0, longest_s=900.0))
    evening.converses()
    talk(evening, 1, "Hello?", "Hello.")
    while evening.now < 1058.0:
        evening.says(item="user_2")
        evening.answers("resp_x" + str(evening.now), item="item_x", seconds=2.0)
        evening.passes(3.0)
    evening.says(6.0, item="user_3")
    assert not notes(evening.commands, Fact.ROTATED), "somebody speaks"
    evening.answers("resp_3", item="item_3", seconds=2.0)
    evening.passes(4.0)
    assert len(notes(evening.commands, Fact.ROTATED)) == 1
    evening.hangs_up()
    first = evening.frames
    evening.passes(1.0)
    commands = evening.connects()
    assert ("user", "Hello?") in told(commands)
    assert sent(commands)[-1] == evening.frames - 1
    assert sent(commands)[0] <= first
    assert evening.shows(Scene.LISTENING)
    assert Chime.SLEEPING not in chimes(evening.commands)


def test_the_provider_may_say_how_long_a_session_lasts() -> None:
    evening = Evening(Conversation(longest_s=900.0))
    evening.starts()
    evening.wakes()
    evening.feed(ev.LinkAccepted("sess_1", lasts_s=60.0), ev.LinkReady())
    evening.says(29.0)
    evening.answers(seconds=1.0)
    evening.passes(4.0)
    assert notes(evening.commands, Fact.ROTATED)


@pytest.mark.parametrize("lasts_s", [-3600.0, 0.0, 5.0])
def test_a_session_that_is_dated_by_a_wrong_clock_is_not_replaced_over_and_over(
    lasts_s: float,
) -> None:
    evening = Evening()
    evening.starts()
    evening.wakes()
    evening.feed(ev.LinkAccepted("sess_1", lasts_s=lasts_s), ev.LinkReady())
    evening.passes(7.0)
    assert not notes(evening.commands, Fact.ROTATED)


def test_where_no_silent_moment_came_the_agreed_end_is_no_trouble() -> None:
    evening = Evening()
    evening.converses()
    for turn in range(8):
        talk(evening, turn, "Go on?", "On.")
        evening.says(2.0, item="x")
        evening.answers(f"r{turn}", item=f"i{turn}", seconds=1.0)
        evening.passes(2.0)
    evening.feed(EXPIRED)
    evening.passes(1.0)
    assert told(evening.connects())
    assert not notes(evening.commands, Fact.TROUBLE)


def test_with_a_memory_of_nothing_a_line_that_breaks_still_goes_on() -> None:
    evening = Evening(history=History(minutes=0))
    evening.converses()
    talk(evening, 1, "What is the time?", "Nine.")
    evening.feed(BROKEN)
    evening.passes(1.0)
    assert told(evening.connects())
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.passes(1.0)
    evening.wakes()
    assert not told(evening.connects())


def test_woken_again_soon_the_conversation_goes_on_and_later_it_does_not() -> None:
    for minutes, known in ((4.0, True), (6.0, False)):
        evening = Evening()
        evening.converses()
        talk(evening, 1, "What is the time?", "Nine.")
        evening.feed(ev.StopAsked())
        evening.hangs_up()
        evening.now += minutes * 60
        evening.passes(1.0)
        evening.wakes()
        commands = evening.connects()
        assert bool(told(commands)) is known
        assert not only(commands, do.AskReply)


def test_memory_is_bounded_in_items_and_characters_the_newest_count() -> None:
    for policy, kept in (
        (History(items=3), ["Answer 3.", "Question 4?", "Answer 4."]),
        (History(characters=20), ["Question 4?", "Answer 4."]),
        (History(minutes=0), []),
        (History(items=0), []),
    ):
        evening = Evening(history=policy)
        evening.converses()
        for turn in range(5):
            talk(evening, turn, f"Question {turn}?", f"Answer {turn}.")
        evening.feed(ev.StopAsked())
        evening.hangs_up()
        evening.passes(1.0)
        evening.wakes()
        assert [text for _, text in told(evening.connects())] == kept
