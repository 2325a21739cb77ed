"""What was queued, what was really heard, and what an interruption must take back."""

from dataclasses import dataclass


@dataclass(slots=True)
class _Piece:
    """The sound of one content part of one item."""

    reply: str
    item: str
    index: int
    first: int
    """Frames queued before it since the last cut."""
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Unheard:
    """An item of the answer that an interruption cut."""

    item: str
    index: int
    heard_ms: int
    """0: nothing of it was heard."""


class Playback:
    """Books reply sound in as it is queued and out as it is heard, in frames of the wire.

    Both counts run since the last `cut`, as `SpeakerProgress` does. What was cut is held until
    `settle` is told how much of it had sounded.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pieces: list[_Piece] = []
        self._cut: list[_Piece] = []
        self._growing: str | None = None
        """The answer of which more may come."""
        self._cut_growing: str | None = None
        self._heard_of_cut = 0
        """Frames, as far as is known."""
        self.queued = 0
        self.heard = 0

    def start(self, reply: str) -> None:
        """Begin to book a new answer, behind whatever still plays."""
        self._pieces = [piece for piece in self._pieces if _unheard(piece, self.heard)]
        self._growing = reply

    def queue(self, reply: str, item: str, index: int, samples: bytes) -> None:
        """Book `samples` (16-bit) in."""
        last = self._pieces[-1] if self._pieces else None
        if last is None or (last.reply, last.item, last.index) != (reply, item, index):
            last = _Piece(reply, item, index, self.queued)
            self._pieces.append(last)
        frames = len(samples) // 2
        last.frames += frames
        self.queued += frames

    def progress(self, heard: int) -> None:
        """Book out; never backwards and never more than was queued."""
        self.heard = min(max(self.heard, heard), self.queued)

    def finish(self) -> None:
        """No more sound of this answer will come."""
        self._growing = None

    def cut(self) -> None:
        """Forget what is queued, but for what `settle` needs; the counts begin anew."""
        self._cut, self._cut_growing = self._pieces, self._growing
        self._heard_of_cut = self.heard
        self._pieces = []
        self._growing = None
        self.queued = self.heard = 0

    def settle(self, heard: int | None = None) -> list[Unheard]:
        """What of the sound that was cut had not been heard to its end, in order.

        `heard` counts as the loudspeaker's progress did before the cut; None: no more than was
        known then. An item is named once, with its first content part that was cut. The last one
        counts as cut even if all that came of it was heard, while more was to come.
        """
        total = self._heard_of_cut = max(self._heard_of_cut, heard or 0)
        part_heard: dict[tuple[str, int], int] = {}
        for piece in self._cut:
            frames = min(max(0, total - piece.first), piece.frames)
            part = piece.item, piece.index
            part_heard[part] = part_heard.get(part, 0) + frames
        begun = {item for (item, _), frames in part_heard.items() if frames * 1000 >= self._rate}
        cut: dict[str, Unheard] = {}
        for piece in self._cut:
            heard_ms = part_heard[piece.item, piece.index] * 1000 // self._rate
            growing = piece is self._cut[-1] and piece.reply == self._cut_growing
            whole = not _unheard(piece, total) and not growing
            if not whole and (heard_ms or piece.item not in begun):
                cut.setdefault(piece.item, Unheard(piece.item, piece.index, heard_ms))
        self._cut = []
        return list(cut.values())

    @property
    def heard_ms(self) -> int:
        """Milliseconds heard since the last cut."""
        return self.heard * 1000 // self._rate

    @property
    def settled_ms(self) -> int:
        """Milliseconds heard before the last cut, as far as is known."""
        return self._heard_of_cut * 1000 // self._rate

    def received(self, reply: str) -> int:
        """Frames received of `reply`."""
        return sum(piece.frames for piece in self._pieces if piece.reply == reply)

    @property
    def audible(self) -> bool:
        """Whether reply sound is queued that has not been heard yet."""
        return self.heard < self.queued

    @property
    def drained(self) -> bool:
        """Whether everything that will come has been heard."""
        return self._growing is None and not self.audible


def _unheard(piece: _Piece, heard: int) -> bool:
    return heard < piece.first + piece.frames
