"""The watchdog: whether systemd starts a speaker again that hangs."""

from ._finding import Finding, ok, skipped, warn
from ._visit import Visit

ORDER = 220
NEEDS = ("unit",)

_UNSET = ("0", "infinity", "")
_MEND = "sudo systemctl revert edged.service && sudo systemctl restart edged"


def look(visit: Visit) -> Finding:
    """As the unit has it; a speaker that is not fed by it is never found dead."""
    said = visit.machine.unit("WatchdogUSec", "Restart", "NotifyAccess", "Type")
    if not said:
        return skipped("systemd does not answer", "systemctl status edged")
    if said.get("WatchdogUSec", "") in _UNSET:
        return warn("no watchdog is set: a speaker that hangs stays silent", _MEND)
    if said.get("Restart") in ("no", "on-success", ""):
        return warn(f"nobody starts it again (Restart={said.get('Restart')})", _MEND)
    if said.get("NotifyAccess") == "none" or said.get("Type") != "notify":
        return warn("systemd does not listen to it: the watchdog would kill it", _MEND)
    return ok(f"systemd starts it again after {said['WatchdogUSec']} of silence")
