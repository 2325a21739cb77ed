"""The evening's first conversation, and an answer that is too long: somebody speaks over it."""

import asyncio
import time
from dataclasses import dataclass, replace
from textwrap import shorten

import numpy as np

from ..hearing import RATE, Samples
from . import comparison, cut
from .answers import answers
from .record import BargeIn, Wake
from .watch import QUIET_DBFS, WIRE_RATE, Watch, is_clean, is_whole, peak_dbfs

CONNECT_DELAY_S = 1.5
FOLLOW_UP_S = 4.0
QUIET_S = 1.5
"""A pause in which nothing is to happen."""

WAKE_WORD = "hey jarvis"
OPENER = "hey jarvis, what will the weather be like tomorrow?"
FOLLOW_UP = "and will it rain on Sunday?"
BARGE_IN = "No, just tell me about Monday."
ANSWERS = (
    "Tomorrow will be sunny and mild, with a light wind from the west in the afternoon.",
    "Monday will be dry, and a little cooler.",
)
LONG_ANSWER = (
    "On Sunday a little rain is likely, mostly in the morning. It comes in from the west and"
    " moves on across the hills to the coast, where it may last until noon. The afternoon will"
    " begin with clouds and then slowly clear, and in the evening a soft and steady wind from"
    " the north will bring cooler air and a night full of stars."
)
"""Nobody wants to hear all of it."""

_WOKEN = r"woken by (\S+) \[.*score=([\d.]+)"
_SHORTEST_S = 2.3
"""So much of the long answer is heard before somebody has enough of it, in the middle of a word."""
_FADE = RATE // 50
"""By then after its last loud sample a fade has ended."""
_SOFTER_DB = 12.0
"""The farewell is at least this much below the voice."""


@dataclass(frozen=True)
class Lines:
    """What the person says, as sound at 48 kHz."""

    opener: Samples
    word: Samples | None
    """The wake word alone, as long as it is in the opener; None where that is a recording."""
    follow_up: Samples
    barge_in: Samples


