"""The microphone's half of a sound card: blocks from the device become frames for the core."""

from collections.abc import Callable

import numpy as np

from ..core.events import MicFrame
from ..core.frames import Cleaned
from ..handoff import Handoff
from ..ports import Feed
from ._levels import level

FRAME_MS = 20
"""A capture frame, whatever the wire's."""
DOZING_MS = 80
"""So much is handed over at a time while nobody but the wake engine listens, whose frame it is:
waking the loop costs more than what it then does."""
_LIMIT = 50
"""Blocks that may wait for a stalled loop: a second of 20 ms."""
Clean = Callable[[bytes, int, float], Cleaned | None]
"""Cleans a frame, at this position, whose end was captured at this time of the device's clock."""


class Capture:
    """One opening of the microphone; positions start at 0.

    All methods run on the loop's thread but `take`, which runs on the device's.
    """

    def __init__(self, feed: Feed, channel: int, clean: Clean) -> None:
        self._feed = feed
        self._channel = channel
        self._clean = clean
        self._handoff: Handoff[tuple[bytes, int, float]] = Handoff(self._assemble, limit=_LIMIT)
        self._held: list[bytes] = []
        self._held_from = 0
        self._position = 0
        self._due: float | None = None
        """When the end of what came last was captured, and what comes next begins."""
        self._rest = b""
        self._next = 0
        self.dozing = False
        """Whether frames may come four at a time; may be changed at any time."""
        self.blocks = 0
        """Blocks taken so far."""
        self.overflows = 0
        """How often the device said that frames were lost."""
        self.lost = 0
        """Frames lost between blocks, by the device's clock."""

    @property
    def dropped(self) -> int:
        """Blocks of 20 ms, or 80, that fell out because the loop was stalled."""
        return self._handoff.dropped

    def prepare(self, rate: int, channels: int) -> None:
        """Say what will come, before the first `take`."""
        self.rate = rate
        self._channels = channels
        self._frame = rate * FRAME_MS // 1000

    def take(self, block: bytes, frames: int, captured_at: float, overflowed: bool) -> None:
        """The device's next block, captured at this time of its clock, after a loss or not."""
        self.blocks += 1
        if overflowed:
            self._count_loss(captured_at)
        self._due = captured_at + frames / self.rate
        self._held.append(block)
        self._position += frames
        if self._position - self._held_from >= self._frame and self._wanted_now():
            self._hand_over()

    def close(self) -> None:
        """No frame follows."""
        self._handoff.close()

    def _wanted_now(self) -> bool:
        """Dozing, not before a frame of the wake engine is full, as it counts: from position 0."""
        size = self.rate * DOZING_MS // 1000
        return not self.dozing or self._position // size != self._held_from // size

    def _count_loss(self, captured_at: float) -> None:
        self.overflows += 1
        if self._due is None:
            return
        lost = round((captured_at - self._due) * self.rate)
        # Less than a millisecond is the jitter of the device's clock.
        if lost > self.rate // 1000:
            self._hand_over()
            self.lost += lost
            self._position += lost
            self._held_from = self._position

    def _hand_over(self) -> None:
        if self._held and self._due is not None:
            self._handoff.put((b"".join(self._held), self._held_from, self._due))
            self._held = []
        self._held_from = self._position

    def _assemble(self, piece: tuple[bytes, int, float]) -> None:
        block, position, until = piece
        if self._channels > 1:
            sides = np.frombuffer(block, dtype="<i2").reshape(-1, self._channels)
            block = sides[:, self._channel].tobytes()
        if position != self._next:
            self._rest = b""
        sound = self._rest + block
        first = position - len(self._rest) // 2
        self._next = position + len(block) // 2
        size = 2 * self._frame
        end = len(sound) - len(sound) % size
        for at in range(0, end, size):
            samples = sound[at : at + size]
            later_s = (len(sound) - at - size) / 2 / self.rate
            clean = self._clean(samples, first + at // 2, until - later_s)
            self._feed(MicFrame(samples, first + at // 2, level(samples), clean))
        self._rest = sound[end:]
