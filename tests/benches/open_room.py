"""The open room: the microphone hears the loudspeaker ten decibels louder than the person.

The daemon itself, with the room's sound card and the simulator's own ear for speech. First nobody
speaks through minutes of answers: none may be interrupted. Then each answer is talked over, in
other voices, and must fall silent. Everything is judged by the server's ledger and by what was
recorded at the loudspeaker and the microphone.
"""

import asyncio
import contextlib
import random
import re
import time
from collections.abc import Iterator, Sequence

import numpy as np

from edged.core.commands import Chime
from edged.simulator.evening import comparison
from edged.simulator.hearing import RATE, Samples
from edged.simulator.provider.house import Options
from edged.simulator.provider.script import Script
from edged.simulator.room import AcousticPath
from edged.sound._chimes import chime

from . import open_room_sound as sound
from .echo_voices import REPORTED
from .open_room_figures import LEAST_ALIKE, SHORT, Harvest, Plan, figures
from .open_room_person import QUESTIONS, Diary, Listened, Person, Woken, answer, near, wake_word
from .open_room_sound import WIRE_RATE, FirstWords
from .open_room_verdict import (
    Span,
    barge_in,
    onsets,
    replies,
    undisturbed,
)
from .report import Figure
from .rig import Rig, Tell, cpu_s, rig

VOICE = REPORTED.far[0]
"""The simulator's own: an assistant keeps its voice. Whoever speaks to it has others."""
VOLUME_DB = -6.0
PATH = AcousticPath(delay_ms=40, gain_db=0.0)
"""An answer of -20 dBFS is -26 dBFS at the microphone, the person is -36 dBFS."""
NOISE_DBFS = -66.0
"""The room without anybody."""

_SETTINGS = """\
[conversation]
follow_up_s = 15.0
follow_up_question_s = 15.0
longest_s = 3600.0

[volume]
db = {volume_db}

[echo]
mode = "{mode}"
"""
_OVER_S = 25.0
"""An answer that is to be talked over lasts so long when it is not stopped."""
_SLACK_S = 0.5
_MURMUR_S = 10.0
_GAP = re.compile(r"a gap in the answer \[.*missing_ms=([\d.]+)")


async def run(*, short: bool, tell: Tell, mode: str = "auto") -> Sequence[Figure]:
    """Measure; `mode` is the echo driver. Raises what the rig raises for want of something."""
    plan = SHORT if short else Plan()
    word = await wake_word()
    settings = _SETTINGS.format(volume_db=VOLUME_DB, mode=mode)
    harvest = Harvest()
    tell("the answers are rendered")
    await asyncio.to_thread(_render, plan)
    async with rig(Options(key=None, keep_audio=True, detector="silero"), PATH) as here:
        async with here.edged(settings, undisturbed=True) as daemon:
            await daemon.says("microphone ")
            await daemon.says("loudspeaker ")
            await daemon.reaches("asleep")
            for line in daemon.lines:
                if "echo" in line.text:
                    tell(line.text)
            person = Person(here, daemon, word, random.Random(1))
            began, used = time.monotonic(), cpu_s(daemon.process.pid)
            # One for the whole evening: the room's sound card changes its pace with who uses it.
            with _murmur(here, _longest_s(plan)):
                for number, lengths in enumerate(plan.evenings):
                    await _listen(here, person, lengths, number, tell)
                await _interrupt(here, person, plan.barge_ins, tell)
            took = time.monotonic() - began
            harvest.cpu_pct = 100 * (cpu_s(daemon.process.pid) - used) / took
            gaps = (_GAP.search(line.text) for line in daemon.lines)
            harvest.gaps_ms = [float(gap[1]) for gap in gaps if gap]
        tell("what was heard is judged")
        await asyncio.to_thread(_judge, here, person.diary, harvest)
        return figures(plan, harvest, here.lateness_ms)


# --- what is said -----------------------------------------------------------------------------


