"""The real PortAudio in a room where the microphone hears the loudspeaker: the echo is found."""

import math
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from edged.simulator import room

from ..echo.room import sixteen, voice
from .visit import WIRE, Guests, noise
from .witness import MARGIN_MS

pytestmark = [
    pytest.mark.room,
    pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "the room is there"),
]
SETTLED_S = 3


def at48(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    twice = np.interp(np.arange(2 * len(sound)) / 2, np.arange(len(sound)), sound)
    return np.rint(twice * 32768).astype("<i2")


@pytest.mark.parametrize("rates", [(24000, 24000), (48000, 48000), (44100, 16000)])
def test_what_is_heard_is_put_beside_what_sounded_then(
    guests: Guests, rates: tuple[int, int]
) -> None:
    """Found 40.0 to 40.1 ms later in a room of 40 ms, at any rates, with periods of 5 to 20 ms."""
    with room.Room(room.AcousticPath(40, gain_db=-10)) as place:
        visit = guests(place, echo="believer", playback_rate=rates[0], capture_rate=rates[1])
        visit.hear("SpeakerOpened")
        visit.do("open_microphone")
        visit.hear("MicFrame")
        visit.play(noise(4, 5, WIRE).tobytes())
        visit.do("finish")
        visit.hear("SpeakerProgress", heard=4 * WIRE)
        visit.leave()
    sounded, heard = visit.believed()
    first = int(np.flatnonzero(sounded)[0])
    late_ms = [late(sounded[at:], heard[at:]) for at in range(first, first + 3 * WIRE, WIRE)]
    # What the room promises is good to 10 ms of its own.
    assert late_ms == pytest.approx([MARGIN_MS + 40] * 3, abs=12)
    assert np.ptp(late_ms) < 8


def late(sounded: NDArray[np.int16], heard: NDArray[np.int16]) -> float:
    """How much later a second is heard than it sounded, in ms."""
    size = 1 << 16
    first, second = (np.fft.rfft(each[:WIRE].astype(float), size) for each in (sounded, heard))
    return int(np.argmax(np.fft.irfft(second * np.conj(first), size)[:WIRE])) * 1000 / WIRE


@pytest.mark.parametrize(
    ("delay_ms", "rates"),
    # With the reference's margin and the sound servers' own 12 ms, well inside a tail of 120 ms.
    [(40, {}), (60, {"playback_rate": 48000, "capture_rate": 16000})],
)
def test_our_own_voice_is_taken_away_and_a_person_over_it_is_heard(
    guests: Guests, delay_ms: int, rates: dict[str, int]
) -> None:
    with room.Room(room.AcousticPath(delay_ms, gain_db=-10)) as place:
        visit = guests(place, echo="speex", **rates)
        visit.hear("SpeakerOpened")
        visit.do("doze", True)
        visit.do("open_microphone")
        visit.hear("MicFrame")
        visit.do("doze", False)
        began = visit.play(sixteen(voice(3, 8, -26)))
        visit.do("finish")
        while visit.hear("MicFrame")[0] < began + 6.5:
            pass
        spoke = time.monotonic()
        place.say(at48(voice(17, 1.2, -26)))
        visit.hear("SpeakerProgress", heard=8 * WIRE)
        visit.do("doze", True)
        _, measured = visit.hear("EchoMeasured")
        visit.leave()
    frames = [(now, said["clean"]) for now, said in visit.all("MicFrame") if said["clean"]]
    alone = [clean for now, clean in frames if began + 0.5 < now < spoke]
    ours = [score for score, _ in alone if math.isfinite(score)]
    assert len(ours) > 250
    assert np.mean(np.array(ours) < 1) >= 0.95
    assert max(erle_db for _, erle_db in alone[SETTLED_S * 50 :]) >= 15
    over = [score for now, (score, _) in frames if spoke < now < spoke + 1.5]
    assert max(score for score in over if math.isfinite(score)) >= 1
    assert measured["driver"] == "speex"
    assert measured["erle_db"] >= 10
