"""The microphone: whether it opens, and delivers anything but zeros."""

from . import _sound
from ._finding import Finding, fail, ok
from ._visit import Visit

ORDER = 80
NEEDS = ("config", "devices", "cards")


def look(visit: Visit) -> Finding:
    """In silence, and while the loudspeaker plays."""
    measured = _sound.measured(visit)
    if isinstance(measured, Finding):
        return measured
    figures = measured.figures
    if figures.silent:
        return fail(
            f"{figures.microphone} delivers nothing but zeros",
            "alsamixer: F4, switch Capture on (space); or choose another in `edged setup`",
        )
    return ok(figures.microphone)