def _render(plan: Plan) -> None:
    """Everything that is said, so that nobody has to wait for it."""
    for number, lengths in enumerate(plan.evenings):
        _answers(number, lengths)
    _question(0)
    _script_of_barge_ins(plan.barge_ins)


def _answers(number: int, lengths: Sequence[float]) -> Script:
    return Script(
        [answer(5 * number + turn, seconds, VOICE) for turn, seconds in enumerate(lengths)]
    )


def _question(number: int) -> Samples:
    voice = REPORTED.near[number % len(REPORTED.near)]
    return near(voice, QUESTIONS[number % len(QUESTIONS)])


def _script_of_barge_ins(number: int) -> Script:
    return Script([answer(40 + turn, _OVER_S, VOICE) for turn in range(number + 1)])


def _interruption(number: int) -> Samples:
    voice = REPORTED.near[number % len(REPORTED.near)]
    return near(voice, REPORTED.interruptions[number % len(REPORTED.interruptions)])


def _longest_s(plan: Plan) -> float:
    """No evening takes as long, even if every barge-in is missed."""
    spoken = sum(20.0 + seconds for lengths in plan.evenings for seconds in lengths)
    return 60.0 + spoken + 40.0 * plan.barge_ins


@contextlib.contextmanager
def _murmur(here: Rig, seconds: float) -> Iterator[None]:
    """The room is not silent, for so long at most."""
    chance = np.random.default_rng(5)
    loud = 32768 * 10 ** (NOISE_DBFS / 20)
    noise = np.rint(chance.standard_normal(round(_MURMUR_S * RATE)) * loud).astype(np.int16)
    saying = here.room.say(np.tile(noise, round(seconds / _MURMUR_S)))
    try:
        yield
    finally:
        saying.stop()


async def _listen(
    here: Rig, person: Person, lengths: Sequence[float], number: int, tell: Tell
) -> None:
    """A conversation in which nobody speaks through the answers."""
    here.server.script = _answers(number, lengths)
    for turn, seconds in enumerate(lengths):
        question = _question(5 * number + turn)
        opens = number == 0 and turn == 0
        first = await (person.open(question) if opens else person.ask(question))
        what = f"conversation {number + 1}, answer {turn + 1} of {len(lengths)}"
        if first is None:
            tell(f"{what}: it did not come")
            continue
        known = len(here.server.entries("input_audio_buffer.speech_started"))
        await person.listen(first, seconds)
        started = len(here.server.entries("input_audio_buffer.speech_started")) - known
        tell(
            f"{what}: {seconds:g} s in which nobody spoke; the server heard speech {started} times"
        )
    await person.dismiss()


async def _interrupt(here: Rig, person: Person, barge_ins: int, tell: Tell) -> None:
    """A conversation in which each answer is talked over."""
    here.server.script = _script_of_barge_ins(barge_ins)
    first = None
    for number in range(barge_ins):
        for question in range(3):
            first = first or await person.ask(_question(number + question))
        if first is None:
            raise OSError("nothing is answered any more")
        first = await person.interrupt(_interruption(number), first)
        answered = "answered" if first else "not answered"
        tell(f"barge-in {number + 1} of {barge_ins}: {answered}")
        if first is None:
            await person.calm()
    await person.dismiss()


# --- what came of it --------------------------------------------------------------------------


def _judge(here: Rig, diary: Diary, harvest: Harvest) -> None:
    """Look at everything again, now that nobody is in a hurry."""
    for listened in diary.listened:
        _judge_listened(here, listened, harvest)
    _judge_interrupted(here, diary, harvest)
    for number, said in enumerate(diary.asked):
        words, _ = _first_words(here, said.words, said.began, said.session)
        if number:
            harvest.asked.append(words)
        else:
            harvest.opened = words
        heard = here.microphone.between(said.began, said.ended)
        harvest.near_dbfs.append(sound.dbfs(heard))
    harvest.unanswered = diary.unanswered
    for woken in diary.woken:
        harvest.earcon_db.append(_earcon_db(here, woken))
    harvest.refused = len(here.server.entries("error"))


