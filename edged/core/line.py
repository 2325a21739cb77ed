"""The line: open on a wake, fed from the ring, closed in order, never two at a time."""

from collections.abc import Callable
from typing import assert_never

from .commands import (
    Chime,
    CloseLink,
    Command,
    Fact,
    OpenLink,
    SendAudio,
    SendNoise,
    Sound,
    note,
    warn,
)
from .dialogue import Dialogue
from .events import LinkDown, MicFrame
from .machines import LINK, Link, Move, step
from .preroll import Preroll
from .settings import Conversation
from .timers import Timer, Timers

_WAKING_S = 0.3
# A line that has not gone by then breaks its promise: the process must not stay half alive.
_CLOSE_GRACE_S = 5.0


class Line:
    """The link machine with its ring of room sound."""

    def __init__(
        self,
        policy: Conversation,
        timers: Timers,
        dialogue: Dialogue,
        do: Callable[[Command], None],
    ) -> None:
        self._policy = policy
        self._timers = timers
        self._dialogue = dialogue
        self._do = do
        self._ring = Preroll()
        self._session = ""
        self._end_reason = ""
        self._woken_at = 0.0
        self._opened_at = 0.0
        self.link = Link.DOWN

    @property
    def here(self) -> int:
        """The capture position of the newest sound kept."""
        return self._ring.end

    def wake(self, position: int, now: float) -> None:
        """Somebody wants to talk: what was said from `position` on leaves first."""
        if self.link not in (Link.DOWN, Link.CLOSING):
            return
        self._do(Sound(Chime.WOKEN))
        self._timers.start(Timer.WAKING, now + _WAKING_S)
        self._woken_at = now
        self._ring.keep(position)
        closing = self.link is Link.CLOSING
        self._move(Move.WOKEN)
        if not closing:
            self._open(now)

    def hear(self, frame: MicFrame, rate: int, now: float) -> None:
        """Room sound: out when the line is up and the gate open, into the ring otherwise."""
        if self.link is Link.UP:
            if self._dialogue.gate.open(self._dialogue.playback.audible, now):
                self._do(SendAudio(frame.samples))
            else:
                self._do(SendNoise(len(frame.samples) // 2))
            return
        waiting = self.link in (Link.OPENING, Link.REOPENING)
        seconds = self._policy.connecting_ring_s if waiting else self._policy.asleep_ring_s
        self._ring.put(frame, int(seconds * rate))

    def forget(self) -> None:
        """Forget the sound kept."""
        self._ring.clear()

    def accepted(self, session: str) -> None:
        """The provider opened a session."""
        self._session = session

    def ready(self, now: float) -> None:
        """The configuration is confirmed: the ring leaves, in order."""
        if self.link is not Link.OPENING:
            return
        self._move(Move.CONFIGURED)
        self._timers.stop(Timer.WAKING, Timer.CONNECT)
        lost = self._ring.lost
        for frame in self._ring.take():
            self._do(SendAudio(frame.samples))
        self._dialogue.begin(now)
        connect_ms = round((now - self._woken_at) * 1000)
        who = self._session
        self._do(note(Fact.CONNECTED, "connected", session=who, connect_ms=connect_ms))
        if lost:
            text = "connecting took longer than the ring holds"
            self._do(warn(Fact.SOUND_DROPPED, text, lost_samples=lost))

    def end(self, reason: str, now: float, chime: Chime | None = Chime.SLEEPING) -> None:
        """End the session in an orderly way; nothing to do when there is none."""
        match self.link:
            case Link.DOWN | Link.CLOSING:
                return
            case Link.REOPENING:
                self._move(Move.ENDED)
            case Link.OPENING | Link.UP:
                self._end_reason = reason
                self._hang_up(Move.ENDED, now)
                at = now + self._policy.close_timeout_s + _CLOSE_GRACE_S
                self._timers.start(Timer.CLOSE, at)
                self._do(CloseLink())
            case _:
                assert_never(self.link)
        if chime is not None:
            self._do(Sound(chime))

    def down(self, event: LinkDown, now: float) -> bool:
        """The line is gone; whether that came unasked."""
        if self.link is Link.DOWN:
            return False
        unasked = self.link in (Link.OPENING, Link.UP)
        self._hang_up(Move.LOST, now)
        trouble = event.trouble.value if event.trouble else "ended by the provider"
        ended = note(
            Fact.SESSION_ENDED,
            "session ended",
            session=self._session,
            reason=self._end_reason or trouble,
            code=event.code,
            detail=event.detail,
            session_ms=round((now - self._opened_at) * 1000),
        )
        self._do(ended)
        if event.dropped_samples:
            text, lost = "the line was too slow for the sound", event.dropped_samples
            self._do(warn(Fact.SOUND_DROPPED, text, lost_samples=lost))
        if event.oddities:
            text = "the provider said what was not understood"
            self._do(note(Fact.NOT_UNDERSTOOD, text, oddities=event.oddities))
        if self.link is Link.OPENING:
            self._open(now)
        elif unasked and event.trouble is None:
            self._do(Sound(Chime.SLEEPING))
        return unasked

    def _open(self, now: float) -> None:
        self._session = ""
        self._end_reason = ""
        self._opened_at = now
        self._timers.start(Timer.CONNECT, now + self._policy.connect_timeout_s)
        self._timers.start(Timer.LONGEST, now + self._policy.longest_s)
        self._do(OpenLink())

    def _hang_up(self, move: Move, now: float) -> None:
        self._timers.stop(Timer.CONNECT, Timer.LONGEST, Timer.CLOSE)
        self._dialogue.end(move, now)
        self._move(move)

    def _move(self, move: Move) -> None:
        self.link = step(LINK, self.link, move)
