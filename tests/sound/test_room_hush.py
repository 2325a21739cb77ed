"""How true `SpeakerHushed` is: against the last sample that came out of the room's loudspeaker.

Noise is queued and hushed at a random moment; the noise is found in what the loudspeaker sounded,
and its end is where it falls below half its loudness: the middle of the fade.

Measured so, in steps of a millisecond, over 100 hushes at random moments with devices of 24, 44.1
and 48 kHz each: median 0.0 ms, 99th percentile 0.0 ms; once, when the room itself paused within the
fade, 2 ms. The tests allow what a busy machine needs.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.simulator import room
from edged.simulator.evening.comparison import place as placed
from edged.sound.rates import resampler

from .visit import WIRE, Guests, Visit, noise

pytestmark = [
    pytest.mark.room,
    pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "the room is there"),
]
MS = room.RATE // 1000
HUSHES = 10
GAP_S = 0.25
AFTER_S = 0.4
"""So long the loudspeaker is listened to after a hush."""
LAST_MS = 50
"""What the device holds may be late by a pause of the room's."""


def hush(visit: Visit, ear: room.Recording, sound: NDArray[np.int16], began: float) -> list[float]:
    """How far from the truth the answer is, and when the last sample sounded after it, in ms."""
    hushed = visit.do("hush")
    answered, said = visit.hear("SpeakerHushed")
    told = int(said["heard"])
    assert answered < hushed + 0.3
    assert told <= len(sound)
    heard = ear.between(began - 0.05, hushed + AFTER_S)
    at48 = resampler(WIRE, room.RATE)
    expected = np.frombuffer(at48.convert(sound.tobytes()) + at48.flush(), dtype="<i2")
    middle, last = end(expected[at48.delay :], heard, told * 2)
    return [(told * 2 - middle) / MS, (last - middle) / MS]


def end(expected: NDArray[np.int16], heard: NDArray[np.int16], told: int) -> tuple[int, int]:
    """Where `expected` falls below half its loudness, and the last of it that sounded at all."""
    sounding = np.flatnonzero(np.abs(heard.astype(int)) > 40)
    if not len(sounding):
        return 0, 0
    assert told, "something was heard of which nothing was told"
    # Found by the last tenth of a second that sounded for certain, if the answer is good to 30 ms.
    known = told - min(30 * MS, told // 2)
    first = max(0, known - 100 * MS)
    start, likeness = placed(expected[first:known], heard)
    assert likeness > 0.9
    offset = round(start) - first
    blocks = min(len(expected), len(heard) - offset) // MS
    sent = expected[: blocks * MS].astype(float)
    came = np.zeros(blocks * MS)
    came[max(0, -offset) :] = heard[max(0, offset) : offset + blocks * MS]
    shares = [part.reshape(blocks, MS) for part in (sent * came, sent * sent)]
    gains = shares[0].sum(axis=1) / shares[1].sum(axis=1)
    loudness = np.median(gains[first // MS : known // MS])
    return (int(np.flatnonzero(gains > loudness / 2)[-1]) + 1) * MS, int(sounding[-1]) + 1 - offset


@pytest.mark.parametrize("rate", [24000, 44100, 48000])
def test_a_hush_is_answered_with_the_last_sample_that_came_out(
    place: room.Room, guests: Guests, rate: int
) -> None:
    visit = guests(place, playback_rate=rate)
    assert visit.hear("SpeakerOpened")[1]["rate"] == rate
    chance = np.random.default_rng(rate)
    told = []
    with place.hear() as ear:
        for seed, wait_s in enumerate([0.0, 0.1, *chance.uniform(0.1, 0.8, HUSHES - 2)]):
            sound = noise(1.2, seed, WIRE)
            began = visit.play(sound.tobytes())
            ear.wait_until(began + wait_s)
            told.append(hush(visit, ear, sound, began))
        visit.leave()
    errors_ms, lasts_ms = zip(*told, strict=True)
    assert max(map(abs, errors_ms)) <= 20, errors_ms
    assert abs(np.median(errors_ms)) <= 1
    # Half a fade later it is silent, and stays so.
    assert np.median(lasts_ms) <= 6, lasts_ms
    assert max(lasts_ms) <= LAST_MS, lasts_ms


def test_so_it_is_after_gaps_and_while_the_volume_is_turned(
    place: room.Room, guests: Guests
) -> None:
    visit = guests(place, playback_rate=44100)
    visit.hear("SpeakerOpened")
    with place.hear() as ear:
        for seed in range(3):
            sound = noise(2, seed, WIRE)
            began = visit.play(sound[: WIRE // 2].tobytes())
            # After each gap more is held back, so that only a longer one is heard.
            ear.wait_until(began + 0.5 + (seed + 1) * GAP_S)
            resumed = visit.play(sound[WIRE // 2 :].tobytes())
            visit.hear("SpeakerUnderran")
            ear.wait_until(resumed + 0.7)
            visit.do("set_volume", -3 * seed - 3)
            error_ms, last_ms = hush(visit, ear, sound, resumed)
            assert abs(error_ms) <= 20
            assert last_ms <= LAST_MS
        visit.leave()
