"""The microphone's level: how loud somebody is who speaks from where they usually stand."""

from . import _sound
from ._finding import Finding, ok, warn
from ._round import PERSON
from ._visit import Visit

ORDER = 100
NEEDS = ("microphone", PERSON)

_SOFT_DBFS, _TARGET_DBFS = -42.0, -30.0
"""Speech below the one is brought to the other, as `edged calibrate` does."""


def look(visit: Visit) -> Finding:
    """One sentence."""
    measured = _sound.measured(visit)
    if isinstance(measured, Finding):
        return measured
    figures = measured.figures
    if not figures.near_measured:
        return warn("nobody was heard", "speak louder or nearer: edged doctor voice")
    told = f"{figures.near_dbfs:.0f} dBFS, {figures.near_dbfs - figures.noise_dbfs:.0f} dB over it"
    if figures.near_dbfs < _SOFT_DBFS:
        up_db = _TARGET_DBFS - figures.near_dbfs
        return warn(f"{told}: soft", _sound.gain(figures.microphone, up_db))
    return ok(told)
