"""Turn-taking: how fast an answer stops, how true what is told of it is, and that it stays silent.

Answers are cut by speech, by the wake word, by a button and by push-to-talk, at random moments, and
the bare loop's are cut by speech in between. Everything is judged by what the loudspeaker of the
room sounded, in which each answer is a noise like no other, and by the server's ledger.
"""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from edged.simulator.evening import talker
from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.evening import WAKE_WORD
from edged.simulator.hearing import RATE, Samples
from edged.simulator.pinboard import Change, PinsClient
from edged.simulator.provider.house import Options
from edged.simulator.provider.ledger import Entry
from edged.simulator.server import Items, Server, Speech, serve

from .report import Figure
from .rig import Rig, Tell, ask, noise, rig, until
from .turn_taking_sound import WIRE_RATE, Heard, heard

KINDS = ("voice", "wake", "push", "button")
"""In this order: after push-to-talk the server hears no speech until a button or a word wakes."""
ANSWER_S = 1.6
THINK_S = 0.2

_MOMENTS: Mapping[str, tuple[float, float]] = {
    "the first 100 ms": (0.0, 0.1),
    "the first word": (0.1, 0.4),
    "the middle": (0.5, 1.1),
    "anywhere": (0.1, ANSWER_S - 0.1),
    "the last syllable": (ANSWER_S - 0.2, ANSWER_S - 0.03),
}
"""Seconds from the first sound; where the server is quick, generation has finished in most."""
_ONSET_S = 0.045
_DBFS = -20.0
_ANSWERS = 9
_SETTLE_S = 0.45
"""From an interruption to what makes the next answer."""
_WORD_GAIN = 0.35
_BARE, _BUTTON, _RED, _GREEN, _BLUE = "bare", 17, 22, 23, 27
_PRESS_S = 0.08
_SOON_S = 2.5
_LEAD_S = 0.05
_LATEST_S = 1.6
"""So long after an interruption the interrupted answer is still looked for."""
_STOP_LIMIT_MS = 5 + 10
"""A fade, and what Python and a resampler may cost beside the bare loop."""
_ERROR_LIMIT_MS, _MEDIAN_LIMIT_MS = 20, 5
_LIGHT_LIMIT_MS = 50

_SETTINGS = """\
[conversation]
echo = "off"
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
_PACES = ((4.0, 0.0), (1.0, 0.15), (0.0, 0.02))
"""Usual; as slow as speech, and uneven; at once."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    stages: Sequence[Stage] = tuple(
        stage for turn in range(3) for stage in _stages(_RATES, _PACES[turn:] + _PACES[:turn])
    )
    each: int = 108
    """Interruptions of each kind, over all stages."""


SHORT = Plan(_stages(_RATES, _PACES), 21)


@dataclass
class Cut:
    """One answer that was interrupted."""

    kind: str
    when: float
    """The monotonic time of the onset, the edge, or the recognition."""
    session: int
    """The connection's number."""
    reply: str
    light: float | None = None
    """When the light showed it."""


@dataclass(frozen=True)
class Judged:
    """What one interruption comes to."""

    stop_ms: float | None
    """None when nothing sounded any more."""
    error_ms: float
    """Of the item about which the server was told worst."""
    over_received: int
    late_samples: int
    light_ms: float | None


@dataclass
class Harvest:
    """Everything measured, by kind; the bare loop's among them."""

    judged: dict[str, list[Judged]] = field(default_factory=dict)
    refused: int = 0

    def of(self, kind: str) -> list[Judged]:
        """The interruptions of this kind."""
        return self.judged.setdefault(kind, [])


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
                await _judge(there, person.cuts, harvest, bare=True)
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
    _note_lights(person.cuts, changes)
    await _judge(here, person.cuts, harvest, bare=False)


# --- the person who interrupts ----------------------------------------------------------------


