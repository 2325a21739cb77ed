"""Reply sound on its way to the loudspeaker: minutes of it, and where each frame came to lie.

One spool lives from one hush to the next. The loop's thread adds, the device's callback takes;
each field has one writer, so there is no lock. Frames are those of the device, 16-bit mono.
Places are frames of the output stream, silence included.
"""

from collections import deque

_FRAME = 2


class Spool:
    """A queue of sound that knows how late it came and what of it has been heard.

    A piece is late by as much as the sound would have run dry, had it begun to flow the moment
    its first piece came. A reply flows once it is complete, or the priming has passed since its
    first piece, or so much waits that nobody need wait. When it runs dry before its end, a gap
    has begun, which ends when `recovery` is in hand, or the lateness seen if that is more: one
    pause is better than a stutter. The next reply is primed with the largest lateness seen.
    """

    def __init__(self, priming: int = 0, recovery: int = 0, most: int = 0, place: int = 0) -> None:
        """Prime with `priming` frames; that and the recovery never exceed `most`.

        `place` is where the next block will lie.
        """
        self.added = 0
        self.taken = 0
        self.complete = True
        self.flowing = False
        self.gap = 0
        """The length of a gap that has just ended; whoever reads it sets it back to 0."""
        self.told = 0
        """Frames heard, as last reported; kept here because it ends with the spool."""
        self.next: Spool | None = None
        """What took its place when it was hushed; the device finds its way along these."""
        self.end: int | None = None
        """Once hushed: the frames that will have been heard in all, when that is known."""
        self._priming = priming
        self._recovery = recovery
        self._most = most
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        self._runs: deque[tuple[int, int]] = deque()
        """Each stretch of unbroken sound: its place, and the frames taken before it."""
        self._place = place
        """Where the next block will lie: what comes now can sound there and not before."""
        self._reply = 0
        """Counts the replies, and the ends of those that ran dry: a gap lies within one."""
        self._origin = 0
        """Where frame 0 would lie, had the reply flowed since its first piece came."""
        self._latest = 0
        self._longest = 0
        """The reply's largest lateness, and its longest piece."""
        self._dry: tuple[int, int] | None = None
        """The reply that ran dry, and where."""
        self._stumbled = False
        """Whether there was a gap."""

    @property
    def priming(self) -> int:
        """What the next reply is primed with: it grows when there was a gap."""
        late = self._latest if self._stumbled else 0
        return min(self._most, max(self._priming, late))

    def add(self, samples: bytes) -> None:
        """Queue sound behind what is there."""
        if not samples:
            return
        frames = len(samples) // _FRAME
        if self.complete:
            self._priming = self.priming
            self._reply += 1
            self._origin = self._place - self.added
            self._latest = self._longest = 0
        self._latest = max(self._latest, self._place - self._origin - self.added)
        self._longest = max(self._longest, frames)
        self._pieces.append(samples)
        self.added += frames
        self.complete = False

    def finish(self, tail: bytes = b"") -> None:
        """Add the end: from now on running dry is no gap."""
        if self.added == self.taken:
            self._reply += 1
        if tail:
            self._pieces.append(tail)
            self.added += len(tail) // _FRAME
        self.complete = True

    def take(self, frames: int, place: int) -> bytes:
        """At most `frames` frames, to lie at `place`; fewer when there are no more."""
        self._place = place + frames
        if not self.flowing and not self._begin(place):
            return b""
        wanted = frames * _FRAME
        block = b""
        while len(block) < wanted and self._pieces:
            head = self._pieces[0]
            piece = head[self._offset : self._offset + wanted - len(block)]
            self._offset += len(piece)
            if self._offset == len(head):
                self._pieces.popleft()
                self._offset = 0
            block = block + piece if block else piece
        had = len(block) // _FRAME
        self.taken += had
        if had < frames:
            self.flowing = False
            self._dry = None if self.complete else (self._reply, place + had)
        return block

    def heard(self, place: int) -> int:
        """How many frames have sounded when the loudspeaker is at `place`.

        On the taking thread, for places that never go back.
        """
        while len(self._runs) > 1 and self._runs[1][0] <= place:
            self._runs.popleft()
        if not self._runs:
            return 0
        start, before = self._runs[0]
        end = self._runs[1][1] if len(self._runs) > 1 else self.taken
        return max(before, min(end, before + place - start))

    def _begin(self, place: int) -> bool:
        """Whether sound flows from `place` on."""
        waiting = self.added - self.taken
        if not waiting:
            return False
        gap = place - self._dry[1] if self._dry and self._dry[0] == self._reply else 0
        needed = self._priming
        if gap:
            needed = min(self._most, max(needed, self._recovery, self._latest))
        in_hand = place - self._origin - self.taken
        if in_hand < needed and waiting < needed + self._longest and not self.complete:
            return False
        if gap:
            self.gap = gap
            self._stumbled = True
        self._dry = None
        self.flowing = True
        self._runs.append((place, self.taken))
        return True
