"""What was queued, what was really heard, and what an interruption must take back."""

from dataclasses import dataclass


@dataclass(slots=True)
class _Piece:
    """The sound of one content part of one item."""

    reply: str
    item: str
    index: int
    first: int
    """Frames queued before it since the last start."""
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

    Both counts run since the last interruption, as `SpeakerProgress` does.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pieces: list[_Piece] = []
        self._complete = True
        self.queued = 0
        self.heard = 0

    def start(self) -> None:
        """Begin to book a new answer, behind whatever still plays."""
        self._pieces = [piece for piece in self._pieces if self._unheard(piece)]
        self._complete = False

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
        self._complete = True

    def interrupt(self) -> list[Unheard]:
        """Forget everything queued; the items that were not heard to their end, in order.

        An item is named once, with its first content part that was cut.
        """
        heard: dict[tuple[str, int], int] = {}
        for piece in self._pieces:
            frames = min(max(0, self.heard - piece.first), piece.frames)
            part = piece.item, piece.index
            heard[part] = heard.get(part, 0) + frames
        begun = {item for (item, _), frames in heard.items() if frames}
        cut: dict[str, Unheard] = {}
        for piece in self._pieces:
            heard_ms = heard[piece.item, piece.index] * 1000 // self._rate
            if self._unheard(piece) and (heard_ms or piece.item not in begun):
                cut.setdefault(piece.item, Unheard(piece.item, piece.index, heard_ms))
        self._pieces.clear()
        self._complete = True
        self.queued = 0
        self.heard = 0
        return list(cut.values())

    @property
    def heard_ms(self) -> int:
        """Milliseconds heard since the last interruption."""
        return self.heard * 1000 // self._rate

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
        return self._complete and not self.audible

    def _unheard(self, piece: _Piece) -> bool:
        return self.heard < piece.first + piece.frames
