"""The reference is where the echo is, whatever the device throws away or tells of its delays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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


def test_clocks_that_drift_apart_are_followed() -> None:
    reference = Reference(RATE)
    moved = [False]
    for frame in range(6000):
        reference.far(bytes(960))
        moved.append(reference.near(480, 960 + frame // 20, 0)[1])
    assert 1 <= sum(moved[10:]) <= 3


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
