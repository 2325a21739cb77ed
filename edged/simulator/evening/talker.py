"""The person in the room: sentences as sound, from espeak-ng or from a recording."""

import asyncio
import io
import shutil
import wave
from pathlib import Path

import numpy as np

from ..hearing import RATE, Samples
from ..provider.companding import resample


class Speechless(Exception):
    """Nothing can be said: the program or the recording is missing or of another kind."""


async def speak(text: str) -> Samples:
    """`text` in a voice that the wake models know, at 48 kHz, without silence around it."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise Speechless("espeak-ng is not installed: apt install espeak-ng")
    process = await asyncio.create_subprocess_exec(
        *(program, "-v", "en-gb", "-s", "160", "-p", "50", "--stdout", text),
        stdout=asyncio.subprocess.PIPE,
    )
    sound, _ = await process.communicate()
    with wave.open(io.BytesIO(sound)) as header:
        rate = header.getframerate()
    # Piped, the header cannot know the length: what follows it is all sound.
    samples = np.frombuffer(sound[44 : 44 + (len(sound) - 44) // 2 * 2], "<i2")
    return _trimmed(_loud(resample(samples, rate, RATE)))


def read(file: Path) -> Samples:
    """A recording (16-bit WAV of any rate; its first channel) at 48 kHz."""
    try:
        with wave.open(str(file)) as recording:
            if recording.getsampwidth() != 2:
                raise Speechless(f"{file} is not a WAV file of 16 bits a sample")
            channels, rate = recording.getnchannels(), recording.getframerate()
            samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
    except (OSError, wave.Error, EOFError) as error:
        raise Speechless(f"{file} cannot be read as a WAV file: {error}") from error
    first = samples[: len(samples) // channels * channels : channels]
    return _trimmed(resample(first, rate, RATE))


def _loud(samples: Samples) -> Samples:
    """The same sound with its peak at -3 dBFS."""
    peak = int(np.max(np.abs(samples.astype(np.int32)))) or 1
    loud: Samples = np.rint(samples * (0.707 * 32767 / peak)).astype(np.int16)
    return loud


def _trimmed(samples: Samples) -> Samples:
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 100)
    if not len(loud):
        raise Speechless("there is nothing to be heard in it")
    return samples[loud[0] : loud[-1] + 1]
