"""A name in the configuration picks a file in a folder."""

import ast
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

_SETTINGS = re.compile(r"^class Settings\b", re.MULTILINE)


class UnknownPlugin(LookupError):
    """No file of that name is in the folder; `hint` says which there are."""

    def __init__(self, kind: str, name: str, there: Sequence[str]) -> None:
        near = get_close_matches(name, there, n=1)
        self.hint = f'did you mean "{near[0]}"? ' if near else ""
        self.hint += "there are: " + (", ".join(there) or "none")
        super().__init__(f'no "{name}" in {kind}')


def names(kind: str) -> tuple[str, ...]:
    """The files of the folder `kind`, sorted; those with a leading `_` are shared parts.

    Every folder on the package's `__path__` counts, so one that is appended there adds to it.
    """
    package = importlib.import_module(f"{__package__}.{kind}")
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(sorted({name for name in found if not name.startswith("_")}))


def drivers(kind: str) -> tuple[str, ...]:
    """Those of `names` that a configuration can choose: they define `Settings`, unimported."""
    return tuple(name for name in names(kind) if _SETTINGS.search(_source(kind, name)))


def load(kind: str, name: str) -> ModuleType:
    """The module in `name`'s file; raises `UnknownPlugin`, or what its own imports raise."""
    if name not in names(kind):
        raise UnknownPlugin(kind, name, names(kind))
    return importlib.import_module(f"{__package__}.{kind}.{name}")


def loads(kind: str, name: str) -> bool:
    """Whether what the file imports is here."""
    try:
        load(kind, name)
    except ImportError:
        return False
    return True


def caption(kind: str, name: str) -> str:
    """The first line of the file's docstring, read without importing it; "" for none."""
    if name not in names(kind):
        raise UnknownPlugin(kind, name, names(kind))
    return (ast.get_docstring(ast.parse(_source(kind, name))) or "").partition("\n")[0]


def _source(kind: str, name: str) -> str:
    spec = importlib.util.find_spec(f"{__package__}.{kind}.{name}")
    if spec is None or spec.origin is None:
        return ""
    return Path(spec.origin).read_text(encoding="utf-8")
