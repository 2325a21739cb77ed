"""What is played and what is heard, side by side in time, for the echo driver between them.

Measured in the software room, at rates of 16 to 48 kHz and periods of 5 to 20 ms: both lie within
0.1 ms of where they belong. Cost, resamplers included and the driver not: 0.02 % of an x86 core
where both devices run at the wire's rate, 0.2 % where both have to be resampled.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from ..core.events import EchoMeasured
from ..core.frames import Cleaned
from ..handoff import Tray
from ..ports import Echo
from .rates import Stream, resampler

_TRAY = 400
"""Blocks of the loudspeaker's that may wait for a stalled loop: four seconds of 10 ms."""
_AVERAGED = 50
"""Blocks over which a device's times are averaged: they jump about by a period."""
_ASTRAY_S = 0.015
"""Times this far from where the samples put them have another cause than jitter, if they last."""
_PATIENCE = 3
"""Blocks in a row after which they do."""
_DRY_S = 0.002
"""The same, at once, where the device says itself that it ran dry."""
_LONGEST_HOLE_S = 4.0
"""What came before is forgotten by then."""
_LONGEST_MISS_S = 0.5
"""So much silence in the microphone's place costs no more than a frame's time on the loop."""


class Duplex:
    """Cleans each frame of the microphone against what sounded from the loudspeaker meanwhile.

    Both devices tell the time of each block by one clock. What the loudspeaker gets becomes a
    row of samples without a hole: where it sounded nothing there is silence. The driver is given
    both at the wire's rate. All methods run on the loop's thread but `played`.
    """

    def __init__(self, echo: Echo, name: str, wire_rate: int) -> None:
        self._echo = echo
        self._name = name
        self._wire_rate = wire_rate
        self._size = 2 * (wire_rate // 50)
        self._played: Tray[tuple[bytes, float, bool]] = Tray(_TRAY)
        self._dozing = False
        self._far_rate = self._near_rate = wire_rate
        self._forget_far()
        self._near: Stream | None = None
        """None until the first frame awake."""
        self._before = b""
        """The last frame heard dozing."""
        self._position = 0
        """Of the next frame, if none is lost."""
        self._stale = 0
        """Bytes of clean sound that are of no use yet."""
        self._last = Cleaned(b"", 0.0, 0.0, b"")
        self._answered = self._measured = False
        self._erle_db = 0.0

    @property
    def with_earcons(self) -> bool:
        """Whether the driver wants to hear of the earcons too."""
        return self._echo.hears_through

    @property
    def dropped(self) -> int:
        """Blocks that fell out because the loop was stalled."""
        return self._played.dropped

    def status(self) -> Mapping[str, str | int | float]:
        """The driver's name, and what it found out."""
        return {
            "echo": self._name,
            "echo_erle_db": round(self._erle_db, 1),
            "echo_drift_ppm": round(self._echo.drift_ppm),
        }

    def speaker_opened(self, rate: int) -> None:
        """Another loudspeaker, or the same anew."""
        self._far_rate = rate
        self._forget_far()
        self._echo.notify("reopened")

    def microphone_opened(self, rate: int) -> None:
        """Another microphone, or the same anew."""
        self._near_rate = rate
        self._near = None
        self._before = b""
        self._echo.notify("reopened")

    def volume_turned(self) -> None:
        """The loudspeaker was made louder or softer behind what `played` hears."""
        self._echo.notify("volume")

    def answer(self) -> None:
        """An answer sounds: there will be something to measure."""
        self._answered = True

    def doze(self, dozing: bool) -> EchoMeasured | None:
        """From now on frames are cleaned, or not; what was found out until then, if anything."""
        self._dozing = dozing
        if not dozing and self._near is None:
            self._forget_far()
        if not dozing or not (self._answered and self._measured):
            return None
        self._answered = self._measured = False
        return EchoMeasured(self._name, self._erle_db, self._echo.drift_ppm)

    def played(self, block: bytes, until: float, dry: bool) -> None:
        """The loudspeaker was given this, which sounds until then; on the device's thread.

        `dry`: it had run out before.
        """
        self._played.put((block, until, dry))

    def heard(self, samples: bytes, position: int, until: float) -> Cleaned | None:
        """A frame of the microphone, the last of it captured then, as it may leave.

        At most a frame at the wire's rate comes of it; nothing while dozing.
        """
        missing = position - self._position
        self._position = position + len(samples) // 2
        if self._dozing:
            self._near = None
            self._before = samples
            return None
        if self._near is None:
            self._begin(until - len(samples) / 2 / self._near_rate)
        elif missing:
            self._miss(missing)
        return self._clean(samples, until)

    # --- the microphone -------------------------------------------------------------------

    def _listen(self) -> None:
        """A new row of frames."""
        self._near = resampler(self._near_rate, self._wire_rate)
        self._near_clock = _Clock()
        self._waiting = b""

    def _begin(self, until: float) -> None:
        """Fill the driver with the frame before, so that none of it comes twice, nor stale."""
        self._listen()
        self._echo.notify("rested")
        assert self._near is not None
        before = self._near.convert(self._before)[-self._size :]
        self._waiting = bytes(self._size - len(before))
        self._take(before, until)
        self._stale = 2 * self._echo.late

    def _miss(self, frames: int) -> None:
        """What the microphone lost is silence for the driver: then nothing has moved."""
        if 0 < frames <= _LONGEST_MISS_S * self._near_rate:
            assert self._near is not None
            for piece in _pieces(frames / self._near_rate, self._near_rate, self._near_rate // 50):
                self._near_clock.skip(piece / self._near_rate)
                self._take(self._near.convert(bytes(2 * piece)), self._near_clock.until)
        else:
            self._listen()
            self._echo.notify("rested")
        self._echo.notify("underrun")

    def _clean(self, samples: bytes, until: float) -> Cleaned:
        assert self._near is not None
        self._near_clock.go(len(samples) / 2 / self._near_rate, until, sure=False)
        cleaned = self._take(self._near.convert(samples), self._near_clock.until)
        if cleaned is None:
            return replace(self._last, samples=b"", noise=b"")
        self._last = cleaned
        if isfinite(cleaned.score):
            self._measured = True
            self._erle_db = cleaned.erle_db
        stale = cleaned.samples[: self._stale]
        self._stale -= len(stale)
        return replace(cleaned, samples=cleaned.samples[len(stale) :]) if stale else cleaned

    def _take(self, sound: bytes, until: float) -> Cleaned | None:
        """Clean a whole frame as soon as there is one; `sound` ends `until` then."""
        assert self._near is not None
        sound = self._waiting + sound
        self._waiting = sound[self._size :]
        if len(sound) < self._size:
            self._waiting = sound
            return None
        self._catch_up()
        ended = until - (self._near.delay + len(self._waiting) // 2) / self._wire_rate
        return self._echo.near(sound[: self._size], self._play_delay(ended), 0)

    # --- the loudspeaker ------------------------------------------------------------------

    def _forget_far(self) -> None:
        """A new row of blocks."""
        self._played.empty()
        self._far = resampler(self._far_rate, self._wire_rate)
        self._far_clock = _Clock()

    def _play_delay(self, now: float) -> int:
        """How much of what the driver was given sounds after `now`; negative: it ended before."""
        if not self._far_clock.told:
            # Nothing has sounded yet: that is silence, until something does.
            self._far_clock.set(now)
        return round((self._far_clock.until - now) * self._wire_rate) - self._far.delay

    def _catch_up(self) -> None:
        """Give the driver everything that was played until now."""
        for block, until, dry in self._played.empty():
            length_s = len(block) / 2 / self._far_rate
            known = self._far_clock.blocks > 0
            hole_s = self._far_clock.go(length_s, until, dry)
            hole_s = min(hole_s, _LONGEST_HOLE_S)
            for frames in _pieces(hole_s, self._far_rate, self._far_rate):
                self._echo.far(self._far.convert(bytes(2 * frames)))
            if hole_s and known:
                self._echo.notify("underrun")
            self._echo.far(self._far.convert(block))


class _Clock:
    """When a stream's last sample sounds or was captured: by its own count, held to the times told.

    Times that are told jump about by a period; the count does not, but knows no holes.
    """

    def __init__(self) -> None:
        self.told = False
        """Whether it knows what time it is."""
        self.until = 0.0
        self.blocks = 0
        """So many blocks were averaged."""
        self._strays = 0

    def set(self, until: float) -> None:
        """Begin here; the first block may come at any time later."""
        self.told = True
        self.until = until

    def skip(self, length_s: float) -> None:
        """Go on by so much of which nothing came."""
        self.until += length_s

    def go(self, length_s: float, until: float, sure: bool) -> float:
        """Go on by a block that is told to end `until` then; the length of a hole before it.

        Negative where time went back. `sure`: there is one.
        """
        if not self.told:
            self.set(until - length_s)
        due = self.until + length_s
        off = until - due
        if self.blocks:
            self._strays = self._strays + 1 if abs(off) > _ASTRAY_S else 0
        if not self.blocks or self._strays >= _PATIENCE or (sure and abs(off) > _DRY_S):
            self.until = until
            self.blocks = 1
            self._strays = 0
            return off
        self.blocks = min(self.blocks + 1, _AVERAGED)
        self.until = due if self._strays else due + off / self.blocks
        return 0.0


def _pieces(length_s: float, rate: int, most: int) -> list[int]:
    """So long a silence in frames, so many at most at a time."""
    frames = max(0, round(length_s * rate))
    return [min(most, frames - at) for at in range(0, frames, most)]
