"""Between 16-bit samples and what travels on the wire: PCM, or G.711 at 8 kHz.

A-law and mu-law as in ITU-T G.711. Encoding takes the nearest of the 256 values, which differs
from the standard's decision levels by one step at most and is not audible.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


class WireFormat:
    """One of the protocol's audio formats.

    `rate` in samples a second; `width` is bytes a sample.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        """`told` as in `session.audio.input.format`; checked before."""
        self.name: str = told["type"]
        self.rate = 24_000 if self.name == "audio/pcm" else 8_000
        self.width = 2 if self.name == "audio/pcm" else 1

    def bytes_of(self, ms: float) -> int:
        """How many bytes last `ms`, in whole samples."""
        return int(ms * self.rate / 1000) * self.width

    def ms_of(self, size: int) -> float:
        """How long `size` bytes last."""
        return size / self.width * 1000 / self.rate

    def decode(self, sound: bytes) -> Samples:
        """Samples at `rate`; `sound` holds whole samples."""
        if self.width == 2:
            return np.frombuffer(sound, "<i2")
        return _TABLES[self.name][np.frombuffer(sound, np.uint8)]

    def encode(self, samples: Samples) -> bytes:
        """Bytes for the wire, of samples at `rate`."""
        if self.width == 2:
            return samples.astype("<i2").tobytes()
        values = _TABLES[self.name]
        order = np.argsort(values, kind="stable")
        middles = (values[order][1:].astype(np.int32) + values[order][:-1]) / 2
        return order[np.searchsorted(middles, samples)].astype(np.uint8).tobytes()


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """A whole recording at another rate, exact within its band, by its spectrum."""
    if rate == wanted:
        return samples
    common = int(np.gcd(rate, wanted))
    # The length must be whole at both rates, or the pitch would be off.
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % (rate // common)))
    size = len(padded) * wanted // rate
    spectrum = np.fft.rfft(padded)[: size // 2 + 1]
    wave = np.fft.irfft(spectrum, size) * (wanted / rate)
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


def _mu_law() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = (((mantissa.astype(np.int32) << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _a_law() -> Samples:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
    )
    return np.where(code & 0x80, size, -size).astype(np.int16)


_TABLES = {"audio/pcmu": _mu_law(), "audio/pcma": _a_law()}
