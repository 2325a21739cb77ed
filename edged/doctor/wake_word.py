"""The wake word, said three times: the score it gets, and the level of the room meanwhile."""

import asyncio
from collections.abc import Sequence

from .. import earshot, parts
from ._finding import Finding, fail, ok, skipped, warn
from ._round import PERSON
from ._visit import Visit

ORDER = 150
NEEDS = ("wake", "microphone", PERSON)

_TIMES = 3
_PATIENCE_S = 8.0
_LOWEST = 0.05
_NEAR = 0.15
"""Less than this a word gets that is not the wake word."""


def look(visit: Visit) -> Finding:
    """Any of the words counts."""
    words = getattr(visit.settings.wake.settings, "words", None)
    person = visit.person
    if not words or person is None:
        return skipped("there is no wake word")
    spelled = " or ".join(f'"{word.replace("_", " ")}"' for word in words)

    def ask(number: int) -> None:
        person.told(f"Say {spelled} ({number} of {_TIMES}).")

    def meter(dbfs: float, score: float) -> None:
        visit.tell(f"{_bar(1 + dbfs / 70)} {dbfs:4.0f} dBFS   {_bar(score)} score {score:.2f}", 0)

    try:
        heard = asyncio.run(earshot.hear_words(visit.settings, _TIMES, _PATIENCE_S, ask, meter))
    except parts.PartTrouble as trouble:
        return fail(str(trouble), trouble.hint)
    told = ", ".join(f"{each.score:.2f}" for each in heard)
    return judged(heard, visit.settings.wake.name, f"score {told}")


def judged(heard: Sequence[earshot.Heard], engine: str, scores: str) -> Finding:
    """What to think of so many times."""
    woke = sum(each.woke for each in heard)
    told = f"{woke} of {len(heard)} times ({scores})"
    if woke == len(heard):
        return ok(told)
    nearest = min((each for each in heard if not each.woke), key=lambda each: each.score)
    if nearest.score >= _NEAR:
        lower = f"{max(_LOWEST, nearest.score - 0.05):.2f}"
        fix = f"set threshold = {lower} in [wake.{engine}.words.{nearest.word}]"
    else:
        fix = "speak nearer and clearer; for a soft microphone: edged doctor voice"
    return (warn if woke == len(heard) - 1 else fail)(told, fix)


def _bar(share: float) -> str:
    filled = round(20 * max(0.0, min(1.0, share)))
    return "━" * filled + "╌" * (20 - filled)
