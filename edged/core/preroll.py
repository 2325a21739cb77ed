"""The ring of the last seconds of room sound, so that nothing said is lost."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .commands import Command, SendAudio, SendNoise
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

    def __init__(self, do: Callable[[Command], None]) -> None:
        self._do = do
        self._frames: deque[Kept] = deque()
        self.samples = 0
        """Samples held."""
        self.gone = 0
        """The position after the newest frame that fell out."""
        self.rate = 0
        """Capture samples per second."""
        self.sent = 0
        """What is before this position has left."""
        self.sending = False
        """Whether the newest frame has left the device."""

    def put(self, frame: MicFrame, limit: int, allowed: bool = True) -> None:
        """Append a frame; let the oldest fall out until at most `limit` samples are held."""
        kept, self.sending = Kept(frame, allowed), False
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
        self.samples = self.gone = self.sent = 0

    def send(self, first: int, last: int | None = None) -> None:
        """Let go what was kept from the position `first` on, to `last` if that is given.

        Noise in the place of what may not leave: the clock of the provider's turn detection is
        the sound that it gets.
        """
        for kept in self.since(first):
            clean = kept.frame.clean
            if last is not None and kept.frame.position >= last:
                break
            if clean is not None and not kept.allowed:
                self._do(SendNoise(clean.noise))
                continue
            sound = kept.frame.samples if clean is None else clean.samples
            self._do(SendAudio(sound, clean is not None))
            self.sent = kept.end
            self.sending = last is None

    def let_out(self, first: int) -> None:
        """Let go what was kept from the position `first` on, whatever was thought of it."""
        self.allow(first)
        self.send(first)

    def back(self, position: int, ms: int) -> int:
        """The position `ms` before `position`."""
        return position - ms * self.rate // 1000

    @property
    def end(self) -> int:
        """The position after the newest frame; 0 when empty."""
        return self._frames[-1].end if self._frames else 0
