"""What a server of tools offers, as the model may be told of it: named, shaped and bounded."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..arguments import flaw
from ..core.settings import ToolSpec

_TOOLS: Final = 32
"""Of one server; each is paid for in every session, and models choose badly among many."""
_CHARACTERS: Final = 4000
"""Of one tool's description and schema; some thousand tokens."""
_ALL_CHARACTERS: Final = 16_000
"""Of those of one server."""
_NODES: Final = 300
"""Parts of a schema, those it refers to counted as often as it does."""
_DEEPEST: Final = 16
_NAME: Final = 64
"""Characters that providers take for a name."""

_PLAIN: Final = frozenset(
    {"type", "enum", "const", "description", "default", "format", "required"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minLength", "maxLength", "minItems", "maxItems"}
)
"""What is taken over as it is. Patterns are not: one can be made that takes for ever."""
_TOP: Final = ("properties", "required", "additionalProperties")


@dataclass(frozen=True)
class Listed:
    """A tool as its server tells of it."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """What of it the model may be told."""

    tools: Mapping[str, ToolSpec]
    """By the server's own names."""
    left_out: Sequence[str]
    """What is not among them, and why, in words."""


def offered(server: str, allowed: Sequence[str], listed: Sequence[Listed]) -> Offer:
    """The tools of `server` that are `allowed`, all of them where none is named."""
    tools: dict[str, ToolSpec] = {}
    there = {each.name: each for each in listed}
    left_out = [f"{_shown(name)} is not there" for name in allowed if name not in there]
    room = _ALL_CHARACTERS
    for name in allowed or there:
        if name not in there or name in tools:
            continue
        taken = {spec.name for spec in tools.values()}
        try:
            spec = _spec(_named(server, name, taken), there[name])
        except ValueError as error:
            left_out.append(f"{_shown(name)}: {error}")
            continue
        room -= _size(spec)
        if room < 0 or len(tools) >= _TOOLS:
            left_out.append(f"{_shown(name)} and what follows: it is too much for a model")
            break
        tools[name] = spec
    return Offer(tools, left_out)


def _spec(name: str, listed: Listed) -> ToolSpec:
    """Raises ValueError for one that no model can be told of."""
    told = (letter if letter.isprintable() else " " for letter in listed.description)
    description = " ".join("".join(told).split())
    given = listed.schema
    if given.get("type", "object") != "object":
        raise ValueError("its arguments are no object")
    # Providers refuse most of what else may stand on top.
    top = _Copy(given).made(given).items()
    kept = {key: value for key, value in top if key in _TOP}
    parameters = {"type": "object", "properties": {}, **kept}
    if why := flaw(parameters):
        raise ValueError(f"its schema is none: {why}")
    spec = ToolSpec(name, description, parameters)
    if _size(spec) > _CHARACTERS:
        raise ValueError(f"it takes {_size(spec)} characters to tell of it")
    return spec


def _size(spec: ToolSpec) -> int:
    return len(spec.name) + len(spec.description) + len(json.dumps(spec.parameters))


def _named(server: str, tool: str, taken: set[str]) -> str:
    """A name that providers take and nothing else of this server has."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{tool}")[:_NAME]
    numbered = (f"{name[: _NAME - 3]}_{number}" for number in range(2, 2 + _TOOLS))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def _shown(name: str) -> str:
    return json.dumps(name[:_NAME], ensure_ascii=True)


class _Copy:
    """A schema with nothing in it that a provider or we could stumble over."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole = whole
        self._nodes = 0

    def made(self, schema: Any, depth: int = _DEEPEST) -> dict[str, Any]:
        """What is known of `schema`; what it refers to stands in the place of the reference."""
        self._nodes += 1
        if not depth or self._nodes > _NODES:
            raise ValueError("its schema is too large")
        if not isinstance(schema, Mapping):
            # True and False are schemas too, for anything and nothing.
            return {}
        if isinstance(schema.get("$ref"), str):
            return self.made(self._found(schema["$ref"]), depth - 1)
        copy = {key: value for key, value in schema.items() if key in _PLAIN}
        if isinstance(inner := schema.get("properties"), Mapping):
            copy["properties"] = {str(key): self.made(inner[key], depth - 1) for key in inner}
        if isinstance(schema.get("items"), Mapping):
            copy["items"] = self.made(schema["items"], depth - 1)
        if isinstance(schema.get("additionalProperties"), bool):
            copy["additionalProperties"] = schema["additionalProperties"]
        if isinstance(choices := schema.get("anyOf"), list):
            copy["anyOf"] = [self.made(each, depth - 1) for each in choices]
        return copy

    def _found(self, reference: str) -> Any:
        here: Any = self._whole
        for part in filter(None, reference.removeprefix("#").split("/")):
            here = here.get(part) if isinstance(here, Mapping) else None
        if here is None:
            raise ValueError("its schema refers to what is not there")
        return here
