"""The configuration, as `edged check` reads it."""

import re

from .. import schema
from ..config import ConfigError
from ._finding import Finding, fail, ok
from ._visit import Visit

ORDER = 20
NEEDS = ()

_PACKAGES = {
    "libportaudio": "libportaudio2",
    "libasound": "libasound2",
    "libsystemd": "libsystemd0",
}
"""Debian's packages of the libraries that a driver may miss."""
_LIBRARY = re.compile("|".join(_PACKAGES))


def look(visit: Visit) -> Finding:
    """What was read; the first mistake and how many there are."""
    try:
        settings = schema.read(visit.file, visit.assignments)
    except ConfigError as error:
        first, *more = error.mistakes
        others = f" (and {len(more)} more)" if more else ""
        return fail(f"{first}{others}", _fix(visit, first.file, first.line, first.message))
    visit.configured = settings
    files = ", ".join(str(file) for file in settings.files)
    return ok(files or f"no {schema.FILE}: every setting is at its default")


def _fix(visit: Visit, file: str, line: int | None, message: str) -> str:
    if "Permission denied" in message:
        return "sudo edged doctor"
    named = "" if visit.file is None else f" --config {visit.file}"
    if file.startswith("--set"):
        return f"type {file} as the message says"
    if found := _LIBRARY.search(message):
        return f"sudo apt install {_PACKAGES[found[0]]}"
    if brought := visit.machine.lacks(message):
        return brought
    where = file if line is None else f"line {line} of {file}"
    return f"change {where} as the message says, then: edged check{named}"
