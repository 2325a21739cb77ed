"""The ring: bounded, in order, and honest about what it lost."""

from hypothesis import given
from hypothesis import strategies as st

from edged.core.events import MicFrame
from edged.core.preroll import Preroll


def frame(position: int, samples: int = 320) -> MicFrame:
    return MicFrame(bytes(2 * samples), position, -60.0)


def filled(frames: int, limit: int = 10**9) -> Preroll:
    ring = Preroll(lambda _: None)
    for n in range(frames):
        ring.put(frame(320 * n), limit)
    return ring


def test_it_holds_what_fits_and_the_oldest_falls_out() -> None:
    ring = filled(10, limit=960)
    assert (ring.samples, ring.gone, ring.end) == (960, 2240, 3200)
    assert [kept.frame.position for kept in ring.since(0)] == [2240, 2560, 2880]
    assert ring.samples == 960, "they stay"


def test_a_frame_that_holds_the_position_is_among_them() -> None:
    for position, first in ((-500, 0), (0, 0), (319, 0), (320, 320), (321, 320), (5000, None)):
        kept = [one.frame.position for one in filled(3).since(position)]
        assert (kept[0] if kept else None) == first


def test_nothing_is_gone_until_something_falls_out() -> None:
    ring = filled(3, limit=960)
    assert ring.gone == 0
    ring.put(frame(960), 960)
    assert ring.gone == 320


def test_a_smaller_limit_takes_effect_at_the_next_frame() -> None:
    ring = filled(100)
    ring.put(frame(32_000), 640)
    assert (ring.samples, ring.gone) == (640, 31_680)


def test_forgotten_is_forgotten() -> None:
    ring = filled(10, limit=960)
    ring.clear()
    assert (list(ring.since(0)), ring.samples, ring.gone, ring.end) == ([], 0, 0, 0)


@given(st.lists(st.integers(1, 2000), max_size=40), st.integers(1, 4000))
def test_it_is_bounded_and_loses_only_the_oldest(lengths: list[int], limit: int) -> None:
    ring, position = Preroll(lambda _: None), 0
    for length in lengths:
        ring.put(frame(position, length), limit)
        position += length
        assert ring.samples <= max(limit, length)
        assert ring.gone + ring.samples == position == ring.end
    kept = list(ring.since(0))
    assert [one.length for one in kept] == lengths[len(lengths) - len(kept) :]
