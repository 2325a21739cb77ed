"""The answer that has not begun yet: whether one is due, and whether we must ask for it."""

from collections.abc import Callable

from .answers import Answers
from .calls import Calls
from .commands import AskReply, Command
from .machines import Turn
from .patience import Patience
from .timers import Timer, Timers

_OVERDUE_S = 2.0
"""Providers answer a cancel within tenths of a second; one that forgets to costs no more."""
_ITSELF_S = 1.0
"""A provider that is to go on by itself has begun to by then, or is asked to."""
_PAUSE_S = 1.0
"""What passes by itself is given this time, and up to as much again."""


class Due:
    """One request at a time, after every answer is done."""

    def __init__(
        self,
        answers: Answers,
        calls: Calls,
        patience: Patience,
        timers: Timers,
        do: Callable[[Command], None],
    ) -> None:
        self._answers = answers
        self._calls = calls
        self._patience = patience
        self._timers = timers
        self._do = do
        self.clear()

    def clear(self) -> None:
        """The session is over."""
        self.owed = False
        """It is to be asked for, once that may be done."""
        self.awaited = False
        """It has been, or the provider begins it by itself."""
        self.dismissed = False
        """The provider begins one that nobody wants."""
        self._again = False
        """Whether one that was begun in between does not do."""
        self.tried = False
        """Whether the one that counts has failed before."""
        self._timers.stop(Timer.OVERDUE, Timer.ASK_AGAIN)

    def expect(self, now: float) -> None:
        """The provider will begin one."""
        self.awaited = True
        self._patience.asked(now)

    def owe(self, now: float, *, again: bool) -> None:
        """One is to be asked for; `again`: also if another is being made just then."""
        self._again = again or (self.owed and self._again)
        self.owed = True
        self.ask(now)

    def decide(self, now: float, *, allowed: bool) -> bool:
        """Somebody gives leave to what asks for it, or nobody does; whether anything asks.

        The provider goes on by itself, as far as is known; else it is asked to.
        """
        decided = self._calls.decide(allowed=allowed)
        if decided:
            self._again, self.owed = False, True
            self._timers.start(Timer.ASK_AGAIN, now + _ITSELF_S)
            if self._patience.turn in (Turn.THINKING, Turn.SPEAKING):
                self._patience.answer(now)
        return decided

    def ran_out(self, timer: Timer, now: float) -> None:
        """One of its waits is over."""
        match timer:
            case Timer.OVERDUE:
                self.overdue(now)
            case Timer.APPROVAL:
                self.decide(now, allowed=False)
            case _:
                self.ask(now)

    def announce(self, words: str, now: float) -> None:
        """Have these words said; there is no second try, which would ask for an answer."""
        self._again, self.tried = False, True
        self._do(AskReply(words))
        self.expect(now)

    def begun(self) -> None:
        """An answer has begun: a second try has become needless."""
        self.awaited = self.dismissed = False
        if self._timers.running(Timer.ASK_AGAIN):
            self._timers.stop(Timer.ASK_AGAIN)
            self.owed &= self._again

    def dismiss(self) -> None:
        """Nobody wants it any more."""
        self.dismissed |= self.awaited
        self.awaited = self.owed = self._again = self.tried = False
        self._timers.stop(Timer.ASK_AGAIN)

    def refused(self, now: float, *, busy: bool) -> None:
        """It was asked for in vain, where `busy` because another is being made."""
        self.owed |= busy and self._again
        self.awaited = self.dismissed = False
        self.ask(now)

    def failed(self, now: float, transient: bool, jitter: float) -> bool:
        """It failed before anything came of it; whether for good.

        What passes by itself is asked for once more, after a pause that differs from speaker to
        speaker with `jitter`, a random number from 0 to 1.
        """
        if self.owed:
            return False
        if self.tried or not transient:
            return True
        self.tried, self._again, self.owed = True, False, True
        self._timers.start(Timer.ASK_AGAIN, now + _PAUSE_S * (1 + jitter))
        return False

    def overdue(self, now: float) -> None:
        """One that nobody wants has not begun, or not ended: it is not waited for."""
        self.dismissed = False
        self._answers.give_up()
        self.ask(now)

    def ask(self, now: float) -> None:
        """Ask for it if it is owed and may be asked for.

        After every output is in. While the user speaks not: the answer to the utterance will see
        the outputs.
        """
        if self._calls.awaited or self._patience.turn is Turn.HEARING:
            return
        if not self.owed or self.awaited or self._timers.running(Timer.ASK_AGAIN):
            return
        if self.dismissed or self._answers.unfinished:
            if not self._timers.running(Timer.OVERDUE):
                self._timers.start(Timer.OVERDUE, now + _OVERDUE_S)
            return
        self.owed = False
        self._do(AskReply())
        self.expect(now)
