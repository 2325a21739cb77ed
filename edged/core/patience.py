"""How long whom is waited for while the line is up."""

from .settings import Conversation
from .timers import Timer, Timers


class Patience:
    """The three waits of a conversation; beginning one ends the other two, but for `answer`."""

    def __init__(self, policy: Conversation, timers: Timers) -> None:
        self._policy = policy
        self._timers = timers
        self.spoken = False
        """Whether anybody has said anything in this session."""
        self.question = False
        """Whether the answer ends in a question."""

    def clear(self) -> None:
        """The session is over: nobody is waited for."""
        self.spoken = self.question = False
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER, Timer.UTTERANCE)

    def user(self, now: float) -> None:
        """It is the user's turn: for the first words, or for more."""
        patience_s = self._policy.follow_up_s
        if not self.spoken:
            patience_s = self._policy.false_wake_s
        elif self.question:
            patience_s = self._policy.follow_up_question_s
        self._timers.stop(Timer.ANSWER, Timer.UTTERANCE)
        self._timers.start(Timer.FOLLOW_UP, now + patience_s)

    def utterance(self, now: float) -> None:
        """Somebody speaks."""
        self.spoken = True
        self.question = False
        self._timers.stop(Timer.FOLLOW_UP, Timer.ANSWER)
        self._timers.start(Timer.UTTERANCE, now + self._policy.utterance_timeout_s)

    def asked(self, now: float) -> None:
        """An answer is due, or has begun."""
        self._timers.stop(Timer.FOLLOW_UP, Timer.UTTERANCE)
        self.answer(now)

    def replied(self, now: float) -> None:
        """An answer is being made."""
        self.spoken, self.question = True, False
        self.asked(now)

    def answer(self, now: float) -> None:
        """The answer has gone on."""
        self._timers.start(Timer.ANSWER, now + self._policy.answer_timeout_s)

    def tool(self) -> None:
        """What a tool takes it may take."""
        self._timers.stop(Timer.ANSWER)
