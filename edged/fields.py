"""What may stand in a field of a settings class, in types and in words."""

import ast
import inspect
import json
import math
import re
import sys
import textwrap
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args, get_origin

from .key import masked

Bounds = tuple[float, float]
"""The lowest and the highest value allowed."""

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def unwrapped(annotation: Any) -> tuple[Any, Bounds | None]:
    """The type itself, and its bounds where `Annotated` says some.

    Raises TypeError for a range in other words than "1 to 2", "at least 1" and "at most 2".
    """
    if get_origin(annotation) is not Annotated:
        return annotation, None
    kind, words = get_args(annotation)[:2]
    number = r"(-?\d+(?:\.\d+)?)"
    if found := re.fullmatch(f"{number} to {number}", words):
        return kind, (float(found[1]), float(found[2]))
    if found := re.fullmatch(f"at least {number}", words):
        return kind, (float(found[1]), math.inf)
    if found := re.fullmatch(f"at most {number}", words):
        return kind, (-math.inf, float(found[1]))
    raise TypeError(f"not a range in words: {words!r}")


def range_of(annotation: Any) -> str:
    """The bounds of a field or its choices, in words; "" where there are none."""
    kind, bounds = unwrapped(annotation)
    if there := choices(kind):
        return ", ".join(shown(choice) for choice in there)
    if bounds is None:
        return ""
    low, high = bounds
    if high == math.inf:
        return f"at least {low:g}"
    return f"at most {high:g}" if low == -math.inf else f"{low:g} to {high:g}"


def expected(annotation: Any) -> str:
    """What may stand in a field of this type, in words."""
    kind, _ = unwrapped(annotation)
    if choices(kind):
        return f"one of {range_of(annotation)}"
    if get_origin(kind) is tuple:
        return f"a list, each item {expected(get_args(kind)[0])}"
    if not isinstance(kind, type) or kind not in _WORDS:
        return "a table"
    bounds = range_of(annotation)
    return f"{_WORDS[kind]}, {bounds}" if bounds else _WORDS[kind]


def choices(kind: Any) -> tuple[Any, ...]:
    """What a `Literal` or a `StrEnum` allows; () for any other type."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else ()


def fits(annotation: Any, value: Any) -> bool:
    """Whether a TOML value may stand in a field of this plain type.

    A whole number is a number too; true and false are neither; nor are nan and inf. A text has no
    NUL in it.
    """
    kind, bounds = unwrapped(annotation)
    if kind is Any:
        return True
    if there := choices(kind):
        return type(value) in (str, int) and value in there
    if kind is float:
        # Also false for nan, inf, and a whole number that is more than any other.
        right = type(value) in (int, float) and abs(value) <= sys.float_info.max
    else:
        # The kernel's paths, and other programs, would end at a NUL.
        right = type(value) is kind and not (kind is str and "\0" in value)
    return right and (bounds is None or bounds[0] <= value <= bounds[1])


def shown(value: Any) -> str:
    """A TOML value as a person would write it, cut to a readable length; a key is not shown."""
    if isinstance(value, dict):
        return "a table"
    try:
        text = masked(json.dumps(value, ensure_ascii=False, default=str))
    except (ValueError, RecursionError):
        # A number of more digits than Python writes, or a list that is nested too deeply.
        return "something too long to show"
    return text if len(text) <= 60 else text[:57] + "..."


def sentences(shape: type) -> dict[str, str]:
    """The string literal under each field of the class, as one line, by the field's name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(shape)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for above, below in pairwise(body):
        match above, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found
