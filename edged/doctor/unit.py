"""The service: whether it is installed, starts at boot, and what became of it."""

from collections.abc import Mapping

from . import _credential
from ._finding import Finding, fail, ok, skipped, warn
from ._visit import Machine, Visit

ORDER = 210
NEEDS = ()

_PROPERTIES = (
    *("LoadState", "ActiveState", "SubState", "UnitFileState", "Result"),
    *("ExecMainStatus", "NRestarts", "StatusText", "NeedDaemonReload"),
)
_STARTED = "sudo systemctl enable --now edged"
_UNMASKED = f"sudo systemctl unmask edged && {_STARTED}"
_MISTAKEN = "systemd-analyze verify edged.service"
_AGAIN = "edged doctor unit"
_TELL = "journalctl -u edged -b -n 20"
_FIXES = {
    "78": "edged check",
    "216": "sudo systemd-sysusers && sudo systemctl restart edged",
    "217": "sudo systemd-sysusers && sudo systemctl restart edged",
}
"""What mends an exit status, by systemd.exec(5) and by `edged run`'s own 78."""
_CREDENTIALS = "243"
_FOLDERS = "sudo systemd-tmpfiles --create && sudo systemctl restart edged"
_OFTEN = 5
_CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers"
_COUNT = "sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt && sudo reboot"
"""The firmware of Raspberry Pis gives the kernel cgroup_disable=memory before what stands there."""


def look(visit: Visit) -> Finding:
    """As systemd tells of it."""
    if not visit.machine.managed:
        return skipped("systemd is not process 1 here: there is no service")
    said = visit.machine.unit(*_PROPERTIES)
    if not said:
        return skipped("systemd does not answer", "systemctl status edged")
    again, load = visit.machine.install, said.get("LoadState")
    if load in ("bad-setting", "error"):
        return fail(f"systemd cannot use edged.service as it is written ({load})", _MISTAKEN)
    if load != "loaded":
        return fail(f"edged.service is {load}", _UNMASKED if load == "masked" else again)
    if said.get("ExecMainStatus") == "203" and said.get("ActiveState") != "active":
        return fail("the command that it starts is not there", again)
    if said.get("NeedDaemonReload") == "yes":
        reload = "sudo systemctl daemon-reload && sudo systemctl restart edged"
        return warn("its unit was changed on disk and not read again", reload)
    return _state(said, visit.machine)


def _state(said: Mapping[str, str], machine: Machine) -> Finding:
    state, status = said.get("ActiveState", ""), said.get("ExecMainStatus", "0")
    if state in ("failed", "activating") and said.get("Result") != "success":
        seen = f"it failed ({said.get('Result')}, status {status})"
        return fail(seen, _mended(status, machine))
    if state not in ("active", "reloading", "activating"):
        return warn(f"it does not run ({state})", _STARTED)
    does = "is starting" if state == "activating" else "runs"
    restarts = int(said.get("NRestarts", "0") or 0)
    if restarts >= _OFTEN:
        return warn(f"it {does}, but was started again {restarts} times", _TELL)
    if state == "activating":
        return warn("it is starting: look again in a moment", _AGAIN)
    if said.get("UnitFileState") not in ("enabled", "enabled-runtime", "static"):
        return warn("it runs, but will not start at boot", "sudo systemctl enable edged")
    controllers = machine.text(_CONTROLLERS).split()
    if controllers and "memory" not in controllers:
        return warn("it runs, but MemoryMax= of its unit does not hold: nothing counts it", _COUNT)
    text = said.get("StatusText", "")
    return ok(f"it runs and starts at boot{f': {text}' if text else ''}")


def _mended(status: str, machine: Machine) -> str:
    if status != _CREDENTIALS:
        return _FIXES.get(status, _TELL)
    folders = machine.path(_credential.FOLDER), machine.path(_credential.SEALED)
    # With both there it is what is in them: encrypted for another machine, or by another system.
    return "sudo edged setup" if all(each.is_dir() for each in folders) else _FOLDERS
