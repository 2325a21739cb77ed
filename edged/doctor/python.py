"""Python and the packages that edged is made of."""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from ._finding import Finding, fail, ok
from ._visit import PIP, Visit

ORDER = 10
NEEDS = ()

_OLDEST = (3, 11)
_NEEDED = re.compile(r"([\w.-]+)\s*([^;]*)(?:;.*)?")
_EXTRA = re.compile(r"extra == [\"']([\w-]+)")
_CHECKOUT = Path(__file__).parents[2] / "pyproject.toml"
_BOUND = re.compile(r"(>=|<|==)\s*([\d.]+)")


def look(visit: Visit) -> Finding:
    """Versions by the list that edged is installed with."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST or sys.maxsize < 2**32:
        bits = "64" if sys.maxsize > 2**32 else "32"
        return fail(
            f"Python {version}, {bits}-bit; 3.11 or newer on a 64-bit system is needed",
            "install the 64-bit Raspberry Pi OS, Bookworm or newer",
        )
    required = _required(*(("pi",) if visit.machine.installed else ()))
    wrong = {text: problem for text in required if (problem := lacking(text))}
    if wrong:
        wanted = " ".join(f"'{text}'" for text in wrong)
        # What pip brings here the installer would take away again.
        fix = visit.machine.install if visit.machine.installed else f"{PIP} {wanted}"
        return fail("; ".join(wrong.values()), fix)
    return ok(f"Python {version}, {len(required)} packages as they should be")


def _required(*extras: str) -> list[str]:
    """What edged needs, by its installed description; by its own file where that may be newer."""
    if _CHECKOUT.exists():
        project = tomllib.loads(_CHECKOUT.read_text())["project"]
        needed: list[str] = list(project["dependencies"])
        for extra in extras:
            needed += project["optional-dependencies"][extra]
        return needed
    told = ((text, _EXTRA.search(text)) for text in metadata.requires("edged") or ())
    return [text for text, extra in told if extra is None or extra[1] in extras]


def lacking(requirement: str) -> str:
    """Why a requirement (`name>=1,<2`) is not met; "" where it is."""
    found = _NEEDED.fullmatch(requirement)
    if found is None:
        return ""
    name, bounds = found[1], found[2]
    try:
        there = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is missing"
    met = all(_meets(there, sign, number) for sign, number in _BOUND.findall(bounds))
    return "" if met else f"{name} is {there}, {bounds.strip()} is needed"


def _meets(there: str, sign: str, number: str) -> bool:
    have, want = _parts(there), _parts(number)
    size = max(len(have), len(want))
    have += [0] * (size - len(have))
    want += [0] * (size - len(want))
    return {">=": have >= want, "<": have < want, "==": have == want}[sign]


def _parts(version: str) -> list[int]:
    """The numbers of a release; what comes behind them (`rc1`, `.post1`) does not count."""
    return [int(part) for part in re.match(r"[\d.]*", version)[0].strip(".").split(".") if part]  # type: ignore[index]
