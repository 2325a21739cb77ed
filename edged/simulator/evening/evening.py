"""The evening told once, played by the unmodified daemon and observed from outside."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..hearing import RATE, Recording, Samples
from ..pinboard import Change
from ..provider.faults import Faults
from ..provider.house import Options
from . import comparison, talker
from .answers import answers
from .daemon import DaemonFailed
from .record import SETTLING_S, Line, Record, Sound, Step, Timeline, Turn, Wake
from .stage import Stage, stage

CONNECT_DELAY_S = 1.5
FOLLOW_UP_S = 4.0

WAKE_WORD = "hey jarvis"
OPENER = "hey jarvis, what will the weather be like tomorrow?"
FOLLOW_UP = "and will it rain on Sunday?"
ANSWERS = (
    "Tomorrow will be sunny and mild, with a light wind from the west in the afternoon.",
    "On Sunday a little rain is likely, mostly in the morning.",
)

_SETTINGS = f"""\
[conversation]
follow_up_s = {FOLLOW_UP_S}
"""
_WIRE_RATE = 24_000
_QUIET_S = 1.5
_SETTLE_S = 0.4


class NoEvening(Exception):
    """The evening cannot begin; the text says what is missing."""


@dataclass
class Evening:
    """One evening; `play` it, and look at the rest meanwhile."""

    opener: Path | None = None
    """A recording that opens it in the place of our own sentence."""
    tell: Callable[[], None] = lambda: None
    """Called when there is news."""
    story: list[Line] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    state: str = "starting"
    light: str = "#000000"
    timeline: Timeline = field(default_factory=Timeline)
    _stage: Stage | None = None
    _microphone: Recording | None = None
    _states_seen: int = 0
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the evening began."""
        return time.monotonic() - self._began

    @property
    def microphone(self) -> Recording:
        """What is heard at the microphone, while the evening plays."""
        if self._microphone is None:
            raise RuntimeError("the evening does not play")
        return self._microphone

    @property
    def microphone_dbfs(self) -> float:
        """How loud the room is at the microphone."""
        return self._microphone.level_dbfs() if self._microphone else -120.0

    @property
    def loudspeaker_dbfs(self) -> float:
        """How loud the loudspeaker is."""
        return self._stage.loudspeaker.level_dbfs() if self._stage else -120.0

    async def play(self) -> Record:
        """Play it; raises `NoEvening` when something it needs is missing."""
        try:
            opener = talker.read(self.opener) if self.opener else await talker.speak(OPENER)
            word = await talker.speak(WAKE_WORD)
            question = await talker.speak(FOLLOW_UP)
        except talker.Speechless as speechless:
            raise NoEvening(str(speechless)) from speechless
        faults = Faults(connect_delay_s=CONNECT_DELAY_S)
        options = Options(answers=ANSWERS, faults=faults, keep_audio=True)
        try:
            async with stage(options, _SETTINGS, tell=self._look, pin_changed=self._shine) as here:
                self._stage = here
                self.light = here.light
                self.timeline.shine(0.0, self.light)
                self._look()
                self._microphone = here.room.hear("microphone")
                acts = _Acts(self, here, opener, None if self.opener else len(word), question)
                record = await acts.play()
                record.microphone = self._envelope(self._microphone)
                record.loudspeaker = self._envelope(here.loudspeaker)
                return record
        except OSError as missing:
            raise NoEvening(str(missing)) from missing
        except DaemonFailed as failed:
            raise NoEvening(f"the daemon failed: {failed}") from failed
        finally:
            self._stage = self._microphone = None

    def say(self, who: str, text: str) -> None:
        """Add a line to the story."""
        self.story.append(Line(round(self.seconds, 2), who, text))
        self.tell()

    def observe(self, name: str, ok: bool, observed: str) -> None:
        """Note what became of a step."""
        self.steps.append(Step(name, ok, observed))
        self.say("✔" if ok else "✘", f"{name}: {observed}")

    def _envelope(self, recording: Recording) -> Sound:
        """Both recordings as they can be drawn."""
        step = Sound.step
        peaks = comparison.peaks(recording.samples, round(step * RATE))
        return Sound(recording.time_of(0) - self._began, step, peaks)

    def _look(self) -> None:
        """The daemon told something: note the states that are new."""
        if self._stage is None:
            return
        states = self._stage.daemon.states
        for when, state in states[self._states_seen :]:
            self.state = state.partition(":")[0]
            self.timeline.enter(when - self._began, self.state)
            self.say("edged", state)
        self._states_seen = len(states)
        self.tell()

    def _shine(self, change: Change) -> None:
        """A pin changed, and the light with it."""
        if self._stage is not None:
            self.light = self._stage.light
            self.timeline.shine(change.time - self._began, self.light)
            self.tell()


