"""A box whose echo is known to the sample: a sound card without a clock, and a room behind it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edged.acoustics.probe import RATE
from edged.acoustics.sounds import sixteen, speech
from edged.core.commands import Chime
from edged.core.events import MicFrame, MicLost, MicOpened, SpeakerOpened
from edged.core.vigil import Pulse
from edged.ports import Echo, Feed

FRAME = 480


@dataclass
class Box:
    """What `Probe` opens; everything about it can be chosen."""

    echo_db: float = -10.0
    """The echo over what the loudspeaker is given; None of it below -100."""
    path_ms: float = 40.0
    told_ms: float = 60.0
    """The play delay, true and told; `path_ms` comes on top of it, untold."""
    drift_ppm: float = 0.0
    noise_dbfs: float = -65.0
    gain: float = 1.0
    """Of the microphone's amplifier, which clips."""
    person_dbfs: float | None = None
    """Speaks from when they are asked."""
    broken: bool = False
    dead: bool = False
    """The microphone delivers digital silence."""

    volume_db: float = 0.0
    closed: bool = False
    _queued: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    _asked: bool = False

    def open(self, feed: Feed, echo: Echo) -> "Box":
        self._feed, self._echo = feed, echo
        self._chance = np.random.default_rng(7)
        self._rows = np.zeros(0)
        return self

    def ask(self) -> None:
        """Speak now."""
        self._asked = True

    def open_microphone(self) -> None:
        if self.broken:
            self._feed(MicLost('"hw:9" does not open'))
            return
        self._feed(SpeakerOpened("a loudspeaker", RATE, 20.0))
        self._feed(MicOpened("a microphone", RATE))
        self._running = asyncio.get_running_loop().create_task(self._run())

    def queue(self, samples: bytes) -> None:
        self._queued = np.frombuffer(samples, dtype="<i2") / 32768

    def finish(self) -> None: ...

    def set_volume(self, volume_db: float) -> None:
        self.volume_db = volume_db

    def duck(self, by_db: float) -> None: ...

    def hush(self) -> None: ...

    def doze(self, dozing: bool) -> None: ...

    def close_microphone(self) -> None: ...

    def sound(self, chime: Chime) -> None: ...

    def say(self, samples: bytes) -> None: ...

    def status(self) -> Mapping[str, str | int | float]:
        return {}

    def pulse(self) -> Pulse:
        return Pulse(0, 0, False)

    async def close(self) -> None:
        self.closed = True
        if not self.broken:
            self._running.cancel()

    async def _run(self) -> None:
        words = np.zeros(0)
        number = 0
        while True:
            await asyncio.sleep(0)
            given, self._queued = self._queued[:FRAME], self._queued[FRAME:]
            given = np.pad(given, (0, FRAME - len(given))) * 10 ** (self.volume_db / 20)
            # What a device is given is a row of 16 bits, too.
            self._rows = np.concatenate((self._rows, given))
            self._echo.far(sixteen(given))
            ticks = np.arange(number * FRAME, (number + 1) * FRAME)
            sounding = ticks * (1 + self.drift_ppm * 1e-6) - self.told_ms * RATE / 1000
            late = sounding - self.path_ms * RATE / 1000
            echo = np.interp(late, np.arange(len(self._rows)), self._rows, left=0, right=0)
            sound = echo * 10 ** (self.echo_db / 20) if self.echo_db > -100 else np.zeros(FRAME)
            sound = sound + self._chance.normal(0, 10 ** (self.noise_dbfs / 20), FRAME)
            if self._asked and self.person_dbfs is not None:
                self._asked = False
                words = speech(RATE, 2) * 10 ** ((self.person_dbfs + 20) / 20)
            spoken, words = words[:FRAME], words[FRAME:]
            sound[: len(spoken)] += spoken
            heard = bytes(2 * FRAME) if self.dead else sixteen(sound * self.gain)
            told = len(self._rows) - round(sounding[-1] + 1)
            clean = self._echo.near(heard, told, 0)
            level = np.frombuffer(heard, dtype="<i2").astype(float)
            power = float(np.mean(level**2)) / 32768**2
            dbfs = 10 * np.log10(power) if power else -120.0
            self._feed(MicFrame(heard, number * FRAME, float(dbfs), clean))
            number += 1
