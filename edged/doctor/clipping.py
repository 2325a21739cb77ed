"""Clipping: whether the microphone cuts off what is loud."""

from . import _sound
from ._finding import Finding, fail, ok
from ._visit import Visit

ORDER = 110
NEEDS = ("microphone",)


def look(visit: Visit) -> Finding:
    """While the loudspeaker plays; no echo driver takes away what was cut off."""
    measured = _sound.measured(visit)
    if isinstance(measured, Finding):
        return measured
    figures = measured.figures
    if figures.clipped:
        return fail(
            f"{figures.clipped} samples were cut off",
            _sound.gain(figures.microphone, min(-6.0, measured.best.gain_db)),
        )
    if figures.echo_peak_dbfs is None:
        return ok("nothing was cut off")
    return ok(f"nothing was cut off; the loudest was {figures.echo_peak_dbfs:.0f} dBFS")
