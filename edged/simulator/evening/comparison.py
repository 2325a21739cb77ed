"""What was sent against what arrived: where, how alike, and whether a sample is missing."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Samples = NDArray[np.int16] | Floats

_QUIET_DBFS = -45.0
_ALIKE = 0.9
_RECOGNISED = 0.5


@dataclass(frozen=True)
class Comparison:
    """How a sound arrived."""

    start: int
    """The position in what arrived of the first sample sent."""
    correlation: float
    """Of the whole sound under one delay, normalised; 1 is identical but for loudness."""
    lost_samples: int
    doubled_samples: int
    gaps: int
    """Steps of the delay from one second to the next, and seconds that were not recognised."""
    missing_ms: int = 0
    """How much of the beginning, to 40 ms, is not where it belongs, or too little like itself."""


def halved(samples: Samples) -> Floats:
    """The sound at half its rate, exactly band-limited (by its spectrum)."""
    sound = np.asarray(samples, dtype=np.float64)[: len(samples) // 2 * 2]
    spectrum = np.fft.rfft(sound)
    half = len(sound) // 2
    return np.fft.irfft(spectrum[: half // 2 + 1], half) / 2


def place(sent: Samples, arrived: Samples) -> tuple[float, float]:
    """Where `sent` lies in `arrived`, to a twentieth of a sample, and their correlation there.

    By normalised cross-correlation; `arrived` must be at least as long as `sent`.
    """
    short = np.asarray(sent, dtype=np.float64)
    long = np.asarray(arrived, dtype=np.float64)
    if len(long) < len(short) or not np.any(short):
        return 0.0, 0.0
    size = 1 << (len(long) + len(short)).bit_length()
    product = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)
    product = product[: len(long) - len(short) + 1]
    power = np.concatenate(([0.0], np.cumsum(long**2)))
    energy = power[len(short) :] - power[: len(power) - len(short)]
    scores = product / np.sqrt(np.maximum(energy, 1e-9 * energy.max() + 1e-9) * np.sum(short**2))
    best = int(np.argmax(scores))
    window = long[best : best + len(short)]
    return _refined(short, window, best)


def compare(sent: Samples, arrived: Samples, rate: int, window_s: float = 1.0) -> Comparison:
    """Compare second by second: a step of the delay is lost or doubled sound."""
    short = np.asarray(sent, dtype=np.float64)
    long = np.asarray(arrived, dtype=np.float64)
    start, correlation = place(short, long)
    window = round(window_s * rate)
    delays: list[float] = []
    unknown = 0
    for first in range(0, max(1, len(short) - window // 2), window):
        piece = short[first : first + window]
        if _dbfs(piece) < _QUIET_DBFS:
            continue
        near = max(0, round(start) + first - window)
        where, alike = place(piece, long[near : near + len(piece) + 2 * window])
        if alike < _ALIKE:
            unknown += 1
            continue
        delays.append(near + where - first)
    steps = [round(after - before) for before, after in pairwise(delays)]
    start = round(delays[0] if delays else start)
    return Comparison(
        start=start,
        correlation=round(correlation, 4),
        lost_samples=sum(-step for step in steps if step < 0),
        doubled_samples=sum(step for step in steps if step > 0),
        gaps=sum(step != 0 for step in steps) + unknown,
        missing_ms=_missing_ms(short, long, start, rate),
    )


def onset(samples: Samples, rate: int, above_dbfs: float = -50.0) -> int | None:
    """The position of the first 5 ms louder than `above_dbfs`; None when all is quiet."""
    step = rate // 200
    sound = np.asarray(samples, dtype=np.float64)
    for first in range(0, len(sound) - step, step):
        if _dbfs(sound[first : first + step]) > above_dbfs:
            return first
    return None


def peaks(samples: Samples, step: int) -> list[float]:
    """The largest magnitude in each `step` samples, as a share of full scale."""
    whole = np.abs(np.asarray(samples, dtype=np.float64)[: len(samples) // step * step])
    return [round(float(peak), 4) for peak in whole.reshape(-1, step).max(axis=1) / 32768]


def _refined(short: Floats, window: Floats, best: int) -> tuple[float, float]:
    """Shift `short` by fractions of a sample until it fits `window` best."""
    spectrum = np.fft.rfft(short)
    turns = 2j * np.pi * np.fft.rfftfreq(len(short))
    norm = np.sqrt(np.sum(short**2) * max(float(np.sum(window**2)), 1e-9))
    image = np.conj(np.fft.rfft(window))
    scores: list[tuple[float, float]] = []
    for shift in np.arange(-1.0, 1.001, 0.05):
        product = spectrum * np.exp(-turns * shift) * image
        total = 2 * np.sum(product.real) - product[0].real
        if len(short) % 2 == 0:
            total -= product[-1].real
        scores.append((float(total / len(short) / norm), float(shift)))
    score, shift = max(scores)
    return best + shift, score


def _missing_ms(short: Floats, long: Floats, start: int, rate: int) -> int:
    step = rate // 25
    loud = [
        at
        for at in range(0, len(short) - step + 1, step)
        if _dbfs(short[at : at + step]) > _QUIET_DBFS
    ]
    for at in loud:
        block, piece = short[at : at + step], long[max(0, start + at) : max(0, start + at + step)]
        norm = float(np.sqrt(np.sum(block**2) * np.sum(piece**2)))
        if len(piece) == step and block @ piece > _RECOGNISED * norm:
            return round(1000 * (at - loud[0]) / rate)
    return round(1000 * len(short) / rate)


def _dbfs(samples: Floats) -> float:
    if not len(samples):
        return -120.0
    return max(-120.0, 10 * float(np.log10(np.mean(np.square(samples / 32768)) + 1e-12)))
