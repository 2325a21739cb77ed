"""The line: open on a wake or in advance, fed from the ring, closed in order, never two."""

from collections.abc import Callable

from . import commands as do
from .commands import Chime, Command, Fact, note
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
_ASLEEP = (Link.DOWN, Link.WARMING, Link.STANDBY, Link.CLOSING)


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
        self.ring = Preroll(do)
        self._due: list[tuple[int, int | None]] = [(0, None)]
        """Room sound that leaves once the line is up: from a position on, and up to another one
        where a button was let go there."""
        self._pressed = 0
        """Where the button to talk went down."""
        self._asked_by_hand = False
        """Whether that press asked for the line."""
        self._begun = 0
        """Where what it sends begins."""
        self._asked = 0
        """Room sound before this position belongs to utterances that are complete."""
        self._held = False
        """Whether the button is held to talk, or was when the line was asked for."""
        self._word = ""
        self._woken_at = 0.0
        self._continuity = continuity
        self._unanswered: tuple[int, int | None] | None = None
        """From where to where somebody has said what was not answered yet."""
        self.link = Link.DOWN
        self.announcing = False
        """Whether it is open only for something to be said: nobody is heard, or waited for."""

    @property
    def asleep(self) -> bool:
        """Whether nobody is on the line, or about to be."""
        return self.link in _ASLEEP

    def prepare(self, now: float) -> None:
        """Open a session before anybody asks for one."""
        self._move(Move.PREPARED)
        self._dial(now)

    def cool(self, reason: str, now: float) -> None:
        """Close it again: nobody did."""
        self._close(Move.ENDED, reason, now)

    def wake(self, word: str, position: int, now: float, *, held: bool = False) -> None:
        """Somebody wants to talk: what was said from `position` on leaves first.

        `held`: for as long as a button is held. Without a word something is to be said.
        """
        if self._dialogue.held:
            return
        nobodys = self.announcing
        self._attract(somebody=bool(word))
        if self.link is Link.UP:
            self._dialogue.interrupt(now)
            if self._dialogue.detecting:
                self.ring.let_out(max(position, self.ring.sent))
        elif self.link is Link.BROKEN:
            self.retry(now)
        elif self.asleep or nobodys:
            self._continuity.goes_on = False
            self._word, self._woken_at, self._held = word, now, held
            self._due = [(max(position, self.ring.gone, self.ring.sent), None)]
            # A line that stood by may be dead, and nobody knows yet.
            self._unanswered = self._due[0] if self.link.ahead else None
            if word:
                self._do(do.Sound(Chime.WOKEN))
                self._timers.start(Timer.WAKING, now + _WAKING_S)
            before = self.link
            self._move(Move.WOKEN)
            if before is Link.DOWN:
                self._open(now)
            elif before.ahead:
                self._attend(now)
            if before is Link.STANDBY:
                self._timers.stop(Timer.WAKING)
                self._begin(now)

    def _attract(self, *, somebody: bool) -> None:
        """Somebody is there now, or nobody: something is only to be said."""
        if somebody and self.announcing and self.link in (Link.OPENING, Link.UP):
            self._do(do.Attend(somebody))
            if self.link is Link.UP:
                self._do(do.Brief())
        self.announcing = not somebody

    def hold(self, position: int, now: float) -> None:
        """The button went down at `position`, and is held to talk; a second one is nothing."""
        first = self.ring.back(position, self._policy.press_preroll_ms)
        until = self._due[-1][1]
        if self._held and (self.link is Link.UP or until is None):
            return
        self._asked_by_hand = self.asleep or self.announcing
        self._pressed = position
        if self.link is Link.UP:
            self._attract(somebody=True)
            forgotten = self._dialogue.hold(now)
            self._do(do.Sound(Chime.WOKEN))
            self._begun = max(first, self._asked if forgotten else self.ring.sent)
            self._history.begin_question()
            self._unanswered = self._begun, None
            self.ring.let_out(self._begun)
        elif self._asked_by_hand:
            self.wake("button", first, now, held=True)
        elif until is not None:
            self._due.append((max(first, until), None))
        self._held = True

    def release(self, now: float) -> None:
        """It is let go: what was said is the utterance, unless it was too short to be one."""
        if not self._held:
            return
        samples = self.ring.end - self._pressed
        asks = samples > 0 and samples >= self.ring.back(0, -self._policy.shortest_press_ms)
        if self.link is Link.UP:
            self._held = False
            self._dialogue.release(now, asks=asks)
            if asks:
                self._asked = self.ring.sent = self.ring.end
                self._unanswered = self._begun, self.ring.end
            else:
                self.ring.sent, self._unanswered = self._begun, None
        elif asks:
            self._due[-1] = self._due[-1][0], self.ring.end
        elif len(self._due) > 1:
            self._due.pop()
        elif self._asked_by_hand:
            self.end("pressed too briefly", now, chime=None)
        else:
            self._held = False

    def hear(self, frame: MicFrame, rate: int, now: float) -> None:
        """Room sound: out when the line is up and the gate open, and into the ring always."""
        policy, dialogue, ring = self._policy, self._dialogue, self.ring
        ring.rate = rate
        seconds = policy.asleep_ring_s if self.asleep else policy.connecting_ring_s
        ring.put(frame, int(seconds * rate), dialogue.hear(frame, now))
        first = frame.position
        if dialogue.gate.person:
            # The first syllable came before the gate was sure of it.
            first = max(ring.sent, ring.back(first, dialogue.gate.preroll_ms))
            ring.allow(first)
        if self.link is Link.UP and (dialogue.held or dialogue.detecting):
            self.ring.send(first)

    def forget(self) -> None:
        """Forget the sound kept: positions start anew."""
        self.ring.clear()
        self._due = [(0, None if self._due[-1][1] is None else 0)]
        self._pressed = self._begun = self._asked = 0
        self._unanswered = None

    def ready(self, now: float) -> None:
        """Its configuration is confirmed."""
        if not self.link.coming:
            return
        self._move(Move.CONFIGURED)
        self._timers.stop(Timer.WAKING, Timer.CONNECT)
        self._continuity.configured(now)
        if self.link is Link.UP:
            self._begin(now)

    def _begin(self, now: float) -> None:
        """Somebody is there, and so is the provider: the ring leaves, in order."""
        self._do(do.Brief())
        self._dialogue.turns.connected(self._woken_at, now)
        self._dialogue.patience.spoken = self._continuity.goes_on
        self._dialogue.patience.user(now)
        owes = self._continuity.recalls(now, asks=self._unanswered is None)
        if self.announcing:
            self._due, self._dialogue.detecting = [(self.ring.end, None)], False
            self._do(do.DetectTurns(False))
        if self._held:
            self._begun = self._due[0][0]
            self._unanswered = self._begun, self._due[-1][1]
            self._dialogue.hold(now)
        for first, last in self._due:
            self.ring.send(first, last)
        if (until := self._due[-1][1]) is not None:
            self._held, asks = False, until > self._due[0][0]
            self._dialogue.release(now, asks=asks)
            self._asked = self.ring.sent
            # The answer to what was asked last sees what was open before.
            owes &= not asks
            if not asks:
                self._unanswered = None
        if owes:
            self._dialogue.resume(now)
        lost = max(0, self.ring.gone - self._due[0][0])
        self._continuity.begun(round((now - self._woken_at) * 1000), lost)

    def fall_silent(self, now: float) -> None:
        """Nobody went on talking."""
        if self._dialogue.patience.spoken:
            self.end("silence", now, Chime.SLEEPING if self._dialogue.detecting else None)
            return
        text = f"woken by {self._word}, and nobody spoke"
        self._do(note(Fact.FALSE_WAKE, text, word=self._word))
        self.end("false wake", now, chime=None)

    def end(self, reason: str, now: float, chime: Chime | None = Chime.SLEEPING) -> None:
        """End the session in an orderly way; nothing to do when there is none."""
        self._timers.stop(Timer.WAKING)
        if self.asleep:
            return
        self._held = False
        if self.link in (Link.OPENING, Link.UP):
            self._close(Move.ENDED, reason, now)
        else:
            self._timers.stop(Timer.RETRY, Timer.LONGEST)
            self._move(Move.ENDED)
        if chime is not None:
            self._do(do.Sound(chime))

    def down(self, event: LinkDown, now: float) -> bool:
        """The line is gone, and for good; whether that came unasked, and who used it is told."""
        if self.link in (Link.DOWN, Link.BROKEN):
            return False
        if self._dialogue.patience.spoken and self._dialogue.turn is Turn.QUIET:
            self._unanswered = None
        opening = self.link is Link.OPENING
        unasked = self.link in (Link.OPENING, Link.UP) and not self.announcing
        listening = self._continuity.goes_on if opening else self._dialogue.detecting
        listening |= self._unanswered is not None or self._dialogue.turn is Turn.THINKING
        listening |= self._dialogue.working
        comes_back = unasked and listening and self._continuity.comes_back(event, now)
        by_hand = not self._dialogue.detecting
        self._hang_up(Move.DROPPED if comes_back else Move.LOST, now)
        self._continuity.ended(event, now)
        if comes_back:
            self._continuity.broke(event, now)
            if not opening:
                self._held = self._asked_by_hand = by_hand
                self._repeat(now)
            return False
        if self.link is Link.OPENING:
            self._open(now)
            return unasked
        self._held = False
        self._timers.stop(Timer.WAKING)
        if unasked and event.trouble is None:
            self._do(do.Sound(Chime.SLEEPING))
        return unasked

    def began(self) -> None:
        """Somebody begins, or goes on after a pause: should the line break, it is sent again."""
        if self._unanswered is None or self._dialogue.turn not in (Turn.HEARING, Turn.THINKING):
            self._history.begin_question()
            self._unanswered = max(0, self.ring.back(self.ring.end, _BEGAN_BEFORE_MS)), None
        self._unanswered = self._unanswered[0], None

    def answered(self) -> None:
        """The answer to it has begun to sound, or to do something."""
        self._unanswered = None

    def retry(self, now: float) -> None:
        """Open the line that broke once more."""
        self._timers.stop(Timer.RETRY)
        self._move(Move.RETRIED)
        self._open(now)

    def rotate(self, now: float) -> None:
        """Replace the session by a fresh one as soon as nobody speaks; between presses end it."""
        if self._dialogue.turn is not Turn.QUIET or self._dialogue.working or self._held:
            self._timers.start(Timer.ROTATE, now + _GLANCE_S)
            return
        if not self._dialogue.detecting:
            self.end("rotated", now, chime=None)
            return
        self._continuity.goes_on = True
        self._due, self._woken_at = [(self.ring.end, None)], now
        self._do(note(Fact.ROTATED, "the session is replaced by a fresh one"))
        self._close(Move.ROTATED, "rotated", now)

    def _repeat(self, now: float) -> None:
        """What has not been answered is sent to the next session, and what is said meanwhile."""
        # Between presses nobody is heard: the button is as if just let go.
        here = self.ring.end, self.ring.end if self._held else None
        first, last = self._unanswered or here
        self._due, self._woken_at = [(max(first, self.ring.gone), last)], now
        if self._unanswered is not None:
            self.ring.allow(first)
            self._history.take_back_question()

    def _open(self, now: float) -> None:
        self._dial(now)
        self._attend(now)

    def _attend(self, now: float) -> None:
        self._continuity.attends(now)
        self._do(do.Attend(somebody=not self.announcing))

    def _dial(self, now: float) -> None:
        self._continuity.opens(now)
        self._timers.start(Timer.CONNECT, now + self._policy.connect_timeout_s)
        self._do(do.OpenLink())

    def _close(self, move: Move, reason: str, now: float) -> None:
        self._continuity.end_reason = reason
        self._hang_up(move, now)
        self._timers.start(Timer.CLOSE, now + self._policy.close_timeout_s + _CLOSE_GRACE_S)
        self._do(do.CloseLink())

    def _hang_up(self, move: Move, now: float) -> None:
        self._timers.stop(Timer.CONNECT, Timer.CLOSE)
        spoken = self._dialogue.patience.spoken and not self.announcing
        self._continuity.hangs_up(now, spoken=spoken)
        self._dialogue.end(move, now)
        self.ring.sending = False
        self._move(move)
        if self.link in (Link.DOWN, Link.CLOSING):
            self._timers.stop(Timer.LONGEST)

    def _move(self, move: Move) -> None:
        self.link = step(LINK, self.link, move)
