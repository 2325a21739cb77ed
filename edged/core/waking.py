"""What wakes the speaker, whether it may, and what somebody who does is let say first."""

from collections.abc import Callable

from .announcing import Announcing
from .commands import Chime, Command, Fact, Sound, note
from .dialogue import Dialogue
from .ears import Ears
from .events import DayTurned, Trouble, WakeHeard, WakeNearlyHeard
from .line import Line
from .machines import Link
from .settings import Conversation
from .spending import Spending
from .troubles import Troubles
from .warmth import Warmth


class Waking:
    """Words, buttons and the shell; and the politest way back to sleep."""

    def __init__(
        self,
        policy: Conversation,
        line: Line,
        dialogue: Dialogue,
        ears: Ears,
        troubles: Troubles,
        spending: Spending,
        warmth: Warmth,
        do: Callable[[Command], None],
    ) -> None:
        self._policy = policy
        self._line = line
        self._dialogue = dialogue
        self._ears = ears
        self._troubles = troubles
        self._spending = spending
        self._warmth = warmth
        self.announcing = Announcing(line, dialogue, do)
        self._do = do

    def word(self, event: WakeHeard, now: float) -> None:
        """A wake word, or one that only stops the answer."""
        only_stops = event.word in self._policy.stop_words
        may_stop = only_stops or self._policy.wake_while_speaking == "stop"
        if may_stop and self._dialogue.stop(now):
            self._do(note(Fact.WOKEN, f"stopped by {event.word}", word=event.word))
        elif not only_stops:
            first = self._line.ring.back(event.position, self._policy.preroll_ms)
            self._wake(event.word, first, now, score=round(event.score, 3))

    def asked(self, now: float) -> None:
        """Somebody typed it."""
        self._wake("shell", self._line.ring.end, now)

    def pressed(self, position: int, now: float) -> None:
        """Somebody pressed to talk, at that position of room sound."""
        first = self._line.ring.back(position, self._policy.press_preroll_ms)
        self._wake("button", first, now)

    def held(self, position: int, now: float) -> None:
        """Somebody holds a button to talk, since that position."""
        if self._may_wake(now):
            self._do(note(Fact.WOKEN, "woken by button", word="button"))
            self._troubles.end(self._troubles.passing)
            self._line.hold(position, now)

    def nearly(self, event: WakeNearlyHeard, now: float) -> None:
        """What may have been a wake word, or not."""
        message, score = f"nearly heard {event.word}", round(event.score, 3)
        self._do(note(Fact.WAKE_NEARLY_HEARD, message, word=event.word, score=score))
        self._warmth.hinted(now)

    def unanswered(self, now: float) -> None:
        """The provider did not answer in time."""
        self._line.end("no answer", now, chime=None)
        aloud, what = not self._line.announcing, "the provider did not answer in time"
        self._troubles.arise(Trouble.NETWORK, what, now, aloud=aloud)

    def turned(self, event: DayTurned) -> None:
        """There may be money again."""
        self._spending.turned(event)
        if not self._spending.nothing_left:
            self._troubles.end(Trouble.BUDGET)

    def settle(self, now: float) -> None:
        """After every event: who takes leave goes, and a session stands by where one should."""
        self.announcing.settle(now, may=self.possible and self._troubles.worst is None)
        if self._spending.nothing_left and not self._line.asleep:
            # The answer that is being made or heard, and what it has begun to do, may end.
            dialogue = self._dialogue
            if self._line.link is Link.UP and (dialogue.answers.under_way or dialogue.working):
                dialogue.leave()
            else:
                self._sleep(now)
        if self._dialogue.over:
            self._sleep(now)
        self._warmth.tend(now, may=self.possible)

    def _sleep(self, now: float) -> None:
        """Goodbye has been said and heard, or there is no money for more."""
        self._line.end("budget" if self._spending.nothing_left else "goodbye", now)
        if self._spending.nothing_left:
            self._troubles.arise(Trouble.BUDGET, self._spending.state, now)

    def _wake(self, word: str, first: int, now: float, **fields: float) -> None:
        """What was heard from the position `first` on is theirs."""
        if not self._may_wake(now):
            return
        if not self._dialogue.detects_turns and not self._dialogue.answering:
            detail = "this server cannot hear when somebody has finished: hold a button to talk"
            self._troubles.arise(Trouble.PROVIDER, detail, now)
            return
        self._do(note(Fact.WOKEN, f"woken by {word}", word=word, **fields))
        if self._line.link is not Link.UP:
            self._troubles.end(self._troubles.passing)
        self._line.wake(word, first, now)

    @property
    def possible(self) -> bool:
        """Whether anybody may wake the speaker."""
        broken = self._troubles.lost or self._troubles.refused
        return not (self._ears.muted or broken or self._spending.nothing_left)

    def _may_wake(self, now: float) -> bool:
        """Whether anybody may; if not, the reason sounds."""
        if self.possible:
            self._warmth.woken()
            return True
        if self._ears.muted:
            self._do(Sound(Chime.MUTED))
        elif self._troubles.lost:
            self._do(Sound(Chime(min(self._troubles.lost).value)))
        elif self._spending.nothing_left:
            self._troubles.arise(Trouble.BUDGET, self._spending.state, now)
        else:
            self._troubles.repeat(now)
        return False
