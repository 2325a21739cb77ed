"""Changes single settings in a TOML file, and leaves everything else in it as it stands."""

import contextlib
import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
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


def save(file: Path, text: str) -> Path | None:
    """Put `text` into `file`, whole or not at all, and keep what was there; where that is kept.

    Owner and rights stay as they are, and a link remains one. None where there was no file, or
    nothing else in it. Raises OSError, and leaves everything as it was.
    """
    file = file.resolve()
    before = file.read_bytes() if file.exists() else None
    if before == text.encode():
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    backup = None
    with contextlib.ExitStack() as pieces:
        if before is not None:
            backup = _unused(file)
            pieces.callback(backup.unlink, missing_ok=True)
            _write(backup, before, file)
        fresh = file.with_name(f".{file.name}.new")
        pieces.callback(fresh.unlink, missing_ok=True)
        _write(fresh, text.encode(), file)
        fresh.replace(file)
        pieces.pop_all()
    return backup


def _unused(file: Path) -> Path:
    """A name beside `file` for what stands in it now."""
    number = 0
    while (backup := file.with_name(f"{file.name}.bak{number or ''}")).exists():
        number += 1
    return backup


def _write(file: Path, content: bytes, like: Path) -> None:
    """Write a file with the rights of another, and return only when the disk has it."""
    file.unlink(missing_ok=True)
    mode, owner, group = 0o644, -1, -1
    if like.exists():
        told = like.stat()
        mode, owner, group = stat.S_IMODE(told.st_mode), told.st_uid, told.st_gid
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchown(handle, owner, group)
        os.fchmod(handle, mode)
        os.fsync(handle)


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
