"""Tells an evening with a speaker: a made-up clock, a room, a provider and a loudspeaker."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Literal, TypeVar

from edged.core import commands as do
from edged.core import events as ev
from edged.core.assistant import Assistant
from edged.core.budget import Purse
from edged.core.frames import Cleaned
from edged.core.gestures import Bindings
from edged.core.scenes import Scene
from edged.core.settings import BargeIn, Conversation, History, Volume

from .core.laws import Laws, number

CAPTURE_RATE = 16_000
WIRE_RATE = 24_000
FRAME_S = 0.02
FRAME_SAMPLES = round(CAPTURE_RATE * FRAME_S)
RING_S = 0.29
"""For so long our own sound is heard in the room after it has ended."""
NOISE = b"\x01\x00" * round(WIRE_RATE * FRAME_S)

Echo = Literal["off", "half_duplex", "canceller"]

C = TypeVar("C")


class Evening:
    """One speaker and everybody around it; each verb feeds events and returns the commands.

    The loudspeaker keeps its promises: it plays what is queued in real time while time passes,
    counts from the last `Hush`, and answers each (at once, unless it is `slow_to_hush`). The laws
    of the house are checked after every event.
    """

    def __init__(
        self,
        policy: Conversation | None = None,
        bindings: Mapping[str, Bindings] | None = None,
        volume: Volume | None = None,
        *,
        barge_in: BargeIn | None = None,
        history: History | None = None,
        purse: Purse | None = None,
        by_minute: bool = False,
        detects_turns: bool = True,
        echo: Echo = "half_duplex",
    ) -> None:
        self.policy = policy or Conversation()
        self.barge_in = barge_in or BargeIn(cold_ms=0)
        self.echo = echo
        self.now = 1000.0
        self.speaker = Assistant(
            self.policy,
            wire_rate=WIRE_RATE,
            barge_in=self.barge_in,
            guarded=echo == "canceller",
            volume=volume,
            history=history,
            purse=purse,
            by_minute=by_minute,
            detects_turns=detects_turns,
            bindings=bindings,
        )
        self.laws = Laws(self.policy, WIRE_RATE, detects_turns=detects_turns)
        self.commands: list[do.Command] = []
        self.position = 0
        self.frames = 0
        self.queued = 0
        self.heard = 0
        self.slow_to_hush = False
        self.hushes: list[int] = []
        """What had been heard at each `Hush` that the loudspeaker has not answered yet."""
        self.awake = False
        """Whether the echo driver runs."""
        self.over_us = False
        """Whether somebody speaks in the room, loud enough to be heard over our own sound."""
        self.sounded_at = 0.0
        """When our own sound was in the room last."""

    # --- the clock ------------------------------------------------------------------------

    def feed(self, *events: ev.Event) -> list[do.Command]:
        """Let `events` happen now."""
        commands: list[do.Command] = []
        for event in events:
            self.awake = self.awake and not isinstance(event, ev.LinkDown)
            self.laws.expects(event)
            done = self.speaker.handle(event, self.now)
            self.laws.judges(event, done, self.speaker, self.now)
            for command in done:
                if isinstance(command, do.Play):
                    self.queued += len(command.samples) // 2
                elif isinstance(command, do.Attend):
                    self.awake = True
                elif isinstance(command, do.Hush):
                    self.hushes.append(self.heard)
                    self.queued = self.heard = 0
            self.commands += done
            commands += done
            if not self.slow_to_hush:
                commands += self.hushed()
        return commands

    def hushed(self, late_ms: float = 0) -> list[do.Command]:
        """The loudspeaker answers what it was told to hush; it sounded for `late_ms` more."""
        commands: list[do.Command] = []
        while self.hushes:
            heard = self.hushes.pop(0) + round(WIRE_RATE * late_ms / 1000)
            commands += self.feed(ev.SpeakerHushed(heard))
        return commands

    def passes(self, seconds: float, *, room: bool = True) -> list[do.Command]:
        """Time goes by: the room is heard (unless `room` is false), the loudspeaker plays."""
        commands: list[do.Command] = []
        end = self.now + seconds
        while self.now < end - 1e-9:
            then = min(self.now + FRAME_S, end)
            deadline = self.speaker.deadline()
            if deadline is not None and deadline <= then:
                self.now = max(self.now, deadline)
                commands += self.feed(ev.Tick())
            self.now = then
            commands += self.plays(FRAME_S)
            if room:
                commands += self.frame()
        return commands

    def dozes(self, seconds: float) -> list[do.Command]:
        """Time goes by without a sound from the microphone; only alarms ring."""
        commands: list[do.Command] = []
        end = self.now + seconds
        while (deadline := self.speaker.deadline()) is not None and deadline <= end:
            self.now = deadline
            commands += self.feed(ev.Tick())
        self.now = end
        return commands

    # --- the room -------------------------------------------------------------------------

    def starts(self, *, muted: bool = False, volume_db: float | None = None) -> list[do.Command]:
        """The process is up, and the devices answer."""
        started = ev.Started(muted, volume_db)
        commands = self.feed(started, ev.SpeakerOpened("speaker", 48_000, 20.0))
        return commands if muted else commands + self.microphone_opens()

    def microphone_opens(self) -> list[do.Command]:
        """The capture stream runs."""
        self.position = 0
        return self.feed(ev.MicOpened("microphone", CAPTURE_RATE))

    def frame(self) -> list[do.Command]:
        """One frame of room sound, with its number in its first samples."""
        samples = self.frames.to_bytes(4, "little") + bytes(2 * FRAME_SAMPLES - 4)
        sound = samples[:4] + bytes(len(NOISE) - 4)
        clean = Cleaned(sound, self.score(), 20.0, NOISE) if self.awake else None
        heard = ev.MicFrame(samples, self.position, -60.0, clean)
        self.frames += 1
        self.position += FRAME_SAMPLES
        return self.feed(heard)

    def score(self) -> float:
        """What the echo driver thinks of the next frame."""
        if self.echo == "off" or self.now - self.sounded_at > RING_S:
            return inf
        return 2.0 if self.over_us and self.echo == "canceller" else 0.2

    def wakes(self, *, late_ms: int = 0) -> list[do.Command]:
        """The wake word is recognised, `late_ms` after it was."""
        position = self.position - late_ms * CAPTURE_RATE // 1000
        return self.feed(ev.WakeHeard("hey_jarvis", 0.93, position))

    def says_stop(self) -> list[do.Command]:
        """The second model recognises its word."""
        return self.feed(ev.WakeHeard("stop", 0.93, self.position))

    def holds(self, button: str = "push") -> list[do.Command]:
        """A button goes down, and stays there."""
        return self.feed(ev.ButtonPressed(button))

    def lets_go(self, button: str = "push") -> list[do.Command]:
        """It comes up."""
        return self.feed(ev.ButtonReleased(button))

    def presses(self, button: str = "talk", seconds: float = 0.1) -> list[do.Command]:
        """A button goes down and up again."""
        commands = self.feed(ev.ButtonPressed(button))
        commands += self.passes(seconds)
        return commands + self.feed(ev.ButtonReleased(button))

    def plays(self, seconds: float) -> list[do.Command]:
        """The loudspeaker plays this much of what is queued."""
        heard = min(self.queued, self.heard + round(WIRE_RATE * seconds))
        if heard == self.heard:
            return []
        self.heard = heard
        self.sounded_at = self.now
        return self.feed(ev.SpeakerProgress(heard))

    # --- the provider ---------------------------------------------------------------------

    def connects(self) -> list[do.Command]:
        """The provider opens a session and confirms its configuration."""
        return self.feed(ev.LinkAccepted("sess_1"), ev.LinkReady())

    def hangs_up(
        self, trouble: ev.Trouble | None = None, code: str = "1000", detail: str = ""
    ) -> list[do.Command]:
        """The line is gone."""
        return self.feed(ev.LinkDown(trouble, code, detail))

    def says(self, seconds: float = 1.0, item: str = "user_1") -> list[do.Command]:
        """Somebody speaks, and the provider hears the beginning and the end."""
        commands = self.feed(ev.SpeechStarted(item))
        commands += self.passes(seconds)
        return commands + self.feed(ev.SpeechStopped(item), ev.UserItemCommitted(item))

    def answers(
        self,
        reply: str = "resp_1",
        *,
        seconds: float = 2.0,
        item: str = "item_1",
        done: bool = True,
    ) -> list[do.Command]:
        """The provider answers at once with this much sound."""
        commands = self.feed(ev.ReplyStarted(reply))
        commands += self.sends_sound(reply, seconds=seconds, item=item)
        return commands + (self.feed(ev.ReplyDone(reply)) if done else [])

    def sends_sound(
        self, reply: str = "resp_1", *, seconds: float = 0.2, item: str = "item_1", index: int = 0
    ) -> list[do.Command]:
        """A piece of an answer arrives."""
        samples = bytes(2 * round(WIRE_RATE * seconds))
        return self.feed(ev.ReplyAudio(reply, item, index, samples))

    # --- scenes that many stories begin with ----------------------------------------------

    def converses(self) -> None:
        """Started, woken and connected."""
        self.starts()
        self.passes(1.0)
        self.wakes()
        self.passes(0.5)
        self.connects()

    def is_answered(self, seconds: float = 2.0, *, heard_s: float = 0.0, done: bool = True) -> None:
        """A conversation in which an answer of so many seconds has played for `heard_s`."""
        self.converses()
        self.says()
        self.answers(seconds=seconds, done=done)
        self.passes(heard_s)

    # --- what came of it ------------------------------------------------------------------

    def shows(self, scene: Scene) -> bool:
        """Whether this is what the outside calls the state."""
        return self.speaker.state is scene

    def forgets(self) -> None:
        """Forget the commands so far."""
        self.commands.clear()


def only(commands: Iterable[do.Command], *kinds: type[C]) -> list[C]:
    """The commands of these kinds, in order."""
    return [command for command in commands if isinstance(command, kinds)]


def repairs(commands: Iterable[do.Command]) -> list[do.Command]:
    """What the provider is told after an interruption, in order."""
    kinds = (do.TruncateReply, do.DeleteItem, do.CancelReply)
    return [command for command in commands if isinstance(command, kinds)]


def facts(commands: Iterable[do.Command]) -> list[do.Fact]:
    """The kinds of the journal's entries, in order."""
    return [told.fact for told in only(commands, do.Note)]


def notes(commands: Iterable[do.Command], fact: do.Fact) -> list[do.Note]:
    """The journal's entries of one kind."""
    return [told for told in only(commands, do.Note) if told.fact is fact]


def chimes(commands: Iterable[do.Command]) -> list[do.Chime]:
    """The earcons, in order."""
    return [sound.chime for sound in only(commands, do.Sound)]


def sent(commands: Iterable[do.Command]) -> list[int]:
    """The numbers of the frames of room sound that left, in order."""
    return [number(audio.samples) for audio in only(commands, do.SendAudio)]
