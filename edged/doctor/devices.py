"""Whether the sound card and the pins are free to be tried: a speaker that runs holds them."""

from .. import control
from ._finding import Finding, ok, skipped
from ._visit import UNIT, Visit

ORDER = 60
NEEDS = ("config",)

_NOBODY = (FileNotFoundError, ConnectionRefusedError)
_FREE = "sudo systemctl stop edged && sudo edged doctor; sudo systemctl start edged"


def look(visit: Visit) -> Finding:
    """Asked through the control socket; what the speaker says of its devices is told."""
    named = visit.settings.control.socket
    path = visit.settings.control.path if named else control.find(visit.machine.environment)
    try:
        said = control.ask(path, control.Request("status"))
    except control.ControlError as error:
        if not isinstance(error.__cause__, _NOBODY):
            return skipped(f"a speaker runs, and holds them ({error})", _free(visit))
    else:
        sound = said.get("sound", {})
        held = [f"{name} {sound[name]}" for name in ("microphone", "speaker") if name in sound]
        told = ", ".join(held) or "nothing"
        return skipped(
            f"the speaker runs ({said.get('state', '?')}) and holds {told}", _free(visit)
        )
    if visit.machine.unit("ActiveState").get("ActiveState") in ("active", "activating"):
        return skipped("the service runs, and holds them", _free(visit))
    return ok("no speaker runs")


def _free(visit: Visit) -> str:
    if visit.machine.managed:
        return _FREE
    return f"stop `edged run` ({UNIT} does not run it), then: edged doctor"
