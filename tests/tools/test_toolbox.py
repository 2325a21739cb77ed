"""The toolbox: whatever a model asks for and a tool does, text comes back."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType

import pytest

from edged.core.settings import ToolSpec
from edged.ports import Tools
from edged.tools import clock
from edged.tools._toolbox import Toolbox

Call = Callable[[Mapping[str, object]], Awaitable[object]]


def tool(name: str, call: Call) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(NAME=name, DESCRIPTION=f"{name}s", PARAMETERS={"type": "object"}, call=call)
    return made


def called(call: Call, arguments: str = "{}", timeout_s: float = 5) -> str:
    tools: Tools = Toolbox([tool("lamp", call)], timeout_s)
    return asyncio.run(tools.call("lamp", arguments))


def failed(call: Call, arguments: str = "{}", timeout_s: float = 5) -> str:
    answer = json.loads(called(call, arguments, timeout_s))
    assert list(answer) == ["error"]
    return str(answer["error"])


async def echo(arguments: Mapping[str, object]) -> str:
    return f"got {dict(arguments)}"


def test_the_model_is_told_of_the_tools_in_order() -> None:
    tools = Toolbox([clock, tool("lamp", echo)])
    assert tools.specs() == (
        ToolSpec("clock", clock.DESCRIPTION, clock.PARAMETERS),
        ToolSpec("lamp", "lamps", {"type": "object"}),
    )


def test_a_tool_gets_its_arguments_and_its_text_comes_back() -> None:
    assert called(echo, '{"on": true}') == "got {'on': True}"
    assert called(echo, "") == "got {}"


def test_the_clock_answers_through_the_toolbox() -> None:
    told = asyncio.run(Toolbox([clock]).call("clock", '{"timezone": "UTC"}'))
    assert json.loads(told)["utc_offset"] == "+0000"
    told = asyncio.run(Toolbox([clock]).call("clock", '{"timezone": "Mars"}'))
    assert "no time zone" in json.loads(told)["error"]


@pytest.mark.parametrize("arguments", ["{", "[]", "3", '"on"', "null", "[" * 100_000])
def test_arguments_that_are_none_are_said_so(arguments: str) -> None:
    assert failed(echo, arguments).startswith("the arguments cannot be read: ")


def test_a_tool_that_is_not_there_is_said_so() -> None:
    answer = asyncio.run(Toolbox([clock]).call("lamp", "{}"))
    assert json.loads(answer)["error"] == 'there is no tool "lamp"; there are: clock'


def test_a_tool_that_hangs_is_given_up_and_ended() -> None:
    ended = []

    async def hang(arguments: Mapping[str, object]) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return "never"

    assert failed(hang, timeout_s=0.01) == "lamp did not answer within 0.01 seconds"
    assert ended == [True]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("too bright"), "lamp: too bright"),
        (TypeError("not a colour"), "lamp: not a colour"),
        (OSError(113, "No route to host"), "lamp: [Errno 113] No route to host"),
        (KeyError("on"), "lamp needs the argument 'on'"),
        (TimeoutError(), "lamp did not answer within 5 seconds"),
    ],
)
def test_a_tool_that_fails_says_how(error: Exception, text: str) -> None:
    async def fail(arguments: Mapping[str, object]) -> str:
        raise error

    assert failed(fail) == text


def test_a_bug_in_a_tool_is_no_answer() -> None:
    async def bug(arguments: Mapping[str, object]) -> str:
        raise AttributeError("lmap")

    with pytest.raises(AttributeError):
        called(bug)


def test_a_conversation_that_ends_takes_its_tools_along() -> None:
    async def story() -> None:
        begun = asyncio.Event()

        async def hang(arguments: Mapping[str, object]) -> str:
            begun.set()
            await asyncio.Event().wait()
            return "never"

        call = asyncio.create_task(Toolbox([tool("lamp", hang)]).call("lamp", "{}"))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(story())
