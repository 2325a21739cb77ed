"""The books of the loudspeaker."""

from hypothesis import given
from hypothesis import strategies as st

from edged.core.playback import Playback, Unheard

RATE = 24_000


def sound(ms: int) -> bytes:
    return bytes(2 * RATE * ms // 1000)


def test_what_is_queued_is_heard_bit_by_bit() -> None:
    playback = Playback(RATE)
    playback.start()
    playback.queue("resp_1", "item_1", 0, sound(100))
    assert (playback.queued, playback.heard, playback.audible) == (2400, 0, True)
    playback.progress(1200)
    assert (playback.heard, playback.heard_ms) == (1200, 50)
    playback.progress(600)
    assert playback.heard == 1200, "never backwards"
    playback.progress(99_999)
    assert playback.heard == 2400, "never more than was queued"
    assert not playback.audible


def test_it_is_drained_when_all_has_come_and_all_is_heard() -> None:
    playback = Playback(RATE)
    assert Playback(RATE).drained
    playback.start()
    assert not playback.drained
    playback.queue("resp_1", "item_1", 0, sound(100))
    playback.progress(2400)
    assert not playback.drained, "more may come"
    playback.finish()
    assert playback.drained


def test_an_interruption_begins_the_counts_anew() -> None:
    playback = Playback(RATE)
    playback.start()
    playback.queue("resp_1", "item_1", 0, sound(100))
    playback.progress(1200)
    assert playback.interrupt() == [Unheard("item_1", 0, 50)]
    assert (playback.queued, playback.heard, playback.drained) == (0, 0, True)
    assert playback.interrupt() == []


def test_a_new_answer_waits_behind_what_still_plays() -> None:
    playback = Playback(RATE)
    playback.start()
    playback.queue("resp_1", "item_1", 0, sound(100))
    playback.progress(1200)
    playback.start()
    playback.queue("resp_2", "item_2", 0, sound(100))
    assert playback.received("resp_1") == playback.received("resp_2") == 2400
    assert playback.interrupt() == [Unheard("item_1", 0, 50), Unheard("item_2", 0, 0)]


def test_answers_heard_to_the_end_are_forgotten() -> None:
    playback = Playback(RATE)
    for turn in range(1000):
        playback.start()
        playback.queue(f"resp_{turn}", f"item_{turn}", 0, sound(20))
        playback.progress(playback.queued)
        playback.finish()
    assert len(playback._pieces) == 1


pieces = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 1), st.integers(1, 5000)), max_size=12
)


@given(pieces, st.integers(0, 70_000))
def test_the_cut_is_never_beyond_what_was_received_or_heard(
    queued: list[tuple[str, int, int]], heard: int
) -> None:
    playback = Playback(RATE)
    playback.start()
    for item, index, frames in queued:
        playback.queue("resp_1", item, index, bytes(2 * frames))
    playback.progress(heard)
    left = min(heard, sum(frames for *_, frames in queued))
    truth: dict[str, list[int]] = {}
    for item, _, frames in queued:
        played = min(left, frames)
        left -= played
        received = truth.setdefault(item, [0, 0])
        received[0] += frames
        received[1] += played
    cut = {unheard.item: unheard for unheard in playback.interrupt()}
    for item, (received_frames, heard_frames) in truth.items():
        if received_frames == heard_frames:
            assert item not in cut
        elif heard_frames == 0:
            assert cut[item].heard_ms == 0
        elif item in cut:
            assert cut[item].heard_ms <= heard_frames * 1000 // RATE
