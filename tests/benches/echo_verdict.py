"""What a scene that was played comes to, and what all scenes together are worth.

Echo-only is every frame but those from an interruption's onset to a while after its end: what is
taken for speech there is the box's own voice.
"""

import importlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .echo_chain import Played
from .echo_ears import EARS, Judgement
from .echo_room import Reals
from .echo_scene import FRAME, Burst, active_rms
from .echo_voices import RATE
from .report import Figure

STRETCH_S: Final = 5.0
DETECTED_S: Final = 2.5
"""A barge-in that is noticed later is as good as none."""
FRAMES_A_SECOND: Final = RATE // FRAME

_SETTLE_S = 1.5
"""After an interruption: the gate's hang, and the silence that ends a turn."""
_LATEST_S = 0.06
"""No driver holds sound back for longer."""
_STEADY_S = (5.0, 15.0)
_EARLY_S = (1.0, 2.0)


@dataclass(frozen=True)
class Hearing:
    """What one ear made of one scene."""

    stretches: Sequence[bool]
    """For each five seconds of the box alone whether they were taken for speech in part."""
    false_starts: int
    minutes: float
    """Of the box alone."""
    latencies_ms: Sequence[float | None]
    """For each interruption how long after its onset at the microphone it was noticed, or None."""

    @property
    def falsely_on_pct(self) -> float:
        """Share of the stretches."""
        return 100 * sum(self.stretches) / len(self.stretches) if self.stretches else 0.0


@dataclass(frozen=True)
class Outcome:
    """What one scene came to with one driver."""

    hearings: Mapping[str, Hearing]
    """By the ear's name."""
    erle_db: float | None
    """Over ten seconds of the box alone; None where it is not alone for so long."""
    erle_early_db: float | None
    """From the first to the second second."""
    stoi: Sequence[float] = field(default_factory=list)
    """Of the cleaned sound, per interruption, against the person alone."""
    level_db: Sequence[float] = field(default_factory=list)
    """How much louder each interruption is than at the microphone."""
    latency_ms: float = 0.0
    """How far the cleaned sound is behind the microphone's."""


def judged(played: Played, judgement: Judgement) -> Hearing:
    """One ear's judgement against what was really said."""
    count = min(len(judgement.on), len(played.opened))
    alone = echo_only(played.bursts, count)
    flags = judgement.on[:count][alone]
    size = round(STRETCH_S * FRAMES_A_SECOND)
    stretches = [bool(flags[at : at + size].any()) for at in range(0, len(flags) - size + 1, size)]
    starts = [frame for frame in judgement.starts if frame < count]
    return Hearing(
        stretches=stretches,
        false_starts=sum(bool(alone[frame]) for frame in starts),
        minutes=float(alone.sum()) / FRAMES_A_SECOND / 60,
        latencies_ms=[_noticed_ms(burst, judgement) for burst in played.bursts],
    )


