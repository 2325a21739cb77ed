"""Whether somebody speaks over the answer: two witnesses must agree, or one insist."""

from collections.abc import Callable
from math import inf

from .commands import Command, Duck, Fact, note
from .gate import Gate
from .settings import BargeIn
from .timers import Timer, Timers

_RECENT_S = 0.5
"""What was sent so long ago is what the provider tells of now."""


class Evidence:
    """What the gate and the provider have to say, and the doubt until both have said the same.

    While somebody may be speaking over the answer it is made quieter. `guarded`: the provider's
    word alone does not stop an answer.
    """

    def __init__(
        self, policy: BargeIn, timers: Timers, do: Callable[[Command], None], *, guarded: bool
    ) -> None:
        self._policy = policy
        self._timers = timers
        self._do = do
        self.guarded = guarded
        self.gate = Gate(policy)
        self._ducked = False
        self._opened_at = float("-inf")
        """When the gate was open last."""
        self.doubted: str | None = None
        """The utterance that only the provider has heard."""
        self.complete = False
        """Whether the provider has heard its end, too."""

    def hear(self, score: float, audible: bool, now: float, *, attentive: bool) -> bool:
        """The next frame of room sound; whether it makes a doubt a certainty.

        Whoever speaks while nobody is `attentive` wants nothing of us.
        """
        was_person, was_alone = self.gate.person, self.gate.alone
        self.gate.hear(score, audible)
        person, alone = self.gate.person, self.gate.alone
        if self.gate.open:
            self._opened_at = now
        self._duck(person and audible and attentive)
        if person and not was_person:
            self._timers.start(Timer.EVIDENCE, now + self._policy.insists_ms / 1000)
            return self.doubted is not None and attentive
        if alone and not was_alone and self.unsettled:
            self._timers.start(Timer.EVIDENCE, now + self._policy.talks_on_ms / 1000)
        elif not self.gate.open:
            self._timers.stop(Timer.EVIDENCE)
        return False

    def believes(self, item: str, now: float) -> bool:
        """Whether speech over an answer that the provider tells of is a person's."""
        if not self.guarded or now - self._opened_at <= _RECENT_S:
            return True
        self.doubted, self.complete = item, False
        self._do(note(Fact.SPEECH_DOUBTED, "speech over the answer that nobody here said"))
        return False

    @property
    def unsettled(self) -> bool:
        """Whether an utterance is under way that only the provider has heard."""
        return self.doubted is not None and not self.complete

    def settle(self) -> None:
        """There is no doubt, or there is none any more."""
        self.doubted = None
        self._timers.stop(Timer.EVIDENCE)

    def forget(self) -> bool:
        """Whether an utterance is under way that only the provider has heard: nobody wants it.

        One that is complete goes when it is committed.
        """
        unsettled = self.unsettled
        if unsettled:
            self.settle()
        return unsettled

    def end(self) -> None:
        """The session is over."""
        self.settle()
        self._duck(False)
        # The next conversation's greeting meets neither a hang nor an invitation of this one's.
        self.gate.hear(inf, False)

    def _duck(self, on: bool) -> None:
        if on is not self._ducked:
            self._ducked = on
            self._do(Duck(self._policy.duck_db if on else 0.0))
