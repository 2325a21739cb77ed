"""Sound that arrives whole, late, short of samples or with samples twice is told apart."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.simulator.evening.comparison import Comparison, compare, halved, onset, place

RATE = 24_000


def murmur(seconds: float, seed: int = 7) -> NDArray[np.float64]:
    """Noise with a spectrum like speech's."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * RATE))
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    spectrum *= 1 / (1 + (hertz / 500) ** 2) * (hertz > 80)
    sound: NDArray[np.float64] = np.fft.irfft(spectrum, len(noise))
    loud: NDArray[np.float64] = sound / np.abs(sound).max() * 12_000
    return loud


def arriving(*pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(5_000), *pieces, np.zeros(30_000)]) * 0.4


def test_a_sound_that_arrives_whole_is_found_where_it_is() -> None:
    sent = murmur(4)
    assert compare(sent, arriving(sent), RATE) == Comparison(5_000, 1.0, 0, 0, 0)


def test_half_a_sample_of_delay_is_no_difference() -> None:
    sent = murmur(3)
    spectrum = np.fft.rfft(arriving(sent))
    turns = np.exp(-1j * np.pi * np.fft.rfftfreq(2 * (len(spectrum) - 1)))
    arrived = np.fft.irfft(spectrum * turns)
    where, correlation = place(sent, arrived)
    assert where == pytest.approx(5_000.5, abs=0.06)
    assert correlation > 0.999


@pytest.mark.parametrize("cut", [1, 20, 480])
def test_samples_that_are_missing_are_counted(cut: int) -> None:
    sent = murmur(5)
    comparison = compare(sent, arriving(sent[:50_000], sent[50_000 + cut :]), RATE)
    assert (comparison.lost_samples, comparison.doubled_samples, comparison.gaps) == (cut, 0, 1)


@pytest.mark.parametrize("twice", [1, 480])
def test_samples_that_come_twice_are_counted(twice: int) -> None:
    sent = murmur(5)
    comparison = compare(sent, arriving(sent[:50_000], sent[50_000 - twice :]), RATE)
    assert (comparison.lost_samples, comparison.doubled_samples, comparison.gaps) == (0, twice, 1)


def test_a_sound_that_never_came_is_not_found() -> None:
    comparison = compare(murmur(3), arriving(murmur(4, seed=8)), RATE)
    assert comparison.correlation < 0.3
    assert comparison.gaps >= 2


@pytest.mark.parametrize("late_ms", [0, 40, 120])
def test_a_beginning_that_did_not_arrive_is_missed(late_ms: int) -> None:
    sent = murmur(3)
    arrived = arriving(np.zeros(late_ms * RATE // 1000), sent[late_ms * RATE // 1000 :])
    comparison = compare(sent, arrived, RATE)
    assert comparison.missing_ms == late_ms
    assert (comparison.lost_samples, comparison.doubled_samples) == (0, 0)


def test_of_a_sound_that_never_came_all_is_missing() -> None:
    assert compare(murmur(1), arriving(np.zeros(2 * RATE)), RATE).missing_ms == 1000


def test_halving_the_rate_keeps_what_both_rates_can_carry() -> None:
    slow = murmur(1)
    spectrum = np.zeros(RATE + 1, dtype=complex)
    spectrum[: RATE // 2 + 1] = np.fft.rfft(slow)
    fast = np.fft.irfft(spectrum, 2 * RATE) * 2
    assert np.allclose(halved(fast), slow, atol=1.0)


def test_the_onset_is_where_it_gets_loud() -> None:
    quiet = np.zeros(RATE)
    assert onset(quiet, RATE) is None
    begin = onset(np.concatenate([quiet, murmur(1)]), RATE)
    assert begin is not None
    assert abs(begin - RATE) < RATE // 50
