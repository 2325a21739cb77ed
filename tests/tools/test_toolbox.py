"""The toolbox: whatever a model asks for and a tool does, text comes back."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from edged import programs, schema
from edged.core.commands import Note
from edged.core.events import Event, Rang
from edged.core.settings import RemoteTools, ToolSpec
from edged.ports import Tools
from edged.programs import Command
from edged.tools import _toolbox as toolbox
from edged.tools._reach import Reach
from edged.tools._tool import Function, Kit, Tool
from edged.tools._toolbox import Toolbox
from edged.tools.clock import Settings as ClockSettings
from edged.tools.clock import open as open_clock

from .stand import SHIPPED


def lamp(does: Callable[[], Coroutine[Any, Any, str]]) -> Function:
    async def lamp(on: bool = True) -> str:
        """Switches the lamp."""
        return await does()

    return lamp


async def shine() -> str:
    return "it shines"


CLOCK = open_clock(ClockSettings(), Reach())


def called(
    does: Callable[[], Coroutine[Any, Any, str]], arguments: str = "{}", timeout_s: float = 5
) -> str:
    tools: Tools = Toolbox([Kit([lamp(does)])], timeout_s=timeout_s)
    return asyncio.run(tools.call("lamp", arguments))


def failed(
    does: Callable[[], Coroutine[Any, Any, str]], arguments: str = "{}", timeout_s: float = 5
) -> str:
    answer = json.loads(called(does, arguments, timeout_s))
    assert list(answer) == ["error"]
    return str(answer["error"])


def program(text: str, name: str = "heating", timeout_s: float = 20) -> Command:
    return Command(
        name,
        "Sets the heating.",
        (sys.executable, "-I", "-S", "-c", text),
        {"properties": {"degrees": {"type": "number", "maximum": 25}}, "required": ["degrees"]},
        timeout_s,
    )


@pytest.fixture(autouse=True)
def as_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where root runs the tests nobody may not start the Python that they run in."""
    monkeypatch.setattr(programs, "nobody", dict)


def test_the_model_is_told_of_the_tools_in_order() -> None:
    tools = Toolbox([CLOCK, Kit([lamp(shine)])], [program("")])
    assert [spec.name for spec in tools.specs()] == ["clock", "lamp", "heating"]
    assert tools.specs()[2] == ToolSpec(
        "heating",
        "Sets the heating.",
        {
            "type": "object",
            "properties": {"degrees": {"type": "number", "maximum": 25}},
            "required": ["degrees"],
        },
    )


def test_as_it_comes_it_can_be_told_of_without_a_speaker() -> None:
    settings = schema.read(SHIPPED)
    server = RemoteTools("docs", "https://example.org/mcp", ("search",))
    *specs, last = toolbox.specs(settings.tools, settings.extras.command, [server])
    assert last == server
    named = [spec.name for spec in specs if isinstance(spec, ToolSpec)]
    assert named[:4] == ["clock", "goodbye", "volume", "mute"]
    assert {"set_timer", "set_alarm", "remember", "forget"} < set(named)


def test_a_tool_gets_its_arguments_and_its_text_comes_back() -> None:
    assert called(shine, '{"on": true}') == "it shines"
    assert called(shine, "") == "it shines"


@pytest.mark.parametrize(
    "arguments", ["{", "[]", "3", '"on"', "null", "[" * 100_000, '{"on": NaN}']
)
def test_arguments_that_are_none_are_said_so(arguments: str) -> None:
    assert failed(shine, arguments).startswith("the arguments cannot be read: ")


def test_arguments_that_do_not_fit_are_said_so() -> None:
    assert failed(shine, '{"on": "off"}') == (
        'the arguments do not fit: on: true or false is expected, not "off"'
    )
    assert failed(shine, '{"off": true}') == (
        'the arguments do not fit: there is no "off"; there are: on'
    )


def test_a_tool_that_is_not_there_is_said_so() -> None:
    answer = asyncio.run(Toolbox([CLOCK]).call("lamp", "{}"))
    assert json.loads(answer)["error"] == 'there is no tool "lamp"; there are: clock'


def test_a_tool_that_hangs_is_given_up_and_ended() -> None:
    ended = []

    async def hang() -> str:
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
        (TimeoutError(), "lamp did not answer within 5 seconds"),
    ],
)
def test_a_tool_that_fails_says_how(error: Exception, text: str) -> None:
    async def fail() -> str:
        raise error

    assert failed(fail) == text


def test_a_bug_in_a_tool_is_no_answer() -> None:
    async def bug() -> str:
        raise AttributeError("lmap")

    with pytest.raises(AttributeError):
        called(bug)


