"""The arguments of a tool: JSON Schema as far as tools use it, with words for what breaks it."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: _number(value) and value == math.floor(value)),
    "number": ("a number", lambda value: _number(value)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "null": ("null", lambda value: value is None),
}
_BOUNDS: Final[Mapping[str, tuple[str, Callable[[Any], bool], Callable[[Any, Any], bool]]]] = {
    "minimum": ("at least {}", lambda value: _number(value), lambda value, to: value >= to),
    "maximum": ("at most {}", lambda value: _number(value), lambda value, to: value <= to),
    "exclusiveMinimum": (
        "more than {}",
        lambda value: _number(value),
        lambda value, to: value > to,
    ),
    "exclusiveMaximum": (
        "less than {}",
        lambda value: _number(value),
        lambda value, to: value < to,
    ),
    "minLength": (
        "{} characters or more",
        lambda v: isinstance(v, str),
        lambda v, to: len(v) >= to,
    ),
    "maxLength": (
        "{} characters at most",
        lambda v: isinstance(v, str),
        lambda v, to: len(v) <= to,
    ),
    "minItems": ("{} items or more", lambda v: isinstance(v, list), lambda v, to: len(v) >= to),
    "maxItems": ("{} items at most", lambda v: isinstance(v, list), lambda v, to: len(v) <= to),
}
"""How a bound is told, what it bounds, and whether a value keeps it."""
_DEEPEST: Final = 20
"""No schema that somebody writes is nested deeper, and no argument."""


def read(text: str) -> dict[str, Any]:
    """The arguments that a model sent, nothing at all for none; ValueError says what is wrong."""
    try:
        given = json.loads(text or "{}", parse_constant=_refuse)
        # Half a letter, which JSON can write, is none that could be told to anybody.
        json.dumps(given, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("they are nested too deeply") from error
    if not isinstance(given, dict):
        raise ValueError("one JSON object is expected")  # noqa: TRY004
    return given


def broken(schema: Schema, value: Any, at: str = "") -> str:
    """What of `schema` the value breaks first, in words; "" where it fits.

    Keywords that are not known here bind nobody, as JSON Schema says.
    """
    return next(_breaches(schema, value, at, _DEEPEST), "")


def flaw(schema: Schema) -> str:
    """Why this is no schema for the arguments of a tool, in words; "" where it is one."""
    if schema.get("type", "object") != "object":
        return 'its `type` is "object": the arguments have names'
    try:
        json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"it is no JSON: {error}"
    except RecursionError:
        return "it is nested too deeply"
    return next(_flaws(schema, "", _DEEPEST), "")


def _breaches(schema: Schema, value: Any, at: str, depth: int) -> Iterator[str]:
    where = f"{at}: " if at else ""
    if not depth:
        yield f"{where}it is nested too deeply"
        return
    if (wanted := schema.get("type")) is not None:
        kinds = [wanted] if isinstance(wanted, str) else wanted
        if not any(_TYPES[kind][1](value) for kind in kinds):
            words = " or ".join(_TYPES[kind][0] for kind in kinds)
            yield f"{where}{words} is expected, not {_shown(value)}"
            return
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if choices is not None and not any(_same(value, choice) for choice in choices):
        listed = ", ".join(_shown(choice) for choice in choices)
        yield f"{where}one of {listed} is expected, not {_shown(value)}"
    for keyword, (words, bounds, keeps) in _BOUNDS.items():
        if keyword in schema and bounds(value) and not keeps(value, schema[keyword]):
            yield f"{where}{words.format(schema[keyword])} is expected, not {_shown(value)}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}text that fits {schema['pattern']} is expected, not {_shown(value)}"
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, each in enumerate(value):
            yield from _breaches(schema["items"], each, f"{at}[{number}]", depth - 1)
    if isinstance(value, dict):
        yield from _misnamed(schema, value, at, depth)


def _misnamed(schema: Schema, value: dict[str, Any], at: str, depth: int) -> Iterator[str]:
    """What is wrong with the members of an object."""
    known: Mapping[str, Any] = schema.get("properties", {})
    where = f"{at}: " if at else ""
    for name in schema.get("required", ()):
        if name not in value:
            yield f'{where}"{name}" is missing'
    others = schema.get("additionalProperties", True)
    for name, each in value.items():
        shape = known.get(name, others)
        if shape is False:
            yield f'{where}there is no "{name}"; there are: {", ".join(known) or "none"}'
        elif isinstance(shape, Mapping):
            yield from _breaches(shape, each, f"{at}.{name}" if at else name, depth - 1)


def _flaws(schema: Any, at: str, depth: int) -> Iterator[str]:
    where = f"{at}: " if at else ""
    if not isinstance(schema, Mapping) or not depth:
        yield f"{where}a table is expected" if depth else f"{where}it is nested too deeply"
        return
    kinds = schema.get("type", [])
    for kind in (
        [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else [kinds]
    ):
        if not isinstance(kind, str) or kind not in _TYPES:
            yield f"{where}there is no type {_shown(kind)}; there are: {', '.join(_TYPES)}"
    for keyword in _BOUNDS:
        if not _number(schema.get(keyword, 0)):
            yield f"{where}`{keyword}` is a number"
    for keyword in ("enum", "required"):
        if not isinstance(schema.get(keyword, []), list):
            yield f"{where}`{keyword}` is a list"
    try:
        re.compile(schema.get("pattern", ""))
    except (re.error, TypeError) as error:
        yield f"{where}`pattern` is no regular expression: {error}"
    yield from _inner_flaws(schema, at, depth)


def _inner_flaws(schema: Schema, at: str, depth: int) -> Iterator[str]:
    where = f"{at}: " if at else ""
    inner = schema.get("properties", {})
    if not isinstance(inner, Mapping):
        yield f"{where}`properties` is a table"
        return
    for name, each in inner.items():
        yield from _flaws(each, f"{at}.{name}" if at else name, depth - 1)
    needed: Sequence[Any] = schema.get("required", [])
    for name in needed if isinstance(needed, list) else ():
        if not isinstance(name, str) or name not in inner:
            yield f"{where}{_shown(name)} is required, but not among the `properties`"
    for keyword in ("items", "additionalProperties"):
        if not isinstance(schema.get(keyword, True), bool):
            yield from _flaws(schema[keyword], f"{at}.{keyword}".lstrip("."), depth - 1)


def _number(value: Any) -> bool:
    # A whole number is finite, and may be larger than any that is not whole.
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (isinstance(value, float) and math.isfinite(value))


def _same(one: Any, other: Any) -> bool:
    """JSON's equality: 1 is 1.0, and true is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
