"""The answer that has not begun yet: whether one is due, and whether we must ask for it."""

from collections.abc import Callable

from .answers import Answers
from .commands import AskReply, Command
from .timers import Timer, Timers

_OVERDUE_S = 2.0
"""Providers answer a cancel within tenths of a second; one that forgets to costs no more."""


class Due:
    """One request at a time, after every answer is done."""

    def __init__(self, answers: Answers, timers: Timers, do: Callable[[Command], None]) -> None:
        self._answers = answers
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
        self._timers.stop(Timer.OVERDUE)

    def owe(self, *, again: bool) -> None:
        """One is to be asked for; `again`: also if another is being made just then."""
        self._again = again or (self.owed and self._again)
        self.owed = True

    def begun(self) -> None:
        """An answer has begun."""
        self.awaited = self.dismissed = False

    def dismiss(self) -> None:
        """Nobody wants it any more."""
        self.dismissed |= self.awaited
        self.awaited = self.owed = self._again = False

    def refused(self, *, busy: bool) -> None:
        """It was asked for in vain, where `busy` because another is being made."""
        self.owed |= busy and self._again
        self.begun()

    def give_up(self) -> None:
        """One that nobody wants has not begun, or not ended: it is not waited for."""
        self.dismissed = False
        self._answers.give_up()

    def ask(self, now: float) -> bool:
        """Ask for it if it is owed and may be asked for; whether it was."""
        if not self.owed or self.awaited:
            return False
        if self.dismissed or self._answers.unfinished:
            if not self._timers.running(Timer.OVERDUE):
                self._timers.start(Timer.OVERDUE, now + _OVERDUE_S)
            return False
        self.owed = False
        self._do(AskReply())
        return True