def _judge_listened(here: Rig, listened: Listened, harvest: Harvest) -> None:
    session = listened.question.session
    span = Span(listened.first - here.epoch, listened.until - here.epoch)
    harvest.undisturbed.append(undisturbed(list(here.server.log), session, listened.reply, span))
    sent = _sent(here, session, listened.reply)
    recorded = here.loudspeaker.between(listened.first - 0.1, listened.until)
    harvest.sounded.append(sound.sounded(sent, recorded))
    until = listened.first + len(sent) / WIRE_RATE
    heard = here.microphone.between(listened.first + _SLACK_S, until)
    harvest.echo_dbfs.append(sound.dbfs(heard))


def _judge_interrupted(here: Rig, diary: Diary, harvest: Harvest) -> None:
    log = list(here.server.log)
    for one in diary.interrupted:
        session = one.said.session
        began = sound.onset(one.said.words, here.microphone, one.said.began)
        span = Span(began - here.epoch, one.until - here.epoch)
        following = [
            reply.first
            for reply in replies(log, session)
            if reply.created in span and reply.first is not None
        ]
        until = following[0] + here.epoch if following else one.until
        stopped = sound.last_sound(here.loudspeaker, began, until)
        judged = barge_in(log, session, one.reply, span, stopped - here.epoch)
        harvest.barge_ins.append(judged)
        if not judged.caught:
            continue
        words, starts = _first_words(here, one.said.words, began, session)
        harvest.over.append(words)
        # What the server takes for the turn begins with its padding.
        arrived = words.alike >= LEAST_ALIKE
        harvest.in_turn += arrived and any(start <= words.place for start in starts)


def _first_words(
    here: Rig, words: Samples, began: float, session: int
) -> tuple[FirstWords, Sequence[int]]:
    """How the first words arrived; with which samples the server's turns began meanwhile."""
    since = began - here.epoch - _SLACK_S
    # What was said while the line was being opened arrives later than it was said.
    span = Span(since, since + len(words) / RATE + 2.0 + _SLACK_S)
    arrived = np.frombuffer(bytes(here.server.visits[session - 1].heard), np.int16)
    begin, end = _appended(here, session, span)
    found = sound.first_words(words, arrived[begin:end], begin)
    return found, [start for _, start in onsets(here.server.log, session, span)]


def _appended(here: Rig, session: int, span: Span) -> tuple[int, int]:
    """From which sample to which the server received in this time."""
    counts = [0, 0]
    for entry in here.server.log:
        if entry.session == session and entry.type == "input_audio_buffer.append":
            samples = entry.details["audio"]["bytes"] // 2
            counts[0] += samples if entry.t < span.since else 0
            counts[1] += samples if entry.t < span.until else 0
    return counts[0], counts[1]


def _earcon_db(here: Rig, woken: Woken) -> float:
    """How much of the earcon reached the server, beside what was at the microphone."""
    earcon = np.frombuffer(chime(Chime.WOKEN, WIRE_RATE), np.int16)
    heard = comparison.halved(here.microphone.between(woken.began, woken.until)).astype(np.int16)
    _, end = _appended(here, woken.session, Span(0.0, woken.until - here.epoch))
    arrived = np.frombuffer(bytes(here.server.visits[woken.session - 1].heard), np.int16)[:end]
    return sound.trace_db(earcon, arrived) - sound.trace_db(earcon, heard)


def _sent(here: Rig, session: int, name: str) -> Samples:
    reply = next(one for one in replies(here.server.log, session) if one.id == name)
    said = np.frombuffer(bytes(here.server.visits[session - 1].said), np.int16)
    return said[reply.start : reply.start + reply.samples]
