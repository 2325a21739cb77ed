"""The first conversation: how late, how whole, how quick to start and stop, and at what cost.

Edged and the bare loop take turns in one room with one server, so that what is judged is a
difference or a ratio within one run. Sounds are found by correlation: white noise for times, since
it is like itself in one place only, speech for the server to answer.
"""

import asyncio
import contextlib
import importlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from edged.simulator.evening import comparison, talker
from edged.simulator.evening.answers import answers
from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.evening import ANSWERS, OPENER, WAKE_WORD
from edged.simulator.hearing import RATE, Recording, Samples
from edged.simulator.provider.faults import Faults
from edged.simulator.provider.house import Options
from edged.simulator.provider.script import Script
from edged.simulator.server import Speech
from edged.sound.rates import resampler

from .report import Figure
from .rig import Rig, Tell, ask, cpu_s, noise, resident_mib, rig, until

CONNECT_DELAY_S = 1.5
WIRE_RATE = 24_000
QUESTION = "what time is it?"

_WINDOW_S = 0.5
_ANSWER_S = 1.5
_ONSET_S = 0.25
_ALIKE = 0.8
_QUIET_DBFS = -45.0
"""Below what the server, at its threshold of 0.6, takes for speech (-36 dBFS)."""
_LOUD_DBFS = -20.0
# The session outlasts the pauses between measurements.
_SETTINGS = """\
[conversation]
follow_up_s = 60.0
false_wake_s = 60.0
"""
# Asleep, the loudspeaker's stream rests after half a minute; nobody wants to wait for that.
_SOON_AT_REST = """\

[sound.portaudio]
rest_s = 2.0
"""
_SETTLE_S = 4.0
_REST_S = 1.0


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 6
    """Each with streams newly opened, hence at another phase of the sound card."""
    noise_s: float = 8.0
    questions: int = 4
    starts: int = 50
    asleep_s: float = 60.0


SHORT = Plan(rounds=3, noise_s=4.0, questions=3, starts=10, asleep_s=20.0)


@dataclass
class Times:
    """What one side was measured to need, in milliseconds."""

    uplink: list[float] = field(default_factory=list)
    onset: list[float] = field(default_factory=list)


@dataclass
class Harvest:
    """Everything measured."""

    edged: Times = field(default_factory=Times)
    bare: Times = field(default_factory=Times)
    capture_rate: int = WIRE_RATE
    echo: str = "off"
    """The echo driver that is chosen on this machine."""
    uplink: list[comparison.Comparison] = field(default_factory=list)
    answer: list[comparison.Comparison] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)
    imports_s: list[float] = field(default_factory=list)
    stop_s: list[float] = field(default_factory=list)
    stops_clean: int = 0
    asleep_mib: float = 0.0
    conversation_mib: float = 0.0
    bare_mib: float = 0.0
    asleep_cpu_s: float = 0.0
    bare_cpu_s: float = 0.0


