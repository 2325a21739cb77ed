"""The evening told once, played by the unmodified daemon and observed from outside."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..hearing import RATE, Recording, Samples
from ..pinboard import Change
from ..provider.faults import Faults
from ..provider.house import Options
from ..room import AcousticPath
from . import comparison, conversation, echo, fingers, talker
from .conversation import ANSWERS, OPENER, WAKE_WORD, Conversation, Lines
from .daemon import DaemonFailed
from .fingers import Fingers
from .record import Line, Record, Sound, Step
from .stage import BUTTON, Stage, stage
from .timeline import Timeline
from .watch import Watch

__all__ = ["ANSWERS", "OPENER", "WAKE_WORD", "Evening", "NoEvening"]

_SETTINGS = f"""\
[conversation]
follow_up_s = {conversation.FOLLOW_UP_S}
false_wake_s = {fingers.FALSE_WAKE_S}

[buttons.actions.talk]
hold = "push_to_talk"
"""


_PATH = AcousticPath(gain_db=0.0)
_LOUDNESS = 0.35
"""Of a sentence at full scale: across the room from a speaker that stands by its microphone."""
_SPOKEN, _INTERRUPTED = 3, 1
"""Utterances that the provider finds the ends of, and answers that are interrupted."""


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
    _pressed: list[tuple[float, float]] = field(default_factory=list)
    _down: float | None = None
    _states_seen: int = 0
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the evening began."""
        return time.monotonic() - self._began

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
            lines = await self._lines()
            pressed = await _say(fingers.PRESSED)
        except talker.Speechless as speechless:
            raise NoEvening(str(speechless)) from speechless
        options = Options(
            answers=(ANSWERS[0], conversation.LONG_ANSWER, ANSWERS[1], fingers.ANSWER),
            faults=Faults(connect_delay_s=conversation.CONNECT_DELAY_S),
            keep_audio=True,
        )
        title = f"({self.opener.name})" if self.opener else OPENER
        record = Record(self.steps, self.timeline, button=self._pressed)
        try:
            async with stage(
                options,
                _SETTINGS,
                acoustic_path=_PATH,
                tell=self._look,
                pin_changed=self._shine,
            ) as here:
                watch = self._watch(here, record)
                try:
                    await Conversation(watch, lines, title).play()
                    await Fingers(watch, pressed).play()
                    await echo.observe(watch, _SPOKEN, _INTERRUPTED)
                except (DaemonFailed, TimeoutError) as failed:
                    self.observe(record.next_step, False, str(failed))
                record.microphone = self._envelope(watch.microphone)
                record.loudspeaker = self._envelope(here.loudspeaker)
                return record
        except OSError as missing:
            raise NoEvening(str(missing)) from missing
        except DaemonFailed as failed:
            raise NoEvening(f"the daemon failed: {failed}") from failed
        finally:
            self._stage = self._microphone = None

    async def _lines(self) -> Lines:
        word = await _say(WAKE_WORD)
        return Lines(
            opener=talker.read(self.opener) if self.opener else await _say(OPENER),
            word=None if self.opener else word,
            follow_up=await _say(conversation.FOLLOW_UP),
            barge_in=await _say(conversation.BARGE_IN),
        )

    def _watch(self, here: Stage, record: Record) -> Watch:
        """Begin to look at everything on the stage."""
        self._stage = here
        self.light = here.light
        self.timeline.shine(0.0, self.light)
        self._look()
        self._microphone = microphone = here.room.hear("microphone")
        return Watch(here, microphone, record, self._began, self.say, self.observe)

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
        """A pin changed: the button's, or one of the light's."""
        t = change.time - self._began
        if self._stage is None:
            return
        if change.pin != BUTTON:
            self.light = self._stage.light
            self.timeline.shine(t, self.light)
        elif not change.value:
            self._down = t
        elif self._down is not None:
            self._pressed.append((self._down, t))
            self._down = None
        self.tell()


async def _say(text: str) -> Samples:
    """A sentence as it is at the microphone."""
    words: Samples = np.rint(await talker.speak(text) * _LOUDNESS).astype(np.int16)
    return words