def test_a_tool_that_talks_without_end_is_cut() -> None:
    async def talk() -> str:
        return "x" * 1_000_000

    told = called(talk)
    assert told == "x" * 16_000 + "\n[cut here: 1000000 characters]"


def test_calls_do_not_wait_for_each_other() -> None:
    async def story() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def wait() -> str:
            begun.set()
            await go_on.wait()
            return "done"

        tools = Toolbox([CLOCK, Kit([lamp(wait)])])
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(tools.call("lamp", "{}"))
            await begun.wait()
            assert "utc_offset" in await tools.call("clock", "{}")
            second = group.create_task(tools.call("lamp", "{}"))
            await asyncio.sleep(0)
            assert not slow.done()
            go_on.set()
        assert slow.result() == second.result() == "done"

    asyncio.run(story())


def test_a_conversation_that_ends_takes_its_tools_along() -> None:
    async def story() -> None:
        begun = asyncio.Event()

        async def hang() -> str:
            begun.set()
            await asyncio.Event().wait()
            return "never"

        call = asyncio.create_task(Toolbox([Kit([lamp(hang)])]).call("lamp", "{}"))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(story())


# --- the owner's programs -----------------------------------------------------------------


def ran(command: Command, arguments: str = '{"degrees": 21}') -> str:
    return asyncio.run(Toolbox([CLOCK], [command]).call(command.name, arguments))


def test_a_program_answers_the_model() -> None:
    text = "import json, sys; print('set to', json.load(sys.stdin)['degrees'])"
    assert ran(program(text)) == "set to 21"


def test_a_program_is_not_started_with_arguments_that_do_not_fit() -> None:
    told = ran(program("raise SystemExit('started')"), '{"degrees": 40}')
    assert json.loads(told)["error"] == (
        "the arguments do not fit: degrees: at most 25 is expected, not 40"
    )


def test_a_program_that_fails_says_why() -> None:
    told = ran(program("import sys; sys.exit('the boiler is cold')"))
    assert json.loads(told)["error"] == "heating: it ended with status 1: the boiler is cold"


def test_a_program_has_its_own_time() -> None:
    """Here the toolbox has less patience than the program may take."""
    slow = program("import time; time.sleep(1000)", timeout_s=0.5)
    told = asyncio.run(Toolbox([], [slow], timeout_s=0.01).call("heating", '{"degrees": 1}'))
    assert json.loads(told)["error"] == "heating: it did not end within 0.5 seconds"


def test_a_program_takes_the_place_of_a_tool_that_is_called_alike() -> None:
    assert ran(program("print('half past')", name="clock")) == "half past"
    tools = Toolbox([CLOCK], [program("", name="clock")])
    assert [spec.description for spec in tools.specs()] == ["Sets the heating."]


def test_no_guest_takes_the_place_of_a_tool_that_was_there_before_it() -> None:
    """A server "light" with a tool "hall_switch", and a server "light_hall" with a "switch"."""

    def guest(says: str) -> Kit:
        async def call(given: Mapping[str, Any]) -> str:
            return says

        tool = Tool(ToolSpec("light_hall_switch", says, {"type": "object"}), call)
        return Kit((), tools=lambda: [tool])

    tools = Toolbox([CLOCK, guest("the first"), guest("the second")])
    assert [spec.description for spec in tools.guests()] == ["the first"]
    assert asyncio.run(tools.call("light_hall_switch", "{}")) == "the first"


# --- what goes on besides -----------------------------------------------------------------


class Neighbour:
    """Whom the tools serve."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.rung = asyncio.Event()

    def feed(self, event: Event) -> None:
        self.heard.append(event)
        self.rung.set()

    def tell(self, note: Note) -> None:
        """It keeps no journal."""


def test_tools_may_do_something_unasked() -> None:
    async def story() -> None:
        reach = Reach()
        ended = []

        async def serve() -> None:
            reach.feed(Rang("tea"))
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        tools = Toolbox([CLOCK, Kit([], serve=serve)], reach=reach)
        neighbour = Neighbour()
        duty = asyncio.create_task(tools.serve(neighbour))
        await neighbour.rung.wait()
        assert neighbour.heard == [Rang("tea")]
        duty.cancel()
        with pytest.raises(asyncio.CancelledError):
            await duty
        assert ended == [True]

    asyncio.run(story())


def test_the_model_is_told_what_the_tools_have_to_say() -> None:
    assert Toolbox([CLOCK]).instructions() == ""
    tools = Toolbox([Kit([], instructions=lambda: "a"), CLOCK, Kit([], instructions=lambda: "b")])
    assert tools.instructions() == "a\n\nb"
