"""The earcons: short, soft, and each unlike the others."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.core.commands import Chime
from edged.sound._chimes import VOICE_DBFS, chime
from edged.sound._levels import level

LOUDER_DB = {Chime.ALARM: 13}
"""What rings is for somebody in another room."""
RATES = (16000, 24000, 44100, 48000)


def heard(which: Chime, rate: int = 24000) -> NDArray[np.int16]:
    return np.frombuffer(chime(which, rate), dtype="<i2")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("which", Chime)
def test_its_loudest_moment_is_15_db_below_the_voice(which: Chime, rate: int) -> None:
    sound, window = chime(which, rate), 2 * (rate // 50)
    loudest = max(level(sound[at : at + window]) for at in range(0, len(sound) - window, window))
    assert VOICE_DBFS - 20 < loudest - LOUDER_DB.get(which, 0) <= VOICE_DBFS - 15
    assert loudest < VOICE_DBFS


@pytest.mark.parametrize("which", Chime)
def test_it_is_short_and_begins_and_ends_in_silence(which: Chime) -> None:
    sound = heard(which)
    longest_s = {Chime.WOKEN: 0.15, Chime.VOLUME: 0.06}.get(which, 0.6)
    assert len(sound) <= longest_s * 24000
    assert abs(int(sound[0])) < 3
    assert abs(int(sound[-1])) < 3
    louder = 10 ** (LOUDER_DB.get(which, 0) / 20)
    assert np.abs(np.diff(sound.astype(int))).max() < 400 * louder


def pitches(sound: NDArray[np.int16]) -> tuple[float, float]:
    """The strongest frequencies of the first and the last third."""
    third = len(sound) // 3
    found = []
    for part in (sound[:third], sound[-third:]):
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 24000))
        found.append(float(np.argmax(spectrum)))
    return found[0], found[1]


def test_waking_rises_and_sleeping_falls() -> None:
    first, last = pitches(heard(Chime.WOKEN))
    assert last > 1.3 * first
    first, last = pitches(heard(Chime.SLEEPING))
    assert last < first / 1.3


def test_sleeping_is_softer_than_waking() -> None:
    """Nobody asked for it: it must not be what wakes somebody in the room."""
    window = 2 * 480
    loudest = [
        max(level(sound[at : at + window]) for at in range(0, len(sound) - window, 48))
        for sound in (chime(Chime.SLEEPING, 24000), chime(Chime.WOKEN, 24000))
    ]
    assert loudest[0] < loudest[1] - 3


@pytest.mark.parametrize(("one", "other"), list(combinations(Chime, 2)))
def test_no_two_are_alike(one: Chime, other: Chime) -> None:
    a, b = heard(one).astype(float), heard(other).astype(float)
    # However they are shifted against each other.
    size = len(a) + len(b)
    alike = np.fft.irfft(np.fft.rfft(a, size) * np.fft.rfft(b, size).conj(), size)
    assert np.abs(alike).max() < 0.9 * np.sqrt((a @ a) * (b @ b))
