"""Goodbye: the user takes leave, and the model may hang up."""

import asyncio

from edged import schema
from edged.tools import _toolbox as toolbox
from edged.tools._reach import Reach
from edged.tools._toolbox import Toolbox
from edged.tools.goodbye import Settings, open

from .stand import SHIPPED

GOODBYE = open(Settings(), Reach())


def test_the_model_is_told_to_say_farewell_before_it_hangs_up() -> None:
    (spec,) = Toolbox([GOODBYE]).specs()
    assert spec.name == "goodbye"
    assert "farewell in the same answer" in spec.description
    assert spec.parameters["properties"] == {}


def test_hanging_up_needs_no_arguments_and_asks_for_no_more_words() -> None:
    assert asyncio.run(Toolbox([GOODBYE]).call("goodbye", "")).endswith("Say nothing more.")


def test_as_it_comes_only_goodbye_ends_a_conversation() -> None:
    settings = schema.read(SHIPPED)
    tools = toolbox.open(settings.tools, settings.extras, Reach())
    assert [spec.name for spec in tools.specs() if tools.farewell(spec.name)] == ["goodbye"]
    assert not tools.farewell("a tool that is not there")
