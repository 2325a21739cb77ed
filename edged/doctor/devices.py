"""Whether the sound card and the pins are free to be tried: a speaker that runs holds them."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from .. import control
from ._finding import Finding, fail, ok, skipped
from ._visit import UNIT, Visit

ORDER = 60
NEEDS = ("config",)

_NOBODY = (FileNotFoundError, ConnectionRefusedError)
_LISTENS_S = 2.0
_SILENCE_DBFS = -119.0
_HOLDS = ("activating", "active", "reloading")
"""The states of a service whose speaker has the devices, or is about to."""
_FREE = "sudo systemctl stop edged && sudo edged doctor; sudo systemctl start edged"


def look(visit: Visit) -> Finding:
    """Asked through the control socket; what the speaker says of them is told."""
    named = visit.settings.control.socket
    path = visit.settings.control.path if named else control.find(visit.machine.environment)
    try:
        said = control.ask(path, control.Request("status"))
    except control.ControlError as error:
        if not isinstance(error.__cause__, _NOBODY):
            return skipped(f"a speaker runs, and holds them ({error})", _free(visit))
    else:
        return _held(visit, said, _heard(path))
    if visit.machine.unit("ActiveState").get("ActiveState") in _HOLDS:
        return skipped("the service runs, and holds them", _free(visit))
    return ok("no speaker runs")


def _held(visit: Visit, said: Mapping[str, Any], levels: Sequence[float]) -> Finding:
    """What is known of them while a speaker has them."""
    sound = said.get("sound", {})
    told = f"the speaker runs ({said.get('state', '?')})"
    if levels and max(levels) <= _SILENCE_DBFS:
        return fail(
            f"{told}, and its microphone {sound.get('microphone', '')} delivers nothing but zeros",
            "alsamixer: F4, switch Capture on (space); or choose another in `edged setup`",
        )
    held = [
        f"{called} {sound[name]} ({sound.get(f'{name}_rate', '?')} Hz)"
        for name, called in (("microphone", "microphone"), ("speaker", "loudspeaker"))
        if name in sound
    ]
    hears = f"; it hears the room at {median(levels):.0f} dBFS" if levels else ""
    return skipped(f"{told} and holds {', '.join(held) or 'nothing'}{hears}", _free(visit))


def _heard(path: Path) -> Sequence[float]:
    """How loud its microphone was for a moment, in dBFS; nothing where it is closed."""
    levels: list[float] = []
    until = time.monotonic() + _LISTENS_S
    with (
        contextlib.suppress(control.ControlError),
        contextlib.closing(control.follow(path, control.Request("watch"))) as news,
    ):
        for each in news:
            level = each.get("now", {}).get("microphone_dbfs")
            if level is not None:
                levels.append(float(level))
            if time.monotonic() >= until:
                break
    return levels


def _free(visit: Visit) -> str:
    if visit.machine.managed:
        return _FREE
    return f"stop `edged run` ({UNIT} does not run it), then: edged doctor"
