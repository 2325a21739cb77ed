"""The mixer of a real ALSA, through its plug-in for PulseAudio, in the software room."""

import subprocess
import time

import numpy as np
import pytest

from edged.simulator import room

from .visit import WIRE, Guests, Visit, noise

pytestmark = [
    pytest.mark.room,
    pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "the room is there"),
]


def loudness(ear: room.Recording, visit: Visit) -> float:
    """In decibels of full scale, of half a second that is played."""
    sound = noise(0.5, 1, WIRE)
    began = visit.play(sound.tobytes())
    visit.do("finish")
    visit.hear("SpeakerProgress", heard=len(sound))
    visit.do("hush")
    visit.hear("SpeakerHushed")
    heard = ear.between(began, time.monotonic() + 0.1).astype(float)
    sounding = heard[np.flatnonzero(heard)]
    return float(10 * np.log10(np.mean(np.square(sounding / 32768))))


def master(place: room.Room) -> str:
    """What ALSA's own program says of the control."""
    return subprocess.run(
        ["amixer", "sget", "Master"],
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    ).stdout


def test_our_own_volume_is_what_it_says(place: room.Room, guests: Guests) -> None:
    visit = guests(place)
    visit.hear("SpeakerOpened")
    with place.hear() as ear:
        loud = loudness(ear, visit)
        visit.do("set_volume", -20)
        assert loudness(ear, visit) == pytest.approx(loud - 20, abs=0.5)
        visit.leave()


def test_a_control_of_the_mixer_is_turned(place: room.Room, guests: Guests) -> None:
    visit = guests(place, mixer="Master")
    visit.hear("SpeakerOpened")
    with place.hear() as ear:
        loud = loudness(ear, visit)
        visit.do("set_volume", -6)
        deadline = time.monotonic() + 10
        while "50%" not in master(place):
            assert time.monotonic() < deadline, master(place)
        # PulseAudio's control knows no decibels, and its half is a cube: the sound itself is not
        # turned down on top.
        assert loudness(ear, visit) == pytest.approx(loud - 18, abs=0.6)
        visit.leave()


def test_a_control_that_is_not_there_is_told(place: room.Room, guests: Guests) -> None:
    visit = guests(place, mixer="Headphone")
    _, lost = visit.hear("SpeakerLost")
    visit.leave()
    assert 'no playback control "Headphone"; there are: "Master".' in lost["detail"]
    assert visit.errors == ""
