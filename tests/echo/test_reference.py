"""The reference is where the echo is, whatever the device throws away or tells of its delays."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.echo._drift import Drift
from edged.echo._reference import Reference

from .room import RATE

MARGIN = round(RATE * 15 / 1000)


def counted(start: int, count: int) -> bytes:
    """Samples that tell their place."""
    return (np.arange(start, start + count) % 30_000 + 1).astype("<i2").tobytes()


def numbers(samples: bytes) -> list[int]:
    return [int(each) for each in np.frombuffer(samples, dtype="<i2")]


def test_what_sounded_a_delay_ago_is_read_now() -> None:
    reference = Reference(RATE)
    reference.far(counted(0, 4800))
    heard, _ = reference.near(480, play_delay=2400, capture_delay=240)
    first = 4800 - 2400 - 240 + MARGIN - 480
    assert numbers(heard) == numbers(counted(first, 480))


def test_it_goes_on_by_what_is_read_though_the_delays_jump_about_by_a_period() -> None:
    reference = Reference(RATE)
    heard = b""
    for frame in range(100):
        reference.far(counted(480 * frame, 480))
        part, moved = reference.near(480, 960 + 120 * (frame % 3 - 1), capture_delay=240)
        heard += part
        assert not moved or frame == 0
    places = [place for place in numbers(heard) if place]
    assert places == numbers(counted(places[0] - 1, len(places)))


def test_a_delay_that_changed_is_believed_after_three_frames() -> None:
    reference = Reference(RATE)
    moves = []
    for frame in range(60):
        reference.far(counted(480 * frame, 480))
        late = 960 if frame < 40 else 960 + 45 * 24
        moves.append(reference.near(480, late, 0)[1])
    assert [frame for frame, moved in enumerate(moves) if moved and frame > 5] == [42]


def drifting(ppm: float, seconds: int, jump_at_s: float = 1e9) -> tuple[Reference, float, int]:
    """A tone by two clocks: the reference, how far it is off at the end, and its moves."""
    reference = Reference(RATE)
    chance = random.Random(1)
    moves = 0
    off = [0.0]
    for frame in range(seconds * 50):
        begun = round(480 * frame * (1 + ppm * 1e-6))
        ended = round(480 * (frame + 1) * (1 + ppm * 1e-6))
        reference.far(tone(begun, ended - begun))
        late = 960 + (480 if frame > jump_at_s * 50 else 0)
        heard, moved = reference.near(480, late + chance.randrange(-120, 121), 0)
        moves += moved
        # What sounds in the middle of the frame, by the phase of what was read.
        sounding = ended - late + MARGIN - 240
        sound = np.frombuffer(heard, dtype="<i2") * np.exp(-2j * np.pi * WAVES * PLACES)
        phase = np.angle(sound.sum()) / (2 * np.pi) - WAVES * sounding
        off.append(float((phase + 0.5) % 1 - 0.5) / WAVES)
    return reference, float(np.mean(off[-100:])), moves


WAVES = 1 / 480
PLACES = np.arange(480) - 240


def tone(start: int, count: int) -> bytes:
    """A wave of 480 samples: its phase tells the place."""
    wave = 10_000 * np.cos(2 * np.pi * WAVES * np.arange(start, start + count))
    return bytes(np.rint(wave).astype("<i2"))


@pytest.mark.parametrize("ppm", [100, -100])
def test_clocks_that_drift_apart_are_measured_and_followed(ppm: int) -> None:
    reference, off, moves = drifting(ppm, 180)
    assert abs(reference.drift_ppm - ppm) < 10
    # The margin is wider.
    assert abs(off) < 0.011 * RATE
    # Once at the beginning, and once more at most before the drift is known.
    assert moves <= 2


def test_one_clock_is_not_taken_for_two_though_its_delay_changes() -> None:
    reference, _, moves = drifting(0, 120, jump_at_s=60)
    assert reference.drift_ppm == 0
    assert moves <= 3


def test_what_was_thrown_away_never_sounds_and_what_follows_takes_its_place() -> None:
    reference = Reference(RATE)
    reference.far(counted(0, 4800))
    reference.near(480, 2400, 0)
    # 20 ms later the device's queue is emptied; nothing of what was dropped may be read.
    reference.flushed(1920)
    ahead, moved = reference.near(480, 0, 0)
    assert numbers(ahead) == numbers(counted(2400 + MARGIN, 480 - MARGIN)) + [0] * MARGIN
    reference.far(counted(20_000, 960))
    next_, moved_too = reference.near(480, 480, 0)
    assert numbers(next_) == numbers(counted(20_000 + MARGIN, 480))
    assert (moved, moved_too) == (False, False)


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("far"), st.integers(0, 3000)),
        st.tuples(st.just("flush"), st.integers(0, 3000)),
        st.tuples(st.just("near"), st.integers(0, 3000)),
    ),
    max_size=60,
)


@given(STEPS)
def test_every_sample_is_accounted_for(steps: list[Step]) -> None:
    """Written less dropped less consumed is what the device still holds, less the margin."""
    reference = Reference(RATE)
    model: list[int] = []
    written = 0
    for what, count in steps:
        if what == "far":
            reference.far(counted(written, count))
            model += numbers(counted(written, count))
            written += count
        elif what == "flush":
            reference.flushed(count)
            del model[max(0, len(model) - count) :]
        else:
            reference.realign()
            heard, _ = reference.near(480, count, 0)
            end = len(model) - count + MARGIN
            padded = [0] * 10_000 + model + [0] * 10_000
            assert numbers(heard) == padded[10_000 + end - 480 : 10_000 + end]
            assert reference.written - reference.consumed == count - MARGIN
        assert reference.written == len(model)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=80))
def test_the_oldest_is_forgotten_and_never_mistaken(lengths: list[int]) -> None:
    reference = Reference(RATE)
    total = 0
    for length in lengths:
        reference.far(counted(total, length))
        total += length
    reference.realign()
    heard, _ = reference.near(480, 90_000, 0)
    end = total - 90_000 + MARGIN
    expected = [place % 30_000 + 1 if place >= 0 else 0 for place in range(end - 480, end)]
    assert numbers(heard) == expected


def told(reference: Reference, late: list[int]) -> list[bool]:
    """A silent frame of each play delay; whether each was news."""
    news = []
    for each in late:
        reference.far(bytes(960))
        news.append(reference.near(480, each, 0)[1])
    return news


def place_for(reference: Reference, late: int) -> int:
    """How far its place is from where that play delay would have it."""
    return reference.consumed - (reference.written - late + MARGIN)


def test_in_the_first_silence_it_settles_where_most_of_the_delays_would_have_it() -> None:
    reference = Reference(RATE)
    assert not any(told(reference, [960 + 300, *[960] * 60]))
    assert place_for(reference, 960) == 0


def test_a_delay_that_jumps_while_it_settles_is_believed_as_soon_as_ever() -> None:
    reference = Reference(RATE)
    assert sum(told(reference, [960] * 30 + [960 + 7200] * 4)) == 1
    assert place_for(reference, 960 + 7200) == 0


def test_once_settled_silence_moves_it_no_more() -> None:
    reference = Reference(RATE)
    told(reference, [960] * 60)
    assert not any(told(reference, [960 + 200] * 100))
    assert place_for(reference, 960) == 0


def test_in_a_pause_of_an_answer_it_moves_no_more() -> None:
    reference = Reference(RATE)
    told(reference, [960] * 5)
    for _ in range(25):
        reference.far(counted(1, 480))
        reference.near(480, 960, 0)
    place = place_for(reference, 960)
    assert not any(told(reference, [960 + 20] * 60))
    assert place_for(reference, 960) == place == 0


def test_after_a_rest_it_is_where_it_was_though_the_delays_are_told_wrong_by_as_much() -> None:
    reference = Reference(RATE)
    told(reference, [960] * 60 + [960 + 96] * 60)
    reference.resume()
    assert not any(told(reference, [960 + 96 - 150, *[960 + 96] * 60]))
    assert place_for(reference, 960) == 0


def test_a_place_that_is_further_off_with_every_rest_is_found_anew_and_that_is_news() -> None:
    reference = Reference(RATE)
    late, news = 960, []
    for _ in range(4):
        news += told(reference, [late] * 60 + [late + 100] * 60)
        late += 100
        reference.resume()
    assert sum(news) == 1
    assert abs(place_for(reference, late)) <= 0.010 * RATE


@given(st.lists(st.integers(-144, 144), min_size=3, max_size=6), st.integers(0, 2**16))
def test_delays_that_are_told_in_steps_are_no_drift(steps: list[int], seed: int) -> None:
    """Up to 6 ms, each for 10 to 40 s."""
    drift = Drift()
    chance = random.Random(seed)
    count = 0
    for step in steps:
        for _ in range(chance.randrange(500, 2000)):
            count += 480
            drift.note(count, step + chance.randrange(-24, 25))
            assert abs(drift.ppm) < 60
