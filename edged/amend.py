"""Changes single settings in a TOML text, and leaves everything else in it as it stands."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from . import lines

Value = str | bool | int | float | Sequence[str] | Mapping[str, Any]
"""An empty mapping stands for a table that is there."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"\s*\[")


class Unamendable(ValueError):
    """The text is written so that the setting cannot be changed in it; `hint` says what to type."""

    def __init__(self, address: Sequence[str], value: Value) -> None:
        table, key = ".".join(map(_name, address[:-1])), _name(address[-1])
        wanted = f"[{'.'.join((table, key))}]" if value == {} else f"{key} = {toml(value)}"
        self.hint = f"write it by hand: {wanted}" + ("" if value == {} else f" in [{table}]")
        super().__init__(f"{'.'.join(address)} cannot be changed in this file")


def amended(text: str, address: Sequence[str], value: Value) -> str:
    """`text` with `value` at `address`, where it stands, or stands commented out, or would stand.

    Comments, order and spelling of all else stay. Raises `Unamendable`, and
    `tomllib.TOMLDecodeError` for a text that is not TOML.
    """
    wanted = _with(tomllib.loads(text), address, value)
    rows = text.removesuffix("\n").split("\n") if text else []
    try:
        table = address if value == {} else address[:-1]
        if value != {} and (place := lines.find(text).get(tuple(address))) is not None:
            _replace(rows, place - 1, address[-1], value)
        elif value != {} or tuple(address) not in lines.find(text):
            at = _table(rows, table)
            if value != {}:
                _insert(rows, at, address[-1], value)
        changed = "\n".join(rows) + "\n"
        if tomllib.loads(changed) == wanted:
            return changed
    except (tomllib.TOMLDecodeError, _Elsewhere):
        pass
    raise Unamendable(address, value)


def toml(value: Value) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_name(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return "[" + ", ".join(toml(each) for each in value) + "]"


def dotted(address: Sequence[str]) -> str:
    """An address as TOML writes it."""
    return ".".join(map(_name, address))


class _Elsewhere(Exception):
    """The setting is part of something that is not changed piece by piece."""


def _with(values: dict[str, Any], address: Sequence[str], value: Value) -> dict[str, Any]:
    """A copy of `values` with `value` at `address`."""
    first, *rest = address
    below = values.get(first, {})
    if rest:
        inner = below if isinstance(below, dict) else {}
        return values | {first: _with(inner, rest, value)}
    if value == {}:
        return values | {first: below}
    return values | {first: list(value) if isinstance(value, tuple) else value}


def _replace(rows: list[str], first: int, key: str, value: Value) -> None:
    """Change a statement that begins in this row; a comment behind it stays."""
    for count in range(1, len(rows) - first + 1):
        try:
            stands = tomllib.loads("\n".join(rows[first : first + count]))
        except tomllib.TOMLDecodeError:
            continue
        break
    else:
        raise _Elsewhere
    if list(stands) != [key] or isinstance(stands[key], dict):
        raise _Elsewhere
    indent = rows[first][: len(rows[first]) - len(rows[first].lstrip())]
    comment = _comment(rows[first + count - 1], stands) if count == 1 else ""
    rows[first : first + count] = [f"{indent}{_name(key)} = {toml(value)}{comment}"]


def _comment(row: str, stands: Mapping[str, Any]) -> str:
    """The comment behind a statement, with the blanks before it."""
    for found in re.finditer(r"\s*#", row):
        try:
            if tomllib.loads(row[: found.start()]) == stands:
                return row[found.start() :]
        except tomllib.TOMLDecodeError:
            continue
    return ""


def _table(rows: list[str], table: Sequence[str]) -> int:
    """The row behind the table's header, which is woken or written where there is none."""
    for number, row in enumerate(rows):
        if _header(row) == list(table):
            return number + 1
    for number, row in enumerate(rows):
        if row.startswith("#") and _header(row.lstrip("# ")) == list(table):
            rows[number] = row.lstrip("# ")
            return number + 1
    if rows and rows[-1].strip():
        rows.append("")
    rows.append(f"[{dotted(table)}]")
    return len(rows)


def _header(row: str) -> list[str]:
    """Whose header it is; [] for none's."""
    if not _HEADER.match(row):
        return []
    try:
        inside: Any = tomllib.loads(row)
    except tomllib.TOMLDecodeError:
        return []
    address = []
    while isinstance(inside, dict) and inside:
        ((key, inside),) = inside.items()
        address.append(key)
    return address if inside == {} else []


def _insert(rows: list[str], at: int, key: str, value: Value) -> None:
    """Put the setting in the place of its commented default, or first in the table."""
    sleeping = re.compile(rf"\s*#\s?{re.escape(_name(key))}\s*=.*")
    for number in range(at, len(rows)):
        if _header(rows[number].lstrip("# ")):
            break
        if sleeping.fullmatch(rows[number]):
            rows[number] = f"{_name(key)} = {toml(value)}"
            return
    rows.insert(at, f"{_name(key)} = {toml(value)}")


def _name(key: str) -> str:
    return key if _BARE.fullmatch(key) else toml(key)
