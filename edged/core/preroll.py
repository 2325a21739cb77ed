"""The ring of the last seconds of room sound, so that nothing said is lost."""

from collections import deque
from collections.abc import Sequence

from .events import MicFrame


class Preroll:
    """Frames in order, bounded by their length in samples; the oldest fall out."""

    def __init__(self) -> None:
        self._frames: deque[MicFrame] = deque()
        self.samples = 0
        """Samples held."""
        self.gone = 0
        """The position after the newest frame that fell out."""

    def put(self, frame: MicFrame, limit: int) -> None:
        """Append a frame; let the oldest fall out until at most `limit` samples are held."""
        self._frames.append(frame)
        self.samples += _length(frame)
        while self.samples > limit and len(self._frames) > 1:
            gone = self._frames.popleft()
            self.samples -= _length(gone)
            self.gone = _end(gone)

    def since(self, position: int) -> Sequence[MicFrame]:
        """The frames that end after `position`, oldest first; they stay."""
        return [frame for frame in self._frames if _end(frame) > position]

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self.samples = self.gone = 0

    @property
    def end(self) -> int:
        """The position after the newest frame; 0 when empty."""
        return _end(self._frames[-1]) if self._frames else 0


def _length(frame: MicFrame) -> int:
    return len(frame.samples) // 2


def _end(frame: MicFrame) -> int:
    return frame.position + _length(frame)
