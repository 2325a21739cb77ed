"""The forms in which sound travels: PCM at 24 kHz, or G.711 at 8 kHz."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from ._g711 import compress, expand


class Pcm(msgspec.Struct, frozen=True, tag_field="type", tag="audio/pcm"):
    """Signed 16-bit little-endian mono."""

    rate: int


class MuLaw(msgspec.Struct, frozen=True, tag_field="type", tag="audio/pcmu"):
    """G.711 as in North America and Japan; always 8 kHz."""


class ALaw(msgspec.Struct, frozen=True, tag_field="type", tag="audio/pcma"):
    """G.711 as elsewhere; always 8 kHz."""


Format = Pcm | MuLaw | ALaw


@dataclass(frozen=True)
class Wire:
    """One of the forms."""

    rate: int
    """Samples per second, both ways."""
    format: Format
    """Its name in OpenAI's GA shape."""
    flat: str
    """Its name in the older, flat shape."""
    pack: Callable[[bytes], bytes]
    """From signed 16-bit little-endian samples at `rate` to what travels."""
    unpack: Callable[[bytes], bytes]
    """And back."""


def _as_it_is(samples: bytes) -> bytes:
    return samples


WIRES: Mapping[str, Wire] = {
    # The only rate of PCM that OpenAI takes.
    "pcm": Wire(24000, Pcm(24000), "pcm16", _as_it_is, _as_it_is),
    "pcmu": Wire(8000, MuLaw(), "g711_ulaw", partial(compress, "mu"), partial(expand, "mu")),
    "pcma": Wire(8000, ALaw(), "g711_alaw", partial(compress, "a"), partial(expand, "a")),
}
"""By the words of the configuration."""
