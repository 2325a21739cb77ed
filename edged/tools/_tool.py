"""A function with a docstring becomes a tool that the model can call."""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from ..arguments import broken
from ..core.settings import ToolSpec
from ..fields import choices, unwrapped

Function = Callable[..., Coroutine[Any, Any, str]]
"""Typed, with a docstring that says what it does and, under `Args:`, what each argument is."""

_TYPES: Final = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True)
class Kit:
    """What a tool's file gives: functions for the model, and what goes on besides."""

    functions: Sequence[Function]
    farewell: bool = False
    """They say goodbye: the conversation ends once the answer under way was heard."""
    serve: Callable[[], Coroutine[Any, Any, None]] | None = None
    """Goes on from the start of the speaker until it is cancelled."""
    instructions: Callable[[], str] = str
    """What the model is told at the beginning of each session; "" for nothing."""
    tools: Callable[[], "Sequence[Tool]"] = tuple
    """Tools that come and go, as they are now."""


@dataclass(frozen=True)
class Tool:
    """One function that the model can call."""

    spec: ToolSpec
    call: Callable[[Mapping[str, Any]], Awaitable[str]]
    """Takes arguments that fit; raises ValueError, TypeError or OSError where it fails."""
    farewell: bool = False
    timeout_s: float | None = None
    """Its own patience; None for everybody's."""


def made(function: Function, *, farewell: bool = False) -> Tool:
    """The tool that `function` is, by its name, its types and its docstring.

    Types are str, int, float, bool and `Literal`s, each alone or with None; `Annotated` adds a
    range in words, as in settings. Raises TypeError for others, and for what lacks a docstring.
    """
    name: str = function.__name__
    description, told = _docstring(function)
    properties: dict[str, Any] = {}
    required = []
    for each in inspect.signature(function).parameters.values():
        properties[each.name] = _schema(name, each)
        if text := told.pop(each.name, ""):
            properties[each.name]["description"] = text
        if each.default is inspect.Parameter.empty:
            required.append(each.name)
    if told:
        raise TypeError(f"{name} has no argument {', '.join(told)}")
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required

    async def call(given: Mapping[str, Any]) -> str:
        asked = {
            # Providers write 3 as 3.0 now and then.
            key: int(value) if properties[key].get("type") == "integer" else value
            for key, value in given.items()
        }
        return await function(**asked)

    return Tool(ToolSpec(name, description, schema), call, farewell)


def fitted(tool: Tool, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments as the tool wants them; ValueError says what does not fit.

    Models write null for what they leave out.
    """
    schema = tool.spec.parameters
    needed = schema.get("required", ())
    known = schema.get("properties", {})
    fit = {
        name: value
        for name, value in given.items()
        if value is not None or name in needed or name not in known or "null" in _kinds(known[name])
    }
    if why := broken(schema, fit):
        raise ValueError(why)
    return fit


_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""They stand within words of Persian, Hindi and many other languages."""


def visible(text: str) -> bool:
    """Whether all of it can be seen: no line ends, nothing that turns the reading round."""
    return text.translate(_JOINERS).isprintable()


def told(**facts: object) -> str:
    """Facts as text for the model."""
    return json.dumps(facts, ensure_ascii=False)


def _kinds(schema: Any) -> Sequence[str]:
    kinds = schema.get("type", ()) if isinstance(schema, Mapping) else ()
    return (kinds,) if isinstance(kinds, str) else kinds


def _docstring(function: Function) -> tuple[str, dict[str, str]]:
    """What it does, and what each argument is."""
    whole = inspect.getdoc(function) or ""
    text, _, listed = whole.partition("\nArgs:\n")
    # What else stands in the docstring is for those who write the tool.
    text = re.split(r"\n(?:Raises|Returns):\n", text)[0]
    listed = re.split(r"\n(?=\S)", listed)[0]
    if not text:
        raise TypeError(f"{function.__name__} has no docstring")
    arguments = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", listed, re.MULTILINE)
    return _line(text), {name: _line(what) for name, what in arguments}


def _line(text: str) -> str:
    return " ".join(text.split())


def _schema(function: str, argument: inspect.Parameter) -> dict[str, Any]:
    annotation = argument.annotation
    if get_origin(annotation) in (Union, UnionType):
        inner = [kind for kind in get_args(annotation) if kind is not NoneType]
        annotation = inner[0] if len(inner) == 1 else annotation
    kind, bounds = unwrapped(annotation)
    if there := choices(kind):
        return {"type": _TYPES[type(there[0])], "enum": list(there)}
    if not isinstance(kind, type) or kind not in _TYPES:
        raise TypeError(f"{function}: {argument.name} cannot be a {kind}")
    schema: dict[str, Any] = {"type": _TYPES[kind]}
    if bounds:
        named = zip(("minimum", "maximum"), bounds, strict=True)
        schema |= {key: kind(bound) for key, bound in named if abs(bound) < inf}
    return schema
