"""The waves of tests/waves as an engine hears them."""

import wave
from collections.abc import Iterator
from pathlib import Path

WAVES = Path(__file__).parent.parent / "waves"


def speech(name: str) -> bytes:
    """The samples, 16-bit mono at 16 kHz."""
    with wave.open(str(WAVES / f"{name}.wav"), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return file.readframes(file.getnframes())


def silence(samples: int) -> bytes:
    """Digital silence."""
    return bytes(2 * samples)


def pieces(sound: bytes, samples: int) -> Iterator[bytes]:
    """The sound in whole pieces of so many samples; what is left over is left out."""
    for start in range(0, len(sound) - 2 * samples + 1, 2 * samples):
        yield sound[start : start + 2 * samples]
