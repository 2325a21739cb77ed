"""Turn-taking: how fast an answer stops, how true what is told of it is, and that it stays silent.

Answers are cut by speech, by the wake word, by a button and by push-to-talk, at random moments, and
the bare loop's are cut by speech in between. Everything is judged by what the loudspeaker of the
room sounded, in which each answer is a noise like no other, and by the server's ledger.
"""

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from edged.simulator.evening import talker
from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.evening import WAKE_WORD
from edged.simulator.hearing import Samples
from edged.simulator.pinboard import Change, PinsClient
from edged.simulator.provider.house import Options
from edged.simulator.server import Items, Speech, serve

from .report import Figure
from .rig import Rig, Tell, ask, noise, rig
from .turn_taking_person import ANSWER_S, KINDS, MOMENTS, THINK_S, Person
from .turn_taking_sound import WIRE_RATE
from .turn_taking_verdict import Judged, judge, note_lights

_DBFS = -20.0
_ANSWERS = 9
_WORD_GAIN = 0.35
_TURNS, _MORE_TURNS = 2, 10
"""So often each kind may be tried, since no moment is hit for certain."""
_STOP_LIMIT_MS = 5 + 10
"""A fade, and what Python and a resampler may cost beside the bare loop."""
_ERROR_LIMIT_MS, _MEDIAN_LIMIT_MS = 20, 5
_LIGHT_LIMIT_MS = 50

_SETTINGS = """\
[echo]
mode = "off"

[conversation]
follow_up_s = 110.0
false_wake_s = 60.0

[session]
vad_threshold = 1.0

[wake.openwakeword.words.hey_jarvis]
refractory_s = 0.5

[buttons.actions.talk]
press = "talk"
hold = "push_to_talk"

[sound.portaudio]
capture_rate = {rate}
playback_rate = {rate}
"""


@dataclass(frozen=True)
class Stage:
    """A sound card and a provider of a kind."""

    rate: int
    pace: float
    jitter_s: float


def _stages(rates: Sequence[int], paces: Sequence[tuple[float, float]]) -> tuple[Stage, ...]:
    return tuple(Stage(rate, *pace) for rate, pace in zip(rates, paces, strict=True))


