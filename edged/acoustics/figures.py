"""The figures of one box in one room, as they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NAME: Final = "calibration"
"""What they are kept as in the state directory."""
TYPICAL_DBFS = -36.0
"""A person's speech at the microphone, where nobody spoke to be measured."""


@dataclass(frozen=True)
class Figures:
    """What was measured; levels at the microphone, by its gain, at the volume of then."""

    at: str
    """When, in UTC."""
    microphone: str
    speaker: str
    volume_db: float
    """The speaker's volume while it was measured."""
    mode: str
    """The echo driver that would run."""
    noise_dbfs: float
    silent: bool
    """Whether the microphone delivered nothing but zeros all the time."""
    heard: bool
    """Whether the loudspeaker was heard at all."""
    echo_dbfs: float | None
    """The loudspeaker's speech while it speaks; None where it was not heard."""
    echo_peak_dbfs: float | None
    near_dbfs: float
    """A person's speech while they speak."""
    near_measured: bool
    """Whether somebody spoke; else it is what is usual."""
    ser_db: float | None
    """The person over the loudspeaker."""
    delay_ms: float | None
    """From handing sound to the device until the microphone delivers it."""
    path_ms: float | None
    """What of it the devices' own times do not explain: the air, and what they do not know."""
    spread_ms: float | None
    """How far the measurements of `path_ms` were apart."""
    drift_ppm: float | None
    """How much faster the loudspeaker's clock runs; None where something jumped meanwhile."""
    drift_within_ppm: float | None
    clipped: int
    """Samples of the microphone that were cut off."""


@dataclass(frozen=True)
class Recommended:
    """What to set."""

    volume_db: float
    """The loudest at which a person can interrupt."""
    gain_db: float
    """By how much to turn the microphone up, or with a minus down."""
    mode: str
    """Of the section [echo]."""
    tail_ms: int
    """Of [echo.speex] and [echo.dual]."""


@dataclass(frozen=True)
class Calibration:
    """The file `calibration.json`."""

    figures: Figures
    recommended: Recommended
    wire_rate: int
    guess: Sequence[Sequence[float]]
    """What an echo driver at this wire's rate learned meanwhile, for its `recall`; empty where it
    heard nothing to learn from."""
