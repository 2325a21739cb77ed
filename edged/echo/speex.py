"""Debian's libspeexdsp takes our own voice away, and the gate judges what is left."""

from dataclasses import dataclass
from typing import Annotated

from ..ports import Echo
from ._chain import Chain


@dataclass(frozen=True)
class Settings:
    """Section [echo.speex]."""

    tail_ms: Annotated[int, "40 to 500"] = 120
    """How much of the room's ring is taken away, in milliseconds; more costs more."""
    caution: Annotated[float, "0.3 to 5"] = 1.0
    """How much evidence of a voice it takes: more misses soft voices, less hears our own."""


def open(settings: Settings, wire_rate: int) -> Echo:
    """Raises OSError where libspeexdsp is not installed."""
    return Chain(wire_rate, settings.tail_ms, settings.caution)
