"""Room sound on its way out: whole wire frames, and noise that nobody can tell from a room."""

import numpy as np
import pytest

from edged.ports import Uplink as Port
from edged.sound._levels import level
from edged.sound.uplink import Uplink


def test_a_microphone_at_the_wires_rate_passes_untouched() -> None:
    uplink: Port = Uplink(24000, 20)
    frame = np.arange(480, dtype="<i2").tobytes()
    assert uplink.room(frame) == frame


@pytest.mark.parametrize("capture_rate", [16000, 24000, 44100, 48000])
@pytest.mark.parametrize("frame_ms", [20, 30, 100])
def test_every_second_gives_a_second_in_whole_frames(capture_rate: int, frame_ms: int) -> None:
    uplink = Uplink(24000, frame_ms)
    uplink.restart(capture_rate)
    frame, made = capture_rate // 50, 0
    for number in range(150):
        out = uplink.noise(frame) if number % 3 else uplink.room(bytes(2 * frame))
        assert len(out) % (2 * 24 * frame_ms) == 0
        made += len(out) // 2
    assert 0 <= 3 * 24000 - made < 24 * frame_ms


@pytest.mark.parametrize("capture_rate", [16000, 24000, 44100, 48000])
def test_the_noise_is_low_and_never_digital_silence(capture_rate: int) -> None:
    uplink = Uplink(24000, 20, noise_dbfs=-70)
    uplink.restart(capture_rate)
    frames = [uplink.noise(capture_rate // 50) for _ in range(100)]
    assert level(b"".join(frames[1:])) == pytest.approx(-70, abs=1)
    assert all(level(frame) > -75 for frame in frames[1:])
    assert len(set(frames)) == 100


def test_room_noise_room_is_one_stream() -> None:
    """A tone that is held back for a while goes on in phase: the wire's clock skipped nothing."""
    uplink = Uplink(24000, 20)
    uplink.restart(48000)
    time = np.arange(48000) / 48000
    tone = np.rint(8000 * np.sin(2 * np.pi * 500 * time)).astype("<i2")
    pieces = [tone[at : at + 960].tobytes() for at in range(0, 48000, 960)]
    out = [uplink.noise(960) if 10 <= n < 25 else uplink.room(p) for n, p in enumerate(pieces)]
    sound = np.frombuffer(b"".join(out), dtype="<i2").astype(float)
    late = 32 / 24000
    expected = 8000 * np.sin(2 * np.pi * 500 * (np.arange(24000) / 24000 - late))
    assert np.abs(sound - expected)[13000:].max() < 10


def test_a_restart_forgets_what_was_waiting() -> None:
    uplink = Uplink(24000, 100)
    assert uplink.room(np.full(480, 9, dtype="<i2").tobytes()) == b""
    uplink.restart(24000)
    assert uplink.room(bytes(2 * 2400)) == bytes(2 * 2400)
