"""Where an answer that was cut ended at the loudspeaker, and whether any of it came again.

Answers are white noise, so that each place in them is like no other. What was recorded is taken
in blocks of 10 ms, and for each that is not silent its place in what was sent is looked for: first
where the block before it would go on, then everywhere. An earcon over the answer changes little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edged.simulator.hearing import RATE, Samples

Floats = NDArray[np.float64]

WIRE_RATE = 24_000
"""Of what is sent; what is recorded has `RATE`, twice as much."""

_BLOCK = RATE // 100
_ALIKE = 0.5
"""A block of noise at the best of all wrong places reaches 0.3; one that is filled to a quarter
reaches 0.5 at the right one."""
_QUIET = 32768 * 10 ** (-60 / 20)
_EDGE = RATE // 1000
_FAINT = 0.1
"""A fade has ended when a millisecond is 20 dB below the answer."""
_SILENCE = RATE // 50
"""So long a pause is no accident of a fade or of two blocks."""
_STOPPING = RATE // 10
"""What begins anew later than this after the trigger was not stopped by it."""


@dataclass(frozen=True)
class Heard:
    """What of an answer sounded."""

    end: int | None
    """The position in the recording behind its last sample; None when nothing was heard."""
    samples: float
    """How far into what was sent that was, at `WIRE_RATE`."""
    late: int
    """Samples, at `WIRE_RATE`, that were heard after it had been silent already."""


@dataclass(frozen=True)
class _Run:
    """A stretch of the recording, in which what was sent goes on without a break."""

    start: int
    end: int
    offset: int
    """From a position in the recording to the one in what was sent."""


def heard(
    sent: Samples, recorded: Samples, trigger: int, following: Samples | None = None
) -> Heard:
    """What was heard of `sent`, which was to fall silent when `recorded` was at `trigger`.

    `following` is what was sent next, if it may be in the recording too: it is told apart.
    """
    apart = np.zeros(_BLOCK, np.int16)
    whole = sent if following is None else np.concatenate((sent, apart, following))
    search = _Search(doubled(whole))
    sound = recorded.astype(np.float64)
    runs = [search.refined(run, sound) for run in search.runs(sound)]
    own = [cut for run in runs for cut in _before(run, 2 * len(sent) + _BLOCK)]
    kept: list[_Run] = []
    late = 0
    for run in own:
        silent = not kept or run.start - kept[-1].end >= _SILENCE
        if silent and run.start > trigger + _STOPPING:
            late += run.end - run.start
        else:
            kept.append(run)
    if not kept:
        return Heard(None, 0.0, late // 2)
    last = kept[-1]
    return Heard(last.end, (last.end + last.offset) / 2, late // 2)


def doubled(samples: Samples) -> Floats:
    """The sound at twice its rate, exactly (by its spectrum)."""
    sound = np.asarray(samples, dtype=np.float64)
    return 2 * np.fft.irfft(np.fft.rfft(sound), 2 * len(sound))


def _before(run: _Run, end: int) -> Sequence[_Run]:
    """The part of `run` before the position `end` of what was sent."""
    until = min(run.end, end - run.offset)
    return [replace(run, end=until)] if until > run.start else []


class _Search:
    """Finds blocks of a recording in what was sent."""

    def __init__(self, sent: Floats) -> None:
        self._sent = np.concatenate((np.zeros(_BLOCK), sent, np.zeros(2 * _BLOCK)))
        self._size = 1 << (len(self._sent) + _BLOCK).bit_length()
        self._spectrum = np.fft.rfft(self._sent, self._size)
        power = np.concatenate(([0.0], np.cumsum(self._sent**2)))
        energy = power[_BLOCK:] - power[:-_BLOCK]
        self._norms = np.sqrt(np.maximum(energy, energy.max() / 10))

    def runs(self, sound: Floats) -> Iterator[_Run]:
        """All stretches of `sound` that were sent, in the order in which they were heard."""
        run: _Run | None = None
        offset: int | None = None
        for start in range(0, len(sound) - _BLOCK + 1, _BLOCK):
            block = sound[start : start + _BLOCK]
            found = self._offset(block, start, offset)
            if run and (found != run.offset or run.end != start):
                yield run
                run = None
            if found is not None:
                offset = found
                run = (
                    replace(run, end=start + _BLOCK) if run else _Run(start, start + _BLOCK, found)
                )
        if run:
            yield run

    def refined(self, run: _Run, sound: Floats) -> _Run:
        """The same stretch, to about a millisecond, the fade at its end included."""
        first, last = max(0, run.start - _BLOCK), min(len(sound), run.end + 2 * _BLOCK)
        edges = range(first, last - _EDGE + 1, _EDGE)
        loud = [self._gain(sound, edge, edge + _EDGE, run.offset) for edge in edges]
        whole = self._gain(sound, run.start, run.end, run.offset)
        sounding = [gain > _FAINT * whole for gain in loud]
        start, end = run.start, run.end
        middle = (run.start + run.end) // 2
        for edge, sounds in zip(edges, sounding, strict=True):
            if edge >= middle and not sounds:
                end = edge
                break
        for edge, sounds in reversed(list(zip(edges, sounding, strict=True))):
            if edge < middle and not sounds:
                start = edge + _EDGE
                break
        return replace(run, start=min(start, end), end=end)

    def _offset(self, block: Floats, start: int, likely: int | None) -> int | None:
        norm = float(np.sqrt(np.sum(block**2)))
        if norm < _QUIET * _BLOCK**0.5:
            return None
        if likely is not None:
            at = start + likely + _BLOCK
            if 0 <= at < len(self._norms):
                alike = block @ self._sent[at : at + _BLOCK] / self._norms[at] / norm
                if alike > _ALIKE:
                    return likely
        product = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(block, self._size)), self._size)
        scores = product[: len(self._norms)] / self._norms / norm
        best = int(np.argmax(scores))
        return best - _BLOCK - start if scores[best] > _ALIKE else None

    def _gain(self, sound: Floats, start: int, end: int, offset: int) -> float:
        """How loud what was sent is in this piece; 0 beyond its ends."""
        at = max(0, start + offset + _BLOCK)
        sent = self._sent[at : max(0, end + offset + _BLOCK)]
        piece = sound[start : start + len(sent)]
        sent = sent[: len(piece)]
        energy = float(sent @ sent)
        return float(piece @ sent) / energy if energy > 0 else 0.0
