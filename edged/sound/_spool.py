"""Reply sound on its way to the loudspeaker: minutes of it, and where each frame came to lie.

One spool lives from one hush to the next. The loop's thread adds, the device's callback takes;
each counter has one writer, so there is no lock. Frames are those of the device, 16-bit mono.
Places are frames of the output stream, silence included.
"""

from collections import deque

_FRAME = 2


class Spool:
    """A queue of sound that knows when it was late and what of it has been heard.

    It begins to flow when it holds the priming or is complete. When it runs dry before it is
    complete, a gap has begun: it flows again when it holds the priming, as long as the largest
    lateness seen, and `gap` holds the gap's length.
    """

    def __init__(self, priming: int, most: int) -> None:
        """Prime with `priming` frames; gaps raise that to `most` at most."""
        self.priming = priming
        self._most = most
        self.gap = 0
        """The gap that has just ended; whoever reads it sets it back to 0."""
        self.added = 0
        self.taken = 0
        self.complete = False
        self.flowing = False
        self.told = 0
        """Frames heard, as last reported; kept here because it ends with the spool."""
        self._dry_at: int | None = None
        self._late = 0
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        self._runs: deque[tuple[int, int]] = deque()
        """Each stretch of unbroken sound: its place, and the frames taken before it."""

    def add(self, samples: bytes) -> None:
        """Queue sound behind what is there."""
        if samples:
            self._pieces.append(samples)
            self.added += len(samples) // _FRAME

    def finish(self) -> None:
        """Nothing belongs behind what is there: running dry is the end, not a gap."""
        self.complete = True
        if self.added == self.taken:
            self._dry_at = None

    def take(self, frames: int, place: int) -> bytes:
        """At most `frames` frames, to sound at `place`; shorter when there is no more."""
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
            self._dry_at = None if self.complete else place + had
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
        dry_at = self._dry_at
        if dry_at is not None and self.complete and not waiting:
            self._dry_at = None
        if not waiting:
            return False
        if dry_at is not None and not self._late:
            # What came after the sound had run dry was late by what we had saved up and this.
            self._late = self.priming + place - dry_at
            self.priming = min(self._most, max(self.priming, self._late))
        if waiting < self.priming and not self.complete:
            return False
        if dry_at is not None:
            self.gap = place - dry_at
        self._dry_at = None
        self._late = 0
        self.flowing = True
        self._runs.append((place, self.taken))
        return True
