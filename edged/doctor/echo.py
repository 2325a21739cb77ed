"""Its own voice: how loud and how late it comes back; kept for the speaker to begin with."""

from . import _box, _sound
from ._finding import Finding, fail, ok, warn
from ._visit import Visit

ORDER = 130
NEEDS = ("loudspeaker",)

_UNSTEADY_MS = 10.0


def look(visit: Visit) -> Finding:
    """As `edged calibrate` measures, advises and keeps it."""
    measured = _sound.measured(visit)
    if isinstance(measured, Finding):
        return measured
    figures, best = measured.figures, measured.best
    if figures.echo_dbfs is None or figures.ser_db is None:
        return ok("it is not heard, as with a headset")
    kept = _box.keep(measured, visit.machine, _box.folder(visit.machine, visit.file))
    told = (
        f"{figures.echo_dbfs:.0f} dBFS, you {figures.ser_db:+.0f} dB to it, after "
        f"{figures.delay_ms:.0f} ms{f' (kept in {kept})' if kept else ''}"
    )
    if best.mode not in ("auto", figures.mode):
        return fail(told, f'set mode = "{best.mode}" in [echo]')
    if (figures.spread_ms or 0.0) > _UNSTEADY_MS:
        return warn(
            f"{told}; it jumps by {figures.spread_ms:.0f} ms",
            "end what else uses the processor or the sound card, then: edged doctor echo",
        )
    if best.volume_db < figures.volume_db:
        return warn(f"{told}: too loud to speak over", f"set db = {best.volume_db:g} in [volume]")
    return ok(told)
