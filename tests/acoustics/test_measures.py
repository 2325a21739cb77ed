"""What was put into two rows of samples is read off them again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.acoustics.measures import SILENCE_DBFS, above, arrival, clipped, clocks, dbfs
from edged.acoustics.sounds import SPEECH_DBFS, active, frame_powers, speech, sweep

RATE = 24_000
CHIRP = sweep(RATE)


@given(
    late=st.floats(0, 0.7),
    echo_db=st.floats(-40, 0),
    noise_dbfs=st.floats(-90, -45),
    seed=st.integers(0, 2**32),
)
def test_a_sweep_is_found_to_half_a_sample(
    late: float, echo_db: float, noise_dbfs: float, seed: int
) -> None:
    heard = np.random.default_rng(seed).normal(0, 10 ** (noise_dbfs / 20), 2 * RATE)
    at = np.arange(2 * RATE) - late * RATE
    heard += 10 ** (echo_db / 20) * np.interp(at, np.arange(len(CHIRP)), CHIRP, left=0, right=0)
    found = arrival(CHIRP, heard)
    assert found is not None
    assert abs(found - late * RATE) < 0.5


@given(seed=st.integers(0, 2**32), noise_dbfs=st.floats(-90, -10))
def test_noise_is_no_sweep_and_neither_is_speech(seed: int, noise_dbfs: float) -> None:
    noise = np.random.default_rng(seed).normal(0, 10 ** (noise_dbfs / 20), 2 * RATE)
    assert arrival(CHIRP, noise) is None
    assert arrival(CHIRP, speech(RATE, 2)) is None
    assert arrival(CHIRP, np.zeros(2 * RATE)) is None
    assert arrival(CHIRP, np.zeros(0)) is None


@given(
    drift_ppm=st.floats(-300, 300),
    noise=st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=3),
)
def test_clocks_are_told_apart_as_well_as_it_says(drift_ppm: float, noise: list[float]) -> None:
    played = [0.0, 36_000.0, 220_000.0]
    heard = [
        500 + at / (1 + drift_ppm * 1e-6) + wrong for at, wrong in zip(played, noise, strict=True)
    ]
    found = clocks(played, heard, RATE)
    assert found is not None
    assert abs(found.drift_ppm - drift_ppm) <= 2 * found.within_ppm
    assert found.within_ppm < 5


def test_a_step_between_is_no_clock() -> None:
    assert clocks([0, 36_000, 220_000], [500, 36_500, 220_980], RATE) is None


@given(peak=st.integers(14_000, 32_000), hertz=st.floats(100, 4000))
def test_a_whole_wave_is_whole_and_a_cut_one_is_not(peak: int, hertz: float) -> None:
    wave = peak * np.sin(2 * np.pi * hertz * np.arange(4800) / 48_000)
    whole = np.rint(wave).astype(np.int16)
    assert clipped(whole) == 0
    for edge in (0.6 * peak, 32_767):
        cut = np.rint(np.clip(wave / 0.5, -edge, edge)).astype(np.int16)
        assert (clipped(cut) > 0) == bool(2 * peak > edge)


def test_silence_and_what_stands_in_noise() -> None:
    assert dbfs(0) == SILENCE_DBFS
    assert above(-60, -60) == SILENCE_DBFS
    assert above(-40, -50) == pytest.approx(-40.46, abs=0.01)
    assert clipped(np.zeros(0, np.int16)) == 0


def test_what_is_played_as_speech_is_like_it() -> None:
    words = speech(RATE, 6)
    spoken = frame_powers(words, RATE)[active(words, RATE)]
    assert dbfs(float(spoken.mean())) == pytest.approx(SPEECH_DBFS, abs=0.5)
    assert 8 < 20 * np.log10(np.abs(words).max()) - SPEECH_DBFS < 20
    assert 0.6 < active(words, RATE).mean() < 0.97
    assert np.array_equal(words, speech(RATE, 6))
