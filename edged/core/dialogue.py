"""Whose turn it is while the line is up, and what was said, answered and really heard."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .commands import (
    AnswerTool,
    AskReply,
    CancelReply,
    Chime,
    Command,
    DeleteItem,
    Fact,
    FinishPlay,
    Hush,
    Play,
    RunTool,
    Sound,
    TruncateReply,
    note,
    warn,
)
from .events import (
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    ToolFinished,
    Usage,
)
from .gate import Gate
from .machines import TURN, Move, Turn, step
from .playback import Playback
from .settings import Conversation
from .timers import Timer, Timers


@dataclass(slots=True)
class _Figures:
    """The times of one turn, for its line in the journal."""

    number: int
    heard_before_ms: int
    speech_end: float | None = None
    first_audio: float | None = None
    first_sound: float | None = None
    heard_ms: int = 0
    interrupted: bool = False
    usage: Usage = field(default_factory=Usage)

    def fields(self) -> dict[str, str | int | float]:
        """What is known, in journal fields."""
        known: dict[str, str | int | float] = {
            "turn": self.number,
            "heard_ms": self.heard_ms,
            "interrupted": int(self.interrupted),
            "audio_in_tokens": self.usage.audio_in,
            "audio_out_tokens": self.usage.audio_out,
        }
        if self.speech_end is not None and self.first_audio is not None:
            known["speech_end_to_first_audio_ms"] = _ms(self.first_audio - self.speech_end)
        if self.first_audio is not None and self.first_sound is not None:
            known["first_audio_to_sound_ms"] = _ms(self.first_sound - self.first_audio)
        return known


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
        self.turn = Turn.QUIET
        self.playback = Playback(rate)
        self.gate = Gate(policy.echo_tail_ms / 1000)
        self._reply: str | None = None
        self._generating = False
        self._started: set[str] = set()
        """Every answer of this session: none begins twice."""
        self._tools: set[str] = set()
        self._owes_reply = False
        """A tool's output is to be answered aloud, once that may be asked for."""
        self._awaited = False
        """An answer is due that has not begun."""
        self._dismissed = False
        """The turn was cut: what is still to come of it is not wanted."""
        self._figures: _Figures | None = None
        self._turns = 0

    @property
    def working(self) -> bool:
        """Whether a tool runs."""
        return bool(self._tools)

    def begin(self, now: float) -> None:
        """A session is up: the user may speak."""
        self._turns = 0
        self._listen(now)

    def end(self, move: Move, now: float) -> None:
        """The session is over, by our will (`ENDED`) or not (`LOST`): silence."""
        if self.playback.queued or self.turn is Turn.SPEAKING:
            self._note_heard(interrupted=self.playback.audible)
            self.playback.interrupt()
            self._do(Hush())
        self._close_turn()
        self._move(move)
        self._reply = None
        self._generating = False
        self._owes_reply = False
        self._awaited = False
        self._dismissed = False
        self._started.clear()
        self._tools.clear()
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER, Timer.UTTERANCE)

    def interrupt(self, now: float) -> None:
        """The button or the wake word: whoever answers is silent, and the user is listened to."""
        if self.turn is Turn.HEARING:
            return
        self._silence(cancel=True)
        self._close_turn()
        self._dismissed = self._dismissed or self._awaited or self.working
        self._awaited = False
        self._owes_reply = False
        self._move(Move.INTERRUPTED)
        self._listen(now)

    def speech_started(self, event: SpeechStarted, now: float) -> None:
        """Somebody speaks; over the answer, this cuts it (the provider cancels by itself)."""
        if self.turn in (Turn.THINKING, Turn.SPEAKING):
            self._silence(cancel=False)
        self._close_turn()
        self._awaited = False
        self._dismissed = False
        self._move(Move.SPEECH_STARTED)
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER)
        self._timers.start(Timer.UTTERANCE, now + self._policy.utterance_timeout_s)

    def speech_stopped(self, event: SpeechStopped, now: float) -> None:
        """The utterance is over: an answer is due."""
        if self.turn is not Turn.HEARING:
            return
        self._move(Move.SPEECH_STOPPED)
        self._timers.stop(Timer.UTTERANCE)
        self._open_turn().speech_end = now
        self._expect(now)
        if not self._tools:
            # The answer to the utterance sees every output that is in.
            self._owes_reply = False

    def reply_started(self, event: ReplyStarted, now: float) -> None:
        """An answer is being made; one that nobody waits for any more is cancelled."""
        if event.reply in self._started:
            return
        self._started.add(event.reply)
        unwanted = self.turn is Turn.HEARING or self._dismissed
        self._awaited = False
        self._dismissed = False
        if unwanted:
            self._do(CancelReply(event.reply))
            return
        self._reply = event.reply
        self._generating = True
        self.playback.start()
        self._open_turn()
        self._move(Move.REPLY_STARTED)
        self._timers.stop(Timer.FOLLOW_UP)
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)

    def reply_audio(self, event: ReplyAudio, now: float) -> None:
        """Sound of the answer; sound of any other is dropped."""
        if event.reply != self._reply or not self._generating or not event.samples:
            return
        figures = self._open_turn()
        if figures.first_audio is None:
            figures.first_audio = now
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)
        self.playback.queue(event.reply, event.item, event.index, event.samples)
        self._do(Play(event.samples))

    def reply_done(self, event: ReplyDone, now: float) -> None:
        """Generation is over; the answer may play on for a long time."""
        if event.reply != self._reply or not self._generating:
            return
        self._generating = False
        figures = self._open_turn()
        figures.usage = _sum(figures.usage, event.usage)
        if event.status == "failed" and event.trouble is None:
            self._do(Sound(Chime.PROVIDER))
            message = f"the answer failed: {event.detail}"
            self._do(warn(Fact.REQUEST_REFUSED, message, code=event.reason))
        self.playback.finish()
        if self.playback.received(event.reply):
            self._do(FinishPlay())
        self._ask_if_owed(now)
        if self.turn is Turn.SPEAKING or self.playback.audible:
            self._drain(now)
        elif not self.working and not self._awaited:
            self._close_turn()
            self._move(Move.DISMISSED)
            self._listen(now)

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

    def tool_called(self, event: ToolCalled) -> None:
        """The model wants something done."""
        if event.reply != self._reply or not self._generating or event.call in self._tools:
            return
        self._tools.add(event.call)
        self._timers.stop(Timer.ANSWER)
        self._do(RunTool(event.call, event.name, event.arguments))
        self._do(note(Fact.TOOL_CALLED, f"tool {event.name} called", tool=event.name))

    def tool_finished(self, event: ToolFinished, now: float) -> None:
        """It is done; a call whose conversation has ended is dropped."""
        if event.call not in self._tools:
            return
        self._tools.discard(event.call)
        self._do(AnswerTool(event.call, event.output))
        self._owes_reply = not self._dismissed
        if not self._tools and self.turn in (Turn.THINKING, Turn.SPEAKING):
            self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)
        self._ask_if_owed(now)

    def _ask_if_owed(self, now: float) -> None:
        # One request, after every output is in and every answer is done. While the user speaks
        # none: the answer to the utterance will see the outputs.
        busy = self._tools or self._generating or self._awaited or self.turn is Turn.HEARING
        if self._owes_reply and not busy:
            self._owes_reply = False
            self._do(AskReply())
            self._expect(now)

    def _expect(self, now: float) -> None:
        """An answer is due."""
        self._awaited = True
        self._move(Move.ASKED)
        self._timers.stop(Timer.FOLLOW_UP)
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)

    def _silence(self, *, cancel: bool) -> None:
        """Stop the answer's sound and set the record straight."""
        if not self._generating and not self.playback.audible:
            return
        self._note_heard(interrupted=True)
        if self.playback.queued:
            # Also when all of it was heard: the counts begin anew on both sides.
            self._do(Hush())
        cut = self.playback.interrupt()
        self.gate.interrupted()
        if cancel and self._generating and self._reply is not None:
            self._do(CancelReply(self._reply))
        for item in cut:
            if item.heard_ms:
                self._do(TruncateReply(item.item, item.index, item.heard_ms))
            else:
                self._do(DeleteItem(item.item))
        self._reply = None
        self._generating = False
        self._do(note(Fact.INTERRUPTED, "answer interrupted", heard_ms=self._heard_ms))

    def _drain(self, now: float) -> None:
        if self.turn is not Turn.SPEAKING or not self.playback.drained:
            return
        self._note_heard(interrupted=False)
        self._move(Move.DRAINED)
        if self._awaited:
            self._expect(now)
            return
        if not self.working:
            self._close_turn()
        self._listen(now)

    def _listen(self, now: float) -> None:
        self._timers.stop(Timer.ANSWER, Timer.UTTERANCE)
        self._timers.start(Timer.FOLLOW_UP, now + self._policy.follow_up_s)

    def _open_turn(self) -> _Figures:
        if self._figures is None:
            self._turns += 1
            self._figures = _Figures(self._turns, self.playback.heard_ms)
        return self._figures

    def _note_heard(self, *, interrupted: bool) -> None:
        if self._figures is not None:
            self._figures.heard_ms = self.playback.heard_ms - self._figures.heard_before_ms
            self._figures.interrupted |= interrupted

    @property
    def _heard_ms(self) -> int:
        return self._figures.heard_ms if self._figures else 0

    def _close_turn(self) -> None:
        if self._figures is not None:
            self._do(note(Fact.TURN_ENDED, "turn ended", **self._figures.fields()))
            self._figures = None

    def _move(self, move: Move) -> None:
        self.turn = step(TURN, self.turn, move)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        *(getattr(one, name) + getattr(other, name) for name in Usage.__dataclass_fields__)
    )
