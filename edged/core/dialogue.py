"""Whose turn it is while the line is up, and what was said, answered and really heard."""

from collections.abc import Callable

from . import commands as do
from . import events as ev
from .answers import Answers
from .calls import Calls
from .commands import Command
from .due import Due
from .evidence import Evidence
from .figures import Turns
from .machines import Move, Turn
from .patience import Patience


class Dialogue:
    """Turns with their playback, their evidence and their running tools, for all sessions."""

    def __init__(
        self,
        patience: Patience,
        evidence: Evidence,
        answers: Answers,
        calls: Calls,
        due: Due,
        turns: Turns,
        do: Callable[[Command], None],
        *,
        detects_turns: bool,
    ) -> None:
        self.detects_turns = detects_turns
        """Whether the provider can."""
        self._evidence = evidence
        self.gate = evidence.gate
        self.answers = answers
        self.playback = answers.playback
        self._calls = calls
        self.due = due
        self.turns = turns
        self.patience = patience
        self._do = do
        self._forget()

    def _forget(self) -> None:
        """As at the beginning of a session."""
        self.detecting = self.detects_turns
        """Whether the provider listens for the ends of turns; else the button tells them."""
        self.held = False
        """Whether the button is held to talk."""
        self._barged_in = False
        """Whether the utterance under way cut an answer."""
        self._leaving = False
        """Somebody has said goodbye."""
        self._calls.clear()
        self.due.clear()
        self.turns.clear()

    @property
    def turn(self) -> Turn:
        """Whose it is."""
        return self.patience.turn

    @property
    def working(self) -> bool:
        """Whether a tool runs that somebody waits for."""
        return self._calls.awaited

    @property
    def answering(self) -> bool:
        """Whether it is the assistant's turn."""
        return self.turn in (Turn.THINKING, Turn.SPEAKING)

    @property
    def quiet(self) -> bool:
        """Whether nobody has the turn, or is about to have it."""
        due = self.due.awaited or self.due.owed or self.due.dismissed
        return self.turn is Turn.QUIET and not (self.working or due or self.answers.unfinished)

    def leave(self) -> None:
        """The conversation is to end once the answer under way has been heard."""
        self._leaving = True

    @property
    def over(self) -> bool:
        """Whether goodbye has been said, and heard."""
        return self._leaving and self.turn is Turn.QUIET and not self.working

    def end(self, move: Move, now: float) -> None:
        """The session is over, by our will (`ENDED`) or not (`LOST`): silence."""
        self.turns.heard(interrupted=self.playback.audible)
        self.answers.end(speaking=self.turn is Turn.SPEAKING)
        self._evidence.end()
        self.turns.close()
        self.patience.end(move)
        self._forget()

    def interrupt(self, now: float) -> None:
        """The button or the wake word: whoever answers is silent, and the user is listened to."""
        if self.detects_turns and not self.detecting:
            self.detecting = True
            self._do(do.DetectTurns(True))
        if self._evidence.doubted is not None:
            self._believe(now)
        elif self.turn is not Turn.HEARING:
            self._cut_short(now)
            self.gate.invite()
            self.patience.user(now, Move.INTERRUPTED)

    def stop(self, now: float) -> bool:
        """Silence, and no new turn; whether there was anything to stop."""
        doubted = self._evidence.forget()
        if doubted or (self.turn is Turn.HEARING and self._barged_in):
            # The word that stopped the answer was heard as an utterance, too.
            self._barged_in = True
            self._do(do.ClearInput())
            self.patience.move(Move.DISMISSED)
        elif not self.answering:
            return False
        self._cut_short(now)
        self.patience.user(now, Move.INTERRUPTED)
        return True

    def hold(self, now: float) -> bool:
        """The button is held: what is said now is the utterance, whoever spoke before.

        Whether room sound that was sent before is forgotten: all but an utterance under way.
        """
        self._cut_short(now)
        self.gate.invite()
        self._evidence.forget()
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
            self.patience.asked(now)
            self.turns.open().speech_end = now
            self.due.owe(now, again=True)
        else:
            self._do(do.ClearInput())
            self.patience.user(now, Move.DISMISSED)

    def hear(self, frame: ev.MicFrame, now: float) -> bool:
        """Room sound came; whether it may go out."""
        if self._evidence.hear(frame.score, self.playback.audible, now, attentive=self.detecting):
            self._believe(now)
        return self.held or self.gate.open

    def insisted(self, now: float) -> None:
        """Somebody has been heard for so long that no second witness is needed."""
        if self._evidence.unsettled:
            self._believe(now)
        elif self.gate.person and self.answering and self.detecting:
            self.interrupt(now)

    def _believe(self, now: float) -> None:
        """What only the provider had heard was a person."""
        self._begin_utterance(now)
        if self._evidence.complete:
            self._end_utterance(now)

    def speech_started(self, event: ev.SpeechStarted, now: float) -> None:
        """Somebody speaks, if it is to be believed; over the answer, this cuts it."""
        if self.detecting and (not self.answering or self._evidence.believes(event.item, now)):
            self._begin_utterance(now)

    def _begin_utterance(self, now: float) -> None:
        self._evidence.settle()
        # Where it need not be believed the provider cancels by itself.
        self._barged_in = self.answering and self._silence(now, cancel=self._evidence.guarded)
        if self._barged_in:
            self.gate.invite()
        self.turns.close()
        self.due.begun()
        self.due.tried = False
        self._listen_closely(Move.SPEECH_STARTED, now)

    def speech_stopped(self, event: ev.SpeechStopped, now: float) -> None:
        """The utterance is over: an answer is due."""
        self._evidence.complete = True
        if self.turn is Turn.HEARING and self.detecting:
            self._end_utterance(now)
        else:
            # That was a stop word, complete before it could be forgotten: no answer is wanted.
            self.due.dismissed |= self._barged_in
            self._barged_in = False

    def _end_utterance(self, now: float) -> None:
        self._barged_in = False
        self.patience.move(Move.SPEECH_STOPPED)
        self.turns.open().speech_end = now
        self.due.expect(now)
        # The answer to the utterance sees every output that is in.
        self.due.owed &= self.working

    def committed(self, event: ev.UserItemCommitted, now: float) -> None:
        """The provider took an utterance in; one that nobody said is taken out again."""
        if event.item == self._evidence.doubted:
            self._evidence.settle()
            self.answers.never_said(event.item)
            # If it can, the provider begins to answer it.
            self.due.dismissed |= not self.answers.unfinished
        elif self._evidence.guarded and self.due.awaited and self.answers.unfinished:
            # It answers nothing that ends while another answer is being made.
            self.due.awaited = False
            self.due.owe(now, again=False)

    def reply_started(self, event: ev.ReplyStarted, now: float) -> None:
        """An answer is being made; one that nobody waits for any more is cancelled."""
        wanted = self.turn is not Turn.HEARING and not self.due.dismissed
        if not self.answers.begin(event.reply, wanted=wanted):
            return
        self.due.begun()
        if wanted:
            self.turns.open()
            self.patience.replied(now)

    def reply_audio(self, event: ev.ReplyAudio, now: float) -> None:
        """Sound of the answer; sound of any other is dropped."""
        if not self.answers.take(event):
            return
        self.turns.open().came(now)
        self.patience.answer(now)

    def reply_text(self, event: ev.ReplyText) -> None:
        """What the answer says."""
        if self.answers.counts(event.reply):
            self.patience.question = event.is_question

    def reply_done(self, event: ev.ReplyDone, now: float) -> bool:
        """Generation is over; the answer may play on for a long time. Whether it is lost."""
        lost = False
        if self.answers.finish(event):
            self.turns.open().spent(event.usage)
            # An answer of which something was heard or done is not begun again.
            silent = not self.playback.received(event.reply)
            if event.status != "failed" and not (silent and event.status == "incomplete"):
                self.due.tried = False
            elif not self.working:
                lost = self.due.failed(now, event.transient and silent, event.jitter)
        self.due.ask(now)
        if self.turn is Turn.SPEAKING or self.playback.audible:
            self._drain(now)
        else:
            self._rest(now)
        return lost

    def progressed(self, heard: int, now: float) -> None:
        """Reply sound left the loudspeaker."""
        before = self.playback.heard
        self.playback.progress(heard)
        if self.playback.heard == before:
            return
        self.patience.answer(now, Move.SOUNDED)
        self.turns.open().sounded(now)
        self._drain(now)

    def _drain(self, now: float) -> None:
        if self.turn is not Turn.SPEAKING or not self.playback.drained:
            return
        self.turns.heard(interrupted=False)
        self.patience.move(Move.DRAINED)
        if self.due.awaited:
            self.due.expect(now)
            return
        if not self.working:
            self.turns.close()
        self.patience.user(now)

    def tool_called(self, event: ev.ToolCalled) -> None:
        """The model wants something done."""
        wanted = self.answers.counts(event.reply) and self.answers.generating
        if wanted and self._calls.begin(event):
            self.patience.tool()

    def approval_asked(self, event: ev.ApprovalAsked, now: float) -> None:
        """The model wants something done for which somebody must give leave."""
        if self.answers.counts(event.reply) and self._calls.ask(event):
            self.patience.tool()
            self.patience.approval(now)

    def tool_finished(self, event: ev.ToolFinished, now: float) -> None:
        """It is done; a call whose conversation has ended is dropped."""
        if not self._calls.knows(event.call):
            return
        if self._calls.finish(event):
            self._leaving |= event.farewell and self.turn is not Turn.HEARING
            if not event.farewell:
                self.due.owe(now, again=True)
        if self.answering and not self.working:
            self.patience.answer(now)
        self.due.ask(now)
        self._rest(now)

    def resume(self, now: float) -> None:
        """The session was told of a question that is open."""
        self.due.owe(now, again=True)

    def refused(self, event: ev.RequestRefused, now: float) -> bool:
        """An answer was asked for in vain; whether it is lost.

        When another is being made, we ask again after that.
        """
        waiting = self.due.awaited and not self.answers.unfinished and not event.benign
        self.due.refused(now, busy=event.busy and self.answering)
        lost = waiting and self.due.failed(now, event.transient, event.jitter)
        self._rest(now)
        return lost

    def _cut_short(self, now: float) -> None:
        """Whoever answers is silent, and what is still to come of it is not wanted."""
        self._silence(now, cancel=True)
        self.turns.close()
        self.due.dismiss()
        self._leaving = self.patience.question = False
        self._calls.forsake()

    def _silence(self, now: float, *, cancel: bool) -> bool:
        """Stop the answer's sound; the record is set straight once it is known what was heard."""
        if not self.answers.generating and not self.playback.audible:
            return False
        figures, self.turns.current = self.turns.open(), None
        self.answers.cut(figures, now, cancel=cancel)
        return True

    def _listen_closely(self, move: Move, now: float) -> None:
        """Somebody speaks."""
        self._leaving = False
        self.patience.utterance(now, move)

    def _rest(self, now: float) -> None:
        """Back to the user, unless the assistant has more to say or to do."""
        due = self.due.awaited or self.due.owed
        busy = self.answers.generating or self.working or due
        if self.turn is Turn.THINKING and not busy and not self.playback.audible:
            self.turns.close()
            self.patience.user(now, Move.DISMISSED)
