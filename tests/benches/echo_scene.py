"""The scenes of the bench of the echo: who says what, and what the microphone takes up of it.

Playback and capture have clocks of their own: what is written sounds later, what sounds is
delivered later, and either clock may be fast. Everything follows from the scene alone, sample for
sample.
"""

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .echo_room import Reals, Ways, room
from .echo_voices import RATE, Cast, Sound, say

FRAME: Final = 480
"""20 ms."""
NEAR_DBFS: Final = -36.0
"""The person's level at the microphone while they speak."""
FAR_DBFS: Final = -20.0
"""The assistant's level as it is written, while it speaks: that of the simulated provider."""

_BURST_LONGEST_S = 3.0
_WAVER_S = 1.5
_PAUSES_S = (0.15, 0.4)
_ACTIVE = 1e-3
"""Of the loudest 20 ms: more than that is speech, not a pause in it."""
_TAPS = 16
_LOUDSPEAKER_HZ = 180
_GENTLE, _BRUTAL = 1e-3, 1e3


@dataclass(frozen=True)
class Scene:
    """One evening in one room; all chance comes from `seed`."""

    seed: int
    ser_db: float = -10.0
    """The person over the assistant's echo, at the microphone, while both speak."""
    bursts: int = 10
    every_s: float = 7.0
    settled_s: float = 15.0
    """Before the person first speaks."""
    far_until_s: float = np.inf
    """When the assistant falls silent for good; 0: it never says anything."""
    distortion_db: float = -36.0
    """What the loudspeaker adds, below what it is given: at -20 dB it is badly overdriven."""
    drift_ppm: float = 0.0
    """How much faster the playback's clock is than the capture's; its sign is the seed's."""
    jump_s: float = 0.0
    """At the middle of the scene the playback stalls, or skips, by so much; whichever it has room
    for."""
    jump_told: bool = False
    """Whether the driver is notified of it, and told true delays from then on."""
    noise_dbfs: float = -60.0
    """Of the room at the microphone."""
    duck_db: float = 0.0
    """How much the playback is turned down while the gate is open."""

    @property
    def length(self) -> int:
        """In samples, whole frames."""
        return round((self.settled_s + self.bursts * self.every_s) * RATE) // FRAME * FRAME


@dataclass(frozen=True)
class Burst:
    """One interruption, in samples of the microphone."""

    onset: int
    end: int


@dataclass(frozen=True)
class Script:
    """What is said and when, dry."""

    far: Sound
    near: Sound
    bursts: Sequence[Burst] = field(default_factory=list)


def script(scene: Scene, cast: Cast) -> Script:
    """Who says what in the scene; raises `OSError`."""
    chance = np.random.default_rng((scene.seed, 4))
    far = np.zeros(scene.length, np.float32)
    near = np.zeros(scene.length, np.float32)
    assistant, person = cast.pair(scene.seed)
    at, until = 0, min(scene.length, round(min(scene.far_until_s, 1e6) * RATE))
    order = list(chance.permutation(len(cast.answers)))
    while at < until:
        sentence = say(assistant, cast.answers[order[0]])
        order.append(order.pop(0))
        put = sentence[: until - at]
        far[at : at + len(put)] = put
        at += len(put) + round(chance.uniform(*_PAUSES_S) * RATE)
    bursts: list[Burst] = []
    texts = chance.permutation(len(cast.interruptions))
    for number in range(scene.bursts):
        text = cast.interruptions[int(texts[number % len(texts)])]
        words = say(person, text)[: round(_BURST_LONGEST_S * RATE)]
        begin = scene.settled_s + number * scene.every_s + chance.uniform(0, _WAVER_S)
        first = round(begin * RATE)
        near[first : first + len(words)] = words / active_rms(words)
        bursts.append(Burst(first, first + len(words)))
    level = active_rms(far)
    if level:
        far = np.clip(far * (_amplitude(FAR_DBFS) / level), -1, 1)
    return Script(far.astype(np.float32), near, bursts)


