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
from .continuity import Continuity
from .dialogue import Dialogue
from .events import LinkDown, MicFrame
from .history import History
from .machines import LINK, Link, Move, Turn, step
from .preroll import Preroll
from .settings import Conversation
from .timers import Timer, Timers

_WAKING_S = 0.3
# A line that has not gone by then breaks its promise: the process must not stay half alive.
_CLOSE_GRACE_S = 5.0
_BEGAN_BEFORE_MS = 600
"""Providers tell that speech has begun up to some tenths of a second later."""
_GLANCE_S = 0.5


class Line:
    """The link machine with its ring of room sound."""

    def __init__(
        self,
        policy: Conversation,
        timers: Timers,
        dialogue: Dialogue,
        history: History,
        continuity: Continuity,
        do: Callable[[Command], None],
    ) -> None:
        self._policy = policy
        self._timers = timers
        self._dialogue = dialogue
        self._history = history
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
        self._end_reason = ""
        self._word = ""
        self._woken_at = 0.0
        self._continuity = continuity
        self._unanswered: tuple[int, int | None] | None = None
        """From where to where somebody has said what was not answered yet."""
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
        elif self.link is Link.BROKEN:
            self.retry(now)
        elif self.link in (Link.DOWN, Link.CLOSING):
            self._continuity.goes_on, self._unanswered = False, None
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
            self._unanswered = self._begun, None
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
                self._unanswered = self._begun, self.here
            else:
                self._sent, self._unanswered = self._begun, None
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
        asleep = self.link in (Link.DOWN, Link.CLOSING)
        seconds = self._policy.asleep_ring_s if asleep else self._policy.connecting_ring_s
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
        self._unanswered = None

    def ready(self, now: float) -> None:
        """The configuration is confirmed: the ring leaves, in order."""
        if self.link is not Link.OPENING:
            return
        self._move(Move.CONFIGURED)
        self._timers.stop(Timer.WAKING, Timer.CONNECT)
        self._dialogue.turns.connected(self._woken_at, now)
        self._dialogue.patience.spoken = self._continuity.goes_on
        self._dialogue.patience.user(now)
        if self._continuity.begins(now, asks=self._unanswered is None):
            self._dialogue.resume(now)
        if self._held:
            self._begun = self._due[0][0]
            self._unanswered = self._begun, self._due[-1][1]
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
            case Link.REOPENING | Link.BROKEN:
                self._held = False
                self._timers.stop(Timer.RETRY, Timer.LONGEST)
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
        """The line is gone, and for good; whether that came unasked."""
        if self.link in (Link.DOWN, Link.BROKEN):
            return False
        unasked = self.link in (Link.OPENING, Link.UP)
        listening = self._dialogue.detecting or self._unanswered is not None
        up = self.link is Link.UP and listening
        comes_back = up and self._continuity.comes_back(event, now)
        by_hand = not self._dialogue.detecting
        self._hang_up(Move.DROPPED if comes_back else Move.LOST, now)
        self._continuity.ended(event, self._end_reason, now)
        if comes_back:
            self._continuity.broke(event, now)
            self._repeat()
            self._held = by_hand
            return False
        if self.link is Link.OPENING:
            self._open(now)
            return unasked
        self._held = False
        self._timers.stop(Timer.WAKING)
        if unasked and event.trouble is None:
            self._do(Sound(Chime.SLEEPING))
        return unasked

    # --- one conversation over several sessions --------------------------------------------

    def began(self) -> None:
        """An utterance begins: should the line break, it will be sent again."""
        self._unanswered = max(0, self.back(self.here, _BEGAN_BEFORE_MS)), None

    def answered(self) -> None:
        """The answer to it has begun to sound, or to do something."""
        self._unanswered = None

    def retry(self, now: float) -> None:
        """Open the line that broke once more."""
        self._timers.stop(Timer.RETRY)
        self._move(Move.RETRIED)
        self._open(now)

    def rotate(self, now: float) -> None:
        """Replace the session by a fresh one, as soon as nobody speaks."""
        if self._dialogue.turn is not Turn.QUIET or self._dialogue.working or self._held:
            self._timers.start(Timer.ROTATE, now + _GLANCE_S)
            return
        self._continuity.goes_on = True
        self._end_reason = "rotated"
        self._due = [(self.here, None)]
        self._do(note(Fact.ROTATED, "the session is replaced by a fresh one"))
        self._hang_up(Move.ROTATED, now)
        self._timers.start(Timer.CLOSE, now + self._policy.close_timeout_s + _CLOSE_GRACE_S)
        self._do(CloseLink())

    def _repeat(self) -> None:
        """What has not been answered is sent to the next session, and what is said meanwhile."""
        here = self.here, None
        first, last = self._unanswered or here
        self._due = [(max(first, self._ring.gone), last)]
        if self._unanswered is not None:
            self._ring.allow(first)
            self._history.take_back_question()

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
        self._end_reason = ""
        self._continuity.opens(now)
        self._timers.start(Timer.CONNECT, now + self._policy.connect_timeout_s)
        self._do(OpenLink())

    def _hang_up(self, move: Move, now: float) -> None:
        self._timers.stop(Timer.CONNECT, Timer.CLOSE)
        self._dialogue.end(move, now)
        self._continuity.hangs_up(now)
        self.sending = False
        self._move(move)
        if self.link in (Link.DOWN, Link.CLOSING):
            self._timers.stop(Timer.LONGEST)

    def _move(self, move: Move) -> None:
        self.link = step(LINK, self.link, move)