class Person:
    """Asks and interrupts whoever answers: the bare loop, or edged with its pins."""

    def __init__(
        self,
        here: Rig,
        chance: random.Random,
        word: Samples,
        daemon: Daemon | None = None,
        pins: PinsClient | None = None,
    ) -> None:
        self._here = here
        self._server: Server = here.server
        self._chance = chance
        self._word = word
        self._daemon = daemon
        self._pins = pins
        self._leads = [len(word) / RATE + 0.3]
        self._ask: Callable[[], Awaitable[None]] = self._speak
        self.cuts: list[Cut] = []

    async def interrupt(self, kind: str, moment: str) -> bool:
        """Ask something, and interrupt the answer; False when the moment was missed."""
        low, high = _MOMENTS[moment]
        after_s = _ONSET_S + self._chance.uniform(low, high)
        lead_s = median(self._leads[-5:]) if kind == "wake" else 0.0
        clock = asyncio.get_running_loop()
        ask_at = clock.time() + max(0.0, lead_s - THINK_S - after_s)
        calling = None
        if kind == "wake":
            calling = asyncio.create_task(self._call(ask_at + THINK_S + after_s - lead_s))
        await _sleep_until(ask_at)
        known = len(self._server.log)
        await self._ask()
        self._ask = self._speak
        begun = await self._answer(known)
        if calling:
            when = await calling
        elif begun:
            await _sleep_until(begun.t + self._here.epoch + after_s)
            when = await self._trigger(kind)
        await asyncio.sleep(_SETTLE_S)
        if begun is None or when is None:
            return False
        first = begun.t + self._here.epoch
        if hit := first < when < first + _ONSET_S + ANSWER_S:
            self.cuts.append(Cut(kind, when, begun.session, begun.details["response_id"]))
        return hit

    async def finish(self) -> None:
        """Let go of whatever is held, and let the last answer be over."""
        await self._ask()
        await asyncio.sleep(THINK_S + ANSWER_S + 2 * _SETTLE_S)

    async def _trigger(self, kind: str) -> float:
        match kind:
            case "voice":
                return await self._onset()
            case "button":
                when = await self._finger(down=True)
                await asyncio.sleep(_PRESS_S)
                await self._finger(down=False)
                return when
            case _:
                self._ask = self._let_go
                return await self._finger(down=True)

    async def _onset(self) -> float:
        known = len(self._server.log)
        self._server.hears_speech()
        self._ask = self._fall_silent
        kind = "input_audio_buffer.speech_started"
        await until(lambda: self._said(kind, known) is not None)
        said = self._said(kind, known)
        assert said is not None
        return said.t + self._here.epoch

    async def _fall_silent(self) -> None:
        self._server.hears_silence()

    async def _speak(self) -> None:
        await self._onset()
        await asyncio.sleep(_PRESS_S)
        await self._fall_silent()

    async def _finger(self, *, down: bool) -> float:
        assert self._pins is not None
        return await (self._pins.press if down else self._pins.release)(_BUTTON)

    async def _let_go(self) -> None:
        await self._finger(down=False)

    async def _call(self, at: float) -> float | None:
        """Say the wake word; when it was recognised, if it was soon."""
        assert self._daemon is not None
        lines = self._daemon.lines
        await _sleep_until(at)
        first, began = len(lines), time.monotonic()
        self._here.room.say(self._word)

        def woken() -> float | None:
            return next((line.time for line in lines[first:] if "woken by" in line.text), None)

        with contextlib.suppress(TimeoutError):
            await until(lambda: woken() is not None, _SOON_S)
        when = woken()
        if when is not None:
            self._leads.append(when - began)
        return when

    async def _answer(self, known: int) -> Entry | None:
        """The first sound of the answer after so many entries; None if there is none."""
        kind = "response.output_audio.delta"
        with contextlib.suppress(TimeoutError):
            await until(lambda: self._said(kind, known) is not None, _SOON_S)
        return self._said(kind, known)

    def _said(self, kind: str, known: int) -> Entry | None:
        """What the server said first of this kind after so many entries."""
        entries = itertools.islice(self._server.log, known, None)
        return next((entry for entry in entries if entry.type == kind), None)


async def _interrupted(person: Person, kinds: Sequence[str], each: int) -> None:
    """So many interruptions of each kind, the kinds in turn."""
    moments = list(_MOMENTS)
    tries = 0
    left = dict.fromkeys(kinds, each)
    while left:
        for kind in list(left):
            tries += 1
            if tries > len(kinds) * (3 * each + 5):
                raise OSError(f"the moment was missed too often: {left} are left")
            if await person.interrupt(kind, moments[left[kind] % len(moments)]):
                left[kind] -= 1
            if not left[kind]:
                del left[kind]
    await person.finish()


async def _sleep_until(when: float) -> None:
    await asyncio.sleep(when - asyncio.get_running_loop().time())


# --- what became of it ------------------------------------------------------------------------


@dataclass
class Item:
    """A part of an answer, as the server's ledger knows it."""

    first: int
    """Samples of the answer before it."""
    samples: int = 0
    received: int = 0
    """Samples that had left the server when it was told how much was heard."""
    told_ms: int | None = None
    """How much that was; 0 when it was told to forget it, None when it was told nothing."""


@dataclass
class Reply:
    """An answer, as the server's ledger knows it."""

    first_delta: float
    """Seconds since the server started."""
    start: int
    """Where its sound begins in all the connection's answer sound, in samples."""
    samples: int = 0
    items: dict[str, Item] = field(default_factory=dict)


