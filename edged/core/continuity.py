"""One conversation over several sessions: what breaks or grows old is replaced by what goes on."""

from collections.abc import Callable
from math import inf

from .commands import Command, Fact, note, warn
from .events import LinkAccepted, LinkDown
from .history import History
from .settings import Conversation
from .spending import Spending
from .timers import Timer, Timers

_STEADY_S = 30.0
"""A line that breaks again sooner is given up."""
_PAY_EVERY_S = 60.0
_ROTATE_BEFORE_S = 120.0
"""So long before the provider ends a session a silent moment is looked for; in a short one, for
the second half of it."""
_SHORTEST_S = 60.0
"""A session that is said to last less has been dated by a clock that is wrong."""


class Continuity:
    """Decides whether there is a next session, when, and what it is told."""

    def __init__(
        self,
        policy: Conversation,
        history: History,
        spending: Spending,
        timers: Timers,
        do: Callable[[Command], None],
    ) -> None:
        self._policy = policy
        self._history = history
        self._spending = spending
        self._timers = timers
        self._do = do
        self.goes_on = False
        """Whether the session that is being opened continues a conversation under way."""
        self.in_use = False
        """Whether somebody has asked for the session, or it was only opened in advance."""
        self.end_reason = ""
        """Why we end it; "" where it ends without us."""
        self._name = ""
        self._count = 0
        self._began_at = self._paid_at = 0.0
        self._retried_at = -inf
        self._ready_at = 0.0
        self._lasts_s: float | None = None

    @property
    def session(self) -> str:
        """What the provider calls the session in use, or its number; "" while there is none."""
        return self._name if self.in_use else ""

    def opens(self, now: float) -> None:
        """A session is being opened, for somebody or in advance."""
        self._count += 1
        self.end_reason = ""
        self._began_at = now
        self._spending.began()

    def attends(self, now: float) -> None:
        """It is for somebody."""
        self.in_use = True
        self._began_at = now
        if not self.goes_on:
            self._timers.start(Timer.LONGEST, now + self._policy.longest_s)

    def accepted(self, event: LinkAccepted, now: float) -> None:
        """The provider opened it, and has said how long it will last, or not."""
        self._paid_at = now
        self._timers.start(Timer.PAY, now + _PAY_EVERY_S)
        self._name = event.session or str(self._count)
        self._lasts_s = event.lasts_s

    def pay(self, now: float) -> None:
        """Have the time on the line booked, where it costs: a power cut forgets a minute of it."""
        self._spending.passed(now - self._paid_at)
        self._paid_at = now
        self._timers.start(Timer.PAY, now + _PAY_EVERY_S)

    def configured(self, now: float) -> None:
        """The session is ready; from now on it grows old."""
        self._ready_at = now
        lasts_s = self._policy.rotate_minutes * 60
        said_s = self._lasts_s
        if said_s is not None and said_s >= _SHORTEST_S:
            lasts_s = min(lasts_s, said_s - min(_ROTATE_BEFORE_S, said_s / 2))
        self._timers.start(Timer.ROTATE, now + lasts_s)

    def begun(self, connect_ms: int, lost_samples: int) -> None:
        """Somebody is connected, so much later and without the sound that was lost by that."""
        self._do(note(Fact.CONNECTED, "connected", connect_ms=connect_ms))
        if lost_samples:
            text = "connecting took longer than the ring holds"
            self._do(warn(Fact.SOUND_DROPPED, text, lost_samples=lost_samples))

    def recalls(self, now: float, *, asks: bool) -> bool:
        """The session is told what was said; whether it owes an answer to that.

        `asks`: it may, as no sound of an open question is about to be sent.
        """
        owes = asks and self.goes_on and self._history.asks
        # What breaks off goes on, however short the memory is.
        told = self._history.recall(-inf if self.goes_on else now)
        self._spending.told(len(told))
        for item in told:
            self._do(item)
        if told:
            text = "the session was told what was said before"
            self._do(note(Fact.RECALLED, text, items=len(told) - 1))
        return owes and bool(told)

    def comes_back(self, event: LinkDown, now: float) -> bool:
        """Whether a line that is lost is opened once more.

        After a break once, until it has held for a while; after the provider's agreed end always.
        """
        if not self._policy.reconnect_s:
            return False
        if event.trouble is None:
            return event.code != "1000" and now - self._ready_at > _STEADY_S
        return event.transient and now - self._retried_at > _STEADY_S

    def broke(self, event: LinkDown, now: float) -> None:
        """It will be opened after a pause that differs from speaker to speaker."""
        self.goes_on = True
        self._retried_at = now
        self._do(note(Fact.RECONNECTING, "the line broke, and is opened once more"))
        pause_s = self._policy.reconnect_s * (1 + event.jitter / 2)
        self._timers.start(Timer.RETRY, now + pause_s)

    def hangs_up(self, now: float, *, spoken: bool) -> None:
        """A session is over; what was said in it is remembered for a while."""
        self._timers.stop(Timer.ROTATE)
        if self.in_use and spoken:
            self._history.ended(now)

    def ended(self, event: LinkDown, now: float) -> None:
        """The line is gone, by our will or by nobody's."""
        if self.session:
            self.pay(now)
        self._spending.ended()
        theirs = event.trouble.value if event.trouble else "ended by the provider"
        reason = self.end_reason or theirs
        why = {"reason": reason, "code": event.code, "detail": event.detail}
        session_ms = round((now - self._began_at) * 1000)
        if self.in_use:
            cost_usd = round(self._spending.session_usd, 6)
            figures = {"session_ms": session_ms, "cost_usd": cost_usd}
            self._do(note(Fact.SESSION_ENDED, f"session ended: {reason}", **why, **figures))
        else:
            text = f"a session that stood by has ended: {reason}"
            self._do(note(Fact.STOOD_BY, text, **why, session_ms=session_ms))
        if event.dropped_samples:
            text, lost = "the line was too slow for the sound", event.dropped_samples
            self._do(warn(Fact.SOUND_DROPPED, text, lost_samples=lost))
        if event.oddities:
            text = "the provider said what was not understood"
            self._do(note(Fact.NOT_UNDERSTOOD, text, oddities=event.oddities))
        self._name, self.in_use = "", False
        self._timers.stop(Timer.PAY)
