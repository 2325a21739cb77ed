"""The microphone's half: blocks become frames, and a loss becomes a jump, never a shift."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from edged.core.events import Event, MicFrame
from edged.sound._capture import Capture
from edged.sound._levels import level


def nobody(samples: bytes, position: int, until: float) -> None:
    """Cleans nothing."""


def hear(
    device: Callable[[Capture], None],
    *,
    rate: int = 24000,
    channels: int = 1,
    channel: int = 0,
    period_ms: int = 10,
) -> list[MicFrame]:
    """The frames that come of what `device` delivers."""
    told: list[Event] = []

    async def story() -> None:
        capture = Capture(told.append, channel, nobody)
        capture.prepare(rate, channels)
        device(capture)
        await asyncio.sleep(0)

    asyncio.run(story())
    return [event for event in told if isinstance(event, MicFrame)]


def ramp(first: int, frames: int) -> bytes:
    return np.arange(first, first + frames).astype("<i2").tobytes()


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
@pytest.mark.parametrize("period_ms", [5, 8, 10, 20])
def test_frames_of_20_ms_in_order_without_a_gap(rate: int, period_ms: int) -> None:
    block = rate * period_ms // 1000

    def device(capture: Capture) -> None:
        for number in range(40):
            capture.take(ramp(number * block, block), block, number * block / rate, False)

    frames = hear(device, rate=rate, period_ms=period_ms)
    assert len(frames) >= 9
    assert [frame.position for frame in frames] == [n * rate // 50 for n in range(len(frames))]
    sound = b"".join(frame.samples for frame in frames)
    assert sound == ramp(0, len(sound) // 2)
    assert frames[3].level == level(frames[3].samples)


def test_one_channel_of_several_is_listened_to() -> None:
    sides = np.stack([np.full(480, 1), np.full(480, 2), np.full(480, 3)], axis=1).astype("<i2")

    def device(capture: Capture) -> None:
        for half in (sides[:240], sides[240:]):
            capture.take(half.tobytes(), 240, 0.0, False)

    frames = hear(device, channels=3, channel=1)
    assert [frame.samples for frame in frames] == [np.full(480, 2, dtype="<i2").tobytes()]


def test_lost_samples_move_the_position_and_are_counted() -> None:
    seen: list[Capture] = []

    def device(capture: Capture) -> None:
        seen.append(capture)
        at = 5.0
        for number in range(9):
            lost = number == 3
            at += 0.01 + (0.035 if lost else 0)
            capture.take(ramp(number, 240), 240, at, lost)

    frames = hear(device)
    # Three blocks, 35 ms lost, six blocks: half a frame before the loss is of no use.
    assert [frame.position for frame in frames] == [0, 1560, 2040, 2520]
    assert seen[0].overflows == 1
    assert seen[0].lost == 840


def test_a_flag_without_a_loss_changes_nothing() -> None:
    def device(capture: Capture) -> None:
        for number in range(4):
            capture.take(ramp(0, 240), 240, number * 0.01 + 0.0004, True)

    assert [frame.position for frame in hear(device)] == [0, 480]


def test_a_stalled_loop_finds_the_newest_second_at_its_right_place() -> None:
    def device(capture: Capture) -> None:
        for number in range(400):
            capture.take(ramp(0, 240), 240, number * 0.01, False)

    frames = hear(device)
    assert [frame.position for frame in frames] == [480 * n for n in range(150, 200)]


def test_dozing_it_hands_over_what_a_wake_engine_hears_at_a_time_and_wakes_at_once() -> None:
    handed: list[int] = []

    async def story() -> None:
        capture = Capture(lambda event: handed.append(1), 0, nobody)
        capture.prepare(24000, 1)
        capture.dozing = True
        told = []
        for number in range(20):
            capture.dozing = number < 19
            capture.take(ramp(0, 240), 240, number * 0.01, False)
            await asyncio.sleep(0)
            told.append(len(handed))
        assert told == [0] * 7 + [4] * 8 + [8] * 4 + [10]

    asyncio.run(story())


def test_a_closed_microphone_says_nothing() -> None:
    def device(capture: Capture) -> None:
        capture.take(ramp(0, 240), 240, 0.0, False)
        capture.take(ramp(0, 240), 240, 0.01, False)
        capture.close()
        capture.take(ramp(0, 240), 240, 0.02, False)
        capture.take(ramp(0, 240), 240, 0.03, False)

    assert hear(device) == []


def test_levels() -> None:
    assert level(bytes(960)) == -120
    assert level(np.full(480, 32767, dtype="<i2").tobytes()) == pytest.approx(0, abs=0.01)
    time = np.arange(480) / 24000
    sine = np.rint(3276.8 * np.sin(2 * np.pi * 1000 * time)).astype("<i2")
    assert level(sine.tobytes()) == pytest.approx(-23.01, abs=0.02)
