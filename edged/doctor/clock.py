"""The clock: whether it is right by now, since a Pi has none that runs on without power."""

import time
from datetime import UTC, datetime
from pathlib import Path

from ..night import is_kept_right
from ._finding import Finding, fail, ok, warn
from ._visit import Visit

ORDER = 50
NEEDS = ()

_NTP = "sudo timedatectl set-ntp true"


def look(visit: Visit) -> Finding:
    """As the kernel knows it; a time before edged was installed is certainly wrong."""
    return judged(time.time(), Path(__file__).stat().st_mtime, kept=is_kept_right())


def judged(now: float, installed: float, *, kept: bool) -> Finding:
    """What to think of this time, and of whether somebody keeps it right."""
    told = datetime.fromtimestamp(now, UTC).isoformat(sep=" ", timespec="minutes")
    if now < installed - 86400:
        return fail(f"it is not {told}: the clock was never set", _NTP)
    if not kept:
        return warn(f"{told}, but nothing keeps it right: certificates and timers need it", _NTP)
    return ok(f"{told}, kept right by NTP")