async def run(*, short: bool, tell: Tell) -> Sequence[Figure]:
    """Measure; raises what the rig raises when something it needs is missing."""
    plan = SHORT if short else Plan()
    reply = Speech("(noise)", noise(_ANSWER_S, WIRE_RATE, _LOUD_DBFS, seed=1))
    # Each first delta at another phase of the loudspeaker's periods.
    options = Options(
        answers=[reply], detector="energy", keep_audio=True, jitter_s=0.03, key=None, pace=4.0
    )
    harvest = Harvest()
    question = await talker.speak(QUESTION)
    opener, word = await talker.speak(OPENER), await talker.speak(WAKE_WORD)
    async with rig(options) as here:
        for number in range(plan.rounds):
            tell(f"round {number + 1} of {plan.rounds}: the bare loop converses")
            async with here.bare("converse", here.server.url):
                await _converse(here, plan, question, harvest.bare, number)
            tell(f"round {number + 1} of {plan.rounds}: edged converses")
            async with here.edged(_SETTINGS) as daemon:
                await _woken(daemon)
                status = await ask(daemon, "status")
                harvest.capture_rate = int(str(status["capture_rate"]))
                harvest.echo = str(dict(status["sound"])["echo"])  # type: ignore[call-overload]
                await _converse(here, plan, question, harvest.edged, number)
            tell(f"round {number + 1} of {plan.rounds}: a connect of {CONNECT_DELAY_S:g} s")
            await _late_connect(here, opener, len(word) // 2, harvest)
        tell(f"asleep for {plan.asleep_s:g} s")
        await _asleep(here, plan, question, harvest)
        for number in range(plan.starts):
            tell(f"start and stop {number + 1} of {plan.starts}")
            await _start_and_stop(here, harvest, talking=number % 2 == 1)
        return _figures(plan, harvest, here.lateness_ms)


async def _settled(daemon: Daemon) -> None:
    """Wait until it is asleep with its microphone and its loudspeaker open."""
    await daemon.says("microphone ")
    await daemon.says("loudspeaker ")
    await daemon.reaches("asleep")


async def _woken(daemon: Daemon) -> None:
    """Wake it without a word, and wait until it listens."""
    await _settled(daemon)
    await ask(daemon, "wake")
    await daemon.reaches("listening")


# --- how late ---------------------------------------------------------------------------------


async def _converse(here: Rig, plan: Plan, question: Samples, times: Times, seed: int) -> None:
    """Say noise and then questions to whoever is in session."""
    chance = random.Random(seed)
    await asyncio.sleep(_REST_S + chance.random() / 10)
    sound = noise(plan.noise_s, RATE, _QUIET_DBFS, seed=100 + seed)
    began = await here.say(sound)
    await asyncio.sleep(_REST_S)
    times.uplink += await asyncio.to_thread(_uplink_ms, here, sound, began)
    for _ in range(plan.questions):
        known = len(answers(here.server.log, here.visit.number))
        await here.say(question)
        await until(lambda: len(answers(here.server.log, here.visit.number)) > known)  # noqa: B023
        await asyncio.sleep(_ANSWER_S + _REST_S + chance.random() / 10)
        times.onset.append(await asyncio.to_thread(_onset_ms, here))


def _uplink_ms(here: Rig, sound: Samples, began: float) -> list[float]:
    """For each append that brought noise, how long after its middle was at the microphone."""
    appends = [
        (entry.t + here.epoch, entry.details["audio"]["bytes"] // 2)
        for entry in list(here.server.log)
        if entry.session == here.visit.number and entry.type == "input_audio_buffer.append"
    ]
    times = np.array([when for when, _ in appends])
    ends = np.cumsum([samples for _, samples in appends])
    middles = ends - np.array([samples for _, samples in appends]) / 2
    arrived = np.frombuffer(bytes(here.visit.heard), np.int16)
    said, first = comparison.halved(sound), here.microphone.position_at(began - 0.1)
    heard = here.microphone.cut(first, first + len(sound) + RATE)
    size = round(_WINDOW_S * WIRE_RATE)
    found: list[float] = []
    for start in range(0, len(said) - size + 1, size):
        at_server, sure = comparison.place(said[start : start + size], arrived)
        at_microphone, surer = comparison.place(sound[2 * start : 2 * (start + size)], heard)
        if min(sure, surer) < _ALIKE:
            continue
        inside = (middles >= at_server) & (middles < at_server + size)
        for when, middle in zip(times[inside], middles[inside], strict=True):
            position = first + at_microphone + 2 * (middle - at_server)
            found.append(1000 * (float(when) - here.microphone.time_of(round(position))))
    if not found:
        raise OSError("the noise that was said is not in what the server received")
    return found


def _onset_ms(here: Rig) -> float:
    """From the latest answer's first delta to its first sample at the loudspeaker."""
    answer = answers(here.server.log, here.visit.number)[-1]
    sent = here.epoch + answer.first_delta
    head = answer.samples(here.visit)[: round(_ONSET_S * WIRE_RATE)]
    first = here.loudspeaker.position_at(sent - 0.1)
    heard = here.loudspeaker.between(sent - 0.1, sent + _ANSWER_S)
    at, sure = comparison.place(head, comparison.halved(heard))
    if sure < _ALIKE:
        raise OSError("the answer was not heard at the loudspeaker")
    return 1000 * (here.loudspeaker.time_of(first + round(2 * at)) - sent)


# --- how whole --------------------------------------------------------------------------------


async def _late_connect(here: Rig, opener: Samples, word: int, harvest: Harvest) -> None:
    """Wake word and question in one breath while the line is opened late, and a spoken answer."""
    with _another_server(here):
        async with here.edged(_SETTINGS) as daemon:
            await _settled(daemon)
            await asyncio.sleep(_REST_S)
            began = await here.say(opener)
            speaking = await daemon.reaches("speaking", since=began)
            over = await daemon.reaches("listening", since=speaking + 0.01)
            await asyncio.sleep(_REST_S)
            arrived = np.frombuffer(bytes(here.visit.heard), np.int16)
            words = comparison.halved(opener)[word:]
            compared = await asyncio.to_thread(comparison.compare, words, arrived, WIRE_RATE)
            harvest.uplink.append(compared)
            answer = answers(here.server.log, here.visit.number)[-1]
            since = here.epoch + answer.first_delta - 0.1
            heard = await asyncio.to_thread(_heard, here.loudspeaker, since, over + _REST_S / 2)
            sent = answer.samples(here.visit)
            compared = await asyncio.to_thread(comparison.compare, sent, heard, WIRE_RATE)
            harvest.answer.append(compared)


@contextlib.contextmanager
def _another_server(here: Rig) -> Iterator[None]:
    """One that takes its time to connect, and speaks."""
    server, script = here.server, here.server.script
    server.faults, server.script = Faults(connect_delay_s=CONNECT_DELAY_S), Script(ANSWERS)
    try:
        yield
    finally:
        server.faults, server.script = Faults(), script


def _heard(place: Recording, since: float, until: float) -> comparison.Floats:
    return comparison.halved(place.between(since, until))


# --- at what cost -----------------------------------------------------------------------------


async def _asleep(here: Rig, plan: Plan, question: Samples, harvest: Harvest) -> None:
    """Both at once in one quiet room, so that the machine treats them alike."""
    settings = _SETTINGS + _SOON_AT_REST
    async with here.edged(settings) as daemon, here.bare("listen") as bare:
        await _settled(daemon)
        await asyncio.sleep(_SETTLE_S)
        edged = daemon.process.pid
        before = cpu_s(edged), cpu_s(bare.pid)
        await asyncio.sleep(plan.asleep_s)
        harvest.asleep_cpu_s = cpu_s(edged) - before[0]
        harvest.bare_cpu_s = cpu_s(bare.pid) - before[1]
        harvest.asleep_mib, harvest.bare_mib = resident_mib(edged), resident_mib(bare.pid)
        sampler = asyncio.create_task(_most_memory(edged, harvest))
        await _woken(daemon)
        for _ in range(plan.questions):
            began = await here.say(question)
            speaking = await daemon.reaches("speaking", since=began)
            await daemon.reaches("listening", since=speaking + 0.01)
        sampler.cancel()
        await asyncio.wait([sampler])


async def _most_memory(process: int, harvest: Harvest) -> None:
    while True:
        harvest.conversation_mib = max(harvest.conversation_mib, resident_mib(process))
        await asyncio.sleep(0.1)


# --- how quick to start and stop --------------------------------------------------------------


async def _start_and_stop(here: Rig, harvest: Harvest, *, talking: bool) -> None:
    """One start and stop, asleep or in the middle of a session, and one bare import."""
    clock = asyncio.get_running_loop().time
    began = clock()
    async with here.bare("import"):
        harvest.imports_s.append(clock() - began)
    began = clock()
    async with here.edged(_SETTINGS) as daemon:
        harvest.ready_s.append(clock() - began)
        await _settled(daemon)
        if talking:
            await _woken(daemon)
        harvest.stop_s.append(await daemon.stop())
        harvest.stops_clean += daemon.process.returncode == 0


# --- what it comes to -------------------------------------------------------------------------


def _figures(plan: Plan, got: Harvest, lateness_ms: Sequence[float]) -> Sequence[Figure]:
    return [*_times(got, lateness_ms), *_wholeness(got), *_starts(plan, got), *_cost(plan, got)]


def _times(got: Harvest, lateness_ms: Sequence[float]) -> Iterable[Figure]:
    delays_ms = [
        resampler(rates[0], rates[1]).delay_ms
        for rates in ((got.capture_rate, WIRE_RATE), (WIRE_RATE, got.capture_rate))
    ]
    delays_ms[0] += echo_delay_ms(got.echo)
    for name, allowed_ms, delay_ms in (
        ("uplink", 5.0, delays_ms[0]),
        ("onset", 10.0, delays_ms[1]),
    ):
        edged, bare = getattr(got.edged, name), getattr(got.bare, name)
        over = median(edged) - median(bare)
        yield Figure(f"{name}_over_reference_ms", over, "ms", median(bare), allowed_ms + delay_ms)
        yield Figure(f"{name}_ms", median(edged), "ms", median(bare))
        yield Figure(f"{name}_p99_ms", _p99(edged), "ms", _p99(bare))
    yield Figure("rig_late_p99_ms", _p99(lateness_ms), "ms")


def echo_delay_ms(name: str) -> float:
    """How late an echo driver declares its sound to be."""
    driver = importlib.import_module(f"edged.echo.{name}")
    return 1000 * float(driver.open(driver.Settings(), WIRE_RATE).late) / WIRE_RATE


def _wholeness(got: Harvest) -> Iterable[Figure]:
    yield Figure("uplink_lost_samples", sum(c.lost_samples for c in got.uplink), "samples", limit=0)
    doubled = sum(c.doubled_samples for c in got.uplink)
    yield Figure("uplink_doubled_samples", doubled, "samples", limit=0)
    alike = min(c.correlation for c in got.uplink)
    yield Figure("uplink_correlation", alike, "", limit=0.95, side="at least")
    alike = min(c.correlation for c in got.answer)
    yield Figure("answer_correlation", alike, "", limit=0.99, side="at least")
    yield Figure("answer_gaps", sum(c.gaps for c in got.answer), "gaps", limit=0)


def _starts(plan: Plan, got: Harvest) -> Iterable[Figure]:
    ready, imports = median(got.ready_s), median(got.imports_s)
    yield Figure("ready_over_imports", ready / imports, "ratio", 1.0, 1.5)
    yield Figure("ready_s", ready, "s", imports)
    yield Figure("stop_s", max(got.stop_s), "s", limit=1.0)
    clean = got.stops_clean
    yield Figure("stops_clean", clean, f"of {plan.starts}", limit=plan.starts, side="at least")


def _cost(plan: Plan, got: Harvest) -> Iterable[Figure]:
    for name, edged, limit in (
        ("asleep", got.asleep_mib, 15),
        ("conversation", got.conversation_mib, 30),
    ):
        over = edged - got.bare_mib
        yield Figure(f"rss_{name}_over_bare_mib", over, "MiB", got.bare_mib, limit)
        yield Figure(f"rss_{name}_mib", edged, "MiB", got.bare_mib)
    ratio = got.asleep_cpu_s / got.bare_cpu_s
    yield Figure("cpu_asleep_over_bare", ratio, "ratio", 1.0, 1.25)
    hour = 3600 / plan.asleep_s
    yield Figure("cpu_asleep", got.asleep_cpu_s * hour, "CPU s per hour", got.bare_cpu_s * hour)


def _p99(values: Sequence[float]) -> float:
    return float(np.percentile(values, 99))
