"""The speaker's mind: events with a time go in, commands come out.

It knows the line, the microphone, mute and trouble; whose turn it is on an open line is the
`Dialogue`'s business. Nothing here opens, waits, sleeps, logs, draws lots or reads a clock.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from . import commands as do
from . import events as ev
from . import settings
from .answers import Answers
from .budget import Budget, Prices, Purse
from .calls import Calls
from .commands import Command, Fact, note, warn
from .continuity import Continuity
from .dialogue import Dialogue
from .due import Due
from .ears import Ears
from .evidence import Evidence
from .figures import Turns
from .gestures import Action, Bindings
from .hands import Hands
from .history import History
from .line import Line
from .loudness import Loudness
from .machines import Link, scene
from .mishaps import Mishaps
from .mouth import Mouth
from .patience import Patience
from .playback import Playback
from .ringing import Ringing
from .scenes import Look, Scene
from .settings import BargeIn, Conversation, Gestures, Volume
from .spending import Spending
from .timers import Timer, Timers
from .troubles import Troubles
from .waking import Waking
from .warmth import Warmth


class Assistant:
    """Decides; `handle`, `deadline` and, in the end, `unsaved` are its whole interface."""

    def __init__(
        self,
        conversation: Conversation,
        *,
        wire_rate: int,
        barge_in: BargeIn | None = None,
        guarded: bool = False,
        history: settings.History | None = None,
        purse: Purse | None = None,
        by_minute: bool = False,
        detects_turns: bool = True,
        volume: Volume | None = None,
        gestures: Gestures | None = None,
        bindings: Mapping[str, Bindings] | None = None,
    ) -> None:
        self._policy, self._timers = conversation, Timers()
        evidence = Evidence(barge_in or BargeIn(), self._timers, self._do, guarded=guarded)
        self._history = History(history or settings.History(), wire_rate)
        purse = purse or Purse(Prices(), Budget(), "")
        self._spending = Spending(purse, by_minute=by_minute, rate=wire_rate, do=self._do)
        self._ringing = Ringing(self._timers, self._do)
        playback = Playback(wire_rate)
        answers = Answers(playback, self._history, self._timers, self._do)
        patience, calls = Patience(conversation, self._timers), Calls(self._history, self._do)
        due = Due(answers, calls, patience, self._timers, self._do)
        turns = Turns(playback, self._spending.cost, self._do)
        talk = patience, evidence, answers, calls, due, turns
        self._dialogue = Dialogue(*talk, self._do, detects_turns=detects_turns)
        kept = self._history, self._spending, self._timers
        self._continuity = Continuity(conversation, *kept, self._do)
        one = self._dialogue, self._history, self._continuity
        self._line = Line(conversation, self._timers, *one, self._do)
        self._troubles = Troubles(conversation.trouble_s, self._timers, self._do)
        self._ears = Ears(conversation, self._timers, self._line, self._troubles, self._do)
        between = self._dialogue, self._line, self._troubles, self._do
        self._mishaps, self._mouth = Mishaps(conversation, *between), Mouth(*between)
        self._warmth = Warmth(conversation, self._line, self._timers, by_minute=by_minute)
        may = self._dialogue, self._ears, self._troubles, self._spending, self._warmth
        self._waking = Waking(conversation, self._line, *may, self._do)
        self._out: list[Command] = []
        self._loudness = Loudness(volume or Volume(), self._timers, self._do)
        fingers = bindings or {}, gestures or Gestures()
        self._hands = Hands(*fingers, self._line, self._dialogue, self._warmth, ask=self._asked)
        self._look = Look(Scene.ASLEEP)

    def handle(self, event: ev.Event, now: float) -> list[Command]:
        """What to do about `event`, which happened at `now` (monotonic seconds)."""
        self._out = []
        self._expire(now)
        self._take(event, now)
        self._waking.settle(now)
        self._show()
        return self._out

    def deadline(self) -> float | None:
        """When to call `handle` with a `Tick` at the latest; None while nothing is awaited."""
        times = [t for t in (self._timers.deadline(), self._hands.deadline()) if t is not None]
        return min(times, default=None)

    @property
    def state(self) -> Scene:
        """What the outside calls the state of the speaker."""
        return self._look.scene

    @property
    def idle(self) -> bool:
        """Whether nobody is on the line, nor waits for it to come back, and nothing rings."""
        return self._line.link is Link.DOWN and not self._timers.running(Timer.RING)

    def rests(self, now: float) -> bool:
        """Whether a fresh one with the same volume and devices would go on as this one does."""
        quiet = self._timers.nothing_but(Timer.MICROPHONE) and not self._history.fresh(now)
        return quiet and self.state is Scene.ASLEEP

    def unsaved(self) -> list[do.Remember]:
        """What would be remembered in a moment, if there is no time for that."""
        return [do.Remember(self._ears.muted, self._loudness.db)] * self._loudness.unsettled

    def _take(self, event: ev.Event, now: float) -> None:
        match event:
            case ev.Tick():
                pass
            case ev.MicFrame():
                self._ears.hear(event, now)
            case ev.SpeakerProgress() | ev.SpeakerHushed() | ev.SpeakerUnderran():
                self._mouth.take(event, now)
            case ev.Started():
                self._start(event, now)
            case ev.MicOpened() | ev.MicLost() | ev.EchoMeasured():
                self._ears.take(event, now)
            case ev.SpeakerOpened() | ev.SpeakerLost():
                self._mouth.take(event, now)
            case ev.WakeHeard():
                self._ringing.stop()
                self._waking.word(event, now)
            case ev.WakeNearlyHeard():
                self._waking.nearly(event, now)
            case ev.ButtonPressed() | ev.ButtonReleased() | ev.WakeAsked() | ev.StopAsked():
                self._serve(event, now)
            case ev.SayAsked():
                self._waking.announcing.take(event)
            case ev.MuteAsked():
                self._mute(event, now)
            case ev.VolumeTurned():
                self._turn_volume(event, now)
            case ev.ToolFinished():
                self._dialogue.tool_finished(event, now)
            case ev.LinkAccepted():
                if self._line.link.coming:
                    self._continuity.accepted(event, now)
            case ev.SessionLimited():
                text = f"the provider refused what was asked of the session: {event.detail}"
                self._do(warn(Fact.SESSION_LIMITED, text, detail=event.detail))
            case ev.Rang():
                self._ringing.begin(now)
            case ev.DayTurned():
                self._waking.turned(event)
            case ev.LinkReady():
                self._line.ready(now)
            case ev.Retiring():
                self._warmth.retire()
            case ev.LinkDown():
                self._warmth.lost(event, now)
                told, what = self._line.down(event, now), event.detail or event.code
                if event.trouble is not None:
                    self._troubles.arise(event.trouble, what, now, fatal=event.fatal, aloud=told)
            case _:
                self._converse(event, now)

    def _serve(
        self, event: ev.ButtonPressed | ev.ButtonReleased | ev.WakeAsked | ev.StopAsked, now: float
    ) -> None:
        """Somebody is there; what rings has been heard then, and the touch was for that."""
        match event:
            case ev.ButtonPressed() | ev.StopAsked() if self._ringing.stop():
                pass
            case ev.ButtonPressed() if self._hands.allows(event.button, now):
                pass
            case ev.ButtonPressed():
                self._hands.pressed(event.button, now)
            case ev.ButtonReleased():
                self._hands.released(event.button, now)
            case ev.WakeAsked():
                self._waking.asked(now)
            case ev.StopAsked():
                self._waking.announcing.drop(now)
                self._line.end("stopped", now)
            case _:
                assert_never(event)

    def _converse(self, event: ev.Said, now: float) -> None:
        """What the provider says; nobody has the turn when nobody is on the line.

        A bill is a bill even then.
        """
        self._spending.take(event)
        if self._line.link is not Link.UP:
            return
        self._history.take(event)
        match event:
            case ev.SpeechStarted():
                if self._dialogue.detecting:
                    self._line.began()
                self._troubles.end(self._troubles.passing)
                self._dialogue.speech_started(event, now)
            case ev.SpeechStopped():
                self._dialogue.speech_stopped(event, now)
            case ev.ReplyStarted():
                self._dialogue.reply_started(event, now)
            case ev.ReplyAudio():
                self._dialogue.reply_audio(event, now)
            case ev.ReplyDone():
                self._mishaps.take(event, now)
            case ev.ToolCalled():
                self._dialogue.tool_called(event)
                if self._dialogue.working:
                    self._line.answered()
            case ev.ApprovalAsked():
                self._dialogue.approval_asked(event, now)
            case ev.ReplyWords():
                pass
            case ev.UserText() | ev.ReplyText():
                if isinstance(event, ev.ReplyText):
                    self._dialogue.reply_text(event)
                if self._policy.journal_transcripts:
                    who = "user" if isinstance(event, ev.UserText) else "assistant"
                    self._do(note(Fact.TRANSCRIPT, f"{who}: {event.text}", speaker=who))
            case ev.RequestRefused():
                self._mishaps.take(event, now)
            case ev.UserItemCommitted():
                self._dialogue.committed(event, now)
            case _:
                assert_never(event)

    def _expire(self, now: float) -> None:
        self._hands.tick(now)
        while (timer := self._timers.due(now)) is not None:
            match timer:
                case Timer.WAKING | Timer.HINTED | Timer.PAUSE | Timer.REFUSED:
                    pass
                case Timer.CONNECT | Timer.ROTATE if self._line.link.ahead:
                    self._warmth.ran_out(timer, now)
                case Timer.CONNECT:
                    self._waking.unanswered(now)
                case Timer.PAY:
                    self._continuity.pay(now)
                case Timer.RETRY:
                    self._line.retry(now)
                case Timer.ROTATE:
                    self._line.rotate(now)
                case Timer.CLOSE:
                    self._do(do.Fail("the line did not close"))
                case Timer.FOLLOW_UP:
                    if self._dialogue.working:
                        self._timers.start(timer, now + self._policy.follow_up_s)
                    else:
                        self._line.fall_silent(now)
                case Timer.LONGEST:
                    self._line.end("length", now)
                case Timer.UTTERANCE:
                    self._line.end("endless utterance", now)
                case Timer.ANSWER if self._dialogue.playback.audible:
                    self._do(do.Fail("the loudspeaker stands still"))
                case Timer.ANSWER:
                    self._line.end("no reply", now, chime=None)
                    self._troubles.arise(ev.Trouble.PROVIDER, "no answer came in time", now)
                case Timer.TROUBLE:
                    self._troubles.end(self._troubles.passing)
                case Timer.MICROPHONE:
                    self._ears.search(now)
                case Timer.EVIDENCE:
                    self._dialogue.insisted(now)
                case Timer.HUSHED:
                    self._dialogue.answers.hushed(None)
                case Timer.OVERDUE | Timer.ASK_AGAIN | Timer.APPROVAL:
                    self._dialogue.due.ran_out(timer, now)
                case Timer.RING:
                    self._ringing.ring(now)
                case Timer.SETTLED:
                    self._do(do.Remember(self._ears.muted, self._loudness.db))
                case _:
                    assert_never(timer)

    def _asked(self, action: Action, position: int, now: float) -> None:
        """What a finger asks for that touched at `position`."""
        match action:
            case Action.TALK:
                self._waking.pressed(position, now)
            case Action.PUSH_TO_TALK:
                self._waking.held(position, now)
            case Action.MUTE:
                self._mute(ev.MuteAsked(not self._ears.muted), now)
            case Action.VOLUME_UP | Action.VOLUME_DOWN:
                self._turn_volume(ev.VolumeTurned(1 if action is Action.VOLUME_UP else -1), now)

    def _turn_volume(self, event: ev.VolumeTurned, now: float) -> None:
        self._loudness.turn(event, now, audible=self._dialogue.playback.audible)

    def _mute(self, event: ev.MuteAsked, now: float) -> None:
        if self._ears.mute(event, now):
            self._do(do.Remember(event.muted, self._loudness.db))

    def _start(self, event: ev.Started, now: float) -> None:
        self._loudness.start(event.volume_db)
        self._ears.start(muted=event.muted, now=now)
        self._look = Look(Scene.MUTED if event.muted else Scene.ASLEEP)
        self._do(do.Show(self._look))
        if event.keyless:
            self._troubles.arise(ev.Trouble.KEY, event.keyless, now)

    def _show(self) -> None:
        state = scene(
            self._line.link,
            self._dialogue.turn,
            self._ears.hearing,
            self._troubles.health,
            waking=self._hands.touching or self._timers.running(Timer.WAKING),
            working=self._dialogue.working,
            attentive=self._dialogue.detecting,
        )
        trouble = self._troubles.worst if state is Scene.TROUBLE else None
        look = Look(state, trouble, self._line.ring.sending)
        if look == self._look:
            return
        told, self._look = self._look, look
        self._do(do.Show(look))
        if (look.scene, look.trouble) != (told.scene, told.trouble):
            self._do(note(Fact.STATE_CHANGED, state.value))

    def _do(self, command: Command) -> None:
        self._out.append(self._signed(command) if isinstance(command, do.Note) else command)

    def _signed(self, told: do.Note) -> do.Note:
        """`told` with the session and the turn that it belongs to."""
        turn, session = self._dialogue.turns.current, self._continuity.session
        of = ({"session": session} if session else {}) | ({"turn": turn.number} if turn else {})
        return replace(told, fields={**of, **told.fields})
