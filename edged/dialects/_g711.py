"""G.711, one byte a sample: mu-law and A-law as in ITU-T G.711, tables 2a to 1b, by tables.

The law takes 14 bits (mu) or 13 (A) of each sample; the lower ones are dropped, as everybody's
G.711 does since Sun's. The magnitude becomes a segment, each twice as wide as the one before, and
one of 16 steps in it; the even bits of A-law and all of mu-law travel inverted.
"""

from functools import lru_cache
from typing import Literal

Law = Literal["mu", "a"]


def compress(law: Law, samples: bytes) -> bytes:
    """One byte for each signed 16-bit little-endian sample."""
    # Every machine that edged runs on is little-endian itself.
    return bytes(map(_codes(law).__getitem__, memoryview(samples).cast("H")))


def expand(law: Law, codes: bytes) -> bytes:
    """One signed 16-bit little-endian sample for each byte."""
    return b"".join(map(_samples(law).__getitem__, codes))


@lru_cache(maxsize=2)
def _codes(law: Law) -> bytes:
    """The byte of every 16-bit sample, by its two's complement."""
    code, bits = (_mu_code, 14) if law == "mu" else (_a_code, 13)
    half, same = 1 << (bits - 1), 1 << (16 - bits)
    return b"".join(bytes((code(sample),)) * same for sample in (*range(half), *range(-half, 0)))


@lru_cache(maxsize=2)
def _samples(law: Law) -> tuple[bytes, ...]:
    """The sample of every byte."""
    value = _mu_value if law == "mu" else _a_value
    return tuple(value(code).to_bytes(2, "little", signed=True) for code in range(256))


def _mu_code(sample: int) -> int:
    size = min(abs(sample), 8158) + 33
    segment = size.bit_length() - 6
    return ~((sample < 0) << 7 | segment << 4 | size >> (segment + 1) & 15) & 255


def _mu_value(code: int) -> int:
    code ^= 255
    size = (((code & 15) << 3) + 132 << (code >> 4 & 7)) - 132
    return -size if code & 128 else size


def _a_code(sample: int) -> int:
    size = sample if sample >= 0 else ~sample
    segment = max(0, size.bit_length() - 5)
    return (segment << 4 | size >> max(1, segment) & 15) ^ (0xD5 if sample >= 0 else 0x55)


def _a_value(code: int) -> int:
    code ^= 0x55
    segment, step = code >> 4 & 7, code & 15
    size = (step << 4) + (264 if segment else 8) << max(0, segment - 1)
    return size if code & 128 else -size