class Acoustics:
    """A scene while it is played: takes what is written for the loudspeaker, gives the microphone.

    What is written sounds `play_delay` samples later by the playback's clock; what the microphone
    takes up is delivered `capture_delay` samples later. The two are told with an error that is the
    box's own (up to 5 ms) and with jitter (up to 1 ms).
    """

    def __init__(self, scene: Scene, said: Script, ways: Ways) -> None:
        self.scene = scene
        self.script = said
        self._ways = ways
        chance = np.random.default_rng((scene.seed, 2))
        bulk = round(chance.uniform(0.02, 0.15) * RATE)
        self.capture_delay = min(round(chance.uniform(0.008, 0.02) * RATE), bulk // 2)
        self.play_delay = bulk - self.capture_delay
        self._error = round(chance.uniform(-0.005, 0.005) * RATE)
        self._jitter = chance.uniform(-0.001, 0.001, scene.length // FRAME) * RATE
        sign = float(chance.choice((-1.0, 1.0)))
        self._pace = 1 + sign * scene.drift_ppm * 1e-6
        self.jump = round(scene.jump_s * RATE)
        if sign < 0 and self.play_delay - self.jump > 0.01 * RATE:
            self.jump = -self.jump
        taps = ways.loudspeaker.astype(np.float64)
        drive = drive_for(self.script.far, scene.distortion_db)
        self._loudspeaker = Loudspeaker(drive)
        gain = self._coupling(taps, drive)
        size = FRAME + len(taps) - 1
        self._fft_size = 1 << (size - 1).bit_length()
        self._spectrum = np.fft.rfft(gain * taps, self._fft_size)
        self._echo = np.zeros(scene.length + round(0.5 * RATE) + self._fft_size)
        self.written = 0
        """Samples taken so far."""

    @cached_property
    def near(self) -> Reals:
        """The person alone at the microphone."""
        taps = self._ways.person.astype(np.float64)
        image = _convolved(self.script.near, taps)
        return image * (_amplitude(NEAR_DBFS) / (active_rms(image) or 1))

    @cached_property
    def bursts(self) -> Sequence[Burst]:
        """When the person is heard at the microphone."""
        travel = int(np.argmax(np.abs(self._ways.person)))
        return [Burst(b.onset + travel, b.end + travel) for b in self.script.bursts]

    @cached_property
    def noise(self) -> Reals:
        """The room without anybody: falling by 3 dB an octave."""
        chance = np.random.default_rng((self.scene.seed, 3))
        spectrum = np.fft.rfft(chance.standard_normal(self.scene.length))
        hertz = np.fft.rfftfreq(self.scene.length, 1 / RATE)
        spectrum *= np.where(hertz < 50, 0, 1 / np.sqrt(np.maximum(hertz, 50)))
        sound = np.fft.irfft(spectrum, self.scene.length)
        return sound * (_amplitude(self.scene.noise_dbfs) / float(np.sqrt(np.mean(sound**2))))

    def due(self, frame: int) -> bool:
        """Whether the playback asks for more before the microphone's `frame` is delivered."""
        return self.written < self._sounding(frame, jumped=False) + self.play_delay

    def write(self, samples: npt.NDArray[np.int16]) -> None:
        """The next 20 ms for the loudspeaker."""
        sounding = self._loudspeaker.play(samples / 32768)
        spread = np.fft.irfft(np.fft.rfft(sounding, self._fft_size) * self._spectrum)
        self._echo[self.written : self.written + self._fft_size] += spread
        self.written += FRAME

    def delays(self, frame: int) -> tuple[int, int]:
        """What the box believes of playback and capture as `frame` is delivered, in samples."""
        position = self._sounding(frame, jumped=self.scene.jump_told)
        wrong = self._error + float(self._jitter[frame])
        return max(0, round(self.written - position + wrong)), self.capture_delay

    def jumped(self, frame: int) -> bool:
        """Whether the delay jumped while the microphone took up this `frame`."""
        return bool(self.jump) and frame == self._jump_frame

    def hear(self, frame: int) -> npt.NDArray[np.int16]:
        """What the microphone took up in its `frame`."""
        here = slice(frame * FRAME, (frame + 1) * FRAME)
        sound = self._echo_at(frame) + self.near[here] + self.noise[here]
        return np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)

    @property
    def _jump_frame(self) -> int:
        return self.scene.length // FRAME // 2

    def _sounding(self, frame: int, *, jumped: bool) -> float:
        """The written sample that sounds as `frame` is delivered."""
        end = (frame + 1) * FRAME + self.capture_delay
        late = self.jump if jumped and frame >= self._jump_frame else 0
        return end * self._pace - self.play_delay - late

    def _echo_at(self, frame: int) -> Reals:
        taken = np.arange(frame * FRAME, (frame + 1) * FRAME)
        late = self.jump if frame >= self._jump_frame else 0
        if self._pace == 1:
            at = taken - self.play_delay - late
            return np.where(at >= 0, self._echo[np.maximum(at, 0)], 0)
        exact = taken * self._pace - self.play_delay - late
        first = np.floor(exact).astype(np.int64)
        reach = np.arange(-_TAPS + 1, _TAPS + 1)
        apart = (exact - first)[:, None] - reach
        weights = np.sinc(apart) * np.cos(np.pi / 2 * np.clip(apart / _TAPS, -1, 1)) ** 2
        at = first[:, None] + reach
        values = np.where(at >= 0, self._echo[np.maximum(at, 0)], 0)
        return np.asarray((weights * values).sum(axis=1))

    def _coupling(self, taps: Reals, drive: float) -> float:
        """How strongly the loudspeaker is heard, so that the person is `ser_db` above it."""
        written = self.script.far
        if not written.any():
            return 0.0
        echo = _convolved(Loudspeaker(drive).play(written.astype(np.float64)), taps)
        return _amplitude(NEAR_DBFS - self.scene.ser_db) / active_rms(echo)


class Loudspeaker:
    """A small one: nothing below 180 Hz, and softly limited."""

    def __init__(self, drive: float) -> None:
        self._drive = drive
        self._signal: Any = importlib.import_module("scipy.signal")
        self._sections = self._signal.butter(2, _LOUDSPEAKER_HZ, "highpass", fs=RATE, output="sos")
        self._state = np.zeros((len(self._sections), 2))

    def play(self, written: Reals) -> Reals:
        """What its cone does with the next samples."""
        moved, self._state = self._signal.sosfilt(self._sections, written, zi=self._state)
        return limited(moved, self._drive)


def limited(sound: Reals, drive: float) -> Reals:
    """Softly; the harder it is driven the sooner."""
    return np.asarray(np.tanh(drive * sound) / drive)


def drive_for(written: Sound, distortion_db: float) -> float:
    """How hard the loudspeaker is driven where it distorts so much, in power."""
    if not written.any():
        return 1.0
    # Driven next to nothing it is linear.
    clean = Loudspeaker(_GENTLE).play(written.astype(np.float64))
    low, high = _GENTLE, _BRUTAL
    while high / low > 1.01:
        drive = math.sqrt(low * high)
        heard = limited(clean, drive)
        same = float(heard @ clean) / float(clean @ clean) * clean
        added = float(np.sum((heard - same) ** 2)) / float(same @ same)
        low, high = (low, drive) if 10 * math.log10(added) > distortion_db else (drive, high)
    return low


def staged(scene: Scene, cast: Cast) -> Acoustics:
    """The scene, ready to be played; raises `OSError` or `ImportError` for want of a part."""
    return Acoustics(scene, script(scene, cast), room(scene.seed).ways())


def active_rms(sound: npt.NDArray[np.number[Any]]) -> float:
    """The root of the mean square while it is not silent; 0 when it always is."""
    whole = sound[: len(sound) // FRAME * FRAME].astype(np.float64).reshape(-1, FRAME)
    powers = np.mean(whole**2, axis=1)
    loud = powers[powers > _ACTIVE * powers.max(initial=0)]
    return float(np.sqrt(loud.mean())) if len(loud) else 0.0


def _convolved(sound: npt.NDArray[np.floating[Any]], taps: Reals) -> Reals:
    signal: Any = importlib.import_module("scipy.signal")
    return np.asarray(signal.oaconvolve(sound.astype(np.float64), taps)[: len(sound)])


def _amplitude(dbfs: float) -> float:
    return float(10.0 ** (dbfs / 20))
