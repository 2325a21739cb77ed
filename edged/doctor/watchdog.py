"""The watchdog: whether systemd starts a speaker again that hangs."""

from ._finding import Finding, ok, skipped, warn
from ._visit import Visit

ORDER = 220
NEEDS = ("unit",)

_UNSET = ("0", "infinity", "")
_EDIT = "sudo systemctl edit edged && sudo systemctl restart edged"
"""It shows the owner's own lines, of which but one has to go; `revert` would delete them all."""


def look(visit: Visit) -> Finding:
    """As the unit has it; a speaker that is not fed by it is never found dead."""
    said = visit.machine.unit("WatchdogUSec", "Restart", "NotifyAccess", "Type")
    if not said:
        return skipped("systemd does not answer", "systemctl status edged")
    restart, access, kind = (said.get(name, "") for name in ("Restart", "NotifyAccess", "Type"))
    if said.get("WatchdogUSec", "") in _UNSET:
        return _undone("no watchdog is set, a speaker that hangs stays silent", "WatchdogSec=")
    if restart in ("no", "on-success", ""):
        return _undone("nobody starts it again", f"Restart={restart}")
    if access == "none" or kind != "notify":
        line = "NotifyAccess=none" if access == "none" else f"Type={kind}"
        return _undone("systemd does not listen to it, the watchdog would kill it", line)
    return ok(f"systemd starts it again after {said['WatchdogUSec']} of silence")


def _undone(seen: str, line: str) -> Finding:
    return warn(f"{seen}: take out the line {line} of your own", _EDIT)
