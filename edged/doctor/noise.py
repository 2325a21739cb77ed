"""The noise floor: how loud the room is while nobody speaks."""

from . import _sound
from ._finding import Finding, ok, warn
from ._visit import Visit

ORDER = 90
NEEDS = ("microphone",)

_LOUD_DBFS = -45.0
"""Speech is at -36 where nothing is known of the box; a wake word wants 10 dB more than noise."""


def look(visit: Visit) -> Finding:
    """The median of two seconds, in dBFS: full scale is 0."""
    measured = _sound.measured(visit)
    if isinstance(measured, Finding):
        return measured
    figures = measured.figures
    told = f"{figures.noise_dbfs:.0f} dBFS"
    if figures.noise_dbfs > _LOUD_DBFS:
        return warn(
            f"{told}: a voice hardly stands out",
            "move it away from fans and televisions; where it is quiet, "
            + _sound.gain(figures.microphone, -6),
        )
    return ok(told)
