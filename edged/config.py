"""TOML and drop-ins become frozen settings, with errors a person can act on.

A section is a frozen dataclass: its fields are the keys, its defaults the first layer. Fields are
`str`, `int`, `float`, `bool`, a `Literal` or `StrEnum` of choices, a tuple, another such
dataclass, or a `Mapping` from names to one or to anything; `Annotated` adds a range in words
("0.5 to 60", "at least 1", "at most 9").
"""

import dataclasses
import json
import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from . import lines
from .fields import choices, expected, fits, shown, unwrapped
from .lines import Address

T = TypeVar("T")
_WRONG = object()
_ABSENT = FileNotFoundError, NotADirectoryError


@dataclass(frozen=True)
class Mistake:
    """Something in the configuration that its owner must change."""

    file: str
    line: int | None
    """Counted from 1; None where no line can be blamed."""
    key: str
    """Dotted; "" where no key can be blamed."""
    message: str

    def __str__(self) -> str:
        """Spell it as compilers do, so that editors find the place."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigError(Exception):
    """The configuration cannot be used; `mistakes` holds all of them, in reading order."""

    hint = "nothing was started; `edged check` reads the configuration again"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


@dataclass
class _Place:
    file: str
    line: int | None


@dataclass
class Document:
    """Layers of TOML, later ones over earlier ones, key by key; arrays are replaced."""

    files: list[Path] = field(default_factory=list)
    """Those that were read, in order."""
    mistakes: list[Mistake] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    _places: dict[Address, _Place] = field(default_factory=dict)
    _layers: list[str] = field(default_factory=list)

    def add_file(self, file: Path, *, needed: bool = True) -> None:
        """Read one file as the next layer; what cannot be read is a mistake.

        One that is not `needed` may be absent.
        """
        try:
            raw = file.read_bytes()
        except OSError as error:
            if needed or not isinstance(error, _ABSENT):
                self._unreadable(file, error)
            return
        self.files.append(file)
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.mistakes.append(Mistake(str(file), line, "", "is not UTF-8 text"))
            return
        self.add_text(text.replace("\r\n", "\n"), str(file))

    def add_drop_ins(self, folder: Path) -> None:
        """Read the folder's TOML files as the next layers, sorted; it may be absent."""
        try:
            files = sorted(folder.iterdir())
        except OSError as error:
            if not isinstance(error, _ABSENT):
                self._unreadable(folder, error)
            return
        for file in files:
            if file.name.endswith(".toml"):
                self.add_file(file)

    def add_text(self, text: str, name: str) -> None:
        """Take a TOML text as the next layer, called `name` in mistakes."""
        self._layers.append(name)
        try:
            values = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            line, what = _refused(error, text)
            self.mistakes.append(Mistake(name, line, "", f"is not TOML: {what}"))
            return
        _overlay(self.values, values)
        self._places |= {key: _Place(name, line) for key, line in lines.find(text).items()}

    def add_assignment(self, assignment: str) -> None:
        """Take `section.key=value` from a command line; a value that is not TOML is text."""
        name = f"--set {assignment}"
        self._layers.append(name)
        key, equals, value = assignment.partition("=")
        for spelling in (value, json.dumps(value, ensure_ascii=False)):
            text = f"{key} = {spelling}"
            try:
                values = tomllib.loads(text)
            except (ValueError, RecursionError):
                continue
            if equals and "\n" not in text:
                _overlay(self.values, values)
                self._places |= dict.fromkeys(lines.find(text), _Place(name, None))
                return
        self.mistakes.append(Mistake(name, None, "", "expected SECTION.KEY=VALUE"))

    def mistake(self, address: Address, message: str) -> None:
        """Note that what stands at `address`, or nearest above it, is wrong."""
        near = address
        while near and near not in self._places:
            near = near[:-1]
        place = self._places.get(near, _Place("the defaults", None))
        mistake = Mistake(place.file, place.line, _dotted(address), message)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def _unreadable(self, place: Path, error: OSError) -> None:
        message = f"cannot be read: {error.strerror or error}"
        self.mistakes.append(Mistake(str(place), None, "", message))

    def ordered(self) -> list[Mistake]:
        """All mistakes, by layer and line."""
        order = {name: number for number, name in enumerate(self._layers)}
        return sorted(self.mistakes, key=lambda m: (order.get(m.file, -1), m.line or 0))


