"""The lights: every state's colour in turn."""

import asyncio

from .. import parts
from ._finding import Finding, fail, ok, skipped
from ._visit import Visit

ORDER = 160
NEEDS = ("config", "devices")

_EACH_S, _UNSEEN_S = 0.8, 0.05
"""How long each is shown: to somebody, and to nobody."""


def look(visit: Visit) -> Finding:
    """Whether it lights only a person can say."""
    chosen = visit.settings.lights
    names = ", ".join(each.name for each in chosen)
    if not chosen:
        return skipped("there are none: `drivers` of [lights] is empty")
    seconds = _EACH_S if visit.person else _UNSEEN_S
    try:
        notice = asyncio.run(parts.shine(chosen, seconds, lambda scene: visit.tell(scene, 0)))
    except parts.PartTrouble as trouble:
        return fail(str(trouble), visit.machine.lacks(trouble.hint) or trouble.hint)
    if notice:
        return skipped(notice)
    if visit.person is None:
        return ok(f"{names} opens; whether it lights, nobody saw")
    if visit.person.confirms("Did the light go through several colours or rhythms?"):
        return ok(f"{names}, seen by you")
    return fail(
        f"{names} opens, but nothing is seen",
        "check the pins and `active_high` in [lights.gpio], and the wiring: edged setup",
    )
