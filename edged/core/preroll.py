"""The ring of the last seconds of room sound, so that nothing said is lost while connecting."""

from collections import deque

from .events import MicFrame


class Preroll:
    """Frames in order, bounded by their length in samples; the oldest fall out."""

    def __init__(self) -> None:
        self._frames: deque[MicFrame] = deque()
        self._samples = 0
        self.lost = 0
        """Samples that fell out since the ring was last told to `keep` everything."""

    def put(self, frame: MicFrame, limit: int) -> None:
        """Append a frame; let the oldest fall out until at most `limit` samples are held."""
        self._frames.append(frame)
        self._samples += _length(frame)
        while self._samples > limit and len(self._frames) > 1:
            gone = _length(self._frames.popleft())
            self._samples -= gone
            self.lost += gone

    def keep(self, position: int) -> None:
        """Forget the frames that end at or before `position`, and start counting losses."""
        while self._frames and _end(self._frames[0]) <= position:
            self._samples -= _length(self._frames.popleft())
        self.lost = 0

    def take(self) -> list[MicFrame]:
        """All frames, oldest first; the ring is empty afterwards."""
        frames = list(self._frames)
        self.clear()
        return frames

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self._samples = 0

    @property
    def samples(self) -> int:
        """Samples held."""
        return self._samples

    @property
    def end(self) -> int:
        """The position after the newest frame; 0 when empty."""
        return _end(self._frames[-1]) if self._frames else 0


def _length(frame: MicFrame) -> int:
    return len(frame.samples) // 2


def _end(frame: MicFrame) -> int:
    return frame.position + _length(frame)