class Reader:
    """Reads sections out of a document and collects what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: set[str] = set()

    def has(self, *address: str) -> bool:
        """Whether anything is written at this address."""
        return self._written(address) is not None

    def says(self, *address: str) -> bool:
        """Whether more is written at this address than an empty table."""
        return self._written(address) not in (None, {})

    def _written(self, address: Sequence[str]) -> Any:
        value: Any = self._document.values
        for key in address:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def section(self, address: tuple[str, ...], shape: type[T], beside: Collection[str] = ()) -> T:
        """The table at `address` as a `shape`; `beside` are keys that others read.

        What is wrong is noted and replaced by its default.
        """
        self._known.add(address[0])
        value: Any = self._document.values
        for number, key in enumerate(address):
            value = value.get(key, {})
            if not isinstance(value, dict):
                here = address[: number + 1]
                self.mistake(here, f"expected a table [{_dotted(here)}], not {shown(value)}")
                value = {}
        return self._table(address, shape, value, shape(), beside)

    def mistake(self, address: Address, message: str) -> None:
        """Note that what stands at `address` is wrong."""
        self._document.mistake(address, message)

    def finish(self) -> None:
        """Raise `ConfigError` for every mistake so far and every unknown section."""
        for key in self._document.values:
            if key not in self._known:
                self.mistake((key,), _unknown(key, "section", self._known))
        if self._document.mistakes:
            raise ConfigError(self._document.ordered())

    def _table(
        self,
        address: Address,
        shape: type[T],
        table: dict[str, Any],
        base: T | None,
        beside: Collection[str],
    ) -> T:
        every = get_type_hints(shape, include_extras=True)
        hints = {each.name: every[each.name] for each in dataclasses.fields(shape)}  # type: ignore[arg-type]
        found = {}
        for key, value in table.items():
            if key in hints:
                default = getattr(base, key, _WRONG)
                read = self._value((*address, key), hints[key], value, default)
                if read is not _WRONG:
                    found[key] = read
            elif key not in beside:
                what = f"setting of [{_dotted(address)}]"
                self.mistake((*address, key), _unknown(key, what, [*hints, *beside]))
        if base is None:
            base = self._blank(address, shape, found, table)
        try:
            return dataclasses.replace(base, **found)  # type: ignore[type-var]
        except ValueError as error:
            self.mistake(address, str(error))
            return base

    def _blank(
        self, address: Address, shape: type[T], found: dict[str, Any], table: dict[str, Any]
    ) -> T:
        """A `shape` of defaults; fields without one come from `found` or are a mistake."""
        given = {}
        for each in dataclasses.fields(shape):  # type: ignore[arg-type]
            if each.default is not MISSING or each.default_factory is not MISSING:
                continue
            if each.name not in table:
                self.mistake(address, f"has no `{each.name}`, which must be given")
            given[each.name] = found.get(each.name, "")
        return shape(**given)

    def _value(self, address: Address, annotation: Any, value: Any, default: Any) -> Any:
        kind, _ = unwrapped(annotation)
        origin = get_origin(kind)
        if is_dataclass(kind) and isinstance(value, dict):
            base = default if isinstance(default, kind) else None  # type: ignore[arg-type]
            return self._table(address, kind, value, base, ())  # type: ignore[arg-type]
        if origin is tuple and isinstance(value, list):
            read = [
                self._value((*address, number), get_args(kind)[0], element, _WRONG)
                for number, element in enumerate(value)
            ]
            return _WRONG if _WRONG in read else tuple(read)
        if origin is Mapping and isinstance(value, dict):
            old = default if isinstance(default, Mapping) else {}
            shape = get_args(kind)[1]
            for name in value:
                if "\0" in name:
                    self.mistake((*address, name), "no name can have a NUL in it")
            named = {
                k: self._value((*address, k), shape, v, old.get(k, _WRONG))
                for k, v in value.items()
            }
            return _WRONG if _WRONG in named.values() else named
        if fits(annotation, value):
            return kind(value) if isinstance(kind, type) and kind is not Any else value
        self.mistake(
            address, f"expected {expected(annotation)}, not {shown(value)}{_meant(kind, value)}"
        )
        return _WRONG


def layers(file: Path, assignments: Sequence[str] = (), *, needed: bool = True) -> Document:
    """`file`, its drop-ins, and `section.key=value` assignments, each over the last.

    A file that is not `needed` may be absent; the drop-ins are in the folder beside it that is
    called like it plus `.d`.
    """
    document = Document()
    document.add_file(file, needed=needed)
    document.add_drop_ins(Path(f"{file}.d"))
    for assignment in assignments:
        document.add_assignment(assignment)
    return document


def _refused(error: Exception, text: str) -> tuple[int | None, str]:
    """The line at which tomllib gave up, where it says that, and why."""
    if isinstance(error, RecursionError):
        return None, "it is nested too deeply"
    if not isinstance(error, tomllib.TOMLDecodeError):
        # Python reads no decimal number that is longer than this.
        return None, f"a number in it has more than {sys.get_int_max_str_digits()} digits"
    what, _, place = str(error).partition(" (at ")
    if what == "Invalid value":
        what += '; a text stands in straight quotes, "like this"'
    found = re.search(r"line (\d+)", place)
    return int(found[1]) if found else text.count("\n") + 1, what


def _meant(kind: Any, value: Any) -> str:
    if isinstance(value, str) and "\0" in value:
        return ": no text can have a NUL in it"
    written = shown(value).strip('"')
    near = get_close_matches(written, [str(choice) for choice in choices(kind)], n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _unknown(key: str, what: str, known: Iterable[str]) -> str:
    known = sorted(known)
    spelled = {name.lower(): name for name in known}
    if near := get_close_matches(key.lower(), spelled, n=1):
        return f"is no {what}; did you mean `{spelled[near[0]]}`?"
    return f"is no {what}; there are: {', '.join(known) or 'none'}"


def _dotted(address: Address) -> str:
    text = ""
    for key in address:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            name = (
                key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
            )
            text += f".{name}" if text else name
    return text


def _overlay(under: dict[str, Any], over: dict[str, Any]) -> None:
    # No recursion: a key may have thousands of dots.
    pairs = [(under, over)]
    while pairs:
        under, over = pairs.pop()
        for key, value in over.items():
            below = under.get(key)
            if isinstance(below, dict) and isinstance(value, dict):
                pairs.append((below, value))
            else:
                under[key] = value
