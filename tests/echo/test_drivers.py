"""A speaker talks, somebody else does, or both: what each driver makes of it."""

import importlib
from math import inf

import numpy as np
import pytest

from edged.echo._speex import Missing
from edged.ports import Echo

from .room import FRAME, FRAMES_S, RATE, Talk, echo_of, hiss, level, opened, sixteen, voice

DRIVERS = ("off", "half_duplex", "gate", "speex", "dual")
GATED = DRIVERS[2:]
FAR_S = 6.0
"""How long the speaker talks alone, so that a driver knows the room."""


def opened_driver(name: str, rate: int = RATE) -> Echo:
    """The driver with its defaults; skips the test where its library is absent."""
    if name == "dual":
        pytest.importorskip("pywebrtc_audio")
    module = importlib.import_module(f"edged.echo.{name}")
    try:
        echo: Echo = module.open(module.Settings(), rate)
    except Missing as missing:
        pytest.skip(str(missing))
    return echo


@pytest.mark.parametrize("name", DRIVERS)
def test_who_is_alone_in_the_room_is_sent_as_they_are(name: str) -> None:
    talk = Talk(opened_driver(name))
    mic = voice(1, 4, -36) + hiss(2, 4)
    frames = talk.run(np.zeros(len(mic)), mic)
    sent = b"".join(frame.samples for frame in frames)
    # Bit for bit; where there are cancellers, 20 ms later.
    late = 2 * talk.driver.late
    assert sent == bytes(late) + sixteen(mic)[: len(sent) - late]
    assert all(frame.score == inf for frame in frames[20:])


@pytest.mark.parametrize("name", GATED)
def test_the_speaker_does_not_take_itself_for_somebody(name: str) -> None:
    talk = Talk(opened_driver(name))
    far = voice(3, FAR_S + 4, -20)
    frames = talk.run(far, echo_of(far, -26) + hiss(4, FAR_S + 4))
    # The first frames come before anything was played.
    assert len([at for at in opened(frames) if at > 5]) < 0.02 * len(frames)


@pytest.mark.parametrize(
    ("name", "ser_db", "within_ms"),
    # Without a canceller, under an echo 10 dB louder, a voice is heard in the echo's gaps.
    [("gate", 0, 200), ("gate", -10, 1000)]
    + [(name, ser_db, ms) for name in GATED[1:] for ser_db, ms in ((0, 200), (-10, 300))],
)
def test_somebody_who_speaks_over_it_is_heard(name: str, ser_db: int, within_ms: int) -> None:
    talk = Talk(opened_driver(name))
    far = voice(3, FAR_S + 2, -20)
    mic = echo_of(far, -36 - ser_db) + hiss(4, FAR_S + 2)
    begin = round(FAR_S * RATE)
    mic[begin:] += voice(7, 2, -36)
    frames = talk.run(far, mic)
    at = round(FAR_S * FRAMES_S)
    heard = [number for number in opened(frames) if number >= at]
    assert heard, max(frame.score for frame in frames[at:])
    assert (heard[0] - at) * 20 <= within_ms


