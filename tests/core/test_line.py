"""The line: nothing said is lost while it opens, and there is never more than one."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import FRAME_S, Evening, chimes, notes, only, sent


def test_in_one_breath_every_frame_leaves_exactly_once_and_in_order() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(10.0)
    evening.wakes(late_ms=100)
    first = evening.frames - round((0.1 + 0.5) / FRAME_S)
    evening.passes(1.5)
    assert sent(evening.commands) == [], "the configuration is not confirmed yet"
    evening.connects()
    assert sent(evening.commands) == list(range(first, evening.frames))
    evening.passes(2.0)
    assert sent(evening.commands) == list(range(first, evening.frames))


def test_an_accepted_line_is_not_yet_a_ready_one() -> None:
    evening = Evening()
    evening.starts()
    evening.wakes()
    evening.feed(ev.LinkAccepted("sess_1"))
    assert not only(evening.passes(1.0), do.SendAudio)


@pytest.mark.parametrize("preroll_ms", [0, 1, 20, 3000])
def test_the_preroll_is_as_long_as_it_is_set(preroll_ms: int) -> None:
    evening = Evening(Conversation(preroll_ms=preroll_ms))
    evening.starts()
    evening.passes(10.0)
    evening.wakes()
    frames = -(-preroll_ms // 20)
    assert len(sent(evening.connects())) == frames


def test_asleep_three_seconds_are_kept_and_connecting_fifteen() -> None:
    evening = Evening(Conversation(preroll_ms=3000, connect_timeout_s=60.0))
    evening.starts()
    evening.passes(10.0)
    evening.wakes()
    evening.passes(12.0)
    commands = evening.connects()
    assert len(sent(commands)) == 15 / FRAME_S
    assert not notes(commands, Fact.SOUND_DROPPED)


def test_what_the_ring_loses_is_counted_and_told() -> None:
    evening = Evening(Conversation(connect_timeout_s=60.0))
    evening.starts()
    evening.passes(10.0)
    evening.wakes()
    evening.passes(16.0)
    commands = evening.connects()
    assert sent(commands) == list(range(evening.frames - 750, evening.frames))
    dropped = notes(commands, Fact.SOUND_DROPPED)
    assert [told.fields["lost_samples"] for told in dropped] == [round(1.5 * 16_000)]
    assert dropped[0].warning


def test_losses_of_the_last_wake_are_not_told_again() -> None:
    evening = Evening(Conversation(connect_timeout_s=60.0))
    evening.starts()
    evening.wakes()
    evening.passes(20.0)
    evening.hangs_up()
    evening.passes(10.0)
    evening.wakes()
    assert not notes(evening.connects(), Fact.SOUND_DROPPED)


def test_sound_of_the_last_conversation_is_not_sent_into_the_next() -> None:
    evening = Evening(Conversation(preroll_ms=3000))
    evening.converses()
    evening.passes(1.0)
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    heard_before = evening.frames
    evening.passes(0.2)
    evening.wakes()
    assert sent(evening.connects()) == list(range(heard_before, evening.frames))


def test_a_wake_while_connecting_changes_nothing() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    evening.wakes()
    first = evening.frames - 25
    evening.passes(0.5)
    assert not only(evening.wakes(), do.OpenLink)
    assert sent(evening.connects()) == list(range(first, evening.frames))


def test_the_follow_up_needs_no_wake_word() -> None:
    evening = Evening()
    evening.is_answered(seconds=2.0, heard_s=2.1)
    evening.passes(7.0)
    evening.says(3.0, item="user_2")
    assert evening.shows(Scene.THINKING)
    evening.answers("resp_2", item="item_2")
    evening.passes(0.5)
    assert evening.shows(Scene.SPEAKING)


def test_silence_after_the_answer_has_finished_playing_closes_the_session() -> None:
    evening = Evening()
    evening.is_answered(seconds=20.0)
    assert not only(evening.passes(27.9), do.CloseLink)
    commands = evening.passes(0.2)
    assert len(only(commands, do.CloseLink)) == 1
    assert chimes(commands) == [Chime.SLEEPING]
    assert chimes(evening.hangs_up()) == [], "said already"


def test_a_wake_that_nobody_follows_up_closes_too() -> None:
    evening = Evening()
    evening.converses()
    evening.passes(8.1)
    assert evening.shows(Scene.ASLEEP)


def test_an_endless_conversation_is_ended() -> None:
    evening = Evening(Conversation(longest_s=30.0))
    evening.starts()
    evening.wakes()
    evening.connects()
    for turn in range(2):
        evening.says(item=f"user_{turn}")
        evening.answers(f"resp_{turn}", item=f"item_{turn}", seconds=12.0)
        evening.passes(12.5)
    commands = evening.passes(4.0)
    assert len(only(commands, do.CloseLink)) == 1
    evening.hangs_up()
    assert notes(evening.commands, Fact.SESSION_ENDED)[0].fields["reason"] == "length"


def test_woken_while_closing_it_greets_at_once_and_opens_when_the_old_line_is_gone() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.StopAsked())
    evening.passes(0.5)
    commands = evening.wakes()
    first = evening.frames - 25
    assert chimes(commands) == [Chime.WOKEN]
    assert not only(commands, do.OpenLink)
    assert evening.shows(Scene.WAKING)
    evening.passes(1.0)
    assert evening.shows(Scene.CONNECTING)
    evening.forgets()
    assert len(only(evening.hangs_up(), do.OpenLink)) == 1
    assert evening.shows(Scene.CONNECTING), "greeted already"
    assert notes(evening.commands, Fact.SESSION_ENDED)[0].fields["session_ms"] == 2000
    evening.passes(1.0)
    assert sent(evening.connects()) == list(range(first, evening.frames))


def test_woken_while_closing_it_survives_a_line_that_ends_badly() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.StopAsked())
    evening.wakes()
    commands = evening.hangs_up(ev.Trouble.NETWORK)
    assert len(only(commands, do.OpenLink)) == 1
    assert not notes(commands, Fact.TROUBLE)


def test_a_second_wake_while_closing_greets_no_more() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.StopAsked())
    evening.wakes()
    assert chimes(evening.wakes()) == []
    assert len(only(evening.hangs_up(), do.OpenLink)) == 1


@pytest.mark.parametrize(
    "regret", [ev.StopAsked(), ev.MuteAsked(True), ev.MicLost("gone"), ev.SpeakerLost("gone")]
)
def test_woken_while_closing_and_called_off(regret: ev.Event) -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.StopAsked())
    evening.wakes()
    commands = evening.feed(regret)
    assert not only(commands, do.CloseLink), "it is closing already"
    assert not only(evening.hangs_up(), do.OpenLink)
    assert evening.speaker._line.link.value == "down"


def test_a_press_calls_a_wake_while_closing_off() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.StopAsked())
    evening.presses()
    assert evening.shows(Scene.WAKING)
    evening.presses()
    assert evening.shows(Scene.ASLEEP)
    assert not only(evening.hangs_up(), do.OpenLink)


def test_woken_while_closing_a_line_that_never_goes_still_ends_the_process() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.StopAsked())
    evening.passes(1.0)
    evening.wakes()
    assert len(only(evening.passes(7.1), do.Fail)) == 1


def test_the_journal_knows_how_long_connecting_took() -> None:
    evening = Evening()
    evening.converses()
    connected = notes(evening.commands, Fact.CONNECTED)[0]
    assert connected.fields == {"session": "sess_1", "connect_ms": 500}
    evening.passes(1.0)
    evening.feed(ev.StopAsked())
    evening.hangs_up(detail="bye")
    ended = notes(evening.commands, Fact.SESSION_ENDED)[0]
    assert ended.fields == {
        "session": "sess_1",
        "reason": "stopped",
        "code": "1000",
        "detail": "bye",
        "cost_usd": 0.0,
        "session_ms": 1500,
    }


def test_a_session_that_the_provider_gives_no_name_is_told_by_its_number() -> None:
    evening = Evening()
    evening.starts()
    for number in ("1", "2"):
        evening.wakes()
        told = notes(evening.feed(ev.LinkAccepted(""), ev.LinkReady()), Fact.CONNECTED)
        assert told[0].fields["session"] == number
        evening.hangs_up()
        evening.passes(1.0)


def test_nothing_is_sent_on_a_line_that_is_closing() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5, done=False)
    evening.feed(ev.ToolCalled("resp_1", "call_1", "clock", "{}"))
    evening.feed(ev.StopAsked())
    late = evening.passes(0.5)
    late += evening.sends_sound()
    late += evening.feed(
        ev.SpeechStarted("user_2"),
        ev.SpeechStopped("user_2"),
        ev.ReplyStarted("resp_2"),
        ev.ToolFinished("call_1", "noon"),
        ev.ReplyDone("resp_1"),
    )
    assert only(late, do.SendAudio, do.SendNoise, do.AnswerTool, do.AskReply, do.Play) == []
