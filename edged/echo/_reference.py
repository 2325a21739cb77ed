"""What the loudspeaker plays, kept until the microphone hears it."""

from collections import deque
from statistics import median

_KEPT_S = 4
"""Longer than any device's buffers."""

_JUMP_MS = 20.0
"""Three frames in a row this far from where they should be: the delay has changed."""

_SLIP_MS = 6.0
"""A second's frames this far off in the middle: the clocks have drifted apart."""


class Reference:
    """A row of samples with a place for writing, which a flush sets back, and one for reading.

    The sample that sounds while the microphone hears a frame is known only as well as the device
    tells its delays, which jump about by a period. The reading place therefore goes on by exactly
    what is read, and is set anew only where the delays disagree with it for long. `margin_ms`
    earlier than told, so that the echo never comes before its reference.
    """

    def __init__(self, rate: int, margin_ms: float = 15.0) -> None:
        self._rate = rate
        self._margin = round(rate * margin_ms / 1000)
        self._ring = bytearray(2 * _KEPT_S * rate)
        self.written = 0
        """Samples written and not thrown away, in all: where the next one goes."""
        self.consumed = 0
        """Where the next one to be read stands; beyond `written` there is silence."""
        self._off: deque[int] = deque(maxlen=50)
        self._aligned = False

    def far(self, samples: bytes) -> None:
        """Samples handed to the device; any number."""
        samples = samples[-len(self._ring) :]
        at = 2 * self.written % len(self._ring)
        first = len(self._ring) - at
        self._ring[at : at + len(samples)] = samples[:first]
        self._ring[: max(0, len(samples) - first)] = samples[first:]
        self.written += len(samples) // 2

    def flushed(self, frames: int) -> None:
        """The last so many samples will never sound."""
        self.written -= min(frames, self.written)

    def realign(self) -> None:
        """Believe the next delays at once."""
        self._aligned = False

    def near(self, count: int, play_delay: int, capture_delay: int) -> tuple[bytes, bool]:
        """The `count` samples that sounded during a frame, and whether the place was set anew."""
        end = self.written - play_delay - capture_delay + self._margin
        moved = self._align(end - count - self.consumed)
        samples = self._between(self.consumed, self.consumed + count)
        self.consumed += count
        return samples, moved

    def _align(self, off: int) -> bool:
        """Set the reading place anew if it has been `off` for long; whether it was."""
        self._off.append(off)
        if not self._aligned:
            self._aligned = True
            return self._move(off)
        latest = list(self._off)[-3:]
        if len(latest) == 3 and min(map(abs, latest)) * 1000 > _JUMP_MS * self._rate:
            return self._move(int(median(latest)))
        if len(self._off) == self._off.maxlen:
            middle = int(median(self._off))
            if abs(middle) * 1000 > _SLIP_MS * self._rate:
                return self._move(middle)
        return False

    def _move(self, by: int) -> bool:
        self.consumed += by
        self._off.clear()
        return by != 0

    def _between(self, start: int, end: int) -> bytes:
        """Samples by their place; silence where there are none, or none any more."""
        oldest = max(0, self.written - len(self._ring) // 2)
        from_, to = min(max(start, oldest), end), max(min(end, self.written), start)
        if from_ >= to:
            return bytes(2 * (end - start))
        at, size = 2 * from_ % len(self._ring), 2 * (to - from_)
        found = bytes(self._ring[at : at + size])
        found += bytes(self._ring[: size - len(found)])
        return bytes(2 * (from_ - start)) + found + bytes(2 * (end - to))
