"""Events made from what the `openai` package declares, so that nobody has to write them down."""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel

Json = dict[str, Any]

Style = Literal["bare", "null", "full"]
"""Optional fields are missing, null, or filled."""

# Text that is more than text.
_TEXTS = {"delta": "AAEC/w==", "audio": "AAEC/w==", "arguments": "{}"}


def server_events() -> Mapping[str, type[BaseModel]]:
    """Every server event of the package, by its type."""
    union = get_args(RealtimeServerEvent)[0]
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(union)}


def instance(model: type[BaseModel], style: Style) -> Json:
    """An event of this model, of made-up content."""
    return dict(_fields(model, style, ()))


def _fields(
    model: type[BaseModel], style: Style, above: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, Any]]:
    for name, declared in model.model_fields.items():
        if not declared.is_required():
            if style == "bare":
                continue
            if style == "null":
                yield declared.alias or name, None
                continue
        yield declared.alias or name, _value(declared.annotation, name, style, (*above, model))


def _value(shape: Any, name: str, style: Style, above: tuple[type[BaseModel], ...]) -> Any:
    origin, inner = get_origin(shape), get_args(shape)
    if origin is Annotated:
        return _value(inner[0], name, style, above)
    if origin is Literal:
        return inner[0]
    if origin in (Union, types.UnionType):
        return _value(inner[0], name, style, above)
    if origin is list:
        return [_value(inner[0], name, style, above)]
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return {} if shape in above else dict(_fields(shape, style, above))
    samples: dict[Any, Any] = {str: _TEXTS.get(name, "x"), int: 1, float: 1.5, bool: True}
    return {} if origin is dict else samples.get(shape)


def undeclared(model: BaseModel, path: str = "") -> list[str]:
    """Names that were in the text and are not in the model, however deep."""
    found = [f"{path}.{name}" for name in model.model_extra or ()]
    for name in type(model).model_fields:
        value = getattr(model, name)
        for place, part in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(part, BaseModel):
                found += undeclared(part, f"{path}.{name}[{place}]")
    return found
