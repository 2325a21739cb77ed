"""The software room: what is said reaches ALSA's microphone, what ALSA plays is heard."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edged.simulator import programs
from edged.simulator.evening.comparison import place
from edged.simulator.room import RATE, AcousticPath, Room, Samples, missing

pytestmark = pytest.mark.room

ALSA = ["-q", "-D", "default", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE)]


def noise(seed: int, seconds: float = 0.5) -> Samples:
    wave = np.random.default_rng(seed).normal(0, 3000, round(seconds * RATE))
    return wave.clip(-32768, 32767).astype(np.int16)


def play(room: Room, samples: Samples) -> None:
    """Play through ALSA's default device, as the speaker does."""
    subprocess.run(
        ["aplay", *ALSA], input=samples.tobytes(), env=room.environment, check=True, timeout=20
    )


@pytest.fixture(scope="module")
def quiet_room() -> Iterator[Room]:
    with Room() as room:
        yield room


def test_what_is_said_arrives_at_the_alsa_microphone(quiet_room: Room) -> None:
    spoken = noise(1)
    recorder = subprocess.Popen(
        ["arecord", *ALSA], stdout=subprocess.PIPE, env=quiet_room.environment
    )
    assert recorder.stdout is not None
    heard = recorder.stdout.read(RATE // 10 * 2)
    saying = quiet_room.say(spoken)
    saying.wait(10)
    heard += recorder.stdout.read(RATE * 2)
    recorder.terminate()
    recorder.stdout.close()
    recorder.wait(10)
    _, likeness = place(spoken, np.frombuffer(heard, np.int16))
    assert likeness >= 0.99


def test_what_alsa_plays_is_heard_at_the_loudspeaker(quiet_room: Room) -> None:
    played = noise(2)
    with quiet_room.hear() as recording:
        before = time.monotonic()
        play(quiet_room, played)
        after = time.monotonic()
        recording.wait_until(after + 0.2)
        start, likeness = place(played, recording.samples)
        assert likeness >= 0.99
        began = recording.time_of(round(start))
        assert before < began < after
        piece = recording.between(began, began + 0.6)
    assert np.array_equal(piece[: len(played)], played)


def test_a_recording_knows_when_a_sound_began(quiet_room: Room) -> None:
    spoken = noise(3)
    with quiet_room.hear("microphone") as recording:
        saying = quiet_room.say(spoken)
        saying.wait(10)
        recording.wait_until(saying.started + 0.7)
        start, likeness = place(spoken, recording.samples)
        began = recording.time_of(round(start))
        assert recording.position_at(began) == pytest.approx(start, abs=1)
    assert likeness >= 0.99
    # The two are told by different processes; a block of the sink lies between them.
    assert began == pytest.approx(saying.started, abs=0.1)


def test_two_who_speak_at_once_are_both_heard(quiet_room: Room) -> None:
    one, other = noise(4), noise(5)
    with quiet_room.hear("microphone") as recording:
        first, second = quiet_room.say(one), quiet_room.say(other)
        first.wait(10)
        second.wait(10)
        recording.wait_until(time.monotonic() + 0.2)
        heard = recording.samples
    for voice in (one, other):
        assert place(voice, heard)[1] >= 0.6


def test_someone_can_be_cut_short(quiet_room: Room) -> None:
    saying = quiet_room.say(noise(6, seconds=30))
    assert saying.started <= time.monotonic()
    assert not saying.over
    saying.stop()
    assert saying.over


def test_the_meter_shows_how_loud_it_is(quiet_room: Room) -> None:
    tone = (np.sin(np.arange(2 * RATE) * 2 * np.pi * 1000 / RATE) * 32767 / 10).astype(np.int16)
    with quiet_room.hear("microphone") as recording:
        assert recording.level_dbfs() == -120
        saying = quiet_room.say(tone)
        recording.wait_until(saying.started + 0.5)
        assert recording.level_dbfs() == pytest.approx(-23, abs=0.2)
        saying.stop()


def test_the_loudspeaker_is_heard_at_the_microphone_with_delay_and_level() -> None:
    played = noise(7)
    with (
        Room(AcousticPath(delay_ms=60, gain_db=-12)) as room,
        room.hear() as loudspeaker,
        room.hear("microphone") as microphone,
    ):
        play(room, played)
        end = time.monotonic() + 0.3
        loudspeaker.wait_until(end)
        microphone.wait_until(end)
        there, _ = place(played, loudspeaker.samples)
        here, likeness = place(played, microphone.samples)
        delay = microphone.time_of(round(here)) - loudspeaker.time_of(round(there))
        echo = microphone.cut(round(here), round(here) + len(played))
    assert likeness >= 0.95
    # Either sink may be a block of 10 ms ahead.
    assert delay == pytest.approx(0.060, abs=0.012)
    gain = 20 * np.log10(np.std(echo.astype(float)) / np.std(played.astype(float)))
    # The path dulls the highest tones a little, as air does.
    assert gain == pytest.approx(-12.5, abs=1)


def test_a_room_without_an_acoustic_path_keeps_loudspeaker_and_microphone_apart(
    quiet_room: Room,
) -> None:
    with quiet_room.hear("microphone") as microphone:
        play(quiet_room, noise(8, seconds=0.2))
        microphone.wait_until(time.monotonic() + 0.2)
        assert not microphone.samples.any()


def test_rooms_are_worlds_of_their_own(quiet_room: Room) -> None:
    with Room() as other, other.hear("microphone") as recording:
        assert other.environment["PULSE_SERVER"] != quiet_room.environment["PULSE_SERVER"]
        quiet_room.say(noise(9, seconds=0.2)).wait(10)
        recording.wait_until(time.monotonic() + 0.1)
        assert not recording.samples.any()


def test_the_users_own_sound_server_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/run/user/1000/pulse/native")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    with Room() as room:
        assert not [v for v in room.environment.values() if "/run/user/1000" in v]


def test_nothing_is_left_when_the_room_is_closed() -> None:
    with Room() as room:
        folder = Path(room.environment["HOME"]).parent
        room.say(noise(10, seconds=30))
        recording = room.hear()
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(OSError, match="ended"):
        recording.wait_for(len(recording) + 1)


def test_the_room_ends_with_whoever_opened_it() -> None:
    story = (
        "import time; from edged.simulator.room import Room\n"
        "with Room() as room: print(room.environment['PULSE_SERVER'], flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", story], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    address = owner.stdout.readline().strip()
    room_programs = programs.with_prefix(os.environ)
    # A listener that ends when the server does: it says so without anybody polling.
    listener = subprocess.Popen(
        [shutil.which("parec", path=room_programs["PATH"]) or "parec", "--device=virtmic.monitor"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**room_programs, "PULSE_SERVER": address},
    )
    assert listener.stdout is not None
    assert listener.stdout.read(100)
    owner.send_signal(signal.SIGKILL)
    owner.wait(10)
    owner.stdout.close()
    assert listener.wait(10) != 0
    listener.stdout.close()
    # Killed, it could not tidy up.
    shutil.rmtree(Path(address.removeprefix("unix:")).parent.parent)


def test_the_room_opens_where_there_is_a_terminal() -> None:
    """`script` gives its child a terminal of its own, as a person at a keyboard has."""
    opening = "from edged.simulator.room import Room\nwith Room(): pass"
    story = shlex.join([sys.executable, "-c", opening])
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", story, "/dev/null"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


def test_missing_programs_are_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert missing() == ""
    monkeypatch.delenv("EDGED_ROOM_PREFIX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install pulseaudio pulseaudio-utils" in missing()
    with pytest.raises(OSError, match="pulseaudio-utils"), Room():
        pass


def test_programs_unpacked_into_a_private_folder_come_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    libraries = tmp_path / "usr" / "lib" / "x86_64-linux-gnu"
    modules = tmp_path / "usr" / "lib" / "pulse-1.2" / "modules"
    for file in (
        tmp_path / "usr" / "bin" / "pacat",
        libraries / "alsa-lib" / "libasound_module_pcm_pulse.so",
        libraries / "pulseaudio" / "libpulsecommon-1.2.so",
        modules / "module-null-sink.so",
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.setenv("EDGED_ROOM_PREFIX", str(tmp_path))
    found = programs.with_prefix({"PATH": "/bin"})
    assert found["PATH"] == f"{tmp_path}/usr/bin:/bin"
    searched = found["LD_LIBRARY_PATH"].split(":")
    assert searched[:2] == [str(libraries), str(libraries / "pulseaudio")]
    assert str(modules) in searched
    assert programs.modules() == modules
    assert programs.alsa_plugin() == libraries / "alsa-lib" / "libasound_module_pcm_pulse.so"
