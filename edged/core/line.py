"""The line: open on a wake, fed from the ring, closed in order, never two at a time."""

from collections.abc import Callable
from typing import assert_never

from .commands import (
    Chime,
    CloseLink,
    Command,
    Fact,
    Note,
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
        self._rate = 0
        """Capture samples per second."""
        self._due: list[tuple[int, int | None]] = [(0, None)]
        """Room sound that leaves once the line is up: from a position on, and up to another one
        where a button was let go there."""
        self._pressed = 0
        """Where the button to talk went down."""
        self._asked_by_hand = False
        """Whether that press asked for the line."""
        self._begun = 0
        """Where what it sends begins."""
        self._sent = 0
        """Room sound before this position has left."""
        self._asked = 0
        """Room sound before this position belongs to utterances that are complete."""
        self._held = False
        """Whether the button is held to talk, or was when the line was asked for."""
        self._session = ""
        """What the provider calls the session, or its number; "" while there is none."""
        self._sessions = 0
        self._end_reason = ""
        self._word = ""
        self._woken_at = 0.0
        self._opened_at = 0.0
        self.link = Link.DOWN
        self.sending = False
        """Whether the newest frame of room sound has left the device."""

    @property
    def here(self) -> int:
        """The capture position of the newest sound kept."""
        return self._ring.end

    def back(self, position: int, ms: int) -> int:
        """The position `ms` before `position`."""
        return position - ms * self._rate // 1000

    def wake(self, word: str, position: int, now: float) -> None:
        """Somebody wants to talk: what was said from `position` on leaves first."""
        if self._dialogue.held:
            return
        if self.link is Link.UP:
            self._dialogue.interrupt(now)
            self._let_out(max(position, self._sent))
        elif self.link in (Link.DOWN, Link.CLOSING):
            self._greet(now)
            self._word = word
            self._woken_at = now
            self._due = [(max(position, self._ring.gone, self._sent), None)]
            self._held = False
            closing = self.link is Link.CLOSING
            self._move(Move.WOKEN)
            if not closing:
                self._open(now)

    def hold(self, position: int, now: float) -> None:
        """The button went down at `position`, and is held to talk; a second one is nothing."""
        first = self.back(position, self._policy.press_preroll_ms)
        until = self._due[-1][1]
        if self._held and (self.link is Link.UP or until is None):
            return
        self._asked_by_hand = self.link in (Link.DOWN, Link.CLOSING)
        if self.link is Link.UP:
            forgotten = self._dialogue.hold(now)
            self._do(Sound(Chime.WOKEN))
            self._begun = max(first, self._asked if forgotten else self._sent)
            self._let_out(self._begun)
        elif self._asked_by_hand:
            self.wake("button", first, now)
        elif until is not None:
            self._due.append((max(first, until), None))
        self._held = True
        self._pressed = position

    def release(self, now: float) -> None:
        """It is let go: what was said is the utterance, unless it was too short to be one."""
        if not self._held:
            return
        samples = self.here - self._pressed
        asks = samples > 0 and samples >= self.back(0, -self._policy.shortest_press_ms)
        if self.link is Link.UP:
            self._held = False
            self._dialogue.release(now, asks=asks)
            if asks:
                self._asked = self._sent = self.here
            else:
                self._sent = self._begun
        elif asks:
            self._due[-1] = self._due[-1][0], self.here
        elif len(self._due) > 1:
            self._due.pop()
        elif self._asked_by_hand:
            self.end("pressed too briefly", now, chime=None)
        else:
            self._held = False

    def hear(self, frame: MicFrame, rate: int, now: float) -> None:
        """Room sound: out when the line is up and the gate open, and into the ring always."""
        self._rate = rate
        waiting = self.link in (Link.OPENING, Link.REOPENING)
        seconds = self._policy.connecting_ring_s if waiting else self._policy.asleep_ring_s
        dialogue = self._dialogue
        allowed = dialogue.hear(frame, now)
        self._ring.put(frame, int(seconds * rate), allowed)
        first = frame.position
        if dialogue.gate.person:
            # The first syllable came before the gate was sure of it.
            first = max(self._sent, self.back(first, dialogue.gate.preroll_ms))
            self._ring.allow(first)
        self.sending = False
        if self.link is Link.UP and (dialogue.held or dialogue.detecting):
            self._send(first)

    def forget(self) -> None:
        """Forget the sound kept: positions start anew."""
        self._ring.clear()
        self._due = [(0, None)]
        self._sent = self._pressed = self._begun = self._asked = 0

    def accepted(self, session: str) -> None:
        """The provider opened a session; one without a name is told by its number."""
        self._session = session or str(self._sessions)

    def signed(self, told: Note) -> Note:
        """`told` with the session and the turn that it belongs to."""
        turn = self._dialogue.turns.current
        session = {"session": self._session} if self._session else {}
        number = {"turn": turn.number} if turn else {}
        return Note(told.fact, told.message, {**session, **number, **told.fields}, told.warning)

    def ready(self, now: float) -> None:
        """The configuration is confirmed: the ring leaves, in order."""
        if self.link is not Link.OPENING:
            return
        self._move(Move.CONFIGURED)
        self._timers.stop(Timer.WAKING, Timer.CONNECT)
        self._dialogue.turns.connected(self._woken_at, now)
        self._dialogue.patience.user(now)
        if self._held:
            self._dialogue.hold(now)
        for first, last in self._due:
            self._send(first, last)
        if self._due[-1][1] is not None:
            self._held = False
            self._dialogue.release(now, asks=True)
            self._asked = self._sent
        lost = max(0, self._ring.gone - self._due[0][0])
        connect_ms = round((now - self._woken_at) * 1000)
        self._do(note(Fact.CONNECTED, "connected", connect_ms=connect_ms))
        if lost:
            text = "connecting took longer than the ring holds"
            self._do(warn(Fact.SOUND_DROPPED, text, lost_samples=lost))

    def fall_silent(self, now: float) -> None:
        """Nobody went on talking."""
        if self._dialogue.patience.spoken:
            self.end("silence", now, Chime.SLEEPING if self._dialogue.detecting else None)
            return
        word = self._word
        self._do(note(Fact.FALSE_WAKE, f"woken by {word}, and nobody spoke", word=word))
        self.end("false wake", now, chime=None)

    def end(self, reason: str, now: float, chime: Chime | None = Chime.SLEEPING) -> None:
        """End the session in an orderly way; nothing to do when there is none."""
        self._timers.stop(Timer.WAKING)
        match self.link:
            case Link.DOWN | Link.CLOSING:
                return
            case Link.REOPENING:
                self._held = False
                self._move(Move.ENDED)
            case Link.OPENING | Link.UP:
                self._end_reason = reason
                self._held = False
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
        reason = self._end_reason or trouble
        ended = note(
            Fact.SESSION_ENDED,
            f"session ended: {reason}",
            reason=reason,
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
        self._session = ""
        if self.link is Link.OPENING:
            self._open(now)
            return unasked
        self._held = False
        self._timers.stop(Timer.WAKING)
        if unasked and event.trouble is None:
            self._do(Sound(Chime.SLEEPING))
        return unasked

    def _let_out(self, first: int) -> None:
        """Room sound from the position `first` on leaves, whatever the gate thought of it."""
        self._ring.allow(first)
        self._send(first)

    def _send(self, first: int, last: int | None = None) -> None:
        """Room sound kept from the position `first` on, to `last` if that is given.

        Noise in the place of what may not leave: the clock of the provider's turn detection is
        the sound that it gets.
        """
        for kept in self._ring.since(first):
            clean = kept.frame.clean
            if last is not None and kept.frame.position >= last:
                break
            if clean is not None and not kept.allowed:
                self._do(SendNoise(clean.noise))
                continue
            sound = kept.frame.samples if clean is None else clean.samples
            self._do(SendAudio(sound, clean is not None))
            self._sent = kept.end
            self.sending = last is None

    def _greet(self, now: float) -> None:
        self._do(Sound(Chime.WOKEN))
        self._timers.start(Timer.WAKING, now + _WAKING_S)

    def _open(self, now: float) -> None:
        self._sessions += 1
        self._end_reason = ""
        self._opened_at = now
        self._timers.start(Timer.CONNECT, now + self._policy.connect_timeout_s)
        self._timers.start(Timer.LONGEST, now + self._policy.longest_s)
        self._do(OpenLink())

    def _hang_up(self, move: Move, now: float) -> None:
        self._timers.stop(Timer.CONNECT, Timer.LONGEST, Timer.CLOSE)
        self._dialogue.end(move, now)
        self.sending = False
        self._move(move)

    def _move(self, move: Move) -> None:
        self.link = step(LINK, self.link, move)
