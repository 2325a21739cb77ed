"""Whose turn it is while the line is up, and what was said, answered and really heard."""

from collections.abc import Callable

from . import commands as do
from . import events as ev
from .answers import Answers
from .calls import Calls
from .commands import Chime, Command, Fact, warn
from .figures import Figures
from .gate import Gate
from .machines import TURN, Move, Turn, step
from .settings import Conversation
from .timers import Timer, Timers

_OVERDUE_S = 2.0
"""Providers answer a cancel within tenths of a second; one that forgets to costs no more."""


class Dialogue:
    """The turn machine with its playback, its gate and its running tools.

    Lives as long as the speaker; `begin` and `end` bracket a session. Commands leave through
    `do`.
    """

    def __init__(
        self, policy: Conversation, rate: int, timers: Timers, do: Callable[[Command], None]
    ) -> None:
        self._policy = policy
        self._timers = timers
        self._do = do
        self.answers = Answers(rate, timers, do)
        self.playback = self.answers.playback
        self._calls = Calls(do)
        self.gate = Gate(None if policy.echo == "off" else policy.echo_tail_ms / 1000)
        self.turn = Turn.QUIET
        self._forget()

    def _forget(self) -> None:
        """As at the beginning of a session."""
        self.detecting = True
        """Whether the provider listens for the ends of turns; else the button tells them."""
        self.held = False
        """Whether the button is held to talk."""
        self.spoken = False
        """Whether anybody has said anything in this session."""
        self._barged_in = False
        """Whether the utterance under way cut an answer."""
        self._calls.clear()
        self._owes_reply = False
        """An answer is to be asked for, once that may be done."""
        self._awaited = False
        """An answer is due that has not begun."""
        self._dismissed = False
        """One is due that nobody wants."""
        self._question = False
        """Whether the answer ends in a question."""
        self._leaving = False
        """Somebody has said goodbye."""
        self._figures: Figures | None = None
        self._turns = 0

    @property
    def working(self) -> bool:
        """Whether a tool runs that somebody waits for."""
        return self._calls.awaited

    @property
    def answering(self) -> bool:
        """Whether it is the assistant's turn."""
        return self.turn in (Turn.THINKING, Turn.SPEAKING)

    @property
    def over(self) -> bool:
        """Whether goodbye has been said, and heard."""
        return self._leaving and self.turn is Turn.QUIET and not self.working

    def end(self, move: Move, now: float) -> None:
        """The session is over, by our will (`ENDED`) or not (`LOST`): silence."""
        if self._figures is not None:
            self._figures.heard(self.playback.heard_ms, interrupted=self.playback.audible)
        self.answers.end(speaking=self.turn is Turn.SPEAKING)
        self._close_turn()
        self._move(move)
        self._forget()
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER, Timer.UTTERANCE, Timer.OVERDUE)

    def interrupt(self, now: float) -> None:
        """The button or the wake word: whoever answers is silent, and the user is listened to."""
        if not self.detecting:
            self.detecting = True
            self._do(do.DetectTurns(True))
        if self.turn is not Turn.HEARING:
            self._cut_short(now)
            self.gate.interrupted()
            self._move(Move.INTERRUPTED)
            self.listen(now)

    def stop(self, now: float) -> bool:
        """Silence, and no new turn; whether there was anything to stop."""
        if self.turn is Turn.HEARING and self._barged_in:
            # The word that stopped the answer was heard as an utterance, too.
            self._do(do.ClearInput())
            self._move(Move.DISMISSED)
        elif not self.answering:
            return False
        self._cut_short(now)
        self._move(Move.INTERRUPTED)
        self.listen(now)
        return True

    def hold(self, now: float) -> bool:
        """The button is held: what is said now is the utterance, whoever spoke before.

        Whether room sound that was sent before is forgotten: all but an utterance under way.
        """
        self._cut_short(now)
        forgotten = self.detecting and self.turn is not Turn.HEARING
        if self.detecting:
            self._do(do.DetectTurns(False))
        if forgotten:
            self._do(do.ClearInput())
        self.detecting = self._barged_in = False
        self.held = True
        self._listen_closely(Move.HELD, now)
        return forgotten

    def release(self, now: float, *, asks: bool) -> None:
        """The button is let go: the utterance is complete, or was none."""
        if not self.held:
            return
        self.held = False
        if asks:
            self._do(do.CommitInput())
            self._move(Move.ASKED)
            self._timers.stop(Timer.UTTERANCE)
            self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)
            self._open_turn().speech_end = now
            self._owes_reply = True
            self._ask_if_owed(now)
        else:
            self._do(do.ClearInput())
            self._move(Move.DISMISSED)
            self.listen(now)

    def speech_started(self, event: ev.SpeechStarted, now: float) -> None:
        """Somebody speaks; over the answer, this cuts it (the provider cancels by itself)."""
        if not self.detecting:
            return
        self._barged_in = self.answering and self._silence(now, cancel=False)
        if self._barged_in:
            self.gate.interrupted()
        self._close_turn()
        self._awaited = self._dismissed = False
        self._listen_closely(Move.SPEECH_STARTED, now)

    def speech_stopped(self, event: ev.SpeechStopped, now: float) -> None:
        """The utterance is over: an answer is due."""
        if self.turn is not Turn.HEARING or not self.detecting:
            # That was a stop word, complete before it could be forgotten: no answer is wanted.
            self._dismissed |= self._barged_in
            self._barged_in = False
            return
        self._barged_in = False
        self._move(Move.SPEECH_STOPPED)
        self._timers.stop(Timer.UTTERANCE)
        self._open_turn().speech_end = now
        self._expect(now)
        # The answer to the utterance sees every output that is in.
        self._owes_reply &= self.working

    def reply_started(self, event: ev.ReplyStarted, now: float) -> None:
        """An answer is being made; one that nobody waits for any more is cancelled."""
        wanted = self.turn is not Turn.HEARING and not self._dismissed
        if not self.answers.begin(event.reply, wanted=wanted):
            return
        self._awaited = self._dismissed = False
        if not wanted:
            return
        self._question = False
        self.spoken = True
        self._open_turn()
        self._move(Move.REPLY_STARTED)
        self._timers.stop(Timer.FOLLOW_UP)
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)

    def reply_audio(self, event: ev.ReplyAudio, now: float) -> None:
        """Sound of the answer; sound of any other is dropped."""
        if not self.answers.take(event):
            return
        figures = self._open_turn()
        if figures.first_audio is None:
            figures.first_audio = now
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)

    def reply_text(self, event: ev.ReplyText) -> None:
        """What the answer says."""
        if self.answers.counts(event.reply):
            self._question = event.is_question

    def reply_done(self, event: ev.ReplyDone, now: float) -> None:
        """Generation is over; the answer may play on for a long time."""
        if self.answers.finish(event):
            self._open_turn().spent(event.usage)
            if event.status == "failed" and event.trouble is None:
                self._do(do.Sound(Chime.PROVIDER))
                message = f"the answer failed: {event.detail}"
                self._do(warn(Fact.REQUEST_REFUSED, message, code=event.reason))
        self._ask_if_owed(now)
        if self.turn is Turn.SPEAKING or self.playback.audible:
            self._drain(now)
        else:
            self._rest(now)

    def progressed(self, heard: int, now: float) -> None:
        """Reply sound left the loudspeaker."""
        before = self.playback.heard
        self.playback.progress(heard)
        if self.playback.heard == before:
            return
        self.gate.sounded(now)
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)
        self._move(Move.SOUNDED)
        figures = self._open_turn()
        if figures.first_sound is None:
            figures.first_sound = now
        self._drain(now)

    def _drain(self, now: float) -> None:
        if self.turn is not Turn.SPEAKING or not self.playback.drained:
            return
        if self._figures is not None:
            self._figures.heard(self.playback.heard_ms, interrupted=False)
        self._move(Move.DRAINED)
        if self._awaited:
            self._expect(now)
            return
        if not self.working:
            self._close_turn()
        self.listen(now)

    def tool_called(self, event: ev.ToolCalled) -> None:
        """The model wants something done."""
        wanted = self.answers.counts(event.reply) and self.answers.generating
        if wanted and self._calls.begin(event):
            self._timers.stop(Timer.ANSWER)

    def tool_finished(self, event: ev.ToolFinished, now: float) -> None:
        """It is done; a call whose conversation has ended is dropped."""
        if not self._calls.knows(event.call):
            return
        if self._calls.finish(event):
            self._leaving |= event.farewell and self.turn is not Turn.HEARING
            self._owes_reply |= not event.farewell
        if self.answering and not self.working:
            self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)
        self._ask_if_owed(now)
        self._rest(now)

    def _ask_if_owed(self, now: float) -> None:
        # One request, after every output is in and every answer is done. While the user speaks
        # none: the answer to the utterance will see the outputs.
        busy = self._awaited or self.working or self.turn is Turn.HEARING
        if not self._owes_reply or busy:
            return
        if self._dismissed or self.answers.unfinished:
            if not self._timers.running(Timer.OVERDUE):
                self._timers.start(Timer.OVERDUE, now + _OVERDUE_S)
            return
        self._owes_reply = False
        self._do(do.AskReply())
        self._expect(now)

    def overdue(self, now: float) -> None:
        """An answer that nobody wants has not begun, or not ended: it is not waited for."""
        self._dismissed = False
        self.answers.give_up()
        self._ask_if_owed(now)

    def refused(self, event: ev.RequestRefused, now: float) -> None:
        """No answer was asked for; when another is being made, we ask again after that."""
        self._owes_reply |= event.busy and self.answering
        self._awaited = self._dismissed = False
        self._ask_if_owed(now)
        self._rest(now)

    def _expect(self, now: float) -> None:
        """An answer is due."""
        self._awaited = True
        self._move(Move.ASKED)
        self._timers.stop(Timer.FOLLOW_UP)
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)

    def _cut_short(self, now: float) -> None:
        """Whoever answers is silent, and what is still to come of it is not wanted."""
        self._silence(now, cancel=True)
        self._close_turn()
        self._dismissed |= self._awaited
        self._awaited = self._owes_reply = self._leaving = self._question = False
        self._calls.forsake()

    def _silence(self, now: float, *, cancel: bool) -> bool:
        """Stop the answer's sound; the record is set straight once it is known what was heard."""
        if not self.answers.generating and not self.playback.audible:
            return False
        figures, self._figures = self._open_turn(), None
        self.answers.cut(figures, now, cancel=cancel)
        return True

    def listen(self, now: float) -> None:
        """It is the user's turn, for a while."""
        patience_s = self._policy.follow_up_s
        if not self.spoken:
            patience_s = self._policy.false_wake_s
        elif self._question:
            patience_s = self._policy.follow_up_question_s
        self._timers.stop(Timer.ANSWER, Timer.UTTERANCE)
        self._timers.start(Timer.FOLLOW_UP, now + patience_s)

    def _listen_closely(self, move: Move, now: float) -> None:
        """Somebody speaks."""
        self.spoken = True
        self._question = self._leaving = False
        self._move(move)
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER)
        self._timers.start(Timer.UTTERANCE, now + self._policy.utterance_timeout_s)

    def _rest(self, now: float) -> None:
        """Back to the user, unless the assistant has more to say or to do."""
        busy = self.answers.generating or self.working or self._awaited or self._owes_reply
        if self.turn is Turn.THINKING and not busy and not self.playback.audible:
            self._close_turn()
            self._move(Move.DISMISSED)
            self.listen(now)

    def _open_turn(self) -> Figures:
        if self._figures is None:
            self._turns += 1
            self._figures = Figures(self._turns, self.playback.heard_ms)
        return self._figures

    def _close_turn(self) -> None:
        if self._figures is not None:
            self._do(self._figures.line())
            self._figures = None

    def _move(self, move: Move) -> None:
        self.turn = step(TURN, self.turn, move)
