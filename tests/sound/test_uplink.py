"""Room sound on its way out: whole wire frames, raw and clean in one row."""

import numpy as np
import pytest

from edged.ports import Uplink as Port
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
    raw, clean, made = bytes(2 * (capture_rate // 50)), bytes(2 * 480), 0
    for number in range(150):
        out = uplink.clean(clean) if number % 3 else uplink.room(raw)
        assert len(out) % (2 * 24 * frame_ms) == 0
        made += len(out) // 2
    assert 0 <= 3 * 24000 - made < 24 * frame_ms


def test_what_is_clean_already_is_not_touched_and_waits_behind_what_was_not() -> None:
    uplink = Uplink(24000, 100)
    uplink.restart(24000)
    frames = [np.full(480, number, dtype="<i2").tobytes() for number in range(5)]
    out = [uplink.room(frame) for frame in frames[:2]]
    out += [uplink.clean(frame) for frame in (b"", *frames[2:])]
    assert out == [b""] * 5 + [b"".join(frames)]


def test_a_restart_forgets_what_was_waiting() -> None:
    uplink = Uplink(24000, 100)
    assert uplink.room(np.full(480, 9, dtype="<i2").tobytes()) == b""
    uplink.restart(24000)
    assert uplink.room(bytes(2 * 2400)) == bytes(2 * 2400)
