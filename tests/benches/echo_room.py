"""The rooms of the bench of the echo: a box that plays and listens, and a person somewhere.

Rooms by the image method (Allen and Berkley 1979, as pyroomacoustics does it). Playback and capture
have clocks of their own: what is written sounds later, what sounds is delivered later, and either
clock may be fast. Everything follows from the scene alone, sample for sample.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .echo_voices import RATE, Cast, Sound, kept, say

FRAME: Final = 480
"""20 ms."""
NEAR_DBFS: Final = -36.0
"""The person's level at the microphone while they speak."""
NOISE_DBFS: Final = -60.0
FAR_DBFS: Final = -20.0
"""The assistant's level as it is written, while it speaks: that of the simulated provider."""

Reals = npt.NDArray[np.float64]

_ACOUSTICS = 1
"""To be counted up when a room of the same sizes would sound otherwise."""
_BURST_LONGEST_S = 3.0
_WAVER_S = 1.5
_PAUSES_S = (0.15, 0.4)
_ACTIVE = 1e-3
"""Of the loudest 20 ms: more than that is speech, not a pause in it."""
_TAPS = 16
_LOUDSPEAKER_HZ = 180


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
    drive: float = 1.0
    """Of the loudspeaker's tanh: at 4 it is badly overdriven."""
    drift_ppm: float = 0.0
    """How much faster the playback's clock is than the capture's; its sign is the seed's."""
    jump_s: float = 0.0
    """At the middle of the scene the playback stalls, or skips, by so much; whichever it has room
    for."""
    jump_told: bool = False
    """Whether the driver is notified of it, and told true delays from then on."""
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
class Room:
    """Sizes and places in metres, drawn from the seed."""

    size: tuple[float, float, float]
    rt60_s: float
    microphone: tuple[float, float, float]
    loudspeaker: tuple[float, float, float]
    person: tuple[float, float, float]

    def response(self, source: tuple[float, float, float]) -> Sound:
        """From `source` to the microphone."""
        made_from = f"{_ACOUSTICS} {_library_version()} {self.size} {self.rt60_s} {source}"
        return kept(f"{made_from} {self.microphone}", lambda: self._response(source))

    def _response(self, source: tuple[float, float, float]) -> Sound:
        acoustics: Any = importlib.import_module("pyroomacoustics")
        # In one thread sums are always in the same order.
        acoustics.constants.set("num_threads", 1)
        absorption, order = acoustics.inverse_sabine(self.rt60_s, self.size)
        material = acoustics.Material(absorption)
        box = acoustics.ShoeBox(self.size, fs=RATE, materials=material, max_order=order)
        box.add_source(source)
        box.add_microphone(self.microphone)
        box.compute_rir()
        taps: Reals = box.rir[0][0]
        return taps[: round((self.rt60_s + 0.02) * RATE)].astype(np.float32)


def room(seed: int) -> Room:
    """A living room with a box on a piece of furniture and a person 1 to 2.5 m away."""
    chance = np.random.default_rng((seed, 1))
    size = _metres(chance.uniform((3.5, 3, 2.4), (6, 5, 2.8)))
    place = np.array([chance.uniform(0.8, 1.4), chance.uniform(0.8, 1.4), chance.uniform(0.7, 1.1)])
    microphone = place + _direction(chance) * chance.uniform(0.04, 0.08)
    inside = np.array([size[0] - 0.3, size[1] - 0.3, 1.8])
    while True:
        away = chance.uniform(1.0, 2.5)
        person = place + away * _direction(chance)
        person[2] = chance.uniform(1.1, 1.7)
        apart = float(np.linalg.norm(person - place))
        if np.all(person > 0.3) and np.all(person < inside) and 1.0 <= apart <= 2.5:
            break
    rt60_s = float(chance.uniform(0.2, 0.45))
    return Room(size, rt60_s, *(_metres(spot) for spot in (microphone, place, person)))


class Acoustics:
    """A scene while it is played: takes what is written for the loudspeaker, gives the microphone.

    What is written sounds `play_delay` samples later by the playback's clock; what the microphone
    takes up is delivered `capture_delay` samples later. The two are told with an error that is the
    box's own (up to 5 ms) and with jitter (up to 1 ms).
    """

    def __init__(self, scene: Scene, cast: Cast) -> None:
        """Raises `OSError` or `ImportError` when there are no voices or no rooms."""
        self.scene = scene
        chance = np.random.default_rng((scene.seed, 2))
        self.room = room(scene.seed)
        self.script = script(scene, cast)
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
        taps = self.room.response(self.room.loudspeaker).astype(np.float64)
        self._loudspeaker = Loudspeaker(scene.drive)
        gain = self._coupling(taps)
        size = FRAME + len(taps) - 1
        self._fft_size = 1 << (size - 1).bit_length()
        self._spectrum = np.fft.rfft(gain * taps, self._fft_size)
        self._echo = np.zeros(scene.length + round(0.5 * RATE) + self._fft_size)
        self.written = 0
        """Samples taken so far."""

    @cached_property
    def near(self) -> Reals:
        """The person alone at the microphone."""
        taps = self.room.response(self.room.person).astype(np.float64)
        image = _convolved(self.script.near, taps)
        return image * (_amplitude(NEAR_DBFS) / (active_rms(image) or 1))

    @cached_property
    def bursts(self) -> Sequence[Burst]:
        """When the person is heard at the microphone."""
        travel = int(np.argmax(np.abs(self.room.response(self.room.person))))
        return [Burst(b.onset + travel, b.end + travel) for b in self.script.bursts]

    @cached_property
    def noise(self) -> Reals:
        """The room without anybody: falling by 3 dB an octave."""
        chance = np.random.default_rng((self.scene.seed, 3))
        spectrum = np.fft.rfft(chance.standard_normal(self.scene.length))
        hertz = np.fft.rfftfreq(self.scene.length, 1 / RATE)
        spectrum *= np.where(hertz < 50, 0, 1 / np.sqrt(np.maximum(hertz, 50)))
        sound = np.fft.irfft(spectrum, self.scene.length)
        return sound * (_amplitude(NOISE_DBFS) / float(np.sqrt(np.mean(sound**2))))

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

    def _coupling(self, taps: Reals) -> float:
        """How strongly the loudspeaker is heard, so that the person is `ser_db` above it."""
        written = self.script.far
        if not written.any():
            return 0.0
        echo = _convolved(Loudspeaker(self.scene.drive).play(written.astype(np.float64)), taps)
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
        return np.asarray(np.tanh(self._drive * moved) / self._drive)


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
    # In turn, so that few seeds have many voices; then whoever is left.
    assistant = cast.far[scene.seed % len(cast.far)]
    people = [voice for voice in cast.near if voice != assistant]
    person = people[int(chance.integers(len(people)))]
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


def active_rms(sound: npt.NDArray[np.floating[Any]]) -> float:
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


def _direction(chance: np.random.Generator) -> Reals:
    drawn = chance.standard_normal(3)
    return np.asarray(drawn / np.linalg.norm(drawn))


def _metres(spot: Reals) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 4) for value in spot)
    return x, y, z


def _library_version() -> str:
    return str(importlib.import_module("pyroomacoustics").__version__)