class Conversation:
    """The acts of the first conversation, in order."""

    def __init__(self, watch: Watch, lines: Lines, title: str) -> None:
        """`title` is how the story tells the opener."""
        self._watch = watch
        self._here = watch.here
        self._daemon = watch.here.daemon
        self._lines = lines
        self._title = title
        self._asked_until = 0.0
        """When the last question ended, in monotonic seconds."""

    async def play(self) -> None:
        """All of them; raises what the daemon's failing raises."""
        await self._asleep()
        await self._wake()
        await self._answer()
        await self._follow_up()
        await self._idle_close()

    async def _asleep(self) -> None:
        await self._daemon.reaches("asleep")
        await asyncio.sleep(QUIET_S)
        right, shown = await self._watch.lights("asleep")
        quiet = not self._here.server.visits
        told = f"no connection in {QUIET_S:g} s of quiet; {shown}"
        self._watch.observe("asleep", right and quiet, told)

    async def _wake(self) -> None:
        """Wake word and question in one breath, while the provider takes its time."""
        began = time.monotonic()
        self._watch.say("person", self._title)
        self._watch.mark("wake word and question")
        saying = self._here.room.say(self._lines.opener)
        words = await self._daemon.says(_WOKEN, since=began)
        woken = await self._daemon.reaches("waking", since=began)
        await self._daemon.reaches("connecting", since=woken)
        await self._daemon.reaches("listening", "hearing", "thinking", since=woken)
        await asyncio.to_thread(saying.wait, 30)
        spoken = await self._watch.spoken(self._lines.opener, began)
        wake = Wake(words[1], float(words[2]), round(woken - spoken.start, 3))
        self._watch.record.wake.append(wake)
        right, shown = await self._watch.lights("waking", "connecting")
        heard = f"{wake.word} with {wake.score:.2f}, {wake.t:.2f} s into the sentence; {shown}"
        self._watch.observe("wake", right, heard)
        self._asked_until = spoken.end
        await self._watch.hears(woken)
        await self._uplink(wake, spoken.sound)

    async def _uplink(self, wake: Wake, sound: Samples) -> None:
        """What the server got against what was said, sample by sample."""
        arrived = np.frombuffer(bytes(self._here.server.visits[0].heard), np.int16)
        said = comparison.halved(sound)
        # What was sent begins before the recognised end of the wake word: find where.
        head = arrived[: WIRE_RATE // 2]
        first, _ = await asyncio.to_thread(comparison.place, head, said)
        begun = max(0, round(first))
        if self._lines.word is None:
            latest = round((wake.t - 0.3) * WIRE_RATE)
        else:
            latest = len(self._lines.word) // 2
        words = said[max(begun, latest) :]
        result = await asyncio.to_thread(comparison.compare, words, arrived, WIRE_RATE)
        self._watch.record.uplink = result
        right, shown = await self._watch.lights("listening", "hearing")
        self._watch.observe(
            "uplink",
            right and is_whole(result) and begun <= latest,
            f"{len(words) / WIRE_RATE:.2f} s after the wake word, {result.lost_samples} samples"
            f" lost, {result.doubled_samples} doubled, correlation {result.correlation:.3f},"
            f" with a connect of {CONNECT_DELAY_S:g} s; {shown}",
        )

    async def _answer(self) -> None:
        result = await self._watch.judges(1, self._asked_until)
        self._watch.record.playback = result
        late_ms = self._watch.record.turns[-1].first_audio_to_sound_ms
        right, shown = await self._watch.lights("thinking", "speaking")
        self._watch.observe(
            "answer",
            right and is_clean(result),
            f"correlation {result.correlation:.4f} at the loudspeaker, {result.gaps} gaps,"
            f" {late_ms} ms after its first sound was sent; {shown}",
        )

    async def _follow_up(self) -> None:
        """A second question, without the wake word; its answer is too long."""
        began = time.monotonic()
        self._watch.say("person", FOLLOW_UP)
        self._watch.mark("follow-up")
        saying = self._here.room.say(self._lines.follow_up)
        await asyncio.to_thread(saying.wait, 30)
        until = await self._daemon.reaches("speaking", since=began) + _SHORTEST_S
        await asyncio.to_thread(self._here.loudspeaker.wait_until, until)
        answer = self._watch.answer(1)
        self._watch.say("provider", shorten(answer.transcript, 70, placeholder=" …"))
        await self._barge_in(began, until)

    async def _followed_up(self, began: float, until: float) -> None:
        """What was heard, until then, of the answer to what was asked after `began`."""
        visit = self._here.server.visits[0]
        spoken = await self._watch.spoken(self._lines.follow_up, began)
        answer = answers(self._here.server.ledger.entries, 1)[-2]
        beginning = answer.samples(visit)[: round((_SHORTEST_S - 0.3) * WIRE_RATE)]
        result, turn = await self._watch.sounded(answer, beginning, spoken.end, until)
        self._watch.record.turns.append(turn)
        once = len(self._here.server.visits) == 1
        self._watch.observe(
            "follow_up",
            once and is_clean(result),
            f"answered in the same session; so far correlation {result.correlation:.4f},"
            f" {result.gaps} gaps",
        )

    async def _barge_in(self, asked: float, until: float) -> None:
        """Plain words, over the answer to what was asked at `asked`."""
        watch, lines = self._watch, self._lines
        began = time.monotonic()
        watch.say("person", f"{BARGE_IN} (over the answer)")
        watch.mark("speaks over the answer")
        self._here.room.say(lines.barge_in)
        stopped = await self._daemon.reaches("hearing", since=began)
        await watch.hears(stopped + 0.01)
        await self._followed_up(asked, until)
        spoken = await watch.spoken(lines.barge_in, began)
        louder_db = await watch.louder_db(lines.barge_in, until - 1, until)
        arrived = await watch.arrived(lines.barge_in, 1, began)
        found, quiet = await self._find_cut(spoken.start)
        answer = await watch.judges(1, spoken.end)
        watch.record.barge_in = replace(
            found,
            louder_db=louder_db,
            lost_samples=arrived.lost_samples,
            missing_ms=arrived.missing_ms,
        )
        right, shown = await watch.lights("hearing")
        watch.observe(
            "barge_in",
            right
            and watch.record.barge_in.true
            and quiet
            and is_whole(arrived)
            and is_clean(answer),
            f"with its own voice {louder_db:.1f} dB louder than the person's, silent"
            f" {found.silence_ms} ms after the first sound of the words; told that"
            f" {found.told_ms} ms of {found.sent_ms} ms were heard, {found.error_ms} ms off;"
            f" {'nothing' if quiet else 'more'} of it came after; of the words the first"
            f" {arrived.missing_ms} ms and {arrived.lost_samples} samples lost, correlation"
            f" {arrived.correlation:.3f} where the echo was taken out of them;"
            f" answered, correlation {answer.correlation:.4f}, {answer.gaps} gaps; {shown}",
        )

    async def _find_cut(self, began: float) -> tuple[BargeIn, bool]:
        """Where the last answer but one ended, and whether it was silent until the last began."""
        watch, recording = self._watch, self._here.loudspeaker
        cut_short, following = answers(self._here.server.ledger.entries, 1)[-2:]
        clock = watch.clock
        begin, heard = await watch.loudspeaker(
            clock + cut_short.first_delta - 0.1, clock + following.first_delta
        )
        sent = cut_short.samples(self._here.server.visits[0])
        found = await asyncio.to_thread(cut.find, sent, comparison.halved(heard), WIRE_RATE)
        told_ms = cut_short.truncated_ms
        end = round(2 * (found.start + found.end(told_ms, WIRE_RATE)))
        barge_in = BargeIn(
            silence_ms=round((recording.time_of(begin + end) - began) * 1000),
            told_ms=told_ms,
            error_ms=None if told_ms is None else round(found.error_ms(told_ms, WIRE_RATE)),
            sent_ms=round(1000 * len(sent) / WIRE_RATE),
        )
        return barge_in, peak_dbfs(heard[end + _FADE :]) < QUIET_DBFS

    async def _idle_close(self) -> None:
        """Nobody says more: the line is closed, and a soft earcon says so."""
        watch, daemon = self._watch, self._daemon
        listening = watch.heard_until
        asleep = await daemon.reaches("asleep", since=listening)
        await self._here.closed(1)
        waited = asleep - listening
        quiet = await watch.silent(listening + 0.1, asleep - 0.1)
        farewell = await watch.peak_dbfs(asleep - 0.1, asleep + 0.6)
        speech = watch.answer(1).samples(self._here.server.visits[0])
        said = await watch.peak_dbfs(listening - len(speech) / WIRE_RATE, listening)
        closed = self._here.server.visits[0].close_code == 1000
        watch.record.idle_closed = closed
        watch.observe(
            "idle_close",
            closed
            and quiet
            and abs(waited - FOLLOW_UP_S) < 1.0
            and QUIET_DBFS < farewell <= said - _SOFTER_DB,
            f"closed after {waited:.1f} s of silence, with an earcon {said - farewell:.0f} dB"
            " below the voice",
        )