def echo_only(bursts: Iterable[Burst], frames: int) -> npt.NDArray[np.bool_]:
    """For each frame whether the box alone is responsible for what is heard."""
    alone = np.ones(frames, bool)
    for burst in bursts:
        alone[burst.onset // FRAME : (burst.end + round(_SETTLE_S * RATE)) // FRAME + 1] = False
    return alone


def _noticed_ms(burst: Burst, judgement: Judgement) -> float | None:
    onset = burst.onset // FRAME
    # Speech that goes on already would go on without the person.
    if onset < len(judgement.on) and judgement.on[onset]:
        return None
    for frame in judgement.starts:
        late = (frame + 1) * FRAME - burst.onset
        if 0 < late <= DETECTED_S * RATE:
            return 1000 * late / RATE
    return None


# --- the sound itself -------------------------------------------------------------------------


def outcome(played: Played, hearings: Mapping[str, Hearing]) -> Outcome:
    """All that can be said of a scene; raises `ImportError` without pystoi."""
    lag = latency(played)
    first = min((burst.onset for burst in played.bursts), default=len(played.microphone))
    stoi: list[float] = []
    levels: list[float] = []
    for burst in played.bursts:
        heard = played.microphone[burst.onset : burst.end] / 32768
        alone = played.near[burst.onset : burst.end]
        clean = played.cleaned[burst.onset + lag : burst.end + lag] / 32768
        if len(clean) == len(alone):
            stoi.append(_stoi(alone, clean))
            levels.append(20 * math.log10((active_rms(clean) or 1e-9) / active_rms(heard)))
    return Outcome(
        hearings=hearings,
        erle_db=_erle_db(played, _STEADY_S, first),
        erle_early_db=_erle_db(played, _EARLY_S, first),
        stoi=stoi,
        level_db=levels,
        latency_ms=1000 * lag / RATE,
    )


def latency(played: Played) -> int:
    """How many samples the cleaned sound is behind, by where the person is found in it."""
    reach = round(_LATEST_S * RATE)
    likeness = np.zeros(reach + 1)
    for burst in played.bursts:
        alone = played.near[burst.onset : burst.end]
        clean = played.cleaned[burst.onset : burst.end + reach].astype(np.float64)
        if len(clean) < len(alone) + reach:
            continue
        size = 1 << (len(clean) + len(alone)).bit_length()
        product = np.fft.rfft(clean, size) * np.conj(np.fft.rfft(alone, size))
        likeness += np.fft.irfft(product, size)[: reach + 1]
    return int(np.argmax(likeness))


def _erle_db(played: Played, span_s: tuple[float, float], first_burst: int) -> float | None:
    start, end = (round(second * RATE) for second in span_s)
    heard = played.microphone[start:end].astype(np.float64)
    if end > first_burst or not len(heard):
        return None
    left = played.cleaned[start:end].astype(np.float64)
    return 10 * math.log10(float(np.sum(heard**2)) / max(float(np.sum(left**2)), 1.0))


def _stoi(clean: Reals, processed: Reals) -> float:
    measure: Any = importlib.import_module("pystoi").stoi
    return float(measure(clean, processed, RATE))


# --- all scenes together ----------------------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """What holds at one level: `None` is not judged."""

    falsely_on_pct: float | None = None
    worst_falsely_on_pct: float | None = None
    barge_in_pct: float | None = None
    barge_in_ms: float | None = None


_FAIR = Limits(0, None, 98, 250)
LIMITS: Final[Mapping[str, Mapping[float, Limits]]] = {
    "speex": {5: _FAIR, 0: _FAIR, -10: Limits(0, 20, 95, 350), -20: Limits(5, None, 70)},
    "dual": {5: _FAIR, 0: _FAIR, -10: Limits(0, 10, 95, 350), -20: Limits(5, None, 70)},
    "gate": {5: Limits(0), 0: Limits(0, None, 80), -10: Limits(0), -20: Limits(0)},
}
"""By driver and speech-to-echo ratio in dB; falsely on as the median of the seeds."""

CPU_PCT: Final[Mapping[str, float]] = {"speex": 2.0}
MEMORY_MIB: Final[Mapping[str, float]] = {"speex": 3e6 / 2**20}
LEVEL_DB: Final = 0.5
STOI: Final = 0.98

_SURE = 0.01
_SHORT_MS = 1.2


def decided(
    prefix: str, ser_db: float, hearings: Sequence[Hearing], limits: Limits, *, short: bool
) -> Iterator[Figure]:
    """How the scenes at one level were heard by one ear.

    A short run may be unlucky: one stretch of a room more may be falsely on, as few barge-ins be
    heard as whoever just keeps the limit hears in one run of a hundred, a fifth later.
    """
    at = f"ser{ser_db:+g}" if ser_db else "ser0"
    shares = [hearing.falsely_on_pct for hearing in hearings]
    pooled = [late for hearing in hearings for late in hearing.latencies_ms]
    found = [late for late in pooled if late is not None]
    stretches = max((len(hearing.stretches) for hearing in hearings), default=1)
    slack = 100 / max(stretches, 1) if short else 0.0
    for name, share, limit in (
        ("falsely_on_pct", median(shares), limits.falsely_on_pct),
        ("falsely_on_worst_pct", max(shares), limits.worst_falsely_on_pct),
    ):
        allowed = None if limit is None else limit + slack
        yield _at_most(f"{prefix}_{name}_{at}", share, "%", allowed)
    minutes = sum(hearing.minutes for hearing in hearings)
    starts = sum(hearing.false_starts for hearing in hearings)
    yield Figure(f"{prefix}_false_starts_per_min_{at}", starts / minutes, "a minute")
    if not pooled:
        return
    least = limits.barge_in_pct
    if least is not None and short:
        least = 100 * unlucky(least / 100, len(pooled)) / len(pooled)
    detected = 100 * len(found) / len(pooled)
    unit = f"% of {len(pooled)}"
    yield Figure(f"{prefix}_barge_in_pct_{at}", detected, unit, limit=least, side="at least")
    late = limits.barge_in_ms
    late = late * _SHORT_MS if late is not None and short else late
    middle = median(found) if found else None
    yield _at_most(f"{prefix}_barge_in_ms_{at}", middle, "ms", late)


def unlucky(chance: float, count: int) -> int:
    """How many of `count` still come true in all but one run of a hundred, each with `chance`."""
    below = 0.0
    for hits in range(count):
        below += math.comb(count, hits) * chance**hits * (1 - chance) ** (count - hits)
        if below >= _SURE:
            return hits
    return count


def sounded(prefix: str, ser_db: float, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """What became of the sound itself at one level."""
    at = f"ser{ser_db:+g}" if ser_db else "ser0"
    steady = [one.erle_db for one in outcomes if one.erle_db is not None]
    early = [one.erle_early_db for one in outcomes if one.erle_early_db is not None]
    stoi = [value for one in outcomes for value in one.stoi]
    for name, values, unit in (
        ("erle_db", steady, "dB"),
        ("erle_early_db", early, "dB"),
        ("stoi", stoi, ""),
    ):
        if values:
            yield Figure(f"{prefix}_{name}_{at}", median(values), unit)


def untouched(prefix: str, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """Whether a person who speaks alone is left as they are; the worst of them is told."""
    levels = [median(one.level_db) for one in outcomes]
    worst = max(levels, key=abs)
    yield Figure(f"{prefix}_level_db", worst, "dB")
    yield _at_most(f"{prefix}_level_off_db", abs(worst), "dB", LEVEL_DB)
    alike = [median(one.stoi) for one in outcomes]
    yield Figure(f"{prefix}_stoi", median(alike), "", limit=STOI, side="at least")
    yield Figure(f"{prefix}_stoi_worst", min(alike), "")
    yield Figure(f"{prefix}_latency_ms", median(one.latency_ms for one in outcomes), "ms")
    for ear in EARS:
        latencies = [late for one in outcomes for late in one.hearings[ear].latencies_ms]
        share = 100 * sum(late is not None for late in latencies) / len(latencies)
        yield Figure(f"{prefix}_heard_pct_{ear}", share, f"% of {len(latencies)}")


def _at_most(name: str, value: float | None, unit: str, limit: float | None) -> Figure:
    return Figure(name, value, unit, limit=limit)
