"""What edged does with an echo driver in a scene: from the box's sound to what leaves it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from edged import plugins
from edged.core.frames import Cleaned
from edged.core.gate import Gate
from edged.core.settings import BargeIn
from edged.ports import Echo

from .echo_room import Reals
from .echo_scene import FRAME, Acoustics, Burst, Scene, staged
from .echo_voices import RATE, Cast, Sound

Samples = npt.NDArray[np.int16]

BASELINES: Final = ("off", "half_duplex")
"""What is compared with: everything is sent, and nothing while the box is heard."""


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
    """For each frame of the microphone whether a person was thought to talk over the box."""
    erle_db: Reals
    """For each frame of the microphone, as the driver says."""


def open_driver(name: str) -> Echo:
    """A new one with its defaults; raises `NotThere` with the reason."""
    try:
        module = plugins.load("echo", name)
        opened: Echo = module.open(module.Settings(), RATE)
    except (plugins.UnknownPlugin, ImportError, OSError) as error:
        raise NotThere(f"{name}: {error}") from error
    return opened


def play(scene: Scene, cast: Cast, name: str) -> Played:
    """Play the scene through the driver of that name; raises `NotThere` and `OSError`."""
    return through(staged(scene, cast), open_driver(name))


def through(here: Acoustics, driver: Echo) -> Played:
    """Play it: the gate is the product's, and so is what leaves while it is open or shut."""
    scene, gate = here.scene, Gate(BargeIn())
    preroll = gate.preroll_ms // 20
    # An answer is one piece, pauses and all.
    end = len(np.trim_zeros(here.script.far, "b"))
    microphone: list[Samples] = []
    done: list[Cleaned] = []
    opened: list[bool] = []
    sent, sent_at, last = bytearray(), list[int](), -1
    loudness = _Loudness()
    for frame in range(scene.length // FRAME):
        while here.due(frame):
            written = loudness.of(here.script.far[here.written : here.written + FRAME])
            here.write(written)
            driver.far(written.tobytes())
        if here.jumped(frame) and scene.jump_told:
            driver.notify("underrun")
        heard = here.hear(frame)
        microphone.append(heard)
        play_delay, capture_delay = here.delays(frame)
        cleaned = driver.near(heard.tobytes(), play_delay, capture_delay)
        done.append(cleaned)
        gate.hear(cleaned.score, here.written - play_delay < end)
        if gate.open:
            first = max(last + 1, frame - preroll) if gate.person else frame
            leaving, last = [each.samples for each in done[first:]], frame
        else:
            leaving = [cleaned.noise]
        sent += b"".join(leaving)
        sent_at += [frame] * len(leaving)
        opened.append(gate.person)
        loudness.wanted = 10 ** (-scene.duck_db / 20) if gate.person else 1.0
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


class _Loudness:
    """The playback's volume, which glides."""

    def __init__(self) -> None:
        self.wanted = self._now = 1.0

    def of(self, dry: Sound) -> Samples:
        """The next frame for the loudspeaker; silence when all is said."""
        gain = np.linspace(self._now, self.wanted, FRAME, dtype=np.float32) * 32767
        self._now = self.wanted
        frame: Samples = np.rint(np.pad(dry, (0, FRAME - len(dry))) * gain).astype(np.int16)
        return frame
