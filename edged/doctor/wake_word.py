"""The wake word, said three times: the score it gets, and the level of the room meanwhile."""

import asyncio

from .. import parts
from ._finding import Finding, fail, ok, skipped, warn
from ._round import PERSON
from ._visit import Visit

ORDER = 150
NEEDS = ("wake", "microphone", PERSON)

_TIMES = 3
_PATIENCE_S = 8.0
_LOWEST = 0.05


def look(visit: Visit) -> Finding:
    """Any of the words counts."""
    words = getattr(visit.settings.wake.settings, "words", None)
    person = visit.person
    if not words or person is None:
        return skipped("there is no wake word")
    spelled = " or ".join(f'"{word.replace("_", " ")}"' for word in words)

    def ask(number: int) -> None:
        person.told(f"Say {spelled} ({number} of {_TIMES}).")

    def meter(dbfs: float) -> None:
        visit.tell(f"listening {_bar(dbfs)} {dbfs:4.0f} dBFS", 0)

    try:
        heard = asyncio.run(parts.hear_words(visit.settings, _TIMES, _PATIENCE_S, ask, meter))
    except parts.PartTrouble as trouble:
        return fail(str(trouble), trouble.hint)
    scores = ", ".join(f"{each.score:.2f}" if each.word else "nothing" for each in heard)
    woke = [each for each in heard if each.woke]
    nearly = [each for each in heard if each.word and not each.woke]
    told = f"{len(woke)} of {_TIMES} times ({scores})"
    if len(woke) == _TIMES:
        return ok(told)
    engine = visit.settings.wake.name
    if nearly:
        word = nearly[0].word
        lower = max(_LOWEST, round(min(each.score for each in nearly) - 0.05, 2))
        fix = f"set threshold = {lower:g} in [wake.{engine}.words.{word}]"
    else:
        fix = "speak nearer and clearer; a soft voice: edged doctor voice"
    return (warn if len(woke) == _TIMES - 1 else fail)(told, fix)


def _bar(dbfs: float) -> str:
    filled = round(20 * max(0.0, min(1.0, 1 + dbfs / 70)))
    return "━" * filled + " " * (20 - filled)
