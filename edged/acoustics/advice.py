"""What a box's figures mean, and what to set so that people can speak over it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

from .figures import Figures, Recommended

_BEARABLE_DB, _HOPELESS_DB = -12.0, -30.0
"""The person over the loudspeaker: from where on nearly every interruption is heard, and below
which a voice cannot be told from what a canceller leaves of ours."""
_PEAK_DBFS = -3.0
"""The loudspeaker at its loudest must not come nearer to full scale: no canceller takes away what
the microphone has cut off."""
_SOFT_DBFS = -42.0
_TARGET_DBFS = -30.0
"""Speech below the one is brought to the other, as far as the loudspeaker leaves room."""
_LOUD_ROOM_DB = 15.0
_TAIL_MS, _LONGEST_TAIL_MS = 120, 500
_EARLY_MS = 15.0
"""A canceller's reference is read so much earlier than the devices' times say."""
_RINGING_MS = 20.0
"""The least of a canceller's tail that is left for the room."""
_SPREAD_MS = 10.0
_DRIFT_PPM = 20.0
_UNHEARD = ("off",)


@dataclass(frozen=True)
class Advice:
    """One sentence, with the exact setting where there is one."""

    text: str
    must: bool = False
    """Whether nothing works before it is done."""


def recommended(figures: Figures, lowest_db: float) -> Recommended:
    """The loudest volume, the step of the microphone's gain, mode and tail that fit this box."""
    gain_db, tail_ms = _gain_db(figures), _tail_ms(figures)
    volume_db = 0.0
    if figures.ser_db is not None:
        volume_db = min(0.0, floor(figures.volume_db + figures.ser_db - _BEARABLE_DB))
    volume_db = max(lowest_db, volume_db)
    mode = "auto"
    if not figures.heard:
        mode = figures.mode if figures.mode in _UNHEARD else "auto"
    elif _ser_at(figures, volume_db) < _HOPELESS_DB:
        mode = "half_duplex"
    elif not _in_reach(figures, tail_ms):
        mode = "gate"
    return Recommended(volume_db, gain_db, mode, tail_ms)


def advice(figures: Figures, lowest_db: float) -> Iterator[Advice]:
    """What to do, the most urgent first; a box that is well gets none but praise."""
    if figures.silent:
        yield Advice(
            "the microphone delivers digital silence: it is muted, or it is the wrong one; "
            "`alsamixer` (F4) shows its switch, `edged devices` the others, and "
            "[sound.portaudio] `microphone` and `channel` choose",
            must=True,
        )
        return
    if not figures.heard:
        yield _unheard(figures)
        return
    best = recommended(figures, lowest_db)
    if figures.clipped:
        yield Advice(
            f"the microphone is overdriven ({figures.clipped} samples cut off): turn its capture "
            f"gain down by at least {-best.gain_db:.0f} dB in `alsamixer` (F4), and measure again",
            must=True,
        )
    elif best.gain_db < 0:
        yield Advice(
            f"at full volume the microphone would be overdriven: turn its capture gain down by "
            f"{-best.gain_db:.0f} dB in `alsamixer` (F4)"
        )
    elif best.gain_db > 0:
        yield Advice(
            f"your voice is soft: turn the microphone's capture gain up by {best.gain_db:.0f} dB "
            "in `alsamixer` (F4)"
        )
    yield from _volume(figures, best)
    yield from _timing(figures, best)
    yield from _room(figures)


def _unheard(figures: Figures) -> Advice:
    if figures.mode in _UNHEARD:
        return Advice("the loudspeaker is not heard: right for a headset, and `mode = off` fits")
    return Advice(
        "the loudspeaker was not heard: is it on, turned up, and the one in [sound.portaudio] "
        '`speaker`? With a headset all is well: set [echo] mode = "off"',
        must=True,
    )


