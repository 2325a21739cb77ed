"""The buttons: each is pressed once."""

import asyncio

from .. import parts
from ._finding import Finding, fail, ok, skipped
from ._visit import Visit

ORDER = 170
NEEDS = ("config", "devices")

_PATIENCE_S = 15.0


def look(visit: Visit) -> Finding:
    """Those that the configuration names; without a person they are only opened."""
    chosen = visit.settings.buttons
    if not chosen:
        return skipped("there are none: `drivers` of [buttons] is empty")
    person = visit.person
    try:
        notice = asyncio.run(_notice(visit))
        if notice:
            return skipped(notice)
        names = _names(visit)
        if person is None:
            told = f"{', '.join(names)}: opened, but nobody is there to press"
            return skipped(told, "edged doctor buttons, in a terminal")
        pressed = asyncio.run(
            parts.presses(
                chosen, names, _PATIENCE_S, lambda name: person.told(f"Press the button {name}.")
            )
        )
    except parts.PartTrouble as trouble:
        return fail(str(trouble), visit.machine.lacks(trouble.hint) or trouble.hint)
    if not pressed.missed:
        return ok(f"{', '.join(names)}: pressed")
    first = pressed.missed[0]
    if other := pressed.instead.get(first):
        return fail(f"{first} is {other}", f"swap the pins of {first} and {other}: edged setup")
    return fail(
        f"nothing came from {', '.join(pressed.missed)}",
        f"check pin and pull_up in [buttons.gpio.wired.{first}], and the wiring: edged setup",
    )


async def _notice(visit: Visit) -> str:
    async with parts.buttons_open(visit.settings.buttons, lambda _: None) as notice:
        return notice


def _names(visit: Visit) -> list[str]:
    names: list[str] = []
    for chosen in visit.settings.buttons:
        wired = getattr(chosen.settings, "wired", None)
        names += wired or [getattr(chosen.settings, "button", "talk")]
    return names
