"""A timer or an alarm rings until somebody says or does something, or nobody does for long."""

from collections.abc import Callable

from .commands import Chime, Command, Fact, Sound, note
from .timers import Timer, Timers

_EVERY_S = 2.0
_LONGEST_S = 90.0


class Ringing:
    """Rings for one at a time; a second one that is due meanwhile only rings on."""

    def __init__(self, timers: Timers, do: Callable[[Command], None]) -> None:
        self._timers = timers
        self._do = do
        self._until = 0.0

    def begin(self, now: float) -> None:
        """It is due."""
        self._until = now + _LONGEST_S
        # Its name is what somebody said.
        self._do(note(Fact.RANG, "a timer or an alarm rings"))
        if not self._timers.running(Timer.RING):
            self.ring(now)

    def ring(self, now: float) -> None:
        """Once, and again soon."""
        if now < self._until:
            self._do(Sound(Chime.ALARM))
            self._timers.start(Timer.RING, now + _EVERY_S)

    def stop(self) -> bool:
        """Somebody has heard it; whether it rang."""
        rang = self._timers.running(Timer.RING)
        self._timers.stop(Timer.RING)
        return rang
