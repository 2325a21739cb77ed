"""A session in advance, so that the first word leaves as soon as it is said."""

from .events import LinkDown
from .line import Line
from .machines import Link
from .settings import Conversation
from .timers import Timer, Timers

_HINT_S = 8.0
"""For so long somebody who may have been about to wake the speaker is waited for."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 300.0
"""After a session that was of no use; it doubles from one to the next, until one is."""


class Warmth:
    """Has a session stand by while one should: always, or while a wake is to be expected."""

    def __init__(
        self, policy: Conversation, line: Line, timers: Timers, *, by_minute: bool
    ) -> None:
        """`by_minute`: an open line costs, so that there is none in advance."""
        self._when = "never" if by_minute else policy.warm
        self._line = line
        self._timers = timers
        self._pause_s = _FIRST_PAUSE_S
        self._tried_at = 0.0

    def tend(self, now: float, *, may: bool) -> None:
        """Open a session or close it, as it `may` be and should; to be called after every event."""
        wanted = may and (self._when == "always" or self._timers.running(Timer.HINTED))
        if self._line.link.ahead and not wanted:
            self._line.cool("not needed", now)
            if may:
                self._rest(now)
        elif self._line.link is Link.DOWN and wanted and not self._timers.running(Timer.PAUSE):
            self._tried_at = now
            self._line.prepare(now)

    def hinted(self, now: float) -> None:
        """Somebody may be about to wake the speaker; a television seems to be all the time."""
        busy = any(map(self._timers.running, (Timer.HINTED, Timer.PAUSE)))
        if self._when != "never" and self._line.asleep and not busy:
            self._timers.start(Timer.HINTED, now + _HINT_S)

    def woken(self) -> None:
        """Somebody has: what was wrong may be so no more."""
        self._pause_s = _FIRST_PAUSE_S
        self._timers.stop(Timer.HINTED, Timer.PAUSE)

    def lost(self, event: LinkDown, now: float) -> None:
        """The line is about to be gone: what broke is not opened again at once, if at all."""
        if event.trouble is not None or self._line.link.ahead:
            self._rest(now, event.jitter)

    def ran_out(self, timer: Timer, now: float) -> None:
        """The session in advance was not ready in time, or has grown old: another one follows."""
        self._line.cool("no answer" if timer is Timer.CONNECT else "grown old", now)
        self._rest(now)

    def retire(self) -> None:
        """None any more."""
        self._when = "never"
        self._timers.stop(Timer.HINTED)

    def _rest(self, now: float, jitter: float = 0.0) -> None:
        self._timers.stop(Timer.HINTED)
        if now - self._tried_at > _LONGEST_PAUSE_S:
            self._pause_s = _FIRST_PAUSE_S
        self._timers.start(Timer.PAUSE, now + self._pause_s * (1 + jitter / 2))
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
