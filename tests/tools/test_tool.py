"""A function with a docstring becomes a tool."""

import asyncio
from typing import Annotated, Any, Literal, Optional

import pytest

from edged import plugins, schema
from edged.arguments import flaw
from edged.core.settings import ToolSpec
from edged.programs import NAME
from edged.tools._reach import Reach
from edged.tools._tool import Function, fitted, made

from .stand import SHIPPED


async def lamp(
    on: bool,
    level: Annotated[int, "1 to 10"] = 5,
    hue: Literal["warm", "cold"] | None = None,
    room: Optional[str] = None,  # noqa: UP045
    fade_s: Annotated[float, "at least 0"] = 0.5,
) -> str:
    """Switches the lamp.

    Only at the
    user's word.

    Args:
        on: Whether it is to be lit.
        level: How bright, from dim to bright; it is not needed
            where the lamp goes out.
        hue: Its colour.

    Raises:
        ValueError: it has burned out.

    """
    return f"{on} {level!r} {hue} {room} {fade_s}"


def test_its_name_its_types_and_its_docstring_are_what_the_model_is_told() -> None:
    assert made(lamp).spec == ToolSpec(
        "lamp",
        "Switches the lamp. Only at the user's word.",
        {
            "type": "object",
            "properties": {
                "on": {"type": "boolean", "description": "Whether it is to be lit."},
                "level": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 10,
                    "description": "How bright, from dim to bright; it is not needed where the "
                    "lamp goes out.",
                },
                "hue": {"type": "string", "enum": ["warm", "cold"], "description": "Its colour."},
                "room": {"type": "string"},
                "fade_s": {"type": "number", "minimum": 0},
            },
            "additionalProperties": False,
            "required": ["on"],
        },
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"on": True}, "True 5 None None 0.5"),
        ({"on": False, "level": 3.0, "hue": "warm", "fade_s": 2}, "False 3 warm None 2"),
        ({"on": True, "level": None, "hue": None, "room": None}, "True 5 None None 0.5"),
    ],
)
def test_it_is_called_with_what_the_model_sends(given: dict[str, Any], text: str) -> None:
    tool = made(lamp)

    async def story() -> str:
        return await tool.call(fitted(tool, given))

    assert asyncio.run(story()) == text


def test_null_is_nothing_only_where_nothing_is_allowed() -> None:
    with pytest.raises(ValueError, match="on: true or false is expected, not null"):
        fitted(made(lamp), {"on": None})
    with pytest.raises(ValueError, match='there is no "of"'):
        fitted(made(lamp), {"on": True, "of": None})


async def untold(on: bool) -> str:
    return ""


async def listed(on: list[str]) -> str:
    """Of no use."""
    return ""


async def mistaken(on: bool) -> str:
    """Switches.

    Args:
        off: There is no such argument.

    """
    return ""


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (untold, "untold has no docstring"),
        (listed, "listed: on cannot be a list"),
        (mistaken, "mistaken has no argument off"),
    ],
)
def test_what_cannot_be_a_tool_is_no_tool(function: Function, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        made(function)


@pytest.mark.parametrize("name", plugins.drivers("tools"))
def test_every_tool_that_comes_with_it_can_be_told_to_a_model(name: str) -> None:
    module = plugins.load("tools", name)
    kit = module.open(module.Settings(), Reach())
    for spec in (made(function).spec for function in kit.functions):
        assert NAME.fullmatch(spec.name)
        assert spec.description.endswith(".")
        assert flaw(spec.parameters) == ""
        for argument, shape in spec.parameters["properties"].items():
            assert shape["description"].endswith("."), f"{spec.name} {argument}"


def test_no_two_tools_that_come_with_it_are_called_alike() -> None:
    settings = schema.read(SHIPPED)
    assert {each.name for each in settings.tools} == set(plugins.drivers("tools"))
    kits = [each.module.open(each.settings, Reach()) for each in settings.tools]
    names = [function.__name__ for kit in kits for function in kit.functions]
    assert len(set(names)) == len(names)
