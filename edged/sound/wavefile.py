"""A recording as the microphone and a file as the loudspeaker."""

import asyncio
import contextlib
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from typing import Annotated

import numpy as np

from ..core.commands import Chime
from ..core.events import MicLost, MicOpened, SpeakerLost, SpeakerOpened
from ..core.vigil import Pulse
from ..ports import Echo, Feed, SoundCard
from ._capture import Capture
from ._duplex import Duplex
from ._player import Player

_PERIOD_MS = 10
_NOISE_LSB = 1.0
"""What follows the recording: the faint noise of a quiet microphone."""
_LATE_S = 0.02
"""How long ago the microphone picked up what it delivers, as with any device."""


@dataclass(frozen=True)
class Settings:
    """Which files, and how fast."""

    microphone: str = ""
    """A 16-bit WAV file, heard once and followed by faint noise; "" for only that."""
    speaker: str = ""
    """A WAV file to write what the loudspeaker sounds to; "" for nowhere."""
    channel: Annotated[int, "0 to 31"] = 0
    """The recording's channel that is listened to, from 0."""
    longest_priming_ms: Annotated[int, "0 to 2000"] = 500
    """Answers that arrive unevenly are held back by the largest lateness seen, at most this."""
    paced: bool = True
    """At the speed of real time; else as fast as the rest of the speaker follows."""


def open(
    settings: Settings, feed: Feed, wire_rate: int, frame_ms: int, echo: Echo, echo_name: str
) -> SoundCard:
    """A sound card made of files; call it on the loop's thread.

    The loudspeaker runs at the wire's rate, the microphone at the recording's. A microphone that
    is closed stays where it is in the recording. `echo` cleans what is heard, and is told of by
    its name.
    """
    return _Files(settings, feed, wire_rate, Duplex(echo, echo_name, wire_rate))


class _Files:
    def __init__(self, settings: Settings, feed: Feed, wire_rate: int, duplex: Duplex) -> None:
        self._settings = settings
        self._feed = feed
        self._wire_rate = wire_rate
        self._loop = asyncio.get_running_loop()
        self._player = Player(feed, wire_rate, settings.longest_priming_ms)
        self._duplex = duplex
        self._player.tap(duplex.played, duplex.with_earcons)
        self._now = 0.0
        """The devices' clock: of what they have sounded, which is not real time unless paced."""
        self._capture: Capture | None = None
        self._recording: wave.Wave_read | None = None
        self._written: wave.Wave_write | None = None
        self._chance = np.random.default_rng(0)
        self._due = self._loop.time()
        """When the next period is."""
        self._files = contextlib.ExitStack()
        # What a driver feeds while it is being opened has nobody yet to hear it.
        self._timer: asyncio.Handle = self._loop.call_soon(self._start)

    def _start(self) -> None:
        try:
            if self._settings.speaker:
                self._written = self._write(self._settings.speaker)
        except OSError as problem:
            self._feed(SpeakerLost(str(problem)))
        else:
            self._player.prepare(self._wire_rate)
            self._duplex.speaker_opened(self._wire_rate)
            self._feed(SpeakerOpened(self._settings.speaker or "nowhere", self._wire_rate, 0.0))
        self._turn()

    def open_microphone(self) -> None:
        try:
            if self._settings.microphone and self._recording is None:
                self._recording = self._read(self._settings.microphone)
        except (OSError, EOFError, wave.Error) as problem:
            lost = MicLost(f"{self._settings.microphone}: {problem}")
            # Whoever asks is still busy with what made them ask.
            self._loop.call_soon(self._feed, lost)
            return
        self.close_microphone()
        rate, channels = self._format()
        self._capture = Capture(self._feed, self._settings.channel, self._duplex.heard)
        self._capture.prepare(rate, channels)
        self._duplex.microphone_opened(rate)
        self._loop.call_soon(self._feed, MicOpened(self._settings.microphone or "noise", rate))

    def close_microphone(self) -> None:
        if self._capture is not None:
            self._capture.close()
            self._capture = None

    def doze(self, dozing: bool) -> None:
        if (measured := self._duplex.doze(dozing)) is not None:
            self._loop.call_soon(self._feed, measured)
        self._player.tap(None if dozing else self._duplex.played, self._duplex.with_earcons)

    def queue(self, samples: bytes) -> None:
        self._duplex.answer()
        self._player.queue(samples)

    def finish(self) -> None:
        self._player.finish()

    def hush(self) -> None:
        self._player.hush()

    def set_volume(self, volume_db: float) -> None:
        self._player.set_volume(volume_db)

    def duck(self, by_db: float) -> None:
        self._player.duck(by_db)

    def sound(self, chime: Chime) -> None:
        self._player.sound(chime)

    def say(self, samples: bytes) -> None:
        self._player.say(samples)

    def status(self) -> Mapping[str, str | int | float]:
        rate, _ = self._format()
        return {
            "microphone": self._settings.microphone or "noise",
            "microphone_rate": rate,
            "speaker": self._settings.speaker or "nowhere",
            "speaker_rate": self._wire_rate,
            **self._player.status(),
            **self._duplex.status(),
        }

    def pulse(self) -> Pulse:
        periods = self._player.blocks
        return Pulse(periods, periods, not self._player.idle)

    async def close(self) -> None:
        self._timer.cancel()
        self.close_microphone()
        self._player.close()
        self._files.close()

    def _format(self) -> tuple[int, int]:
        if self._recording is None:
            return self._wire_rate, 1
        return self._recording.getframerate(), self._recording.getnchannels()

    def _turn(self) -> None:
        """One period of both directions, as a device's two callbacks would do it."""
        if self._settings.paced:
            self._due += _PERIOD_MS / 1000
            self._timer = self._loop.call_at(self._due, self._turn)
        else:
            self._timer = self._loop.call_soon(self._turn)
        self._now += _PERIOD_MS / 1000
        block = self._player.fill(self._wire_rate * _PERIOD_MS // 1000, 1, 0.0, self._now)
        if self._written is not None:
            self._written.writeframesraw(block)
        if self._capture is not None:
            rate, channels = self._format()
            frames = rate * _PERIOD_MS // 1000
            self._capture.take(self._listen(frames, channels), frames, self._now - _LATE_S, False)

    def _listen(self, frames: int, channels: int) -> bytes:
        sound = b"" if self._recording is None else self._recording.readframes(frames)
        lacking = frames * channels - len(sound) // 2
        noise = np.rint(self._chance.normal(0, _NOISE_LSB, lacking)).astype("<i2")
        return sound + noise.tobytes()

    def _read(self, path: str) -> wave.Wave_read:
        file = self._files.enter_context(FileIO(path, "rb"))
        recording = self._files.enter_context(wave.Wave_read(file))
        if recording.getsampwidth() != 2:
            raise wave.Error("not 16-bit")
        return recording

    def _write(self, path: str) -> wave.Wave_write:
        # Opened apart, because `wave` trips over a file that cannot be.
        file = self._files.enter_context(FileIO(path, "wb"))
        written = self._files.enter_context(wave.Wave_write(file))
        written.setparams((1, 2, self._wire_rate, 0, "NONE", ""))
        return written
