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
        self._cut: set[str] = set()
        self._tools: set[str] = set()
        self._owes_reply = False
        self._asked = False
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
        self._asked = False
        self._cut.clear()
        self._tools.clear()
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER, Timer.UTTERANCE)

    def interrupt(self, now: float) -> None:
        """The button or the wake word cut the answer: silence, and listen."""
        self._silence(now, cancel=True)
        self._close_turn()
        self._move(Move.INTERRUPTED)
        self._listen(now)

    def speech_started(self, event: SpeechStarted, now: float) -> None:
        """Somebody speaks; over the answer, this cuts it (the provider cancels by itself)."""
        if self.turn in (Turn.THINKING, Turn.SPEAKING):
            self._silence(now, cancel=False)
            self._close_turn()
        self._move(Move.SPEECH_STARTED)
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER)
        self._timers.start(Timer.UTTERANCE, now + self._policy.utterance_timeout_s)

    def speech_stopped(self, event: SpeechStopped, now: float) -> None:
        """The utterance is over: an answer is due."""
        if self.turn is not Turn.HEARING:
            return
        self._move(Move.SPEECH_STOPPED)
        self._timers.stop(Timer.UTTERANCE)
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)
        self._open_turn().speech_end = now

    def reply_started(self, event: ReplyStarted, now: float) -> None:
        """An answer is being made."""
        self._asked = False
        if self.turn is Turn.HEARING:
            # The user went on before the provider knew: it will cancel this one by itself.
            self._cut.add(event.reply)
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
        if event.reply != self._reply or event.reply in self._cut or not event.samples:
            return
        figures = self._open_turn()
        if figures.first_audio is None:
            figures.first_audio = now
            self._timers.stop(Timer.ANSWER)
        self.playback.queue(event.reply, event.item, event.index, event.samples)
        self._do(Play(event.samples))

    def reply_done(self, event: ReplyDone, now: float) -> None:
        """Generation is over; the answer may play on for a long time."""
        self._cut.discard(event.reply)
        if event.reply != self._reply:
            return
        self._generating = False
        figures = self._open_turn()
        figures.usage = _sum(figures.usage, event.usage)
        if event.status == "failed":
            self._do(Sound(Chime.PROVIDER))
        self.playback.finish()
        if self.playback.received(event.reply):
            self._do(FinishPlay())
        self._ask_if_owed()
        if self.turn is Turn.SPEAKING or self.playback.audible:
            self._drain(now)
        elif not self.patient:
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
        if self.turn is Turn.THINKING:
            self._move(Move.SOUNDED)
            self._open_turn().first_sound = now
        self._drain(now)

    def tool_called(self, event: ToolCalled) -> None:
        """The model wants something done."""
        if event.reply != self._reply or event.reply in self._cut or event.call in self._tools:
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
        self._owes_reply = True
        self._do(AnswerTool(event.call, event.output))
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)
        self._ask_if_owed()

    @property
    def patient(self) -> bool:
        """Whether silence is not the user's: a tool runs or an answer to one is due."""
        return self.working or self._owes_reply or self._asked

    def _ask_if_owed(self) -> None:
        # One request, after the calling response is done and every output is in.
        if self._owes_reply and not self._tools and not self._generating:
            self._owes_reply = False
            self._asked = True
            self._do(AskReply())

    def _silence(self, now: float, *, cancel: bool) -> None:
        """Stop the answer's sound and set the record straight."""
        reply = self._reply
        if reply is None:
            return
        self._note_heard(interrupted=True)
        audible = self.playback.audible
        cut = self.playback.interrupt()
        if audible:
            self._do(Hush())
        self.gate.interrupted()
        if self._generating:
            self._cut.add(reply)
            if cancel:
                self._do(CancelReply(reply))
        for item in cut:
            if item.heard_ms:
                self._do(TruncateReply(item.item, item.index, item.heard_ms))
            else:
                self._do(DeleteItem(item.item))
        self._reply = None
        self._generating = False
        self._do(note(Fact.INTERRUPTED, "answer interrupted", heard_ms=self._heard_ms))

    def _drain(self, now: float) -> None:
        if self.turn is Turn.SPEAKING and self.playback.drained:
            self._note_heard(interrupted=False)
            self._close_turn()
            self._move(Move.DRAINED)
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