@pytest.mark.parametrize("name", GATED)
def test_after_a_jump_that_is_told_it_holds_its_tongue_for_a_second(name: str) -> None:
    talk = Talk(opened_driver(name))
    far = voice(3, FAR_S + 4, -20)
    before, after = echo_of(far, -26), echo_of(far, -26, delay_ms=85)
    begin = round(FAR_S * RATE)
    mic = np.concatenate((before[:begin], after[begin:])) + hiss(4, FAR_S + 4)
    talk.run(far[:begin], mic[:begin])
    talk.driver.notify("underrun")
    talk.delay_ms = 85
    frames = talk.run(far[begin:], mic[begin:])
    assert [number for number in opened(frames) if number < FRAMES_S] == []


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("wrong_ms", [-18, 18])
def test_a_gap_before_an_answer_opens_for_nobody_though_delays_are_told_wrong_behind_it(
    name: str, wrong_ms: int
) -> None:
    talk = Talk(opened_driver(name))
    pause = np.zeros(RATE)
    far = np.concatenate((voice(3, FAR_S, -20), pause, voice(4, 4, -20)))
    mic = echo_of(far, -26) + hiss(4, FAR_S + 5)
    begin = round((FAR_S + 0.9) * RATE)
    talk.run(far[:begin], mic[:begin])
    talk.driver.notify("underrun")
    true_ms, frames = talk.delay_ms, []
    for step in range(5):
        # A second until they are told right again.
        talk.delay_ms = true_ms + wrong_ms * (5 - step) / 5
        piece = slice(begin + step * RATE // 5, begin + (step + 1) * RATE // 5)
        frames += talk.run(far[piece], mic[piece])
    talk.delay_ms = true_ms
    frames += talk.run(far[begin + RATE :], mic[begin + RATE :])
    # Nothing sounded in the first 0.1 s.
    assert [number for number in opened(frames) if number > 0.15 * FRAMES_S] == []


@pytest.mark.parametrize("name", GATED)
def test_after_a_jump_that_nobody_told_it_comes_to_its_senses(name: str) -> None:
    talk = Talk(opened_driver(name))
    far = voice(3, FAR_S + 8, -20)
    begin = round(FAR_S * RATE)
    before, after = echo_of(far, -26), echo_of(far, -26, delay_ms=70)
    mic = np.concatenate((before[:begin], after[begin:])) + hiss(4, FAR_S + 8)
    talk.run(far[:begin], mic[:begin])
    wrong = opened(talk.run(far[begin:], mic[begin:]))
    assert len(wrong) < 2.5 * FRAMES_S
    assert all(number < 4 * FRAMES_S for number in wrong)


@pytest.mark.parametrize("name", GATED)
def test_a_voice_in_a_pause_is_not_held_back(name: str) -> None:
    talk = Talk(opened_driver(name))
    pause = np.zeros(2 * RATE)
    far = np.concatenate((voice(3, FAR_S, -20), pause, voice(4, 2, -20)))
    mic = echo_of(far, -26) + hiss(4, FAR_S + 4)
    frames = talk.run(far, mic)
    quiet = [number for number, frame in enumerate(frames) if frame.score == inf]
    begin, end = round(FAR_S * FRAMES_S), round((FAR_S + 2) * FRAMES_S)
    # From half a second after the last of it until the first of it.
    assert set(range(begin + 25, end)) <= set(quiet)
    assert [number for number in quiet if number > end + 10] == []


@pytest.mark.parametrize("name", GATED)
def test_the_same_evening_twice_gives_the_same_frames(name: str) -> None:
    far = voice(3, 2, -20)
    mic = echo_of(far, -26) + hiss(4, 2)
    assert Talk(opened_driver(name)).run(far, mic) == Talk(opened_driver(name)).run(far, mic)


@pytest.mark.parametrize("name", GATED[1:])
def test_a_canceller_takes_its_own_voice_away_and_says_how_much(name: str) -> None:
    talk = Talk(opened_driver(name))
    far = voice(3, FAR_S + 4, -20)
    mic = echo_of(far, -26) + hiss(4, FAR_S + 4)
    frames = talk.run(far, mic)
    late = b"".join(frame.samples for frame in frames[-4 * FRAMES_S :])
    assert level(late) < level(sixteen(mic)) - 20
    assert 10 < frames[-1].erle_db < 45


def test_half_duplex_is_deaf_while_its_voice_rings_by_the_device_s_clock() -> None:
    driver = opened_driver("half_duplex")
    talk = Talk(driver, delay_ms=200)
    far = np.concatenate((np.zeros(RATE), voice(3, 1, -20), np.zeros(2 * RATE)))
    frames = talk.run(far, hiss(4, 4))
    deaf = [number for number, frame in enumerate(frames) if frame.score < 1]
    assert 50 + 9 <= deaf[0] <= 50 + 11
    assert 100 + 10 + 18 <= deaf[-1] <= 100 + 10 + 23
    assert {frames[number].score for number in deaf} == {0.0}


@pytest.mark.parametrize("name", DRIVERS)
def test_what_stands_for_held_back_sound_is_as_loud_as_the_room(name: str) -> None:
    talk = Talk(opened_driver(name))
    far = np.concatenate((np.zeros(3 * RATE), voice(3, 3, -20)))
    frames = talk.run(far, echo_of(far, -26) + hiss(4, 6, -60))
    room = level(b"".join(frame.samples for frame in frames[100:150]))
    noise = level(b"".join(frame.noise for frame in frames[-50:]))
    if name != "off":
        assert abs(noise - room) < 3
    assert all(len(frame.noise) == 2 * FRAME and any(frame.noise) for frame in frames)


@pytest.mark.parametrize("name", DRIVERS)
def test_a_room_without_any_sound_is_not_sent_as_a_dead_line(name: str) -> None:
    talk = Talk(opened_driver(name))
    frames = talk.run(np.zeros(RATE), np.zeros(RATE))
    assert all(-80 < level(frame.noise) < -70 for frame in frames)


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize("rate", [8000, 16_000, 24_000, 48_000])
def test_every_rate_of_a_wire_gives_frames_as_long_as_they_came(name: str, rate: int) -> None:
    driver = opened_driver(name, rate)
    size = rate // 50 * 2
    for _ in range(5):
        driver.far(bytes(size // 2))
        driver.far(bytes(size // 2))
        cleaned = driver.near(bytes(size), rate // 25, 0)
        assert len(cleaned.samples) == len(cleaned.noise) == size
    driver.flushed(100)
    for why in ("underrun", "reopened", "volume"):
        driver.notify(why)


@pytest.mark.parametrize("name", GATED)
def test_a_frame_of_another_length_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="480 samples"):
        opened_driver(name).near(bytes(962), 0, 0)
