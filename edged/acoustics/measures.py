"""What can be read off two rows of samples: when a sound arrives, how loud, how whole it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray

from .sounds import Sound

SILENCE_DBFS = -120.0
_SURE = 12.0
"""A correlation this much above its usual size is an arrival: noise reaches 6 to 7."""
_FLAT = 4
"""So many samples in a row at one extreme are no wave."""
_LOUD = 8192
"""Below this, -12 dBFS, a slow wave's crest may look flat."""
_STEADY_S = 0.001
"""Arrivals that miss a straight line by more were put out by a step, not by a clock."""
_FINE = 0.25
"""Samples to which an arrival is found."""


def arrival(sought: Sound, heard: Sound) -> float | None:
    """Where in `heard` the sound begins, to a fraction of a sample; None where it is not there."""
    size = 1 << (len(heard) + len(sought) - 1).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sought, size))
    likeness = np.fft.irfft(product, size)[: max(0, len(heard) - len(sought) // 2)]
    strength = np.abs(likeness)
    usual = float(np.median(strength)) if len(strength) else 0.0
    at = int(np.argmax(strength)) if len(strength) else 0
    if not usual or strength[at] < _SURE * usual:
        return None
    if not 0 < at < len(strength) - 1:
        return float(at)
    before, here, after = strength[at - 1 : at + 2]
    return at + 0.5 * float((before - after) / (before - 2 * here + after))


def dbfs(power: float) -> float:
    """The level of a mean square, full scale 1."""
    return max(SILENCE_DBFS, 10 * log10(power)) if power > 0 else SILENCE_DBFS


def power(level_dbfs: float) -> float:
    """The mean square of a level."""
    return float(10 ** (level_dbfs / 10))


def above(level_dbfs: float, noise_dbfs: float) -> float:
    """The level of what stands in noise, without it; silence where there is no more than noise."""
    return dbfs(power(level_dbfs) - power(noise_dbfs))


def clipped(samples: NDArray[np.int16]) -> int:
    """Samples that are cut off: at full scale, or rows of equal ones at the loudest there are."""
    loudest = int(np.abs(samples.astype(np.int32)).max(initial=0))
    full = int(np.count_nonzero((samples == 32767) | (samples == -32768)))
    if loudest < _LOUD or full:
        return full
    flat = 0
    for edge in (samples.max(), samples.min()):
        at_edge = np.concatenate(([0], (samples == edge).astype(np.int8), [0]))
        steps = np.diff(at_edge)
        lengths = np.flatnonzero(steps == -1) - np.flatnonzero(steps == 1)
        flat += int(lengths[lengths >= _FLAT].sum())
    return flat


@dataclass(frozen=True)
class Clocks:
    """How two clocks run against each other."""

    drift_ppm: float
    """How much faster the loudspeaker's runs than the microphone's."""
    within_ppm: float
    """How wrong that may be."""


def clocks(played: Sequence[float], heard: Sequence[float], rate: int) -> Clocks | None:
    """From where the same sounds begin in both rows; None where something jumped between them."""
    there, here = np.array(played), np.array(heard)
    span = here[-1] - here[0]
    ratio = (there[-1] - there[0]) / span
    off = here[0] + (there - there[0]) / ratio - here
    worst = float(np.abs(off).max())
    if worst > _STEADY_S * rate:
        return None
    return Clocks(float(ratio - 1) * 1e6, (worst + _FINE) / float(span) * 1e6)
