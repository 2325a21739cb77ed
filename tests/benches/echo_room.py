"""The rooms of the bench of the echo: a box that plays and listens, and a person somewhere.

By the image method (Allen and Berkley, 1979), as pyroomacoustics does it.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .echo_voices import RATE, Sound, kept

Reals = npt.NDArray[np.float64]
Spot = tuple[float, float, float]
"""In metres."""

_ACOUSTICS = 1
"""To be counted up when a room of the same sizes would sound otherwise."""


@dataclass(frozen=True)
class Ways:
    """Impulse responses to the microphone."""

    loudspeaker: Sound
    person: Sound


@dataclass(frozen=True)
class Room:
    """Sizes and places in metres, drawn from the seed."""

    size: Spot
    rt60_s: float
    microphone: Spot
    loudspeaker: Spot
    person: Spot

    def ways(self) -> Ways:
        """By the image method, or from the cache; raises `ImportError`."""
        return Ways(self._way(self.loudspeaker), self._way(self.person))

    def _way(self, source: Spot) -> Sound:
        made_from = f"{_ACOUSTICS} {_library_version()} {self.size} {self.rt60_s} {source}"
        return kept(f"{made_from} {self.microphone}", lambda: self._response(source))

    def _response(self, source: Spot) -> Sound:
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
    microphone = place + _direction(chance) * chance.uniform(0.06, 0.1)
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


def _direction(chance: np.random.Generator) -> Reals:
    drawn = chance.standard_normal(3)
    return np.asarray(drawn / np.linalg.norm(drawn))


def _metres(spot: Reals) -> Spot:
    x, y, z = (round(float(value), 4) for value in spot)
    return x, y, z


def _library_version() -> str:
    return str(importlib.import_module("pyroomacoustics").__version__)
