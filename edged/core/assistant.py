"""The speaker's mind: events with a time go in, commands come out.

It knows the line, the microphone, mute and trouble; whose turn it is on an open line is the
`Dialogue`'s business. Nothing here opens, waits, sleeps, logs, draws lots or reads a clock.
"""

from collections.abc import Mapping
from typing import assert_never

from . import commands as do
from . import events as ev
from .commands import Chime, Command, Fact, note, warn
from .dialogue import Dialogue
from .gestures import Action, Bindings, Recogniser
from .line import Line
from .machines import HEALTH, HEARING, Health, Hearing, Link, Move, Turn, scene, step
from .scenes import Look, Scene
from .settings import Conversation, Gestures
from .timers import Timer, Timers

_LASTING = (ev.Trouble.MICROPHONE, ev.Trouble.SPEAKER)


class Assistant:
    """Decides; `handle` and `deadline` are its whole interface."""

    def __init__(
        self,
        conversation: Conversation,
        *,
        wire_rate: int,
        gestures: Gestures | None = None,
        bindings: Mapping[str, Bindings] | None = None,
    ) -> None:
        self._policy = conversation
        self._timers = Timers()
        self._fingers = Recogniser(bindings or {}, gestures or Gestures())
        self._dialogue = Dialogue(conversation, wire_rate, self._timers, self._do)
        self._line = Line(conversation, self._timers, self._dialogue, self._do)
        self._out: list[Command] = []
        self._hearing = Hearing.OPEN
        self._health = Health.WELL
        self._passing: ev.Trouble | None = None
        self._lost: set[ev.Trouble] = set()
        """Devices that are gone: trouble that lasts until they are back."""
        self._rate: int | None = None
        """Capture samples per second; None while there is no microphone."""
        self._silent_s = 0.0
        self._look = Look(Scene.ASLEEP)

    def handle(self, event: ev.Event, now: float) -> list[Command]:
        """What to do about `event`, which happened at `now` (monotonic seconds)."""
        self._out = []
        self._expire(now)
        self._take(event, now)
        self._show()
        return self._out

    def deadline(self) -> float | None:
        """When to call `handle` with a `Tick` at the latest; None while nothing is awaited."""
        times = [t for t in (self._timers.deadline(), self._fingers.deadline()) if t is not None]
        return min(times, default=None)

    @property
    def state(self) -> Scene:
        """What the outside calls the state of the speaker."""
        return self._look.scene

    def _take(self, event: ev.Event, now: float) -> None:
        match event:
            case ev.Tick():
                pass
            case ev.MicFrame():
                self._hear(event, now)
            case ev.SpeakerProgress():
                self._dialogue.progressed(event.heard, now)
            case ev.Started():
                self._start(event.muted, now)
            case ev.MicOpened() | ev.MicLost() | ev.SpeakerOpened() | ev.SpeakerLost():
                self._device(event, now)
            case ev.SpeakerUnderran():
                missing_ms = round(event.missing_ms)
                self._do(note(Fact.GAP_HEARD, "a gap in the answer", missing_ms=missing_ms))
            case ev.WakeHeard():
                self._wake(event.position, now, event.word, score=round(event.score, 3))
            case ev.WakeNearlyHeard():
                message, score = f"nearly heard {event.word}", round(event.score, 3)
                self._do(note(Fact.WAKE_NEARLY_HEARD, message, word=event.word, score=score))
            case ev.ButtonPressed():
                self._act(self._fingers.pressed(event.button, now), now)
            case ev.ButtonReleased():
                self._act(self._fingers.released(event.button, now), now)
            case ev.WakeAsked():
                self._wake(self._line.here, now, "shell")
            case ev.StopAsked():
                self._act([Action.STOP], now)
            case ev.MuteAsked():
                self._mute(event.muted, now)
            case ev.ToolFinished():
                self._dialogue.tool_finished(event, now)
            case ev.LinkAccepted():
                self._line.accepted(event.session)
            case ev.LinkReady():
                self._line.ready(now)
            case ev.LinkDown():
                if self._line.down(event, now) and event.trouble is not None:
                    self._fail(event.trouble, event.detail or event.code, now)
            case _:
                self._converse(event, now)

    def _converse(self, event: ev.Said, now: float) -> None:
        """What the provider says; nobody has the turn when nobody is on the line."""
        if self._line.link is not Link.UP:
            return
        match event:
            case ev.SpeechStarted():
                self._dialogue.speech_started(event, now)
            case ev.SpeechStopped():
                self._dialogue.speech_stopped(event, now)
            case ev.ReplyStarted():
                self._dialogue.reply_started(event, now)
            case ev.ReplyAudio():
                self._dialogue.reply_audio(event, now)
            case ev.ReplyDone():
                self._dialogue.reply_done(event, now)
                if event.trouble is not None:
                    self._line.end("trouble", now, chime=None)
                    self._fail(event.trouble, event.detail, now)
            case ev.ToolCalled():
                self._dialogue.tool_called(event)
            case ev.UserText() | ev.ReplyText():
                if self._policy.journal_transcripts:
                    who = "user" if isinstance(event, ev.UserText) else "assistant"
                    self._do(note(Fact.TRANSCRIPT, f"{who}: {event.text}", speaker=who))
            case ev.RequestRefused():
                tell = note if event.benign else warn
                message = f"request refused: {event.message}"
                self._do(tell(Fact.REQUEST_REFUSED, message, code=event.code))
            case ev.UserItemCommitted():
                pass
            case _:
                assert_never(event)

    def _expire(self, now: float) -> None:
        self._act(self._fingers.tick(now), now)
        while (timer := self._timers.due(now)) is not None:
            match timer:
                case Timer.WAKING:
                    pass
                case Timer.CONNECT:
                    self._line.end("no answer", now, chime=None)
                    self._fail(ev.Trouble.NETWORK, "the provider did not answer in time", now)
                case Timer.CLOSE:
                    self._do(do.Fail("the line did not close"))
                case Timer.FOLLOW_UP:
                    if self._dialogue.working:
                        self._timers.start(timer, now + self._policy.follow_up_s)
                    else:
                        self._line.end("silence", now)
                case Timer.LONGEST:
                    self._line.end("length", now)
                case Timer.UTTERANCE:
                    self._line.end("endless utterance", now)
                case Timer.ANSWER if self._dialogue.playback.audible:
                    self._do(do.Fail("the loudspeaker stands still"))
                case Timer.ANSWER:
                    self._line.end("no reply", now, chime=None)
                    self._fail(ev.Trouble.PROVIDER, "no answer came in time", now)
                case Timer.TROUBLE:
                    self._recover(self._passing)
                case Timer.MICROPHONE:
                    self._search_microphone(now)
                case _:
                    assert_never(timer)

    def _act(self, actions: list[Action], now: float) -> None:
        for action in actions:
            match action:
                case Action.TALK:
                    self._talk(now)
                case Action.STOP:
                    self._line.end("stopped", now)
                case Action.MUTE:
                    self._mute(self._hearing is Hearing.OPEN, now)
                case Action.NONE:
                    pass
                case _:
                    assert_never(action)

    def _talk(self, now: float) -> None:
        answering = self._dialogue.turn in (Turn.THINKING, Turn.SPEAKING)
        if self._line.link in (Link.DOWN, Link.CLOSING) or answering:
            self._wake(self._line.here, now, "button")
        else:
            self._line.end("pressed", now)

    def _wake(
        self,
        position: int,
        now: float,
        word: str,
        **fields: str | float,
    ) -> None:
        if self._hearing is Hearing.MUTED:
            self._do(do.Sound(Chime.MUTED))
            return
        if self._lost:
            self._do(do.Sound(Chime(min(self._lost).value)))
            return
        self._do(note(Fact.WOKEN, f"woken by {word}", word=word, **fields))
        if self._line.link is Link.UP:
            self._dialogue.interrupt(now)
            return
        self._recover(self._passing)
        # A microphone that is still being opened has heard nothing yet.
        self._line.wake(position - self._policy.preroll_ms * (self._rate or 0) // 1000, now)

    def _mute(self, muted: bool, now: float) -> None:
        move = Move.MUTED if muted else Move.UNMUTED
        if step(HEARING, self._hearing, move) is self._hearing:
            return
        self._hearing = step(HEARING, self._hearing, move)
        if muted:
            self._line.end("muted", now, chime=None)
            self._timers.stop(Timer.MICROPHONE)
            self._forget_sound()
            self._do(do.CloseMicrophone())
            self._do(do.Sound(Chime.MUTED))
            self._do(note(Fact.MUTED, "muted: the microphone is closed"))
        else:
            self._open_microphone(now)
            self._do(do.Sound(Chime.UNMUTED))
            self._do(note(Fact.UNMUTED, "unmuted: the microphone is open"))

    def _start(self, muted: bool, now: float) -> None:
        if muted:
            self._hearing = Hearing.MUTED
        else:
            self._open_microphone(now)
        self._do(do.Show(self._look))

    def _hear(self, frame: ev.MicFrame, now: float) -> None:
        if self._hearing is Hearing.MUTED or self._rate is None:
            return
        self._silent_s = 0.0
        self._recover(ev.Trouble.MICROPHONE)
        self._timers.start(Timer.MICROPHONE, now + self._policy.silent_microphone_s)
        self._line.hear(frame, self._rate, now)

    def _device(
        self, event: ev.MicOpened | ev.MicLost | ev.SpeakerOpened | ev.SpeakerLost, now: float
    ) -> None:
        match event:
            case ev.MicOpened():
                if self._hearing is Hearing.MUTED:
                    return  # It was on its way when the mute closed it.
                self._forget_sound()
                self._rate = event.rate
                self._timers.start(Timer.MICROPHONE, now + self._policy.silent_microphone_s)
                message, rate = f"microphone {event.device}", event.rate
                self._do(note(Fact.MICROPHONE_OPENED, message, device=event.device, rate=rate))
            case ev.MicLost():
                self._rate = None
                self._timers.stop(Timer.MICROPHONE)
                self._do(warn(Fact.MICROPHONE_LOST, event.detail))
                self._line.end("microphone lost", now, chime=None)
                self._fail(ev.Trouble.MICROPHONE, event.detail, now)
            case ev.SpeakerOpened():
                message, latency_ms = f"loudspeaker {event.device}", round(event.latency_ms, 1)
                self._do(note(Fact.SPEAKER_OPENED, message, latency_ms=latency_ms))
                self._recover(ev.Trouble.SPEAKER)
            case ev.SpeakerLost():
                self._do(warn(Fact.SPEAKER_LOST, event.detail))
                self._line.end("loudspeaker lost", now, chime=None)
                self._fail(ev.Trouble.SPEAKER, event.detail, now)
            case _:
                assert_never(event)

    def _open_microphone(self, now: float) -> None:
        self._timers.start(Timer.MICROPHONE, now + self._policy.silent_microphone_s)
        self._do(do.OpenMicrophone())

    def _search_microphone(self, now: float) -> None:
        """No frame has come: open it anew, and say so when that did not help."""
        if self._silent_s:
            self._rate = None
            self._line.end("microphone silent", now, chime=None)
            self._fail(ev.Trouble.MICROPHONE, "the microphone delivers no sound", now)
        self._silent_s += self._policy.silent_microphone_s
        self._do(do.CloseMicrophone())
        self._open_microphone(now)

    def _forget_sound(self) -> None:
        self._line.forget()
        self._do(do.ResetWake())

    def _fail(self, trouble: ev.Trouble, detail: str, now: float) -> None:
        if trouble in (self._passing, *self._lost):
            return
        if trouble in _LASTING:
            self._lost.add(trouble)
        else:
            self._passing = trouble
            self._timers.start(Timer.TROUBLE, now + self._policy.trouble_s)
        self._health = step(HEALTH, self._health, Move.FAILED)
        self._do(do.Sound(Chime(trouble.value)))
        told = {"trouble": trouble.value, "detail": detail, "advice": do.ADVICE[trouble]}
        self._do(warn(Fact.TROUBLE, f"trouble: {trouble}", **told))

    def _recover(self, trouble: ev.Trouble | None) -> None:
        """Trouble of this kind is over."""
        if trouble is None or trouble not in (self._passing, *self._lost):
            return
        self._lost.discard(trouble)
        if trouble is self._passing:
            self._passing = None
            self._timers.stop(Timer.TROUBLE)
        if self._trouble is None:
            self._health = step(HEALTH, self._health, Move.RECOVERED)

    @property
    def _trouble(self) -> ev.Trouble | None:
        return self._passing or min(self._lost, default=None)

    def _show(self) -> None:
        state = scene(
            self._line.link,
            self._dialogue.turn,
            self._hearing,
            self._health,
            waking=self._timers.running(Timer.WAKING),
            working=self._dialogue.working,
        )
        look = Look(state, self._trouble if state is Scene.TROUBLE else None)
        if look != self._look:
            self._look = look
            self._do(do.Show(look))
            self._do(note(Fact.STATE_CHANGED, state.value))

    def _do(self, command: Command) -> None:
        self._out.append(command)
