"""Where an answer that was cut ended, found in what was recorded."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.simulator.evening.cut import find

RATE = 24_000
MS = RATE // 1000
DELAY = 5_000


def answer(seconds: float = 4, pause: tuple[int, int] = (0, 0)) -> NDArray[np.float64]:
    """Noise, with a pause between two positions."""
    sound = np.random.default_rng(5).normal(scale=3000, size=round(seconds * RATE))
    sound[pause[0] : pause[1]] = 0
    return sound


def recorded(sent: NDArray[np.float64], end: int, fade: int = 5 * MS) -> NDArray[np.float64]:
    """It is heard at half its loudness, and fades out about the sample `end`."""
    first = max(0, end - fade // 2)
    gain = np.interp(np.arange(len(sent)), [first, first + fade], [0.5, 0.0])
    return np.concatenate([np.zeros(DELAY), sent * gain, np.zeros(RATE // 2)])


@pytest.mark.parametrize("end_ms", [1200, 1207, 2503.3, 3900])
def test_the_middle_of_the_fade_is_its_end(end_ms: float) -> None:
    end = round(end_ms * MS)
    sent = answer()
    found = find(sent, recorded(sent, end), RATE)
    assert found.start == pytest.approx(DELAY, abs=0.5)
    assert found.error_ms(end_ms, RATE) <= 2
    assert found.error_ms(end_ms + 15, RATE) == pytest.approx(15, abs=3)
    assert found.error_ms(end_ms - 15, RATE) == pytest.approx(15, abs=3)


def test_a_cut_in_a_pause_may_have_been_anywhere_in_it() -> None:
    sent = answer(pause=(2 * RATE, 2 * RATE + 300 * MS))
    found = find(sent, recorded(sent, 2 * RATE + 100 * MS), RATE)
    assert [found.error_ms(at, RATE) for at in (2001, 2150, 2299)] == [0, 0, 0]
    assert found.error_ms(1900, RATE) == pytest.approx(100, abs=3)
    assert found.error_ms(2400, RATE) == pytest.approx(100, abs=3)
    ends = [found.end(told_ms, RATE) / MS for told_ms in (1900, 2150, 2400)]
    assert ends == pytest.approx([2000, 2150, 2300], abs=3)


@pytest.mark.parametrize("ducked_ms", [1400, 2460, 2485])
def test_an_answer_that_was_made_quieter_before_it_ended_was_heard_to_its_end(
    ducked_ms: int,
) -> None:
    sent = answer()
    room = recorded(sent, 2503 * MS)
    first = DELAY + ducked_ms * MS
    room[first:] *= np.interp(np.arange(len(room) - first), [0, 8 * MS], [1, 0.25])
    assert find(sent, room, RATE).error_ms(2503, RATE) <= 2
    assert find(sent, room, RATE).error_ms(2460, RATE) > 30


def test_of_a_soft_end_that_was_made_quieter_the_little_that_is_heard_counts() -> None:
    sent = answer(pause=(2440 * MS, 2490 * MS))
    room = recorded(sent, 2500 * MS)
    room[DELAY + 2440 * MS :] *= 0.25
    assert find(sent, room, RATE).error_ms(2500, RATE) <= 2


def test_an_answer_that_was_heard_to_its_end_is_told_so() -> None:
    sent = answer()
    found = find(sent, recorded(sent, 10 * RATE), RATE)
    assert (found.heard, found.unheard) == (len(sent), len(sent))


def test_what_comes_again_later_counts_as_heard() -> None:
    sent = answer()
    room = recorded(sent, 2 * RATE)
    again = slice(DELAY + 3 * RATE, DELAY + 3 * RATE + 100 * MS)
    room[again] = sent[3 * RATE : 3 * RATE + 100 * MS] / 2
    assert find(sent, room, RATE).error_ms(2000, RATE) > 1000
