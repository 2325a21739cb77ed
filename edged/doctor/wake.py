"""The wake engine: whether its models load, and whether this board keeps up with it."""

import asyncio

from .. import parts
from ._finding import Finding, fail, ok, skipped, warn
from ._visit import Visit

ORDER = 140
NEEDS = ("config",)

_MUCH, _TOO_MUCH = 0.6, 1.0
"""Shares of one core; the echo driver, sound and network want some, too."""


def look(visit: Visit) -> Finding:
    """Noise is enough to see how long it takes."""
    try:
        engine = asyncio.run(parts.examine(visit.settings.wake))
    except parts.PartTrouble as trouble:
        return fail(str(trouble), _fix(visit, trouble))
    if engine.share is None:
        return skipped("no wake word: it is woken by a button or from the shell")
    told = f"{engine.about['words']}; {100 * engine.share:.0f} % of a core"
    lighter = 'set energy_gate = true in [wake.openwakeword], or driver = "microwakeword" in [wake]'
    if engine.share > _TOO_MUCH:
        return fail(f"{told}: this board does not keep up", lighter)
    return warn(told, lighter) if engine.share > _MUCH else ok(told)


def _fix(visit: Visit, trouble: parts.PartTrouble) -> str:
    said = str(trouble)
    if brought := visit.machine.lacks(said):
        return brought
    wake = visit.settings.wake
    for name, word in getattr(wake.settings, "words", {}).items():
        if word.model and word.model in said:
            return f"correct `model` in [wake.{wake.name}.words.{name}]"
    return trouble.hint
