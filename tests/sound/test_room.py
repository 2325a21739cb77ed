"""The real PortAudio and ALSA in the software room: sample for sample, and how late."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.simulator import room
from edged.sound.rates import resampler

from .visit import WIRE, Guests, noise

pytestmark = [
    pytest.mark.room,
    pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "the room is there"),
]


def find(needle: NDArray[np.int16], hay: NDArray[np.int16]) -> tuple[int, float]:
    """Where `needle` lies in `hay`, and how like it that place is, from 0 to 1."""
    size = len(hay) + len(needle)
    a, b = hay.astype(float), needle.astype(float)
    likeness = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)[: len(hay)]
    at = int(np.argmax(likeness))
    part = a[at : at + len(b)]
    return at, float(part @ b[: len(part)] / np.sqrt((part @ part) * (b @ b)))


def test_the_microphone_loses_and_doubles_nothing(place: room.Room, guests: Guests) -> None:
    visit = guests(place, capture_rate=48000)
    visit.do("open_microphone")
    assert visit.hear("MicOpened")[1]["rate"] == 48000
    said = noise(4, 1, 48000)
    with place.hear("microphone") as ear:
        place.say(said).wait(15)
        while visit.hear("MicFrame")[0] < time.monotonic() - 0.05:
            pass
        heard = visit.leave()
        at, _ = find(said[4800:9600], heard)
        there, _ = find(said[4800:9600], ear.samples)
        frames = visit.all("MicFrame")
        late_ms = [
            1000 * (now - ear.time_of(there + said["position"] + 960 - at))
            for now, said in frames
            if at <= said["position"] < at + 3 * 48000
        ]
    # The room's own recorder holds 10 ms more back than a frame of 20 ms does.
    assert -30 < np.median(late_ms) < 20
    assert np.array_equal(heard[at : at + len(said) - 4800], said[4800:])
    assert [said["position"] for _, said in frames] == [960 * n for n in range(len(frames))]


def test_an_answer_sounds_whole_and_its_progress_is_true(place: room.Room, guests: Guests) -> None:
    visit = guests(place, playback_rate=48000)
    visit.hear("SpeakerOpened")
    with place.hear() as ear:
        answer = noise(3, 2, WIRE)
        began = visit.play(answer.tobytes())
        visit.do("finish")
        visit.hear("SpeakerProgress", heard=len(answer))
        heard = ear.between(began, time.monotonic() + 0.1)
        first = ear.position_at(began)
        visit.leave()
        at48 = resampler(WIRE, 48000)
        expected = np.frombuffer(at48.convert(answer.tobytes()) + at48.flush(), dtype="<i2")
        at, likeness = find(expected[at48.delay :], heard)
        assert likeness >= 0.99
        progress = visit.all("SpeakerProgress")
        errors_ms = [
            said["heard"] / 24 - (ear.position_at(now) - first - at) / 48
            for now, said in progress
            if said["heard"] < len(answer)
        ]
    assert not visit.all("SpeakerUnderran")
    assert visit.errors == ""
    assert all(said["heard"] <= len(answer) for _, said in progress)
    onset_ms = (ear.time_of(first + at) - began) * 1000
    assert abs(np.median(errors_ms)) <= 25
    assert onset_ms < 250


def test_hush_is_silence_at_once(place: room.Room, guests: Guests) -> None:
    visit = guests(place)
    visit.hear("SpeakerOpened")
    with place.hear() as ear:
        visit.play(np.full(10 * WIRE, 4000, dtype="<i2").tobytes(), 96000)
        visit.hear("SpeakerProgress")
        hushed = visit.do("hush")
        after = ear.between(hushed, hushed + 1.0)
        visit.leave()
    silent_ms = np.flatnonzero(np.abs(after.astype(int)) > 40)[-1] / 48
    assert silent_ms < 200
    assert np.abs(np.diff(after.astype(int))).max() < 400


def test_an_earcon_is_heard_soft(place: room.Room, guests: Guests) -> None:
    visit = guests(place)
    visit.hear("SpeakerOpened")
    with place.hear() as ear:
        asked = visit.do("sound", "woken")
        heard = ear.between(asked, asked + 0.6).astype(float)
        visit.leave()
    sounding = np.flatnonzero(np.abs(heard) > 60)
    assert 100 <= (sounding[-1] - sounding[0]) / 48 <= 150
    assert 20 * np.log10(np.abs(heard).max() / 32768) < -25
    assert not visit.all("SpeakerProgress")


def test_a_rested_loudspeaker_is_back_at_once(place: room.Room, guests: Guests) -> None:
    visit = guests(place, rest_s=0.2)
    visit.do("doze", True)
    visit.hear("SpeakerOpened")
    with place.hear() as ear:
        ear.wait_until(time.monotonic() + 1.5)
        asked = visit.do("sound", "woken")
        heard = ear.between(asked, asked + 0.6).astype(float)
        visit.leave()
    onset_ms = np.flatnonzero(np.abs(heard) > 60)[0] / 48
    assert onset_ms < 150
    assert not visit.all("SpeakerLost")


def test_twenty_times_opened_and_closed_and_a_clean_end(place: room.Room) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sound.guest", "often", "20"],
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_sound_server_that_dies_is_two_losses_and_a_clean_end(guests: Guests) -> None:
    with room.Room() as place:
        visit = guests(place)
        visit.hear("SpeakerOpened")
        visit.do("open_microphone")
        visit.hear("MicFrame")
        place_is_gone = time.monotonic()
    for _ in range(2):
        lost, said = visit.hear("MicLost", "SpeakerLost")
        assert "stopped delivering" in said["detail"]
        assert lost - place_is_gone < 5
    began = time.monotonic()
    visit.leave()
    assert time.monotonic() - began < 2
    # PortAudio says on standard error which of its own calls failed; nobody else does.
    assert "Traceback" not in visit.errors
    assert {len(visit.all(kind)) for kind in ("MicLost", "SpeakerLost")} == {1}


def test_the_room_is_listed(place: room.Room) -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import argparse; from edged.verbs import devices; p = argparse.ArgumentParser(); "
            "devices.arguments(p); raise SystemExit(devices.run(p.parse_args(['--json'])))",
        ],
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    names = {device["name"]: device for device in json.loads(told.stdout)}
    assert names["default"]["default_for"] == ["microphone", "speaker"]
    assert told.stderr == ""
