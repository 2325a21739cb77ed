"""The loudspeaker's half of a sound card: the spool, earcons, volume, progress."""

from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..core.commands import Chime
from ..core.events import SpeakerHushed, SpeakerProgress, SpeakerUnderran
from ..handoff import Handoff
from ..ports import Feed
from ._chimes import chime
from ._levels import level
from ._spool import Spool
from .rates import resampler

_FADE_S = 0.006
"""The end of a hushed answer: short enough for the ear to call it at once, long enough for no
click. A shorter period fades over all of itself."""
_RECOVERY_S = 0.3
"""After a gap so much is saved up: providers that stall once stall again, for as long as this."""
_REPORT_S = 0.02
"""Progress is told this often."""
Tap = Callable[[bytes, float, bool], None]
"""Hears a block as the device does, but mono; when its last sample will sound, by the device's
clock; and whether the device ran dry before it. On the device's thread."""


class Player:
    """Gives a device what it shall sound next, and tells the core what has been heard.

    All methods run on the loop's thread but `fill` and `ran_dry`, which run on the device's.
    Sound queued before the first `prepare`, or after `forget`, is dropped.
    """

    def __init__(self, feed: Feed, wire_rate: int, most_priming_ms: int) -> None:
        self._feed = feed
        self._wire_rate = wire_rate
        self._volume = self._ducked = 1.0
        """What the owner wants, and what of it is left for now."""
        self._gain: float | None = None
        """Of the last sample given; None after silence."""
        self._most_priming_ms = most_priming_ms
        self._reports: Handoff[tuple[Spool, int, int]] = Handoff(self._tell)
        self._rate = 0
        self._place = 0
        self._queued = 0
        self._coming = False
        """Whether a reply has begun that is not complete."""
        self.blocks = 0
        """Blocks given so far."""
        self._underruns = self._gaps = 0
        self._tap: tuple[Tap, bool] | None = None
        self._dry = False
        self._newest = b""
        """The block that was given last."""
        self._earcons = Spool()
        self._said = 0
        """How many frames of them, from the first on, lead to the end of our own words."""
        self._spool = self._playing = Spool()
        self._hushed: deque[tuple[Spool, int, int]] = deque()
        """Hushed and not yet answered: the spool, frames queued in it at the wire's rate, and the
        device's rate."""

    @property
    def idle(self) -> bool:
        """Whether nothing sounds, nothing waits to and nothing waits for an answer."""
        told = all(spool.told == spool.added for spool in (self._spool, self._earcons))
        return told and not self._hushed

    def status(self) -> Mapping[str, int | float]:
        """Its level at the moment, how often it ran dry, and how often a gap was heard."""
        return {
            "speaker_level_dbfs": round(level(self._newest), 1),
            "speaker_underruns": self._underruns,
            "speaker_gaps": self._gaps,
        }

    def prepare(self, rate: int) -> None:
        """Serve a device of this rate; what is queued stays if the rate does."""
        if rate == self._rate:
            return
        self._give_up()
        self._rate = rate
        self._restart_stream()
        self._new_earcons()
        # No device runs now, and the next has nothing to fade out.
        self._spool = self._playing = self._new_spool(self._spool.priming)
        self._queued = 0
        self._coming = False

    def forget(self) -> None:
        """The device is gone, and what was queued with it."""
        self._give_up()
        self._rate = 0

    def queue(self, samples: bytes) -> None:
        """Append reply sound at the wire's rate."""
        if not self._rate:
            return
        self._coming = True
        self._queued += len(samples) // 2
        converted = self._stream.convert(samples)
        late = converted[: 2 * self._skip]
        self._skip -= len(late) // 2
        self._spool.add(converted[len(late) :])

    def finish(self) -> None:
        """The reply is complete; let out what the resampler still holds."""
        if not self._rate or not self._coming:
            return
        self._coming = False
        whole = -(-self._queued * self._rate // self._wire_rate)
        tail = self._stream.flush()[2 * self._skip :]
        self._spool.finish(tail[: 2 * (whole - self._spool.added)])
        self._restart_stream()

    def hush(self) -> None:
        """Forget what is queued; the device fades out what it is at.

        One `SpeakerHushed` follows, through the handoff: as soon as the device has asked for the
        fade, or at once where everything was heard or there is no device, or at the device's loss.
        """
        old = self._spool
        self._hushed.append((old, self._queued, self._rate))
        # One store makes the device leave the old spool, and finds it the new one's place.
        old.next = new = self._new_spool(old.priming)
        self._spool = new
        self._queued = 0
        self._coming = False
        if self._rate:
            self._restart_stream()
        if old.told == old.added or not self._rate:
            old.end = old.told
            self._reports.put((old, 0, 0))

    def set_volume(self, volume_db: float) -> None:
        """Turn everything up or down, over the next block; 0 and more is as it came."""
        self._volume = 10 ** (min(0.0, volume_db) / 20)

    def duck(self, by_db: float) -> None:
        """Turn everything down by so much, over the next block, besides its volume; 0 ends it."""
        self._ducked = 10 ** (-max(0.0, by_db) / 20)

    def tap(self, tap: Tap | None, earcons: bool = True) -> None:
        """Let `tap` hear what sounds from the next block on, with the earcons or without."""
        self._tap = None if tap is None else (tap, earcons)

    def sound(self, which: Chime) -> None:
        """Mix an earcon in, behind one that still sounds, and in the place of our own words."""
        if not self._rate:
            return
        if self._earcons.told < self._said:
            if which is Chime.VOLUME:
                return
            self._new_earcons()
        self._earcons.add(chime(which, self._rate))

    def say(self, samples: bytes) -> None:
        """Append our own words, at the wire's rate, to the earcons; b"" ends them."""
        if not self._rate:
            return
        if self._earcons.told >= self._said:
            self._words = resampler(self._wire_rate, self._rate)
        elif not samples:
            self._new_earcons()
            return
        self._earcons.add(self._words.convert(samples))
        self._said = self._earcons.added

    def _new_earcons(self) -> None:
        self._earcons = Spool()
        self._said = 0

    def fill(self, frames: int, channels: int, delay_s: float, now: float) -> bytes:
        """The next `frames` frames, which will sound in `delay_s`; on the device's thread.

        `now` is the device's clock.
        """
        self.blocks += 1
        place = self._place
        self._place = place + frames
        spool, earcons = self._spool, self._earcons
        voice = self._leave_for(spool, place, frames) if spool is not self._playing else b""
        if not voice:
            voice = spool.take(frames, place)
        earcon = earcons.take(frames, place)
        sounding = place - round(delay_s * self._rate)
        earcons.told = earcons.heard(sounding)
        self._report(spool, sounding)
        gain = self._turned(frames, bool(voice or earcon))
        block = _mixed(frames, gain, voice, earcon)
        if (tap := self._tap) is not None and (rate := self._rate):
            hear, earcons_too = tap
            heard = block if earcons_too or not earcon else _mixed(frames, gain, voice)
            hear(heard, now + delay_s + frames / rate, self._dry)
        self._dry = False
        self._newest = block
        return block if channels == 1 else _spread(block, channels)

    def ran_dry(self, missing_s: float) -> None:
        """The device had nothing to sound for about so long before the next `fill`."""
        self._dry = True
        self._underruns += 1
        if self._spool.flowing and self._rate:
            self._reports.put((self._spool, 0, max(1, round(missing_s * self._rate))))

    def close(self) -> None:
        """Tell nothing more."""
        self._reports.close()

    def _new_spool(self, priming: int = 0) -> Spool:
        most = self._most_priming_ms * self._rate // 1000
        return Spool(priming, int(_RECOVERY_S * self._rate), most, self._place)

    def _restart_stream(self) -> None:
        self._stream = resampler(self._wire_rate, self._rate)
        self._skip = self._stream.delay
        """Output samples that come before the sound: leaving them out saves the delay."""

    def _leave_for(self, spool: Spool, place: int, frames: int) -> bytes:
        """End every spool hushed since the last block; a last piece of the one that sounded."""
        voice = b""
        old = self._playing
        while old is not spool and old.next is not None:
            faded = self._fade(old, place, frames)
            voice = voice or faded
            # The ear takes the middle of the fade for the end.
            old.end = old.taken - len(faded) // 4
            self._reports.put((old, 0, 0))
            old = old.next
        self._playing = spool
        return voice

    def _fade(self, old: Spool, place: int, frames: int) -> bytes:
        if not old.flowing:
            return b""
        last = np.frombuffer(old.take(min(frames, int(_FADE_S * self._rate)), place), dtype="<i2")
        ramp = np.linspace(1, 0, len(last), dtype=np.float32)
        return (last * ramp).astype("<i2").tobytes()

    def _turned(self, frames: int, sounding: bool) -> float | NDArray[np.float32]:
        """What the next block is multiplied by; a change is spread over all of it: no click."""
        old, new = self._gain, self._volume * self._ducked
        self._gain = new if sounding else None
        if old is None or old == new:
            return new
        return np.linspace(old, new, frames + 1, dtype=np.float32)[1:]

    def _report(self, spool: Spool, sounding: int) -> None:
        if spool.gap:
            self._reports.put((spool, 0, spool.gap))
            spool.gap = 0
        if spool.told == spool.taken:
            return
        heard = max(spool.told, spool.heard(sounding))
        if heard - spool.told >= _REPORT_S * self._rate or heard == spool.taken != spool.told:
            spool.told = heard
            self._reports.put((spool, heard, 0))

    def _tell(self, report: tuple[Spool, int, int]) -> None:
        spool, heard, gap = report
        self._answer()
        if spool is not self._spool or not self._rate:
            return
        if gap:
            self._gaps += 1
            self._feed(SpeakerUnderran(gap * 1000 / self._rate))
        else:
            at_wire = heard * self._wire_rate // self._rate
            self._feed(SpeakerProgress(min(self._queued, at_wire)))

    def _answer(self) -> None:
        """Tell of each hushed spool, in order, whose end is known."""
        while self._hushed and self._hushed[0][0].end is not None:
            spool, queued, rate = self._hushed.popleft()
            at_wire = (spool.end or 0) * self._wire_rate // rate if rate else 0
            self._feed(SpeakerHushed(min(queued, at_wire)))

    def _give_up(self) -> None:
        """Take what was heard until now for the end of every hushed spool: nobody will tell."""
        for spool, _, _ in self._hushed:
            if spool.end is None:
                spool.end = spool.told
            self._reports.put((spool, 0, 0))


def _mixed(frames: int, gain: float | NDArray[np.float32], *parts: bytes) -> bytes:
    """A block of them all."""
    if not any(parts):
        return bytes(2 * frames)
    mix = np.zeros(frames, dtype=np.float32)
    for part in parts:
        mix[: len(part) // 2] += np.frombuffer(part, dtype="<i2")
    block: NDArray[np.int16] = np.clip(mix * gain, -32768, 32767).astype("<i2")
    return block.tobytes()


def _spread(block: bytes, channels: int) -> bytes:
    """The same on every channel."""
    return np.repeat(np.frombuffer(block, dtype="<i2"), channels).tobytes()
