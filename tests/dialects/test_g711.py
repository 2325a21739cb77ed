"""Telephone sound: as the standard has it, to the last bit."""

import importlib
import struct
import sys
import warnings

import numpy as np
import pytest

from edged.dialects._g711 import Law, compress, expand
from edged.simulator.provider.companding import WireFormat

LAWS: tuple[Law, ...] = ("mu", "a")
NAMES = {"mu": "audio/pcmu", "a": "audio/pcma"}
EVERY = struct.pack("<65536h", *range(-32768, 32768))
CODES = bytes(range(256))
laws = pytest.mark.parametrize("law", LAWS)


def _samples(sound: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(sound) // 2}h", sound)


def test_the_values_of_the_standards_tables() -> None:
    """The first of each segment, ITU-T G.711 tables 1a and 2a, as 16 bits."""
    mu = [expand("mu", bytes([0xFF - (segment << 4)])) for segment in range(8)]
    assert [_samples(each)[0] for each in mu] == [0, 132, 396, 924, 1980, 4092, 8316, 16764]
    a = [expand("a", bytes([(segment << 4) ^ 0xD5])) for segment in range(8)]
    assert [_samples(each)[0] for each in a] == [8, 264, 528, 1056, 2112, 4224, 8448, 16896]
    assert _samples(expand("mu", b"\x80\x00")) == (32124, -32124)
    assert _samples(expand("a", b"\xaa\x2a")) == (32256, -32256)


@laws
def test_what_comes_back_is_sent_back_unchanged(law: Law) -> None:
    again = compress(law, expand(law, CODES))
    # mu-law has two zeros, and a sample has one.
    assert again == (CODES.replace(b"\x7f", b"\xff") if law == "mu" else CODES)


@laws
def test_every_sample_becomes_one_of_its_two_neighbours(law: Law) -> None:
    """No further from it than the width of its step, which is a 16th of its segment."""
    for sample, back in zip(
        _samples(EVERY), _samples(expand(law, compress(law, EVERY))), strict=True
    ):
        if abs(sample) <= 32000:
            assert abs(sample - back) <= max(16, abs(sample) / 16), sample


@laws
def test_the_order_of_samples_is_kept(law: Law) -> None:
    back = _samples(expand(law, compress(law, EVERY)))
    assert list(back) == sorted(back)


@laws
def test_it_is_what_the_simulated_provider_speaks(law: Law) -> None:
    theirs = WireFormat({"type": NAMES[law]})
    assert expand(law, CODES) == theirs.decode(CODES).astype("<i2").tobytes()
    # It takes the nearest value, the standard the step that the sample is in: one apart at most.
    heard = theirs.decode(compress(law, EVERY)).astype(int)
    nearest = theirs.decode(theirs.encode(np.frombuffer(EVERY, "<i2"))).astype(int)
    every = np.arange(-32768, 32768)
    step = np.maximum(16, (np.abs(every) + 264) / 16)
    assert (np.abs(heard - nearest) <= step).all()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python had a G.711 of its own until 3.12")
@laws
def test_it_is_what_python_had(law: Law) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = importlib.import_module("audioop")
    to, back = f"lin2{law if law == 'a' else 'u'}law", f"{law if law == 'a' else 'u'}law2lin"
    assert compress(law, EVERY) == getattr(audioop, to)(EVERY, 2)
    assert expand(law, CODES) == getattr(audioop, back)(CODES, 2)


def test_nothing_is_nothing() -> None:
    assert compress("mu", b"") == expand("a", b"") == b""
