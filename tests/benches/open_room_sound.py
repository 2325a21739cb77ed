"""What was heard in the open room: levels, the answer at the loudspeaker, words at the server.

Sounds are found by correlation of their differences, since speech is mostly its lowest tones, which
are alike everywhere. Unless it says otherwise everything is at 24 kHz.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edged.simulator.evening.comparison import halved, place
from edged.simulator.hearing import RATE, Recording, Samples

from .echo_scene import active_rms

WIRE_RATE = 24_000
FIRST_S = 0.3
"""So much of a sentence are its first words."""

_NEAR_S = 0.3
"""The room knows when something was said to within a fraction of this."""
_PIECE_S = 0.5
_SLIP_S = 0.05
_ALIKE = 0.6
_FOUND = 0.15
"""A sentence that is 10 dB below another voice is still this much like the sum of both."""
_DUCKED_DB = -6.0
_FAINT = 32768 * 10 ** (-60 / 20)

Reals = NDArray[np.float64]


def dbfs(sound: Samples | Reals) -> float:
    """How loud it is while it is not silent; -120 when it always is."""
    return 20 * math.log10(max(1e-6, active_rms(sound) / 32768))


def onset(words: Samples, recording: Recording, began: float) -> float:
    """When the first of `words` (48 kHz) was at the microphone, which was about `began`."""
    first = recording.position_at(began - _NEAR_S)
    last = recording.position_at(began + len(words) / RATE + _NEAR_S)
    where, alike = place(np.diff(words.astype(float)), np.diff(recording.cut(first, last) * 1.0))
    return recording.time_of(first + round(where)) if alike > _FOUND else began


def last_sound(recording: Recording, since: float, until: float) -> float:
    """When there was sound last between two times; `since` when there was none."""
    first, end = recording.position_at(since), recording.position_at(until)
    loud = np.flatnonzero(np.abs(recording.cut(first, end).astype(np.int32)) > _FAINT)
    return recording.time_of(first + int(loud[-1])) if len(loud) else since


@dataclass(frozen=True)
class Sounded:
    """How much of an answer was heard at the loudspeaker, in seconds of what was not silent."""

    heard_s: float
    ducked_s: float
    """Of what was heard: quieter than the rest by more than 6 dB."""
    missing_s: float


def sounded(sent: Samples, recorded: Samples) -> Sounded:
    """Look for `sent` in `recorded` (48 kHz), piece by piece."""
    there = halved(recorded)
    size, slip = round(_PIECE_S * WIRE_RATE), round(_SLIP_S * WIRE_RATE)
    gains: list[float] = []
    missing = 0
    at: float | None = None
    for start in range(0, len(sent) - size + 1, size):
        piece = sent[start : start + size].astype(np.float64)
        if np.sqrt(np.mean(piece**2)) < 10 * _FAINT:
            continue
        near = 0 if at is None else max(0, round(at) + start - slip)
        end = len(there) if at is None else near + size + 2 * slip
        where, alike = place(piece, there[near:end])
        if alike < _ALIKE:
            missing += 1
            continue
        at = near + where - start
        found = there[near + round(where) :][:size]
        gains.append(10 * math.log10(float(found @ found) / float(piece @ piece)))
    usual = float(np.median(gains)) if gains else 0.0
    ducked = sum(gain < usual + _DUCKED_DB for gain in gains)
    return Sounded(_PIECE_S * len(gains), _PIECE_S * ducked, _PIECE_S * missing)


@dataclass(frozen=True)
class FirstWords:
    """How the beginning of a sentence arrived at the server."""

    alike: float
    """Its correlation with what was said."""
    gain_db: float
    """How loud what is alike in it is beside what was said."""
    place: int
    """Which sample of the server's input it begins with."""


def first_words(words: Samples, arrived: Samples, begin: int) -> FirstWords:
    """Look for the first of `words` (48 kHz) in `arrived`; `begin` is where that piece begins."""
    said = halved(words)
    head = said[: round(FIRST_S * WIRE_RATE)]
    whole, _ = place(np.diff(said), np.diff(arrived.astype(float)))
    # Held back and sent at once, the first words may lie a little earlier than the rest says.
    near = max(0, round(whole) - WIRE_RATE // 4)
    piece = arrived[near : round(whole) + len(head) + WIRE_RATE // 4].astype(np.float64)
    where, alike = place(head, piece)
    return FirstWords(alike, _gain_db(head, piece, where), begin + near + round(where))


def trace_db(earcon: Samples, arrived: Samples) -> float:
    """How much of `earcon` is in `arrived`, beside the earcon itself."""
    piece = arrived.astype(np.float64)
    size = len(earcon)
    product = np.correlate(piece, earcon.astype(np.float64), "valid") if len(piece) >= size else 0
    most = float(np.max(np.abs(product)))
    energy = float(np.sum(earcon.astype(np.float64) ** 2))
    return 20 * math.log10(max(1e-6, most / energy))


def _gain_db(said: Reals, arrived: Reals, where: float) -> float:
    found = arrived[round(where) :][: len(said)]
    said = said[: len(found)]
    return 20 * math.log10(max(1e-6, float(said @ found) / float(said @ said)))
