"""The checks in their order, each after those whose outcome it needs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from .. import plugins
from ._finding import Finding, Verdict, skipped
from ._visit import Visit

FOLDER = "doctor"
PERSON, ONLINE = "person", "online"
"""What a check may need that is no check: somebody to ask, and leave to ask the provider."""


class Check(Protocol):
    """A file of the folder: its name names the check, its caption says what it looks at."""

    ORDER: int
    """Lower is looked at earlier; each has one of its own."""
    NEEDS: tuple[str, ...]
    """Checks that must be well, or at least work; `PERSON`, `ONLINE`."""

    def look(self, visit: Visit) -> Finding:
        """Look; blocks for as long as that takes. Expected trouble is a finding."""


@dataclass(frozen=True)
class Outcome:
    """What came of one check."""

    name: str
    caption: str
    finding: Finding


def names() -> tuple[str, ...]:
    """All checks in their order."""
    return tuple(sorted(plugins.names(FOLDER), key=lambda name: _check(name).ORDER))


def caption(name: str) -> str:
    """What the check looks at."""
    return plugins.caption(FOLDER, name).removesuffix(".")


def chosen(wanted: Collection[str]) -> tuple[str, ...]:
    """These checks and those they need, in order; all for none.

    Raises `plugins.UnknownPlugin` for one that is not there.
    """
    if not wanted:
        return names()
    needed: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in needed and name not in (PERSON, ONLINE):
            needed.add(name)
            waiting += _check(name).NEEDS
    return tuple(name for name in names() if name in needed)


def outcomes(visit: Visit, wanted: Collection[str] = ()) -> Iterator[Outcome]:
    """Look at one after the other."""
    verdicts: dict[str, Verdict] = {}
    names = chosen(wanted)
    for number, name in enumerate(names, 1):
        visit.tell(f"{number} of {len(names)}: {caption(name)}", 0)
        check = _check(name)
        finding = _hindered(check, visit, verdicts) or check.look(visit)
        verdicts[name] = finding.verdict
        yield Outcome(name, caption(name), finding)


def _hindered(check: Check, visit: Visit, verdicts: Mapping[str, Verdict]) -> Finding | None:
    """Why a check cannot be made; None where it can."""
    for need in check.NEEDS:
        if need == PERSON:
            if visit.person is None:
                return skipped("nobody is there to help with it", "edged doctor, in a terminal")
        elif need == ONLINE:
            if not visit.online:
                return skipped("the provider is not asked", "edged doctor --online")
        elif verdicts[need] in ("fail", "skipped"):
            return skipped(f"it needs {need}, which is {_state(verdicts[need])}")
    return None


def _state(verdict: Verdict) -> str:
    return "not well" if verdict == "fail" else "skipped"


def _check(name: str) -> Check:
    module: Check = plugins.load(FOLDER, name)
    return module
