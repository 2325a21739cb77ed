"""Buttons, knobs and switches that are about the speaker itself, and what it remembers of them."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact, Remember, SetVolume
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import Volume

from ..script import Evening, chimes, notes, only

UP_AND_DOWN = {
    "up": Bindings(press=Action.VOLUME_UP, hold=Action.VOLUME_UP),
    "down": Bindings(press=Action.VOLUME_DOWN, hold=Action.VOLUME_DOWN),
}


def decibels(commands: list[do.Command]) -> list[float]:
    return [command.volume_db for command in only(commands, SetVolume)]


# --- volume -------------------------------------------------------------------------------


def test_it_starts_as_loud_as_it_is_set() -> None:
    evening = Evening(volume=Volume(db=-12.0))
    commands = evening.starts()
    assert decibels(commands) == [-12.0]
    assert chimes(commands) == []


def test_it_starts_as_loud_as_it_was_left() -> None:
    evening = Evening(volume=Volume(db=-12.0))
    assert decibels(evening.starts(volume_db=-27.0)) == [-27.0]
    assert decibels(evening.feed(ev.VolumeTurned(1))) == [-24.0]


def test_started_muted_it_is_loud_enough_to_say_so() -> None:
    evening = Evening(volume=Volume(db=-12.0))
    assert decibels(evening.starts(muted=True, volume_db=-27.0)) == [-27.0]


def test_a_click_is_a_step_and_a_tick() -> None:
    evening = Evening(volume=Volume(db=-12.0, step_db=2.0))
    evening.starts()
    commands = evening.feed(ev.VolumeTurned(1))
    assert decibels(commands) == [-10.0]
    assert chimes(commands) == [Chime.VOLUME]
    assert [told.fields["volume_db"] for told in notes(commands, Fact.VOLUME_CHANGED)] == [-10.0]
    assert decibels(evening.feed(ev.VolumeTurned(-3))) == [-16.0]


def test_a_knob_has_two_ends() -> None:
    evening = Evening(volume=Volume(db=-6.0, step_db=3.0, lowest_db=-30.0))
    evening.starts()
    assert decibels(evening.feed(ev.VolumeTurned(99))) == [0.0]
    assert decibels(evening.feed(ev.VolumeTurned(1))) == [0.0]
    assert decibels(evening.feed(ev.VolumeTurned(-99))) == [-30.0]
    assert decibels(evening.feed(ev.VolumeTurned(-1))) == [-30.0]
    assert decibels(evening.feed(ev.VolumeTurned(1))) == [-27.0], "the way back begins at once"


def test_a_volume_that_is_named_is_taken_within_the_same_ends() -> None:
    evening = Evening(volume=Volume(db=-6.0, step_db=3.0, lowest_db=-30.0))
    evening.starts()
    commands = evening.feed(ev.VolumeTurned(to_db=-20.5))
    assert decibels(commands) == [-20.5]
    assert chimes(commands) == [Chime.VOLUME]
    assert decibels(evening.feed(ev.VolumeTurned(to_db=-99.0))) == [-30.0]
    assert decibels(evening.feed(ev.VolumeTurned(to_db=7.0))) == [0.0]
    assert only(evening.dozes(1.1), Remember) == [Remember(muted=False, volume_db=0.0)]


def test_buttons_turn_it_too_and_go_on_while_held() -> None:
    evening = Evening(bindings=UP_AND_DOWN, volume=Volume(db=-20.0, step_db=3.0))
    evening.starts()
    assert decibels(evening.presses("up")) == [-17.0]
    assert decibels(evening.presses("down")) == [-20.0]
    held = decibels(evening.presses("down", seconds=1.2))
    assert held == [-23.0, -26.0, -29.0, -32.0]


def test_while_the_answer_plays_it_is_heard_without_a_tick() -> None:
    evening = Evening(bindings=UP_AND_DOWN)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.presses("up") + evening.feed(ev.VolumeTurned(-1))
    assert len(decibels(commands)) == 2
    assert chimes(commands) == []
    assert only(commands, do.Hush) == []
    assert evening.shows(Scene.SPEAKING)


def test_it_is_remembered_once_the_knob_has_been_left_alone() -> None:
    evening = Evening(volume=Volume(db=-12.0, step_db=3.0))
    evening.starts()
    evening.forgets()
    for _ in range(3):
        evening.feed(ev.VolumeTurned(-1))
        evening.passes(0.5)
    assert only(evening.commands, Remember) == []
    evening.passes(0.49)
    assert only(evening.commands, Remember) == []
    evening.passes(0.02)
    assert only(evening.commands, Remember) == [Remember(muted=False, volume_db=-21.0)]
    evening.passes(5.0)
    assert len(only(evening.commands, Remember)) == 1


@pytest.mark.parametrize("asleep", [True, False])
def test_a_knob_wakes_nobody_and_ends_nothing(asleep: bool) -> None:
    evening = Evening()
    evening.starts() if asleep else evening.converses()
    scene = evening.speaker.state
    commands = evening.feed(ev.VolumeTurned(1))
    assert only(commands, do.OpenLink, do.CloseLink) == []
    assert evening.shows(scene)


# --- mute ---------------------------------------------------------------------------------


def test_mute_is_remembered_at_once_with_the_volume() -> None:
    evening = Evening(volume=Volume(db=-12.0))
    evening.starts()
    assert only(evening.feed(ev.MuteAsked(True)), Remember) == [Remember(True, -12.0)]
    assert only(evening.feed(ev.MuteAsked(True)), Remember) == [], "it was so already"
    assert only(evening.feed(ev.MuteAsked(False)), Remember) == [Remember(False, -12.0)]


def test_what_is_remembered_is_what_the_next_start_brings_back() -> None:
    evening = Evening()
    evening.starts()
    evening.feed(ev.VolumeTurned(-2), ev.MuteAsked(True))
    kept = only(evening.commands, Remember)[-1]
    again = Evening()
    commands = again.starts(muted=kept.muted, volume_db=kept.volume_db)
    assert again.shows(Scene.MUTED)
    assert decibels(commands) == [kept.volume_db]
    assert only(commands, do.OpenMicrophone) == []


def test_unmuted_after_a_muted_start_the_wake_word_works() -> None:
    evening = Evening()
    evening.starts(muted=True)
    evening.wakes()
    assert only(evening.commands, do.OpenLink) == []
    commands = evening.feed(ev.MuteAsked(False))
    assert len(only(commands, do.OpenMicrophone)) == 1
    assert chimes(commands) == [Chime.UNMUTED]
    evening.microphone_opens()
    evening.passes(1.0)
    assert len(only(evening.wakes(), do.OpenLink)) == 1


def test_a_knob_turned_while_muted_does_not_forget_the_mute() -> None:
    evening = Evening(volume=Volume(db=-12.0, step_db=3.0))
    evening.starts(muted=True)
    evening.feed(ev.VolumeTurned(1))
    commands = evening.dozes(1.1)
    assert only(commands, Remember) == [Remember(muted=True, volume_db=-9.0)]
    assert evening.shows(Scene.MUTED)


def test_a_switch_that_says_what_is_so_already_changes_nothing() -> None:
    evening = Evening()
    evening.starts()
    assert evening.feed(ev.MuteAsked(False)) == []


def test_a_button_that_mutes_turns_it_round() -> None:
    bindings = {"mute": Bindings(press=Action.MUTE, long=Action.NONE)}
    evening = Evening(bindings=bindings)
    evening.starts()
    evening.presses("mute")
    assert evening.shows(Scene.MUTED)
    evening.presses("mute")
    assert evening.shows(Scene.ASLEEP)


def test_the_touch_that_mutes_ends_everything_at_once() -> None:
    bindings = {"mute": Bindings(press=Action.MUTE, long=Action.NONE)}
    evening = Evening(bindings=bindings)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.holds("mute")
    assert len(only(commands, do.Hush)) == 1
    assert len(only(commands, do.CloseLink)) == 1
    assert evening.shows(Scene.MUTED)


# --- other presses ------------------------------------------------------------------------


def test_a_button_that_ends_ends_from_anywhere() -> None:
    bindings = {"end": Bindings(press=Action.END, long=Action.NONE)}
    for heard_s in (0.0, 1.0, 6.0):
        evening = Evening(bindings=bindings)
        evening.is_answered(seconds=5.0, heard_s=heard_s)
        commands = evening.presses("end")
        assert len(only(commands, do.CloseLink)) == 1
        evening.hangs_up()
        assert evening.shows(Scene.ASLEEP)
        assert evening.queued == 0


def test_a_double_press_is_one_thing_and_a_single_one_another() -> None:
    bindings = {"one": Bindings(press=Action.TALK, double=Action.MUTE, long=Action.NONE)}
    evening = Evening(bindings=bindings)
    evening.starts()
    evening.passes(1.0)
    evening.presses("one")
    assert only(evening.commands, do.OpenLink) == []
    evening.passes(0.4)
    assert len(only(evening.commands, do.OpenLink)) == 1
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    evening.passes(1.0)
    evening.presses("one")
    evening.passes(0.1)
    evening.presses("one")
    assert evening.shows(Scene.MUTED)


def test_a_double_press_that_stops_does_not_end_the_conversation() -> None:
    bindings = {"one": Bindings(press=Action.TALK, double=Action.STOP, long=Action.NONE)}
    evening = Evening(bindings=bindings)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    commands = evening.presses("one") + evening.passes(0.1) + evening.presses("one")
    assert len(only(commands, do.Hush)) == 1
    assert only(commands, do.CloseLink) == []
    assert evening.shows(Scene.LISTENING)


def test_what_one_button_silenced_does_not_concern_another() -> None:
    """Its long press means stop, and no answer plays: the conversation ends."""
    bindings = {
        "talk": Bindings(),
        "stop": Bindings(press=Action.NONE, long=Action.STOP),
    }
    evening = Evening(bindings=bindings)
    evening.is_answered(seconds=5.0, heard_s=1.0)
    evening.presses("talk")
    evening.passes(1.0)
    commands = evening.presses("stop", seconds=1.0)
    assert len(only(commands, do.CloseLink)) == 1


def test_a_switch_that_stands_on_mute_outranks_every_gesture() -> None:
    evening = Evening()
    evening.starts()
    evening.feed(ev.MuteAsked(True, switch=True))
    commands = evening.presses(seconds=1.0) + evening.feed(ev.MuteAsked(False))
    assert not only(commands, do.OpenMicrophone)
    assert chimes(commands) == [Chime.MUTED, Chime.MUTED]
    assert evening.shows(Scene.MUTED)
    assert len(only(evening.feed(ev.MuteAsked(False, switch=True)), do.OpenMicrophone)) == 1


def test_a_switch_that_stands_open_lets_a_gesture_mute() -> None:
    evening = Evening()
    evening.starts()
    evening.feed(ev.MuteAsked(False, switch=True))
    evening.presses(seconds=1.0)
    assert evening.shows(Scene.MUTED)
    evening.presses(seconds=1.0)
    assert evening.shows(Scene.ASLEEP)