def replies(entries: Iterable[Entry], session: int) -> dict[str, Reply]:
    """What the connection with this number was answered, and what it said of it."""
    found: dict[str, Reply] = {}
    items: dict[str, Item] = {}
    total = 0
    for entry in entries:
        if entry.session != session:
            continue
        told = entry.details
        match entry.direction, entry.type:
            case "out", "response.output_audio.delta":
                reply = found.setdefault(told["response_id"], Reply(entry.t, total))
                item = reply.items.setdefault(told["item_id"], Item(reply.samples))
                items[told["item_id"]] = item
                samples = told["delta"]["bytes"] // 2
                total += samples
                reply.samples += samples
                item.samples += samples
            case "in", "conversation.item.truncate" | "conversation.item.delete":
                cut = items.get(told["item_id"])
                if cut and cut.told_ms is None:
                    cut.told_ms = told.get("audio_end_ms", 0)
                    cut.received = cut.samples
            case _:
                pass
    return found


async def _judge(here: Rig, cuts: Sequence[Cut], harvest: Harvest, *, bare: bool) -> None:
    """Look at each cut again, now that nobody is in a hurry."""
    known = {
        session: replies(list(here.server.log), session) for session in {c.session for c in cuts}
    }
    for cut, later in itertools.zip_longest(cuts, cuts[1:]):
        until_s = min(cut.when + _LATEST_S, later.when if later else cut.when + _LATEST_S)
        told = known[cut.session]
        result = await asyncio.to_thread(_judged, here, cut, told, until_s)
        harvest.of(_BARE if bare else cut.kind).append(result)
    if not bare:
        harvest.refused += len(here.server.entries("error"))


def _judged(here: Rig, cut: Cut, told: Mapping[str, Reply], until_s: float) -> Judged:
    reply = told[cut.reply]
    began = reply.first_delta + here.epoch - _LEAD_S
    said = np.frombuffer(bytes(here.server.visits[cut.session - 1].said), np.int16)
    end = reply.start + reply.samples
    first = here.loudspeaker.position_at(began)
    sounded = heard(
        said[reply.start : end],
        here.loudspeaker.between(began, until_s),
        here.loudspeaker.position_at(cut.when) - first,
        said[end : end + round(ANSWER_S * WIRE_RATE)],
    )
    stop_ms = None
    if sounded.end is not None:
        stop_ms = 1000 * (here.loudspeaker.time_of(first + sounded.end) - cut.when)
    return Judged(
        stop_ms=stop_ms if stop_ms is not None and stop_ms > 0 else None,
        error_ms=max((error_ms(item, sounded) for item in reply.items.values()), key=abs),
        over_received=sum(over_received(item) for item in reply.items.values()),
        late_samples=sounded.late,
        light_ms=None if cut.light is None else 1000 * (cut.light - cut.when),
    )


def error_ms(item: Item, sounded: Heard) -> float:
    """What the server takes for heard of it, less what was heard, in milliseconds."""
    truth = min(max(0.0, sounded.samples - item.first), item.samples)
    believed = item.samples if item.told_ms is None else item.told_ms * WIRE_RATE / 1000
    return (believed - truth) * 1000 / WIRE_RATE


def over_received(item: Item) -> bool:
    """Whether more was told to be heard than had been received."""
    return item.told_ms is not None and item.told_ms * WIRE_RATE > item.received * 1000


def _note_lights(cuts: Sequence[Cut], changes: Sequence[Change]) -> None:
    """When, after each cut, the light was no longer that of an answer."""
    levels = dict.fromkeys((_RED, _GREEN, _BLUE), 0.0)
    shown: list[tuple[float, bool]] = []
    for change in changes:
        if change.pin in levels and change.role == "output":
            levels[change.pin] = change.value
            shown.append((change.time, _answering(*levels.values())))
    for cut in cuts:
        before = [answering for when, answering in shown if when <= cut.when]
        if before and before[-1]:
            cut.light = next((t for t, answering in shown if t > cut.when and not answering), None)


def _answering(red: float, green: float, blue: float) -> bool:
    """Whether the light is an answer's, green or purple; any other is blue, white or off."""
    return max(red, green) > blue


# --- what it comes to -------------------------------------------------------------------------


def _figures(
    plan: Plan, got: Harvest, lateness_ms: Sequence[float], *, short: bool
) -> Sequence[Figure]:
    tail = _all_but_one if short else _p99
    bare = [one.stop_ms for one in got.of(_BARE) if one.stop_ms is not None]
    figures = [
        figure for kind in KINDS for figure in _of_kind(plan, kind, got.of(kind), bare, tail)
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