class _Acts:
    """The steps, each of which looks at what it did from outside."""

    def __init__(
        self,
        evening: Evening,
        here: Stage,
        opener: Samples,
        word_samples: int | None,
        question: Samples,
    ) -> None:
        self._evening = evening
        self._here = here
        self._opener = opener
        self._word_samples = word_samples
        self._question = question
        self._record = Record(evening.steps, evening.timeline)

    async def play(self) -> Record:
        """All steps in order; one that is not observed ends the evening."""
        try:
            await self._asleep()
            await self._wake()
            await self._answer()
            await self._follow_up()
            await self._button_end()
            await self._button_wake()
        except DaemonFailed as failed:
            self._evening.observe(self._record.next_step, False, str(failed))
        return self._record

    async def _lights(self, *states: str) -> tuple[bool, str]:
        """Whether the light was right in these states, and how it was."""
        await asyncio.sleep(SETTLING_S)
        return self._evening.timeline.lights(states, self._evening.seconds)

    async def _asleep(self) -> None:
        daemon, server = self._here.daemon, self._here.server
        await daemon.reaches("asleep")
        await asyncio.sleep(_QUIET_S)
        right, shown = await self._lights("asleep")
        quiet = not server.ledger.visits
        self._evening.observe(
            "asleep", right and quiet, f"no connection in {_QUIET_S:g} s of quiet; {shown}"
        )

    async def _wake(self) -> None:
        """Wake word and question in one breath, while the provider takes its time."""
        here, evening = self._here, self._evening
        began = time.monotonic()
        evening.say("person", OPENER if evening.opener is None else f"({evening.opener.name})")
        saying = here.room.say(self._opener)
        words = await here.daemon.says(r"woken by (\S+) \[.*score=([\d.]+)", since=began)
        woken = await here.daemon.reaches("waking", since=began)
        await here.daemon.reaches("connecting", since=woken)
        await here.daemon.reaches("listening", "hearing", "thinking", since=woken)
        await asyncio.to_thread(saying.wait, 30)
        spoken = await self._spoken(self._opener, began)
        wake = Wake(words[1], float(words[2]), round(woken - spoken, 3))
        self._record.wake.append(wake)
        right, shown = await self._lights("waking", "connecting")
        heard = f"{wake.word} with {wake.score:.2f}, {wake.t:.2f} s into the sentence; {shown}"
        evening.observe("wake", right, heard)
        self._spoken_until = spoken + len(self._opener) / RATE
        await here.daemon.reaches("thinking", "speaking", since=woken)
        await self._uplink(wake)

    async def _spoken(self, words: Samples, after: float) -> float:
        """When the first sample of `words` was at the microphone, found by correlation."""
        microphone = self._evening.microphone
        first = microphone.position_at(after)
        heard = await asyncio.to_thread(microphone.between, after, time.monotonic())
        where, _ = await asyncio.to_thread(comparison.place, words, heard)
        return microphone.time_of(first + round(where))

    async def _uplink(self, wake: Wake) -> None:
        """What the server got against what was said, sample by sample."""
        heard = bytes(self._here.server.ledger.visits[0].heard)
        arrived = np.frombuffer(heard, np.int16)
        said = comparison.halved(self._opener)
        # What was sent begins before the recognised end of the wake word: find where.
        head = arrived[: _WIRE_RATE // 2]
        first, _ = await asyncio.to_thread(comparison.place, head, said)
        begun = max(0, round(first))
        if self._word_samples is None:
            latest = round((wake.t - 0.3) * _WIRE_RATE)
        else:
            latest = self._word_samples // 2
        words = said[max(begun, latest) :]
        result = await asyncio.to_thread(comparison.compare, words, arrived, _WIRE_RATE)
        self._record.uplink = result
        whole = result.lost_samples == result.doubled_samples == 0
        ok = whole and begun <= latest and result.correlation >= 0.95
        right, shown = await self._lights("listening", "hearing")
        self._evening.observe(
            "uplink",
            ok and right,
            f"{len(words) / _WIRE_RATE:.2f} s after the wake word, {result.lost_samples} samples"
            f" lost, {result.doubled_samples} doubled, correlation {result.correlation:.3f},"
            f" with a connect of {CONNECT_DELAY_S:g} s; {shown}",
        )

    async def _hear_answer(self, since: float) -> tuple[comparison.Comparison, Turn]:
        """Wait for an answer to be played to its end; compare what was sent with what sounded."""
        here = self._here
        speaking = await here.daemon.reaches("speaking", since=since)
        over = await here.daemon.reaches("listening", since=speaking + 0.01, timeout_s=40)
        await asyncio.sleep(_SETTLE_S)
        ledger = here.server.ledger
        answer = answers(ledger.entries, 1)[-1]
        self._evening.say("provider", answer.transcript)
        samples = answer.samples(ledger.visits[0])
        first_delta = time.monotonic() - ledger.now + answer.first_delta
        from_s, to_s = first_delta - 0.1, over + _SETTLE_S
        heard = await asyncio.to_thread(here.loudspeaker.between, from_s, to_s)
        begin = here.loudspeaker.position_at(from_s)
        played = comparison.halved(heard)
        result = await asyncio.to_thread(comparison.compare, samples, played, _WIRE_RATE)
        # The first sound of speech is soft: its onset is looked for in what was sent, too.
        onset = comparison.onset(samples, _WIRE_RATE) or 0
        sounded = here.loudspeaker.time_of(begin + 2 * (result.start + onset))
        turn = Turn(
            round((first_delta - self._spoken_until) * 1000),
            round((sounded - onset / _WIRE_RATE - first_delta) * 1000),
            interrupted=answer.truncated_ms is not None,
        )
        self._record.turns.append(turn)
        return result, turn

    async def _answer(self) -> None:
        result, turn = await self._hear_answer(self._spoken_until - 5)
        self._record.playback = result
        right, shown = await self._lights("thinking", "speaking")
        self._evening.observe(
            "answer",
            right and result.correlation >= 0.99 and result.gaps == 0,
            f"correlation {result.correlation:.4f} at the loudspeaker, {result.gaps} gaps,"
            f" {turn.first_audio_to_sound_ms} ms after its first sound was sent; {shown}",
        )

    async def _follow_up(self) -> None:
        """A second question, without the wake word."""
        here = self._here
        began = time.monotonic()
        self._evening.say("person", FOLLOW_UP)
        saying = here.room.say(self._question)
        await asyncio.to_thread(saying.wait, 30)
        spoken = await self._spoken(self._question, began)
        self._spoken_until = spoken + len(self._question) / RATE
        result, _ = await self._hear_answer(began)
        once = len(here.server.ledger.visits) == 1
        self._evening.observe(
            "follow_up",
            once and result.correlation >= 0.99 and result.gaps == 0,
            f"answered in the same session; correlation {result.correlation:.4f},"
            f" {result.gaps} gaps",
        )

    async def _button_end(self) -> None:
        here = self._here
        began = time.monotonic()
        self._evening.say("person", "(presses the button)")
        await here.press()
        asleep = await here.daemon.reaches("asleep", since=began)
        await here.closed(1)
        right, shown = await self._lights("asleep")
        took = round((asleep - began) * 1000)
        self._evening.observe("button_end", right, f"asleep {took} ms after the press; {shown}")

    async def _button_wake(self) -> None:
        """Woken by the button, and nobody speaks."""
        here = self._here
        await asyncio.sleep(_QUIET_S)
        began = time.monotonic()
        self._evening.say("person", "(presses the button, and says nothing)")
        await here.press()
        listening = await here.daemon.reaches("listening", since=began)
        opened = len(here.server.ledger.visits) == 2
        took = listening - began
        self._evening.observe("button_wake", opened, f"a new session, listening {took:.2f} s later")
        asleep = await here.daemon.reaches("asleep", since=listening)
        await here.closed(2)
        waited = asleep - listening
        self._record.idle_closed = here.server.ledger.visits[1].close_code == 1000
        self._record.asleep_bytes_sent = here.asleep_bytes()
        self._evening.observe(
            "idle_close",
            self._record.idle_closed
            and abs(waited - FOLLOW_UP_S) < 1.0
            and self._record.asleep_bytes_sent == 0,
            f"closed after {waited:.1f} s of silence, without an answer;"
            f" {self._record.asleep_bytes_sent} bytes were sent while asleep",
        )
