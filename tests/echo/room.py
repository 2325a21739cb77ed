"""A room small enough for a test: two voices made of noise, an echo, and a driver in between."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edged.core.frames import Cleaned
from edged.ports import Echo

RATE = 24_000
FRAME = 480
FRAMES_S = RATE // FRAME

Sound = NDArray[np.float64]


def voice(seed: int, seconds: float, dbfs: float) -> Sound:
    """Not a voice, but moving like one: syllables of noise through two moving formants."""
    chance = np.random.default_rng(seed)
    count = round(seconds * RATE)
    sound = np.zeros(count)
    at = 0
    while at < count:
        length = int(chance.uniform(0.08, 0.25) * RATE)
        spectrum = np.fft.rfft(chance.normal(size=length))
        hz = np.fft.rfftfreq(length, 1 / RATE)
        formants = chance.uniform((200, 900), (900, 3500))
        shape = sum(np.exp(-(((hz - f) / (0.25 * f + 80)) ** 2)) for f in formants) + 0.02
        piece = np.fft.irfft(spectrum * shape, length) * np.hanning(length)
        piece *= chance.uniform(0.5, 1) / piece.std()
        piece = piece[: count - at]
        sound[at : at + len(piece)] = piece
        at += int(length * chance.uniform(0.8, 1.5))
    return scaled(sound, dbfs)


def scaled(sound: Sound, dbfs: float) -> Sound:
    """As loud as that, in the mean."""
    return np.asarray(sound * (10 ** (dbfs / 20) / sound.std()))


def hiss(seed: int, seconds: float, dbfs: float = -66.0) -> Sound:
    """What an empty room sounds like."""
    chance = np.random.default_rng(seed)
    return scaled(chance.normal(size=round(seconds * RATE)), dbfs)


def echo_of(far: Sound, dbfs: float, delay_ms: float = 40, seed: int = 5) -> Sound:
    """What comes back: 60 taps dying away, late."""
    chance = np.random.default_rng(seed)
    taps = chance.normal(size=60) * np.exp(-np.arange(60) / 12)
    taps[0] = 2.0
    late = np.concatenate((np.zeros(round(delay_ms * RATE / 1000)), np.convolve(far, taps)))
    return scaled(late[: len(far)], dbfs)


def sixteen(sound: Sound) -> bytes:
    """As 16-bit samples."""
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2").tobytes()


def level(samples: bytes) -> float:
    """In dBFS."""
    sound = np.frombuffer(samples, dtype="<i2") / 32768
    return 10 * float(np.log10(np.mean(sound**2) + 1e-12))


@dataclass
class Talk:
    """The same 20 ms after 20 ms for the driver as for the room."""

    driver: Echo
    delay_ms: float = 40
    """What the device tells of its play delay; the true one is in the sound."""
    taken: list[Cleaned] = field(default_factory=list)

    def run(self, far: Sound, mic: Sound) -> list[Cleaned]:
        """Play and hear them to the end; what came out of it."""
        now = list(self._frames(sixteen(far), sixteen(mic)))
        self.taken += now
        return now

    def _frames(self, far: bytes, mic: bytes) -> Iterator[Cleaned]:
        size = 2 * FRAME
        # The microphone hears a frame when the device has been given the one after it.
        for at in range(0, len(mic) - size + 1, size):
            self.driver.far(far[at : at + size])
            delay = round(self.delay_ms * RATE / 1000)
            yield self.driver.near(mic[at : at + size], delay, 0)


def opened(frames: list[Cleaned]) -> list[int]:
    """The numbers of those with a voice in them."""
    return [number for number, frame in enumerate(frames) if frame.score >= 1]
