"""What is to be said to the room: at a quiet moment, on a line of its own where there is none."""

from collections.abc import Callable

from .commands import Announced, Command
from .dialogue import Dialogue
from .events import SayAsked
from .line import Line
from .machines import Link, Turn


class Announcing:
    """One announcement at a time, until it was heard or cannot be."""

    def __init__(self, line: Line, dialogue: Dialogue, do: Callable[[Command], None]) -> None:
        self._line = line
        self._dialogue = dialogue
        self._do = do
        self._words, self._asked, self._begun, self._before = "", False, False, 0
        """What is to be said, or nothing; whether it was asked for, and has begun; and how many
        frames of other answers had been heard before."""

    def take(self, event: SayAsked) -> None:
        """Somebody wants it said."""
        self._words, self._asked, self._begun = event.words, False, False

    def drop(self, now: float) -> None:
        """Somebody wants silence: what is still to be said is not."""
        if self._words:
            self._end(now, whole=False)

    def settle(self, now: float, *, may: bool) -> None:
        """After every event: go on with it; `may`: a line may be opened."""
        line, dialogue = self._line, self._dialogue
        if not self._words:
            return
        if self._asked:
            self._follow(now)
        elif line.link is Link.UP:
            # Who has woken the speaker and not yet spoken is waited for.
            if dialogue.quiet and (line.announcing or dialogue.patience.spoken):
                self._asked, self._before = True, dialogue.playback.heard
                dialogue.due.announce(self._words, now)
        elif line.asleep and may and not line.announcing:
            line.wake("", line.ring.end, now)
        elif line.asleep:
            self._end(now, whole=False)

    def _follow(self, now: float) -> None:
        turn, heard = self._dialogue.turn, self._dialogue.playback.heard
        if turn in (Turn.THINKING, Turn.SPEAKING):
            self._begun |= turn is Turn.SPEAKING
        elif turn is Turn.HEARING and not self._begun:
            self._asked = False
        else:
            # What was cut is counted no more, and nobody has a turn on a line that is gone.
            self._end(now, whole=self._line.link is Link.UP and heard > self._before)

    def _end(self, now: float, *, whole: bool) -> None:
        self._words = ""
        if self._line.announcing:
            self._line.end("announced" if whole else "not announced", now, chime=None)
        self._line.announcing = False
        self._do(Announced(whole, self._begun))
