"""The ring of the last seconds of room sound, so that nothing said is lost."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from .events import MicFrame


@dataclass(slots=True)
class Kept:
    """A frame, and whether it may leave the device."""

    frame: MicFrame
    allowed: bool

    @property
    def end(self) -> int:
        """The position after it."""
        return self.frame.position + self.length

    @property
    def length(self) -> int:
        """In samples of the microphone."""
        return len(self.frame.samples) // 2


class Preroll:
    """Frames in order, bounded by their length in samples; the oldest fall out."""

    def __init__(self) -> None:
        self._frames: deque[Kept] = deque()
        self.samples = 0
        """Samples held."""
        self.gone = 0
        """The position after the newest frame that fell out."""

    def put(self, frame: MicFrame, limit: int, allowed: bool = True) -> None:
        """Append a frame; let the oldest fall out until at most `limit` samples are held."""
        kept = Kept(frame, allowed)
        self._frames.append(kept)
        self.samples += kept.length
        while self.samples > limit and len(self._frames) > 1:
            gone = self._frames.popleft()
            self.samples -= gone.length
            self.gone = gone.end

    def since(self, position: int) -> Iterator[Kept]:
        """The frames that end after `position`, oldest first; they stay."""
        return (kept for kept in self._frames if kept.end > position)

    def allow(self, position: int) -> None:
        """Let them leave, whatever was thought of them."""
        for kept in self.since(position):
            kept.allowed = True

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self.samples = self.gone = 0

    @property
    def end(self) -> int:
        """The position after the newest frame; 0 when empty."""
        return self._frames[-1].end if self._frames else 0
