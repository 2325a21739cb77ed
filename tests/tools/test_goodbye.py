"""Goodbye: the user takes leave, and the model may hang up."""

import asyncio

from edged import plugins
from edged.core.settings import Session
from edged.tools import clock, goodbye
from edged.tools._toolbox import Toolbox


def test_the_model_is_told_to_say_farewell_before_it_hangs_up() -> None:
    (spec,) = Toolbox([goodbye]).specs()
    assert spec.name == "goodbye"
    assert "farewell in the same answer" in spec.description
    assert spec.parameters["properties"] == {}


def test_only_goodbye_ends_a_conversation() -> None:
    tools = Toolbox([clock, goodbye])
    assert tools.farewell("goodbye")
    assert not tools.farewell("clock")
    assert not tools.farewell("a tool that is not there")


def test_hanging_up_needs_no_arguments_and_asks_for_no_more_words() -> None:
    assert asyncio.run(Toolbox([goodbye]).call("goodbye", "")).endswith("Say nothing more.")


def test_as_it_comes_every_speaker_can_take_leave() -> None:
    tools = Toolbox([plugins.load("tools", name) for name in Session().tools])
    assert tools.farewell("goodbye")
