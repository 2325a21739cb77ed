"""Whose turn it is while the line is up, and how long whom is waited for."""

from .machines import TURN, Move, Turn, step
from .settings import Conversation
from .timers import Timer, Timers


class Patience:
    """The turn machine with its three waits; beginning one ends the other two, but for `answer`.

    Each wait begins with the move that leads to it, where there is one.
    """

    def __init__(self, policy: Conversation, timers: Timers) -> None:
        self._policy = policy
        self._timers = timers
        self.turn = Turn.QUIET
        self.spoken = False
        """Whether anybody has said anything in this session."""
        self.question = False
        """Whether the answer ends in a question."""

    def end(self, move: Move) -> None:
        """The session is over: nobody has the turn, and nobody is waited for."""
        self.move(move)
        self.spoken = self.question = False
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER, Timer.UTTERANCE, Timer.APPROVAL)

    def move(self, move: Move | None) -> None:
        """Pass the turn on."""
        if move is not None:
            self.turn = step(TURN, self.turn, move)

    def user(self, now: float, move: Move | None = None) -> None:
        """It is the user's turn: for the first words, or for more."""
        self.move(move)
        patience_s = self._policy.follow_up_s
        if not self.spoken:
            patience_s = self._policy.false_wake_s
        elif self.question:
            patience_s = self._policy.follow_up_question_s
        self._timers.stop(Timer.ANSWER, Timer.UTTERANCE)
        self._timers.start(Timer.FOLLOW_UP, now + patience_s)

    def utterance(self, now: float, move: Move) -> None:
        """Somebody speaks."""
        self.move(move)
        self.spoken = True
        self.question = False
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER)
        self._timers.start(Timer.UTTERANCE, now + self._policy.utterance_timeout_s)

    def asked(self, now: float, move: Move = Move.ASKED) -> None:
        """An answer is due, or has begun."""
        self.move(move)
        self._timers.stop(Timer.FOLLOW_UP, Timer.UTTERANCE)
        self.answer(now)

    def replied(self, now: float) -> None:
        """An answer is being made."""
        self.spoken, self.question = True, False
        self.asked(now, Move.REPLY_STARTED)

    def answer(self, now: float, move: Move | None = None) -> None:
        """The answer has gone on."""
        self.move(move)
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)

    def approval(self, now: float) -> None:
        """Somebody is asked for a press."""
        self._timers.start(Timer.APPROVAL, now + self._policy.approval_s)

    def tool(self) -> None:
        """What a tool takes it may take."""
        self._timers.stop(Timer.ANSWER)
