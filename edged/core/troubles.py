"""What is wrong with the speaker: passing trouble for a while, a lost device until it is back."""

from collections.abc import Callable, Mapping

from . import commands as do
from .commands import Chime, Command, Fact, warn
from .events import Trouble
from .machines import HEALTH, Health, Move, step
from .timers import Timer, Timers

_LASTING = (Trouble.MICROPHONE, Trouble.SPEAKER)
_REFUSED_S = 3600.0
"""A reload forgets at once what only another configuration mends. Providers have refused everybody
for a while, too: so long after that a wake tries again."""

ADVICE: Mapping[Trouble, str] = {
    Trouble.NETWORK: "see to the network and the provider's address; the next wake tries again",
    Trouble.KEY: "give it a key that the provider takes: `sudo edged setup`, or where the section "
    "key says, and restart the service",
    Trouble.CREDIT: "top up the provider's account, or raise its limit",
    Trouble.PROVIDER: "see what the provider said; name another model and reload the service, or "
    "wait",
    Trouble.MICROPHONE: "plug it in, or name one that `edged devices` lists",
    Trouble.SPEAKER: "plug it in, or name one that `edged devices` lists",
    Trouble.CLOCK: "set this machine's clock, or let it find its network's",
    Trouble.BUDGET: "`edged usage` shows what was spent; wait for the next day or month, or raise "
    "the limits of the section budget and reload the service",
}
"""What the owner can do about it."""


class Troubles:
    """The health machine, with what is shown, sounded and told of it."""

    def __init__(self, shown_s: float, timers: Timers, do: Callable[[Command], None]) -> None:
        """Passing trouble is shown for `shown_s`."""
        self._shown_s = shown_s
        self._timers = timers
        self._do = do
        self.health = Health.WELL
        self.passing: Trouble | None = None
        self.lost: set[Trouble] = set()
        """Devices that are gone."""
        self._refused: tuple[Trouble, str] | None = None
        """What only another configuration mends."""

    @property
    def worst(self) -> Trouble | None:
        """The one that is shown."""
        return self.passing or min(self.lost, default=None)

    @property
    def refused(self) -> bool:
        """Whether the provider would only refuse us again."""
        return self._timers.running(Timer.REFUSED)

    def repeat(self, now: float) -> None:
        """Somebody wants to talk all the same."""
        if self._refused is not None:
            self.end(self.passing)
            self.arise(*self._refused, now)

    def arise(
        self, trouble: Trouble, detail: str, now: float, *, fatal: bool = False, aloud: bool = True
    ) -> None:
        """Something is wrong; told once, and at every wake where only a configuration mends it.

        Not `aloud` where nobody waits for anything.
        """
        if fatal:
            self._refused = trouble, detail
            self._timers.start(Timer.REFUSED, now + _REFUSED_S)
        if not aloud or trouble in (self.passing, *self.lost):
            return
        if trouble in _LASTING:
            self.lost.add(trouble)
        else:
            self.passing = trouble
            self._timers.start(Timer.TROUBLE, now + self._shown_s)
        self.health = step(HEALTH, self.health, Move.FAILED)
        self._do(do.Sound(Chime(trouble.value)))
        told = {"trouble": trouble.value, "detail": detail, "advice": ADVICE[trouble]}
        self._do(warn(Fact.TROUBLE, f"trouble: {trouble}", **told))

    def end(self, trouble: Trouble | None) -> None:
        """Trouble of this kind is over."""
        if trouble is None or trouble not in (self.passing, *self.lost):
            return
        self.lost.discard(trouble)
        if trouble is self.passing:
            self.passing = None
            self._timers.stop(Timer.TROUBLE)
        if self.worst is None:
            self.health = step(HEALTH, self.health, Move.RECOVERED)
