"""What the loudspeaker plays, kept until the microphone hears it."""

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ._drift import Drift

_KEPT_S = 4
"""Longer than any device's buffers."""

_JUMP_MS = 20.0
"""Three frames in a row this far from where they should be: the delay has changed."""

_SLIP_MS = 10.0
"""A second's frames this far off in the middle: it was not where it was thought to be. Less does
no harm, the margin being wider; but every move spoils what a canceller has learned."""

_SETTLING_FRAMES = 50
"""The delays told first are the worst: so many silent frames may still move the place. One that
sounds counts twice: an earcon may come between, but nothing that a canceller learns from."""

_QUIET_FRAMES = 15
"""After so much silence no room rings any more."""


class Reference:
    """A row of samples with a place for writing, which a flush sets back, and one for reading.

    The sample that sounds while the microphone hears a frame is known only as well as the device
    tells its delays, which jump about by a period. The reading place therefore goes on by exactly
    what is read, and is set anew only where the delays disagree with it for long, or while it
    settles in silence. `margin_ms` earlier than told, so that the echo never comes before its
    reference. Where the two clocks are known to differ it is read as much faster or slower.
    """

    def __init__(self, rate: int, margin_ms: float = 15.0) -> None:
        self._rate = rate
        self._margin = round(rate * margin_ms / 1000)
        self._ring = bytearray(2 * _KEPT_S * rate)
        self.written = 0
        """Samples written and not thrown away, in all: where the next one goes."""
        self.consumed = 0
        """Where the next one to be read stands; beyond `written` there is silence."""
        self._fraction = 0.0
        """How much further the reading place is, between two samples."""
        self._straight = 0
        """Where it would be without regard to the clocks."""
        self._read = 0
        """Samples read in all."""
        self._drift = Drift()
        self._off: deque[int] = deque(maxlen=50)
        """How far the latest frames were read from where they should have been."""
        self._bias = 0
        """How far off the delays were told while the place was right."""
        self._aligned = False
        self._news = False
        """Whether it is news where the place is found."""
        self._settling = _SETTLING_FRAMES
        self._quiet = _QUIET_FRAMES
        """Frames in a row in which nothing was played."""

    @property
    def drift_ppm(self) -> float:
        """How much faster the loudspeaker's clock runs than the microphone's; 0 until known."""
        return self._drift.ppm

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
        """Believe the next delays at once, whatever was right before."""
        self._bias = 0
        self._seek(news=True)

    def resume(self) -> None:
        """Find the place where it was before a rest, which is no news to the caller.

        Delays are told as wrong as before; unless that is by too much.
        """
        if 2 * len(self._off) >= _SETTLING_FRAMES:
            self._bias += _middle(self._off)
        lost = abs(self._bias) * 1000 > _SLIP_MS * self._rate
        if lost:
            self._bias = 0
        self._seek(news=lost)

    def _seek(self, *, news: bool) -> None:
        self._aligned = False
        self._news = news
        self._settling = _SETTLING_FRAMES
        self._off.clear()
        self._drift.rest()

    def near(self, count: int, play_delay: int, capture_delay: int) -> tuple[bytes, bool]:
        """The `count` samples that sounded during a frame, and whether the place was set anew."""
        place = self.written - play_delay - capture_delay + self._margin - count
        moved = self._align(place - self.consumed - self._bias)
        self._drift.note(self._read, place - self._straight)
        self._read += count
        self._straight += count
        if self._drift.ppm:
            samples = self._stretched(count)
        else:
            samples = self._between(self.consumed, self.consumed + count)
            self.consumed += count
        sounded = any(samples)
        self._quiet = 0 if sounded else self._quiet + 1
        self._settling -= 2 if sounded else 1
        return samples, moved

    def _stretched(self, count: int) -> bytes:
        """What `count` samples of the microphone's clock are of the loudspeaker's.

        Between four neighbours, by Catmull and Rom's cubic.
        """
        step = 1 + self._drift.ppm * 1e-6
        at = self._fraction + np.arange(count + 1) * step
        whole = np.floor(at[:-1]).astype(int)
        part = (at[:-1] - whole).astype(np.float32)
        near = self._between(self.consumed - 1, self.consumed + int(whole[-1]) + 3)
        known = np.frombuffer(near, dtype="<i2").astype(np.float32)
        a, b, c, d = (known[whole + shift] for shift in range(4))
        bent = (((3 * (b - c) + d - a) * part + 2 * a - 5 * b + 4 * c - d) * part + c - a) * part
        ahead = int(at[-1])
        self.consumed += ahead
        self._fraction = float(at[-1]) - ahead
        sound: NDArray[np.int16] = np.clip(np.rint(b + bent / 2), -32768, 32767).astype("<i2")
        return sound.tobytes()

    def _align(self, off: int) -> bool:
        """Set the reading place anew if it has been `off` for long; whether that is news."""
        if not self._aligned:
            self._aligned = True
            self._straight += off
            self._move(off)
            return off != 0 and self._news
        self._off.append(off)
        latest = list(self._off)[-3:]
        if len(latest) == 3 and min(map(abs, latest)) * 1000 > _JUMP_MS * self._rate:
            by = _middle(latest)
            # A delay that has changed is no drift.
            self._straight += by
            return self._move(by)
        if self._settling > 0 and self._quiet >= _QUIET_FRAMES:
            by = _middle(self._off)
            self.consumed += by
            self._off = deque((each - by for each in self._off), maxlen=self._off.maxlen)
            return False
        if len(self._off) == self._off.maxlen:
            middle = _middle(self._off)
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


def _middle(numbers: Iterable[int]) -> int:
    ordered = sorted(numbers)
    return ordered[len(ordered) // 2]
