"""Resampling: soon, clean, and never a sample more or less."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.sound.rates import resampler

PAIRS = [(device, wire) for wire in (8000, 16000, 24000) for device in (16000, 24000, 44100, 48000)]
BOTH_WAYS = sorted({pair for a, b in PAIRS if a != b for pair in ((a, b), (b, a))})
ways = pytest.mark.parametrize(("rate", "to_rate"), BOTH_WAYS)


def sine(rate: int, hz: float, seconds: float, peak: float = 16000) -> bytes:
    time = np.arange(round(rate * seconds)) / rate
    return np.rint(peak * np.sin(2 * np.pi * hz * time)).astype("<i2").tobytes()


def settled(sound: bytes, rate: int) -> NDArray[np.float64]:
    """One second, once the filter is full."""
    return np.frombuffer(sound, dtype="<i2")[rate // 4 : rate // 4 + rate].astype(np.float64)


def gain_db(sound: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(sound**2)) / (16000 / 2**0.5) + 1e-9))


@ways
def test_sound_comes_out_within_six_milliseconds(rate: int, to_rate: int) -> None:
    stream = resampler(rate, to_rate)
    click = np.zeros(rate, dtype="<i2")
    click[rate // 2] = 20000
    out = np.frombuffer(stream.convert(click.tobytes()), dtype="<i2")
    delay_ms = (int(np.argmax(np.abs(out))) / to_rate - 0.5) * 1000
    assert delay_ms <= 6
    assert delay_ms == pytest.approx(stream.delay_ms, abs=0.05)
    assert stream.delay_ms == pytest.approx(stream.delay / to_rate * 1000)


@ways
def test_nothing_is_held_back_beyond_that(rate: int, to_rate: int) -> None:
    stream = resampler(rate, to_rate)
    for _ in range(10):
        assert len(stream.convert(bytes(2 * rate // 50))) == 2 * to_rate // 50


@ways
def test_the_voice_passes_unchanged(rate: int, to_rate: int) -> None:
    nyquist = min(rate, to_rate) / 2
    for part in (0.05, 0.3, 0.6, 0.8, 0.85):
        out = resampler(rate, to_rate).convert(sine(rate, part * nyquist, 1.5))
        assert abs(gain_db(settled(out, to_rate))) <= 0.1, part
    out = resampler(rate, to_rate).convert(sine(rate, 0.9 * nyquist, 1.5))
    assert gain_db(settled(out, to_rate)) >= -3


@pytest.mark.parametrize(("rate", "to_rate"), [p for p in BOTH_WAYS if p[0] > p[1]])
def test_what_the_lower_rate_cannot_carry_is_gone(rate: int, to_rate: int) -> None:
    for part in (1.0, 1.05, 1.1, 1.3, 1.6, 1.9):
        hz = part * to_rate / 2
        if hz < rate / 2:
            out = resampler(rate, to_rate).convert(sine(rate, hz, 1.5))
            assert gain_db(settled(out, to_rate)) <= -70, part


@pytest.mark.parametrize(("rate", "to_rate"), [p for p in BOTH_WAYS if p[0] < p[1]])
def test_the_higher_rate_gets_no_mirror_images(rate: int, to_rate: int) -> None:
    for part in (0.3, 0.7, 0.9):
        hz = part * rate / 2
        second = settled(resampler(rate, to_rate).convert(sine(rate, hz, 1.5)), to_rate)
        spectrum = np.abs(np.fft.rfft(second * np.hanning(to_rate)))
        near = slice(int(hz) - 20, int(hz) + 20)
        tone = spectrum[near].max()
        spectrum[near] = 0
        assert 20 * np.log10(spectrum.max() / tone) <= -70, part


@ways
def test_no_sample_is_lost_or_gained_over_time(rate: int, to_rate: int) -> None:
    """A minute in odd pieces: the count is exact after each, so it is after an hour."""
    stream, chance = resampler(rate, to_rate), np.random.default_rng(rate + to_rate)
    given = made = 0
    while given < 60 * rate:
        piece = int(chance.integers(0, rate // 3))
        made += len(stream.convert(bytes(2 * piece))) // 2
        given += piece
        assert made == -(-given * to_rate // rate)
    assert len(stream.flush()) // 2 == stream.delay


@ways
def test_pieces_sound_as_the_whole(rate: int, to_rate: int) -> None:
    chance = np.random.default_rng(7)
    sound = chance.integers(-12000, 12000, rate).astype("<i2").tobytes()
    whole = resampler(rate, to_rate)
    expected = whole.convert(sound) + whole.flush()
    stream, made, at = resampler(rate, to_rate), b"", 0
    while at < len(sound):
        size = 2 * int(chance.integers(1, 700))
        made += stream.convert(sound[at : at + size])
        at += size
    made += stream.flush()
    assert len(made) == len(expected)
    difference = np.frombuffer(made, "<i2").astype(int) - np.frombuffer(expected, "<i2")
    assert np.max(np.abs(difference)) <= 1


def test_equal_rates_pass_through() -> None:
    stream = resampler(24000, 24000)
    assert stream.convert(b"\1\2\3\4") == b"\1\2\3\4"
    assert stream.flush() == b""
    assert stream.delay_ms == 0


def test_full_scale_is_clipped_not_wrapped() -> None:
    square = np.where(np.arange(4800) % 48 < 24, 32767, -32768).astype("<i2").tobytes()
    out = np.frombuffer(resampler(24000, 48000).convert(square), dtype="<i2").astype(int)
    assert out.max() == 32767
    assert np.abs(np.diff(out)).max() < 50000
