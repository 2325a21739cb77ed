"""What edged does with an echo driver in a scene: from the box's sound to what leaves it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from edged import plugins
from edged.core.frames import Cleaned
from edged.ports import Echo

from .echo_room import Reals
from .echo_scene import FRAME, Acoustics, Burst, Scene, staged
from .echo_voices import RATE, Cast, Sound

Samples = npt.NDArray[np.int16]

BASELINES: Final = ("none", "mute")
"""What is compared with: everything is sent, and nothing while the box is heard."""

_TAIL_S = 0.45
"""The room's ring: the box's voice has been heard no more for so long before it counts as quiet."""


class NotThere(Exception):
    """The driver does not exist, or a library of its own is missing."""


@dataclass
class Played:
    """A scene that was played through a driver; sounds are at `RATE`."""

    bursts: list[Burst]
    microphone: Samples
    near: Reals
    """The person alone, full scale 1."""
    cleaned: Samples
    sent: Samples
    """Comfort noise while shut, and the pre-roll at every opening."""
    sent_at: npt.NDArray[np.int64]
    """For each frame of `sent` the frame of the microphone with which it left."""
    opened: npt.NDArray[np.bool_]
    """For each frame of the microphone whether the gate was open although the box was heard."""
    erle_db: Reals
    """For each frame of the microphone, as the driver says."""


class Decision:
    """Open or shut, from scores.

    TO BE REPLACED by `edged.core.gate`, which decides in the product; this one stands here until
    that takes scores.
    """

    opens_after: Final = 2
    hang: Final = 15
    cold: Final = 50
    preroll: Final = 8

    def __init__(self) -> None:
        self.open = False
        self._sure = 0
        self._hang = 0
        self._cold = self.cold

    def decide(self, score: float, *, audible: bool) -> bool:
        """Whether the next frame may leave; `audible`: the box is, or was heard a moment ago."""
        if not audible or math.isinf(score):
            # No hang follows: the box's next word must not slip through behind the silence.
            self.open, self._sure, self._hang = True, 0, 0
            return self.open
        if self._cold > 0:
            self._cold -= 1
            self.open = False
            return self.open
        self._sure = self._sure + 1 if score >= 1 else 0
        if self._sure >= self.opens_after or (self._hang > 0 and score >= 1):
            self.open, self._hang = True, self.hang
        elif self._hang > 0:
            self._hang -= 1
        else:
            self.open = False
        return self.open

    def notify(self) -> None:
        """The way of the echo has changed: shut until it is known again."""
        self._cold = self.cold


def open_driver(name: str) -> Echo:
    """A new one with its defaults; raises `NotThere` with the reason."""
    if name in BASELINES:
        return _Untouched(math.inf if name == "none" else 0.0)
    try:
        module = plugins.load("echo", name)
        opened: Echo = module.open(module.Settings(), RATE)
    except (plugins.UnknownPlugin, ImportError, OSError) as error:
        raise NotThere(f"{name}: {error}") from error
    return opened


def play(scene: Scene, cast: Cast, name: str) -> Played:
    """Play the scene through the driver of that name; raises `NotThere` and `OSError`."""
    return through(staged(scene, cast), open_driver(name), always=name == "none")


def through(here: Acoustics, driver: Echo, *, always: bool = False) -> Played:
    """Play it; with `always` the gate is never shut."""
    scene, decision = here.scene, Decision()
    frames = scene.length // FRAME
    microphone: list[Samples] = []
    done: list[Cleaned] = []
    opened: list[bool] = []
    was_open = True
    sent, sent_at = bytearray(), list[int]()
    last_sound = -RATE
    loudness = 1.0
    for frame in range(frames):
        while here.due(frame):
            written = _written(here.script.far, here.written, loudness)
            if written.any():
                last_sound = here.written + FRAME
            here.write(written)
            driver.far(written.tobytes())
        if here.jumped(frame) and scene.jump_told:
            driver.notify("underrun")
            decision.notify()
        heard = here.hear(frame)
        microphone.append(heard)
        play_delay, capture_delay = here.delays(frame)
        cleaned = driver.near(heard.tobytes(), play_delay, capture_delay)
        done.append(cleaned)
        audible = here.written - play_delay - last_sound < _TAIL_S * RATE
        now = always or decision.decide(cleaned.score, audible=audible)
        if now and not was_open:
            for held in done[-1 - decision.preroll : -1]:
                sent += held.samples
                sent_at.append(frame)
        sent += cleaned.samples if now else cleaned.noise
        sent_at.append(frame)
        opened.append(always or (now and audible and not math.isinf(cleaned.score)))
        was_open = now
        loudness = 10 ** (-scene.duck_db / 20) if opened[-1] else 1.0
    return Played(
        bursts=list(here.bursts),
        microphone=np.concatenate(microphone),
        near=here.near,
        cleaned=np.frombuffer(b"".join(each.samples for each in done), "<i2"),
        sent=np.frombuffer(bytes(sent), "<i2"),
        sent_at=np.array(sent_at),
        opened=np.array(opened),
        erle_db=np.array([each.erle_db for each in done]),
    )


def _written(far: Sound, at: int, loudness: float) -> Samples:
    """The next frame for the loudspeaker; silence when all is said."""
    frame = far[at : at + FRAME] * np.float32(32767 * loudness)
    samples: Samples = np.rint(np.pad(frame, (0, FRAME - len(frame)))).astype(np.int16)
    return samples


class _Untouched:
    """No driver at all, sure of one thing."""

    drift_ppm: float = 0.0

    def __init__(self, score: float) -> None:
        self._score = score
        self._noise: Callable[[], bytes] = _comfort()

    def far(self, samples: bytes) -> None:
        pass

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        return Cleaned(samples, self._score, 0.0, self._noise())

    def flushed(self, frames: int) -> None:
        pass

    def notify(self, why: str) -> None:
        pass


def _comfort() -> Callable[[], bytes]:
    """White noise at -60 dBFS."""
    chance = np.random.default_rng(5)

    def frame() -> bytes:
        noise = chance.standard_normal(FRAME) * 32.768
        return noise.round().astype("<i2").tobytes()

    return frame