_RATES = (24_000, 48_000, 44_100)
_PACES = ((4.0, 0.0), (1.0, 0.3), (0.0, 0.02))
"""Usual; as slow as speech, and uneven; at once."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    stages: Sequence[Stage] = tuple(
        stage for turn in range(3) for stage in _stages(_RATES, _PACES[turn:] + _PACES[:turn])
    )
    each: int = 117
    """Interruptions of each kind, over all stages."""


SHORT = Plan(_stages(_RATES, _PACES), 21)


@dataclass
class Harvest:
    """Everything measured."""

    bare: list[Judged] = field(default_factory=list)
    edged: dict[str, list[Judged]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    """By the kind of interruption."""
    refused: int = 0
    """Requests that the server did not accept."""


async def run(*, short: bool, tell: Tell) -> Sequence[Figure]:
    """Measure; raises what the rig raises when something it needs is missing."""
    plan = SHORT if short else Plan()
    word = np.rint(await talker.speak(WAKE_WORD) * _WORD_GAIN).astype(np.int16)
    harvest = Harvest()
    each = -(-plan.each // len(plan.stages))
    async with rig(Options(key=None)) as here:
        for number, stage in enumerate(plan.stages):
            async with await serve(_options(stage)) as server:
                there = replace(here, server=server)
                what = f"{number + 1} of {len(plan.stages)}: {stage.rate} Hz, pace {stage.pace:g}"
                tell(f"{what}: the bare loop is interrupted")
                async with there.bare("converse", server.url):
                    person = Person(there, random.Random(number), word)
                    await _interrupted(person, ("voice",), each)
                harvest.bare += await judge(there, person.cuts)
                tell(f"{what}: edged is interrupted")
                settings = _SETTINGS.format(rate=stage.rate)
                async with there.edged(settings, pins=True) as daemon:
                    await _edged(there, daemon, random.Random(number), word, each, harvest)
        return _figures(plan, harvest, here.lateness_ms, short=short)


def _options(stage: Stage) -> Options:
    return Options(
        answers=_answers(),
        detector="energy",
        keep_audio=True,
        key=None,
        pace=stage.pace,
        jitter_s=stage.jitter_s,
        think_s=THINK_S,
    )


def _answers() -> list[Speech | Items]:
    """Each a noise of its own; every third comes in two items."""
    sounds = [noise(ANSWER_S, WIRE_RATE, _DBFS, seed=seed) for seed in range(_ANSWERS)]
    half = len(sounds[0]) // 2
    return [
        Items([Speech("(noise)", part) for part in (sound[:half], sound[half:])])
        if number % 3 == 2
        else Speech("(noise)", sound)
        for number, sound in enumerate(sounds)
    ]


async def _edged(
    here: Rig, daemon: Daemon, chance: random.Random, word: Samples, each: int, harvest: Harvest
) -> None:
    changes: list[Change] = []
    async with PinsClient(daemon.folder / "pins", changes.append) as pins:
        await daemon.says("microphone ")
        await daemon.says("loudspeaker ")
        await daemon.reaches("asleep")
        await ask(daemon, "wake")
        await daemon.reaches("listening")
        person = Person(here, chance, word, daemon, pins)
        await _interrupted(person, KINDS, each)
    note_lights(person.cuts, changes)
    for cut, judged in zip(person.cuts, await judge(here, person.cuts), strict=True):
        harvest.edged[cut.kind].append(judged)
    harvest.refused += len(here.server.entries("error"))


async def _interrupted(person: Person, kinds: Sequence[str], each: int) -> None:
    """So many interruptions of each kind, the kinds in turn."""
    moments = itertools.cycle(MOMENTS)
    left = dict.fromkeys(kinds, each)
    for turn in itertools.count():
        if not any(left.values()):
            break
        if turn > _TURNS * each + _MORE_TURNS:
            raise OSError(f"the right moment was missed too often: {left} are left")
        moment = next(moments)
        for kind in [kind for kind, number in left.items() if number > 0]:
            left[kind] -= await person.interrupt(kind, moment)
    await person.finish()


# --- what it comes to -------------------------------------------------------------------------


def _figures(
    plan: Plan, got: Harvest, lateness_ms: Sequence[float], *, short: bool
) -> Sequence[Figure]:
    tail = _all_but_one if short else _p99
    bare = [one.stop_ms for one in got.bare if one.stop_ms is not None]
    figures = [
        figure for kind in KINDS for figure in _of_kind(plan, kind, got.edged[kind], bare, tail)
    ]
    figures.append(Figure("refused_requests", got.refused, "requests"))
    figures.append(Figure("rig_late_p99_ms", _p99(lateness_ms), "ms"))
    return figures


def _of_kind(
    plan: Plan,
    kind: str,
    judged: Sequence[Judged],
    bare: Sequence[float],
    tail: Callable[[Sequence[float]], float],
) -> Iterable[Figure]:
    stops = [one.stop_ms for one in judged if one.stop_ms is not None]
    errors = [abs(one.error_ms) for one in judged]
    lights = [one.light_ms for one in judged if one.light_ms is not None]
    for name, of in (("p99", tail), ("p50", median)):
        edged, reference = of(stops), of(bare)
        over = edged - reference
        figure = f"{kind}_stop_over_reference_ms_{name}"
        yield Figure(figure, over, "ms", reference, _STOP_LIMIT_MS)
        yield Figure(f"{kind}_stop_ms_{name}", edged, "ms", reference)
    for name, of, limit in (("p99", tail, _ERROR_LIMIT_MS), ("p50", median, _MEDIAN_LIMIT_MS)):
        yield Figure(f"{kind}_truncate_error_ms_{name}", of(errors), "ms", limit=limit)
    over = sum(one.over_received for one in judged)
    yield Figure(f"{kind}_truncate_over_received", over, "items", limit=0)
    late = sum(one.late_samples for one in judged)
    yield Figure(f"{kind}_late_samples", late, "samples", limit=0)
    yield Figure(f"{kind}_press_to_light_ms_p99", tail(lights), "ms", limit=_LIGHT_LIMIT_MS)
    yield Figure(f"{kind}_press_to_light_ms_p50", median(lights), "ms")
    yield Figure(f"{kind}_interrupts", len(judged), "answers", limit=plan.each, side="at least")


def _p99(values: Sequence[float]) -> float:
    return float(np.percentile(values, 99))


def _all_but_one(values: Sequence[float]) -> float:
    """The 99th percentile cannot be told from few: one may be above the limit."""
    return sorted(values)[-2]