def _gain_db(figures: Figures) -> float:
    """In steps of 1 dB; at the loudest the volume goes, and while it is not overdriven now."""
    if figures.echo_peak_dbfs is None:
        return 0.0
    room_db = _PEAK_DBFS - (figures.echo_peak_dbfs - figures.volume_db)
    if figures.clipped:
        # How far beyond full scale it was nobody knows.
        return float(floor(min(room_db, 2 * _PEAK_DBFS)))
    if room_db < 0:
        return float(floor(room_db))
    if figures.near_measured and figures.near_dbfs < _SOFT_DBFS:
        return float(floor(min(room_db, _TARGET_DBFS - figures.near_dbfs)))
    return 0.0


def _volume(figures: Figures, best: Recommended) -> Iterator[Advice]:
    ser_db = figures.ser_db or 0.0
    if ser_db < _BEARABLE_DB:
        yield Advice(
            f"your voice is {-ser_db:.0f} dB below the loudspeaker's at the microphone: keep the "
            f"volume at {best.volume_db:g} dB or less (where it starts: [volume] db), or move the "
            "microphone away from the loudspeaker"
        )
    elif best.volume_db < 0:
        yield Advice(
            f"this volume is well; people can speak over the answer up to {best.volume_db:g} dB"
        )
    else:
        yield Advice("people can speak over the answer at any volume")
    if best.mode == "half_duplex":
        yield Advice(
            'even so nobody is heard over this loudspeaker: set [echo] mode = "half_duplex"; '
            "the wake word and the button still interrupt"
        )


def _timing(figures: Figures, best: Recommended) -> Iterator[Advice]:
    path_ms, spread_ms = figures.path_ms or 0.0, figures.spread_ms or 0.0
    if best.mode == "gate":
        yield Advice(
            f"the devices tell their delays wrong by {path_ms:.0f} ms, which no canceller bears: "
            'set [echo] mode = "gate"'
        )
    elif best.tail_ms != _TAIL_MS:
        yield Advice(
            f"the loudspeaker is heard {path_ms:.0f} ms later than the devices say: set "
            f"tail_ms = {best.tail_ms} in [echo.speex] and [echo.dual]"
        )
    if spread_ms > _SPREAD_MS:
        yield Advice(
            f"the delay jumped by {spread_ms:.0f} ms while it was measured: is something else "
            "using the sound card or the processor? Measure again"
        )
    drift_ppm, within_ppm = figures.drift_ppm, figures.drift_within_ppm
    if drift_ppm is not None and abs(drift_ppm) > _DRIFT_PPM + (within_ppm or 0.0):
        yield Advice(
            f"microphone and loudspeaker have clocks of their own, {drift_ppm:+.0f} ppm apart: "
            "this is followed, a minute into an answer; one device for both is better"
        )


def _room(figures: Figures) -> Iterator[Advice]:
    if figures.near_dbfs - figures.noise_dbfs < _LOUD_ROOM_DB:
        yield Advice(
            f"the room ({figures.noise_dbfs:.0f} dBFS) is nearly as loud as a voice "
            f"({figures.near_dbfs:.0f} dBFS): what hums nearby?"
        )


def _ser_at(figures: Figures, volume_db: float) -> float:
    """The echo follows the volume dB for dB."""
    return (figures.ser_db or 0.0) + figures.volume_db - volume_db


def _tail_ms(figures: Figures) -> int:
    """How much a canceller has to remember, in steps of 10 ms."""
    needed = (figures.path_ms or 0.0) + _EARLY_MS + _RINGING_MS
    if needed <= _TAIL_MS:
        return _TAIL_MS
    # With as much for the room as a box has whose devices tell the truth.
    return min(_LONGEST_TAIL_MS, 10 * round((needed + 3 * _RINGING_MS) / 10))


def _in_reach(figures: Figures, tail_ms: int) -> bool:
    """Whether the echo begins behind its reference, and not beyond what is remembered of it."""
    return -_EARLY_MS < (figures.path_ms or 0.0) <= tail_ms - _EARLY_MS - _RINGING_MS
