"""The speaker as a whole: wake, talk, fall asleep, be muted, be in trouble, and recover."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact
from edged.core.events import Trouble
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Look, Scene
from edged.core.settings import Conversation
from edged.core.troubles import ADVICE

from ..script import Evening, chimes, facts, notes, only, sent

PASSING = [Trouble.NETWORK, Trouble.KEY, Trouble.CREDIT, Trouble.PROVIDER]


def test_it_starts_dark_and_opens_the_microphone_once() -> None:
    evening = Evening()
    commands = evening.starts()
    assert len(only(commands, do.OpenMicrophone)) == 1
    assert only(commands, do.Show) == [do.Show(Look(Scene.ASLEEP))]
    assert evening.shows(Scene.ASLEEP)


def test_started_muted_it_leaves_the_microphone_alone() -> None:
    evening = Evening()
    commands = evening.starts(muted=True)
    assert not only(commands, do.OpenMicrophone)
    assert evening.shows(Scene.MUTED)
    assert only(commands, do.Show)[-1] == do.Show(Look(Scene.MUTED))
    assert len(only(evening.feed(ev.MuteAsked(False)), do.OpenMicrophone)) == 1


def test_started_without_a_key_it_shows_so_and_listens_all_the_same() -> None:
    evening = Evening()
    missing = "there is no key for the provider; edged setup"
    commands = evening.feed(ev.Started(keyless=missing))
    assert len(only(commands, do.OpenMicrophone)) == 1
    assert only(commands, do.Show)[-1] == do.Show(Look(Scene.TROUBLE, Trouble.KEY))
    (told,) = (note for note in only(commands, do.Note) if note.fact is Fact.TROUBLE)
    assert told.fields["detail"] == missing
    evening.microphone_opens()
    evening.dozes(Conversation().trouble_s)
    assert evening.shows(Scene.ASLEEP)


def test_a_whole_evening() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(5.0)
    assert not only(evening.commands, do.SendAudio, do.SendNoise, do.OpenLink)
    assert chimes(evening.wakes()) == [Chime.WOKEN]
    assert evening.shows(Scene.WAKING)
    evening.passes(0.4)
    assert evening.shows(Scene.CONNECTING)
    evening.connects()
    assert evening.shows(Scene.LISTENING)
    evening.feed(ev.SpeechStarted("user_1"))
    assert evening.shows(Scene.HEARING)
    evening.passes(1.0)
    evening.feed(ev.SpeechStopped("user_1"))
    assert evening.shows(Scene.THINKING)
    evening.answers(seconds=2.0)
    assert evening.shows(Scene.THINKING), "nothing has sounded yet"
    evening.passes(0.1)
    assert evening.shows(Scene.SPEAKING)
    evening.passes(2.0)
    assert evening.shows(Scene.LISTENING)
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2")
    evening.passes(2.1)
    assert evening.shows(Scene.LISTENING)
    commands = evening.passes(8.1)
    assert len(only(commands, do.CloseLink)) == 1
    assert chimes(commands) == [Chime.SLEEPING]
    evening.hangs_up()
    assert evening.shows(Scene.ASLEEP)
    assert [told.fields["reason"] for told in notes(evening.commands, Fact.SESSION_ENDED)] == [
        "silence"
    ]


def test_the_same_evening_twice_gives_the_same_commands() -> None:
    evenings = []
    for _ in range(2):
        evening = Evening()
        evening.is_answered(heard_s=1.0)
        evening.wakes()
        evening.passes(9.0)
        evening.hangs_up()
        evenings.append(evening.commands)
    assert evenings[0] == evenings[1]


# --- buttons and the shell ----------------------------------------------------------------


def test_a_press_wakes_and_a_press_ends() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    assert len(only(evening.presses(), do.OpenLink)) == 1
    evening.connects()
    evening.passes(0.5)
    commands = evening.presses()
    assert len(only(commands, do.CloseLink)) == 1
    assert chimes(commands) == [Chime.SLEEPING]


def test_a_press_while_connecting_gives_up() -> None:
    evening = Evening()
    evening.starts()
    evening.wakes()
    assert len(only(evening.presses(), do.CloseLink)) == 1
    evening.feed(ev.LinkReady())
    assert evening.shows(Scene.ASLEEP)


def test_a_long_press_mutes_and_another_unmutes() -> None:
    evening = Evening()
    evening.starts()
    assert chimes(evening.presses(seconds=1.0)) == [Chime.MUTED]
    assert evening.shows(Scene.MUTED)
    assert chimes(evening.presses(seconds=1.0)) == [Chime.UNMUTED]
    assert evening.shows(Scene.ASLEEP)


def test_the_shell_wakes_and_stops() -> None:
    evening = Evening()
    evening.starts()
    commands = evening.feed(ev.WakeAsked())
    assert len(only(commands, do.OpenLink)) == 1
    assert notes(commands, Fact.WOKEN)[0].fields["word"] == "shell"
    evening.connects()
    assert len(only(evening.feed(ev.StopAsked()), do.CloseLink)) == 1
    evening.hangs_up()
    assert not only(evening.feed(ev.StopAsked()), do.CloseLink)


def test_near_misses_are_told() -> None:
    evening = Evening()
    evening.starts()
    told = notes(evening.feed(ev.WakeNearlyHeard("hey_jarvis", 0.41)), Fact.WAKE_NEARLY_HEARD)
    assert told[0].fields == {"word": "hey_jarvis", "score": 0.41}
    assert evening.shows(Scene.ASLEEP)


def test_the_wake_word_again_while_listening_gives_more_time() -> None:
    evening = Evening()
    evening.converses()
    evening.passes(5.5)
    evening.wakes()
    evening.passes(5.5)
    assert evening.shows(Scene.LISTENING)
    evening.passes(1.0)
    assert evening.shows(Scene.ASLEEP)


# --- mute ---------------------------------------------------------------------------------


def test_mute_closes_the_microphone_and_forgets_what_was_heard() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(2.0)
    commands = evening.feed(ev.MuteAsked(True))
    assert len(only(commands, do.CloseMicrophone)) == 1
    assert len(only(commands, do.ResetWake)) == 1
    assert chimes(commands) == [Chime.MUTED]
    assert facts(commands) == [Fact.MUTED, Fact.STATE_CHANGED]
    assert evening.feed(ev.MuteAsked(True)) == [], "muted already"
    evening.passes(1.0)
    assert len(only(evening.feed(ev.MuteAsked(False)), do.OpenMicrophone)) == 1
    evening.microphone_opens()
    evening.wakes()
    assert sent(evening.connects()) == []


def test_mute_during_the_answer_ends_everything_at_once() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5)
    commands = evening.feed(ev.MuteAsked(True))
    assert [type(c) for c in only(commands, do.Hush, do.CloseLink, do.CloseMicrophone)] == [
        do.Hush,
        do.CloseLink,
        do.CloseMicrophone,
    ]
    assert evening.shows(Scene.MUTED)
    assert not only(evening.passes(1.0), do.SendAudio, do.SendNoise)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_mute_outranks_every_light(trouble: Trouble) -> None:
    evening = Evening()
    evening.starts()
    evening.wakes()
    evening.feed(ev.MuteAsked(True))
    evening.hangs_up(trouble)
    evening.feed(ev.SpeakerLost("gone"), ev.MicLost("gone"))
    assert evening.shows(Scene.MUTED)


def test_muted_it_does_not_wake_but_says_so() -> None:
    evening = Evening()
    evening.starts()
    evening.feed(ev.MuteAsked(True))
    for event in (ev.WakeAsked(), ev.WakeHeard("hey_jarvis", 0.9, 0)):
        commands = evening.feed(event)
        assert chimes(commands) == [Chime.MUTED]
        assert not only(commands, do.OpenLink)


def test_a_microphone_that_opens_after_the_mute_is_not_opened_again() -> None:
    evening = Evening()
    evening.feed(ev.Started())
    evening.feed(ev.MuteAsked(True))
    evening.microphone_opens()
    commands = evening.dozes(30.0)
    assert not only(commands, do.OpenMicrophone)


def test_unmute_restores_the_wake() -> None:
    evening = Evening()
    evening.starts()
    evening.feed(ev.MuteAsked(True))
    evening.dozes(100.0)
    evening.feed(ev.MuteAsked(False))
    evening.microphone_opens()
    evening.passes(1.0)
    assert len(only(evening.wakes(), do.OpenLink)) == 1


# --- trouble ------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", PASSING)
@pytest.mark.parametrize("when", ["connecting", "listening", "speaking"])
def test_trouble_is_shown_sounded_told_and_passes(trouble: Trouble, when: str) -> None:
    evening = Evening()
    if when == "connecting":
        evening.starts()
        evening.wakes()
    elif when == "listening":
        evening.converses()
    else:
        evening.is_answered(heard_s=0.5)
    commands = evening.hangs_up(trouble, "3000", "what to do")
    assert chimes(commands) == [Chime(trouble.value)]
    told = notes(commands, Fact.TROUBLE)
    assert [one.fields["detail"] for one in told] == ["what to do"]
    assert told[0].fields["advice"] == ADVICE[trouble]
    assert told[0].warning
    assert only(commands, do.Show) == [do.Show(Look(Scene.TROUBLE, trouble))]
    assert len(only(commands, do.Hush)) == (when == "speaking")
    evening.passes(3.9)
    assert evening.shows(Scene.TROUBLE)
    evening.passes(0.2)
    assert evening.shows(Scene.ASLEEP)
    assert len(only(evening.wakes(), do.OpenLink)) == 1


def test_a_wake_ends_the_trouble_light_early() -> None:
    evening = Evening()
    evening.starts()
    evening.wakes()
    evening.hangs_up(Trouble.NETWORK)
    evening.passes(1.0)
    evening.wakes()
    assert evening.shows(Scene.WAKING)


def test_the_same_trouble_twice_is_told_twice() -> None:
    evening = Evening()
    evening.starts()
    for _ in range(2):
        evening.wakes()
        assert len(notes(evening.hangs_up(Trouble.NETWORK), Fact.TROUBLE)) == 1


def test_a_provider_that_never_gets_ready_is_network_trouble() -> None:
    evening = Evening()
    evening.starts()
    evening.wakes()
    evening.feed(ev.LinkAccepted("sess_1"))
    commands = evening.passes(10.1)
    assert len(only(commands, do.CloseLink)) == 1
    assert evening.shows(Scene.TROUBLE)
    assert chimes(commands) == [Chime.NETWORK]
    assert not only(evening.feed(ev.LinkReady()), do.SendAudio)
    evening.hangs_up(Trouble.NETWORK)
    evening.passes(5.0)
    assert evening.shows(Scene.ASLEEP)


def test_a_line_that_does_not_close_ends_the_process() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.StopAsked())
    assert not only(evening.passes(7.9), do.Fail)
    assert len(only(evening.passes(0.2), do.Fail)) == 1


def test_the_provider_may_end_the_session_in_order() -> None:
    evening = Evening()
    evening.converses()
    commands = evening.hangs_up(None, "1001", "session expired")
    assert chimes(commands) == [Chime.SLEEPING]
    assert evening.shows(Scene.ASLEEP)
    ended = notes(commands, Fact.SESSION_ENDED)[0]
    assert ended.fields["code"] == "1001"
    assert ended.fields["detail"] == "session expired"
    assert ended.fields["reason"] == "ended by the provider"


def test_a_second_end_of_the_line_is_ignored() -> None:
    evening = Evening()
    evening.converses()
    evening.hangs_up(Trouble.NETWORK)
    assert evening.hangs_up(Trouble.KEY) == []
    assert evening.feed(ev.LinkAccepted("late"), ev.LinkReady()) == []


def test_an_answer_that_fails_for_a_reason_the_owner_must_know() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    failed = ev.ReplyDone("resp_1", "failed", "insufficient_quota", Trouble.CREDIT, "no credit")
    commands = evening.feed(failed)
    assert chimes(commands) == [Chime.CREDIT]
    assert len(only(commands, do.CloseLink)) == 1
    assert evening.shows(Scene.TROUBLE)
    assert not notes(evening.hangs_up(), Fact.TROUBLE)


def test_an_answer_that_merely_fails_is_sounded_and_told_and_the_talk_goes_on() -> None:
    evening = Evening()
    evening.converses()
    evening.says()
    evening.feed(ev.ReplyStarted("resp_1"))
    commands = evening.feed(ev.ReplyDone("resp_1", "failed", "server_error", None, "sorry"))
    assert chimes(commands) == [Chime.PROVIDER]
    assert any("sorry" in told.message and told.warning for told in only(commands, do.Note))
    assert evening.shows(Scene.TROUBLE)
    evening.passes(4.1)
    assert evening.shows(Scene.LISTENING)


def test_refused_requests_are_told_and_change_nothing() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5)
    commands = evening.feed(ev.RequestRefused("cancel_not_active", "nothing to cancel", True))
    assert [told.warning for told in only(commands, do.Note)] == [False]
    commands = evening.feed(ev.RequestRefused("bad", "what?", False))
    assert [told.warning for told in only(commands, do.Note)] == [True]
    assert evening.shows(Scene.SPEAKING)


def test_two_troubles_at_once_are_both_outlived() -> None:
    evening = Evening()
    evening.converses()
    evening.feed(ev.SpeakerLost("unplugged"))
    evening.hangs_up(Trouble.NETWORK)
    evening.passes(10.0)
    assert only(evening.commands, do.Show)[-1].look.trouble is Trouble.SPEAKER
    evening.feed(ev.SpeakerOpened("speaker", 48_000, 20.0))
    assert evening.shows(Scene.ASLEEP)


# --- devices ------------------------------------------------------------------------------


def test_a_silent_microphone_is_opened_anew_then_reported_then_back() -> None:
    evening = Evening()
    evening.starts()
    evening.passes(1.0)
    commands = evening.dozes(3.1)
    assert [type(c) for c in only(commands, do.CloseMicrophone, do.OpenMicrophone)] == [
        do.CloseMicrophone,
        do.OpenMicrophone,
    ]
    assert evening.shows(Scene.ASLEEP)
    commands = evening.dozes(3.0)
    assert chimes(commands) == [Chime.MICROPHONE]
    assert evening.shows(Scene.TROUBLE)
    assert chimes(evening.dozes(30.0)) == [], "told once"
    evening.microphone_opens()
    assert evening.shows(Scene.TROUBLE), "open is not yet heard"
    evening.frame()
    assert evening.shows(Scene.ASLEEP)
    assert len(only(evening.wakes(), do.OpenLink)) == 1


def test_a_microphone_that_stalls_now_and_then_is_no_trouble() -> None:
    evening = Evening()
    evening.starts()
    for _ in range(3):
        evening.passes(1.0)
        assert len(only(evening.dozes(3.1), do.OpenMicrophone)) == 1
        evening.microphone_opens()
    assert chimes(evening.commands) == []


def test_a_microphone_lost_in_a_conversation_ends_it() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5)
    commands = evening.feed(ev.MicLost("unplugged"))
    assert len(only(commands, do.CloseLink)) == 1
    assert len(only(commands, do.Hush)) == 1
    assert chimes(commands) == [Chime.MICROPHONE]
    assert only(commands, do.Show)[-1].look == Look(Scene.TROUBLE, Trouble.MICROPHONE)
    evening.hangs_up()
    evening.dozes(60.0)
    assert evening.shows(Scene.TROUBLE), "it lasts until the device is back"
    evening.microphone_opens()
    evening.frame()
    assert evening.shows(Scene.ASLEEP)


def test_without_a_microphone_a_wake_sounds_the_trouble() -> None:
    evening = Evening()
    evening.feed(ev.Started(), ev.MicLost("none there"))
    commands = evening.feed(ev.WakeAsked())
    assert chimes(commands) == [Chime.MICROPHONE]
    assert not only(commands, do.OpenLink)


def test_a_microphone_that_is_back_and_silent_wakes_nobody() -> None:
    evening = Evening()
    evening.starts()
    evening.feed(ev.MicLost("unplugged"))
    evening.microphone_opens()
    assert chimes(evening.wakes()) == [Chime.MICROPHONE]
    evening.frame()
    assert chimes(evening.wakes()) == [Chime.WOKEN]


def test_a_loudspeaker_lost_and_back() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5)
    commands = evening.feed(ev.SpeakerLost("unplugged"))
    assert len(only(commands, do.CloseLink)) == 1
    assert only(commands, do.Show)[-1].look == Look(Scene.TROUBLE, Trouble.SPEAKER)
    evening.hangs_up()
    assert not only(evening.wakes(), do.OpenLink), "nobody could hear the answer"
    evening.feed(ev.SpeakerOpened("speaker", 48_000, 20.0))
    assert evening.shows(Scene.ASLEEP)
    assert len(only(evening.wakes(), do.OpenLink)) == 1


def test_a_microphone_with_another_rate_begins_anew() -> None:
    evening = Evening(Conversation(preroll_ms=3000))
    evening.starts()
    evening.passes(1.0)
    evening.feed(ev.MicOpened("other", 48_000))
    evening.wakes()
    assert sent(evening.connects()) == []


def test_gaps_are_told() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5)
    told = notes(evening.feed(ev.SpeakerUnderran(41.7)), Fact.GAP_HEARD)
    assert told[0].fields == {"session": "sess_1", "turn": 1, "missing_ms": 41.7}


def test_a_gap_of_one_sample_is_not_told_as_none() -> None:
    evening = Evening()
    evening.is_answered(heard_s=0.5)
    told = notes(evening.feed(ev.SpeakerUnderran(1000 / 48_000)), Fact.GAP_HEARD)
    assert told[0].fields["missing_ms"] == 0.02


# --- the journal --------------------------------------------------------------------------


@pytest.mark.parametrize("asked_for", [True, False])
def test_what_was_said_is_told_only_when_asked_for(asked_for: bool) -> None:
    evening = Evening(Conversation(journal_transcripts=asked_for))
    evening.is_answered()
    evening.feed(
        ev.UserText("user_1", "what time is it"), ev.ReplyText("resp_1", "item_1", "half past")
    )
    told = [one.message for one in notes(evening.commands, Fact.TRANSCRIPT)]
    assert told == (["user: what time is it", "assistant: half past"] if asked_for else [])
    everything = repr(evening.commands)
    assert ("half past" in everything) is asked_for


def test_every_change_of_state_is_told() -> None:
    evening = Evening()
    evening.is_answered(heard_s=2.1)
    told = [one.message for one in notes(evening.commands, Fact.STATE_CHANGED)]
    assert told == [
        *("waking", "connecting", "listening", "hearing", "thinking", "speaking", "listening"),
    ]


def test_nothing_is_awaited_by_a_speaker_that_has_not_started() -> None:
    assert Evening().speaker.deadline() is None


def test_who_asks_before_the_microphone_is_open_is_heard_from_then_on() -> None:
    evening = Evening()
    evening.feed(ev.Started())
    assert only(evening.feed(ev.WakeAsked()), do.OpenLink)
    evening.feed(ev.MicOpened("room", 24_000))
    frame = ev.MicFrame(b"\x01\x00" * 480, 0, -40.0)
    evening.feed(frame)
    evening.feed(ev.LinkAccepted("s"))
    assert only(evening.feed(ev.LinkReady()), do.SendAudio) == [do.SendAudio(frame.samples)]


def test_a_second_button_stops_the_next_answer_though_the_first_one_cut_this() -> None:
    evening = Evening(
        bindings={
            "talk": Bindings(Action.TALK, Action.NONE, Action.NONE),
            "loud": Bindings(Action.VOLUME_UP, Action.STOP, Action.NONE),
        }
    )
    evening.is_answered(heard_s=0.5)
    evening.presses("talk")
    evening.says(item="user_2")
    evening.answers("resp_2", item="item_2")
    evening.passes(0.5)
    evening.presses("loud")
    assert len(only(evening.presses("loud"), do.Hush)) == 1
    assert evening.shows(Scene.LISTENING)


def test_a_double_press_that_means_stop_does_not_end_the_conversation_it_has_silenced() -> None:
    evening = Evening(bindings={"talk": Bindings(Action.TALK, Action.STOP, Action.NONE)})
    evening.is_answered(seconds=5.0, heard_s=0.5)
    evening.presses()
    commands = evening.presses()
    assert not only(commands, do.CloseLink)
    assert evening.shows(Scene.LISTENING)


def test_a_press_takes_along_what_was_said_just_before_and_nothing_older() -> None:
    evening = Evening(bindings={"loud": Bindings(Action.VOLUME_UP, Action.TALK, Action.NONE)})
    evening.starts()
    evening.passes(10.0)
    evening.presses("loud", 0.04)
    second = evening.frames
    evening.presses("loud", 0.04)
    assert sent(evening.connects())[0] == second - 15


def test_started_muted_it_never_looks_asleep() -> None:
    commands = Evening().starts(muted=True)
    assert only(commands, do.Show) == [do.Show(Look(Scene.MUTED))]
