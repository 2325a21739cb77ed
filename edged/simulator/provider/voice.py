"""What the simulated provider says, as sound: espeak-ng where it is installed, else a melody."""

import asyncio
import io
import shutil
import wave
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .companding import Samples, resample

RATE = 24_000
"""Samples a second of everything here."""
LEVEL_DBFS = -20.0
"""Loudness of an answer, as the root of the mean square over the whole of it."""

_WORDS_PER_MINUTE = 165
_SCALE_HZ = (262, 294, 330, 392, 440, 523, 440, 392)
_NOTE_S = 0.3
_RENDERED = 64


@dataclass(frozen=True)
class Speech:
    """16-bit mono samples at 24 kHz, and what is said in them."""

    transcript: str
    samples: Samples


class Voice:
    """Renders texts, and remembers the last ones rendered."""

    def __init__(self, kind: Literal["auto", "espeak-ng", "melody"] = "auto") -> None:
        """`auto` is espeak-ng where the program is found, and a melody elsewhere."""
        found = shutil.which("espeak-ng")
        self.program = None if kind == "melody" else found
        """Where espeak-ng is; None plays melodies."""
        self._rendered: dict[tuple[str, float], Speech] = {}

    async def say(self, text: str, speed: float = 1.0) -> Speech:
        """`text` as sound at LEVEL_DBFS, `speed` times as fast as usual."""
        known = self._rendered.get((text, speed))
        if known:
            return known
        spoken = await self._speak(text, speed) if self.program and text.strip() else None
        speech = spoken or melody(text, speed)
        if len(self._rendered) >= _RENDERED:
            self._rendered.pop(next(iter(self._rendered)))
        self._rendered[(text, speed)] = speech
        return speech

    async def _speak(self, text: str, speed: float) -> Speech | None:
        assert self.program is not None
        pace = str(round(_WORDS_PER_MINUTE * speed))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            self.program, "-s", pace, "--stdin", "--stdout", stdin=pipe, stdout=pipe
        )
        try:
            sound, _ = await process.communicate(text.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            return None
        # Piped, the header cannot know the length: what follows it is all sound.
        with wave.open(io.BytesIO(sound)) as header:
            rate = header.getframerate()
        samples = np.frombuffer(sound[44 : 44 + (len(sound) - 44) // 2 * 2], "<i2")
        return Speech(text, _level(resample(samples, rate, RATE)))


def melody(text: str, speed: float = 1.0) -> Speech:
    """As many notes as `text` has words, for a machine without espeak-ng; it says so."""
    time = np.arange(int(RATE * _NOTE_S / speed)) / RATE
    swell = np.minimum(1, np.minimum(time, time[::-1]) / 0.02)
    words = max(4, len(text.split()))
    tones = [2 * np.pi * _SCALE_HZ[word % len(_SCALE_HZ)] * time for word in range(words)]
    tune = np.concatenate([swell * (np.sin(tone) + 0.3 * np.sin(2 * tone)) for tone in tones])
    transcript = f"(a melody, because espeak-ng is not installed; in words: {text})"
    return Speech(transcript, _level((tune * 10_000).astype(np.int16)))


def _level(samples: Samples) -> Samples:
    """The same sound at LEVEL_DBFS, or as near as its peaks allow."""
    sound = samples.astype(np.float64) / 32768
    loudness = float(np.sqrt(np.mean(sound**2))) if len(sound) else 0.0
    if not loudness:
        return samples
    gain = min(10 ** (LEVEL_DBFS / 20) / loudness, 0.98 / float(np.max(np.abs(sound))))
    return np.rint(sound * gain * 32767).astype(np.int16)
