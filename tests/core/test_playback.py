"""The books of the loudspeaker."""

from hypothesis import given
from hypothesis import strategies as st

from edged.core.playback import Playback, Unheard

RATE = 24_000


def sound(ms: int) -> bytes:
    return bytes(2 * RATE * ms // 1000)


def answering(*items_ms: tuple[str, int]) -> Playback:
    """The books of one answer with these items, which may go on."""
    playback = Playback(RATE)
    playback.start("resp_1")
    for item, ms in items_ms:
        playback.queue("resp_1", item, 0, sound(ms))
    return playback


def test_what_is_queued_is_heard_bit_by_bit() -> None:
    playback = answering(("item_1", 100))
    assert (playback.queued, playback.heard, playback.audible) == (2400, 0, True)
    playback.progress(1200)
    assert (playback.heard, playback.heard_ms) == (1200, 50)
    playback.progress(600)
    assert playback.heard == 1200, "never backwards"
    playback.progress(99_999)
    assert playback.heard == 2400, "never more than was queued"
    assert not playback.audible


def test_it_is_drained_when_all_has_come_and_all_is_heard() -> None:
    assert Playback(RATE).drained
    playback = answering()
    assert not playback.drained
    playback.queue("resp_1", "item_1", 0, sound(100))
    playback.progress(2400)
    assert not playback.drained, "more may come"
    playback.finish()
    assert playback.drained


def test_a_cut_begins_the_counts_anew_and_is_settled_once() -> None:
    playback = answering(("item_1", 100))
    playback.progress(1200)
    playback.cut()
    assert (playback.queued, playback.heard, playback.drained) == (0, 0, True)
    assert playback.settle(1440) == [Unheard("item_1", 0, 60)]
    assert playback.settled_ms == 60
    assert playback.settle(1440) == []


def test_what_sounded_between_the_cut_and_the_silence_was_heard() -> None:
    for told, heard_ms in ((None, 50), (0, 50), (1199, 50), (1920, 80), (2399, 99)):
        playback = answering(("item_1", 200))
        playback.progress(1200)
        playback.cut()
        assert playback.settle(told) == [Unheard("item_1", 0, heard_ms)]


def test_a_loudspeaker_that_tells_too_much_has_played_what_was_received() -> None:
    playback = answering(("item_1", 100))
    playback.cut()
    assert playback.settle(10**9) == [Unheard("item_1", 0, 100)], "more was to come"
    playback = answering(("item_1", 100))
    playback.finish()
    playback.cut()
    assert playback.settle(10**9) == []


def test_a_new_answer_waits_behind_what_still_plays() -> None:
    playback = answering(("item_1", 100))
    playback.progress(1200)
    playback.start("resp_2")
    playback.queue("resp_2", "item_2", 0, sound(100))
    assert playback.received("resp_1") == playback.received("resp_2") == 2400
    playback.cut()
    assert playback.settle() == [Unheard("item_1", 0, 50), Unheard("item_2", 0, 0)]


def test_what_is_queued_after_a_cut_is_no_part_of_it() -> None:
    playback = answering(("item_1", 100))
    playback.cut()
    playback.start("resp_2")
    playback.queue("resp_2", "item_2", 0, sound(100))
    playback.progress(1200)
    assert playback.settle(480) == [Unheard("item_1", 0, 20)]
    assert (playback.heard, playback.settled_ms) == (1200, 20)
    playback.cut()
    assert playback.settle() == [Unheard("item_2", 0, 50)]


def test_an_item_that_was_caught_up_with_is_cut_where_it_was() -> None:
    playback = answering(("one", 100), ("two", 100))
    playback.progress(4800)
    playback.cut()
    assert playback.settle() == [Unheard("two", 0, 100)], "the first is whole, the second is not"


def test_an_item_is_named_once_however_often_it_was_gone_on_with() -> None:
    playback = answering(("one", 100), ("two", 100), ("one", 100))
    playback.progress(960)
    playback.cut()
    assert playback.settle() == [Unheard("one", 0, 40), Unheard("two", 0, 0)]


def test_less_than_a_millisecond_of_an_item_is_nothing() -> None:
    playback = answering(("one", 100), ("two", 100))
    playback.cut()
    assert playback.settle(2400 + 23) == [Unheard("two", 0, 0)]


def test_answers_heard_to_the_end_are_forgotten() -> None:
    playback = Playback(RATE)
    for turn in range(1000):
        playback.start(f"resp_{turn}")
        playback.queue(f"resp_{turn}", f"item_{turn}", 0, sound(20))
        playback.progress(playback.queued)
        playback.finish()
    assert len(playback._pieces) == 1


pieces = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 1), st.integers(1, 5000)), max_size=12
)


@given(pieces, st.integers(0, 70_000), st.integers(0, 3000), st.booleans())
def test_the_cut_is_never_beyond_what_was_received_or_heard(
    queued: list[tuple[str, int, int]], told: int, late: int, growing: bool
) -> None:
    playback = Playback(RATE)
    playback.start("resp_1")
    for item, index, frames in queued:
        playback.queue("resp_1", item, index, bytes(2 * frames))
    playback.progress(told)
    if not growing:
        playback.finish()
    left = min(told + late, sum(frames for *_, frames in queued))
    truth: dict[str, dict[int, list[int]]] = {}
    for item, index, frames in queued:
        played = min(left, frames)
        left -= played
        part = truth.setdefault(item, {}).setdefault(index, [0, 0])
        part[0] += frames
        part[1] += played
    last = queued[-1][:2] if queued and growing else None
    playback.cut()
    cut = {unheard.item: unheard for unheard in playback.settle(told + late)}
    for item, parts in truth.items():
        heard_ms = {index: heard * 1000 // RATE for index, (_, heard) in parts.items()}
        open_parts = {
            index
            for index, (received, heard) in parts.items()
            if heard < received or (item, index) == last
        }
        if item not in cut:
            assert not any(heard_ms[index] for index in open_parts)
            assert not open_parts or any(heard_ms.values()), "cut, and nobody is told"
        elif cut[item].heard_ms:
            assert cut[item].index in open_parts
            assert cut[item].heard_ms == heard_ms[cut[item].index]
        else:
            assert open_parts
            assert not any(heard_ms.values()), "deleted, and it was heard"
