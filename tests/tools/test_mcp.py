"""Servers of tools on this machine: what they offer can be called, and no liar hurts anybody."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edged import programs
from edged.core.commands import Fact, Note
from edged.core.events import Event
from edged.sections import Tools
from edged.servers import Server
from edged.tools import _mcp
from edged.tools import _toolbox as toolbox
from edged.tools._reach import Reach
from edged.tools._toolbox import Toolbox

from ..test_programs import children

PANTRY = Server("pantry", (sys.executable, str(Path(__file__).with_name("pantry.py"))))
GREETING = """
import json, os, signal, sys, time
def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
def hear():
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    return json.loads(line)
tools = [{"name": "switch", "description": "A lamp.", "inputSchema": {"type": "object"}}]
listing = {"tools": tools}
info = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
        "serverInfo": {"name": "lamp", "version": "1"}}
def text(said, **more):
    return {"content": [{"type": "text", "text": said}], **more}
def answer(id, given):
    say(id=id, result=text("lit"))
"""
LIFE = """
while True:
    heard = hear()
    id, method = heard.get("id"), heard.get("method")
    if method == "initialize":
        say(id=id, result=info)
    elif method == "tools/list":
        say(id=id, result=listing)
    elif method == "tools/call":
        answer(id, heard["params"]["arguments"])
"""


def liar(text: str = "", timeout_s: float = 10) -> Server:
    """A server written by hand; `text` changes what it does."""
    argv = (sys.executable, "-I", "-S", "-c", GREETING + text + LIFE)
    return Server("lamp", argv, timeout_s=timeout_s)


def answering(text: str, timeout_s: float = 10) -> Server:
    """One that does this when it is called."""
    lines = text.replace("\n", "\n    ")
    return liar(f"def answer(id, given):\n    {lines}\n", timeout_s)


class House:
    """A speaker with tools: what it tells the journal can be waited for."""

    def __init__(self, tools: Toolbox) -> None:
        self.tools = tools
        self.notes: list[Note] = []
        self._news = asyncio.Event()

    def feed(self, event: Event) -> None:
        """Nobody decides here."""

    def tell(self, note: Note) -> None:
        self.notes.append(note)
        self._news.set()

    async def told(self, fact: Fact, times: int = 1) -> str:
        """What the journal tells when it does so for the nth time."""
        while len(found := [note.message for note in self.notes if note.fact is fact]) < times:
            self._news.clear()
            await self._news.wait()
        return found[times - 1]

    async def ask(self, tool: str, /, **given: object) -> str:
        return await self.tools.call(tool, json.dumps(given))

    async def fails(self, tool: str, /, **given: object) -> str:
        answer = json.loads(await self.ask(tool, **given))
        assert list(answer) == ["error"]
        return str(answer["error"])


@contextlib.asynccontextmanager
async def house(*servers: Server, patience_s: float = 40) -> AsyncIterator[House]:
    reach = Reach()
    living = House(toolbox.open([], Tools(server=servers), reach))
    async with asyncio.timeout(patience_s):
        duty = asyncio.create_task(living.tools.serve(living))
        try:
            yield living
            if duty.done():
                duty.result()
        finally:
            duty.cancel()
            async with asyncio.timeout(10):
                with contextlib.suppress(asyncio.CancelledError):
                    await duty


def test_where_the_library_is_broken_the_other_tools_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "edged.tools._mcp", None)

    async def evening() -> None:
        async with house(PANTRY) as home:
            assert (await home.told(Fact.PART_MISSING)).startswith("no server of tools: ")
            assert "there is no tool" in await home.fails("pantry_count", what="eggs")

    asyncio.run(evening())


def lives(story: Callable[[House], Any], *servers: Server) -> None:
    async def evening() -> None:
        async with house(*servers) as living:
            await living.told(Fact.TOOLS_OFFERED)
            await story(living)

    asyncio.run(evening())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where root runs the tests nobody may not start the Python that they run in."""
    monkeypatch.setattr(programs, "nobody", dict)
    monkeypatch.setattr(_mcp, "_PAUSES_S", (0.01, 0.1))
    monkeypatch.setattr(_mcp, "_CALM_S", 0.01)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    children_before = children()
    yield
    assert children() == children_before
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


# --- a server as it should be -------------------------------------------------------------


def test_what_a_server_offers_can_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PANTRY_TOKEN", "salt")

    async def story(home: House) -> None:
        count, spill, *_ = home.tools.guests()
        assert (count.name, count.description) == ("pantry_count", "Counts what is there.")
        assert count.parameters["required"] == ["what"]
        assert count.parameters["properties"]["unit"]["enum"] == ["pieces", "grams"]
        assert spill.name == "pantry_spill"
        assert await home.ask("pantry_count", what="eggs") == "3 pieces of eggs"
        wanted = {"what": "eggs", "unit": None, "shelf": 2}
        assert await home.ask("pantry_count", **wanted) == "3 pieces of eggs on shelf 2"
        assert "one of" in await home.fails("pantry_count", what="eggs", unit="kilos")
        assert await home.fails("pantry_eat", what="cake") == (
            "pantry_eat: Error executing tool eat: there is no cake"
        )
        told = await home.ask("pantry_spill", characters=100_000)
        assert told == "x" * 16_000 + "\n[cut here: 100000 characters]"
        world = "['LANG', 'PANTRY_TOKEN', 'PATH'] in /"
        assert (await home.ask("pantry_environment")).replace("'LC_CTYPE', ", "") == world

    lives(story, replace(PANTRY, environment=("PANTRY_TOKEN",)))


def test_a_server_may_get_more_tools_and_is_started_anew_when_it_falls() -> None:
    async def story(home: House) -> None:
        assert "pantry_pour" not in [tool.name for tool in home.tools.guests()]
        assert await home.ask("pantry_stock") == "stocked"
        assert "pantry_pour" in await home.told(Fact.TOOLS_OFFERED, 2)
        assert await home.ask("pantry_pour", characters=3) == "xxx"
        assert await home.fails("pantry_fall") == "pantry_fall: its server has just ended"
        lost = await home.told(Fact.TOOLS_LOST)
        assert "pantry: it ended with status 3: " in lost
        assert "the shelf breaks; again in 0.01 s" in lost
        await home.told(Fact.TOOLS_OFFERED, 3)
        assert await home.ask("pantry_count", what="eggs") == "3 pieces of eggs"

    lives(story, PANTRY)


def test_a_call_that_takes_too_long_holds_up_no_other() -> None:
    async def story(home: House) -> None:
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(home.fails("pantry_wait"))
            for _ in range(3):
                assert await home.ask("pantry_count", what="eggs") == "3 pieces of eggs"
        assert slow.result() == "pantry_wait did not answer within 2 seconds"
        # It only takes its time: it is there as before.
        assert await home.ask("pantry_count", what="eggs") == "3 pieces of eggs"
        assert [note.fact for note in home.notes] == [Fact.TOOLS_OFFERED]

    lives(story, replace(PANTRY, timeout_s=2))


def test_only_what_is_allowed_is_offered() -> None:
    async def story(home: House) -> None:
        assert [tool.name for tool in home.tools.guests()] == ["pantry_eat"]
        told = 'the tool server pantry offers pantry_eat; left out: "drink" is not there'
        assert await home.told(Fact.TOOLS_OFFERED) == told
        assert "there is no tool" in await home.fails("pantry_count", what="eggs")

    lives(story, replace(PANTRY, allowed_tools=("eat", "drink")))


# --- and as it should not be --------------------------------------------------------------


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("sys.exit('the bulb is gone')", "its server has just ended"),
        ("os.kill(os.getpid(), 11)", "its server has just ended"),
        ("os.close(0); time.sleep(1000)", "its server has just ended"),
        ("os.close(1); time.sleep(1000)", "its server has just ended"),
        ("while True: print('x' * 1000)", "its server has just ended"),
        ("while True: sys.stdout.write('x' * 1000)", "its server has just ended"),
        ("while True: print('x' * 1000, file=sys.stderr)", "its server has just ended"),
        ("while True: say(method='notifications/message', params={})", "its server has just e"),
        ("while True: say(method='notifications/tools/list_changed')", "its server has just e"),
        ("while True: say(method='ping', id=1)", "its server has just ended"),
        ("while True: say(id=id + 1000, result={})", "its server has just ended"),
        ("say(id=id, result=text('x' * 2_000_000))", "its server has just ended"),
    ],
)
def test_one_that_breaks_off_a_call_is_there_again_soon(does: str, told: str) -> None:
    async def story(home: House) -> None:
        assert (await home.fails("lamp_switch")).startswith(f"lamp_switch: {told}")
        await home.told(Fact.TOOLS_LOST)
        await home.told(Fact.TOOLS_OFFERED, 2)
        assert [tool.name for tool in home.tools.guests()] == ["lamp_switch"]

    lives(story, answering(does))


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("say(id=id, result={})", "it does not keep to the protocol: "),
        ("say(id=id, result={'content': 5})", "it does not keep to the protocol: "),
        ("say(id=id, result={'content': [{'type': 'text'}]})", "it does not keep to the protoc"),
        ("say(id=id, result=text('no bulb', isError=True))", "no bulb"),
        ("say(id=id, error={'code': -32000, 'message': 'no bulb'})", "no bulb"),
        ("say(id=id, error={'code': 1, 'message': 'x' * 90_000})", "x" * 500 + "..."),
        ("say(id=id, result=text('x' * 90_000, isError=True))", "x" * 500 + "..."),
    ],
)
def test_one_that_answers_wrongly_hurts_its_answer_alone(does: str, told: str) -> None:
    async def story(home: House) -> None:
        for _ in range(2):
            answer = await home.fails("lamp_switch")
            assert answer.startswith(f"lamp_switch: {told}")
            assert len(answer) < 700
        assert [note.fact for note in home.notes] == [Fact.TOOLS_OFFERED]

    lives(story, answering(does))


@pytest.mark.parametrize(
    "does",
    [
        "os.write(1, b'\\xff\\xfe\\n{}\\n[1]\\nnull\\n3\\n')",
        "os.write(1, b'[' * 100_000 + b'\\n')",
        'os.write(1, b\'{"jsonrpc": "2.0", "id": \' + b\'9\' * 10_000 + b\', "result": {}}\\n\')',
        "print('Welcome to the lamp!', flush=True)",
        "say(id='other', result={})\nsay(id=None, result={})\nsay(id=-1, error={})",
        "say(id=7, method='sampling/createMessage', params={})",
        "say(id=[7], method='roots/list')\nsay(method='notifications/progress', params=[])",
        "say(method='notifications/cancelled', params={'requestId': id})",
        "say(id=id, method='elicitation/create', params={'message': 'your key?'})",
    ],
)
def test_what_nobody_asked_for_is_not_listened_to(does: str) -> None:
    async def story(home: House) -> None:
        for _ in range(2):
            assert await home.ask("lamp_switch") == "lit"
        assert [note.fact for note in home.notes] == [Fact.TOOLS_OFFERED]

    lives(
        story, answering(f"{does}\nsay(id=id, result=text('lit'))\nsay(id=id, result=text('off'))")
    )


def test_one_that_answers_and_then_hangs_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mcp, "_DOUBT_S", 0.3)

    async def story(home: House) -> None:
        assert await home.ask("lamp_switch") == "lit"
        assert await home.fails("lamp_switch") == "lamp_switch did not answer within 2 seconds"
        assert "lamp: it does not answer; again" in await home.told(Fact.TOOLS_LOST)
        await home.told(Fact.TOOLS_OFFERED, 2)
        assert await home.ask("lamp_switch") == "lit"

    stubborn = "signal.signal(15, signal.SIG_IGN)\n"
    lit = "say(id=id, result=text('lit'))\n    while True: time.sleep(1000)"
    lives(story, answering(stubborn + lit.replace("\n    ", "\n"), timeout_s=2))


def test_a_megabyte_for_one_that_does_not_listen_is_given_up() -> None:
    async def story(home: House) -> None:
        for _ in range(2):
            told = await home.fails("lamp_switch", words="x" * 1_000_000)
            assert told == "lamp_switch did not answer within 0.3 seconds"

    lives(story, answering("time.sleep(1000)", timeout_s=0.3))


def test_what_cannot_be_said_in_words_is_named() -> None:
    parts = [
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "resource", "resource": {"uri": "lamp://bulb", "text": "a bulb"}},
        {"type": "text", "text": "lit"},
    ]

    async def story(home: House) -> None:
        told = "[image that cannot be told]\na bulb\nlit"
        assert await home.ask("lamp_switch") == told
        assert await home.ask("lamp_switch") == '{"on": true}'

    lives(
        story,
        liar(f"""
answers = [{{"content": {parts}}}, {{"content": [], "structuredContent": {{"on": True}}}}]
def answer(id, given):
    say(id=id, result=answers.pop(0))
"""),
    )


# --- how it begins ------------------------------------------------------------------------


def lost(server: Server) -> str:
    """What the journal tells of one that never comes to offer anything."""

    async def evening() -> str:
        async with house(server) as home:
            for times in (1, 2):
                told = await home.told(Fact.TOOLS_LOST, times)
            assert home.tools.guests() == ()
            return told.removeprefix("the tool server lamp: ").rpartition("; again")[0]

    return asyncio.run(evening())


def test_one_that_cannot_be_started_is_tried_again_and_again() -> None:
    told = lost(Server("lamp", ("/nowhere/lamp",)))
    assert told.startswith("it ended with status 127: failed to execute /nowhere/lamp")


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("sys.exit('no bulb')", "it ended with status 1: no bulb"),
        ("info['protocolVersion'] = '1066-10-14'", "it does not keep to the protocol: "),
        ("info = {'serverInfo': 5}", "it does not keep to the protocol: "),
        ("listing = {'tools': [{'name': 5}]}", "it does not keep to the protocol: "),
        ("listing = {}", "it does not keep to the protocol: "),
        ("listing = {'tools': [{**tools[0], 'description': 'x' * 3_000_000}]}", "it printed with"),
    ],
)
def test_one_that_begins_badly_offers_nothing(does: str, told: str) -> None:
    assert lost(liar(does)).startswith(told)


def test_one_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mcp, "_START_S", 0.2)
    assert lost(liar("time.sleep(1000)")) == "it does not answer"


def offers(text: str) -> tuple[Mapping[str, Any], str]:
    """The schemas of what such a one offers, by name, and what the journal tells."""
    found = {}

    async def evening() -> str:
        async with house(liar(text)) as home:
            told = await home.told(Fact.TOOLS_OFFERED)
            found.update({tool.name: tool.parameters for tool in home.tools.guests()})
            return told

    return found, asyncio.run(evening())


def test_a_list_without_end_is_read_for_a_while() -> None:
    found, told = offers("listing = {'tools': tools, 'nextCursor': 'more'}")
    assert [*found] == ["lamp_switch"]
    found, told = offers("listing = {'tools': [{**tools[0], 'name': f'{n}'} for n in range(3000)]}")
    assert len(found) == 32
    assert told.endswith('; left out: "32" and what follows: it is too much for a model')
    assert len(told) < 1500


def test_a_schema_that_is_none_costs_that_tool_alone() -> None:
    found, told = offers(
        "tools += [{'name': 'b', 'inputSchema': {**tools[0]['inputSchema'], 'required': ['on']}}]"
    )
    assert [*found] == ["lamp_switch"]
    assert '; left out: "b": its schema is none' in told


def test_the_speaker_goes_on_while_one_floods() -> None:
    """Others of its tools too."""

    async def story(home: House) -> None:
        await home.told(Fact.TOOLS_OFFERED, 2)
        async with asyncio.TaskGroup() as group:
            flood = group.create_task(home.fails("lamp_switch"))
            assert await home.ask("calm_switch") == "lit"
        assert "has just ended" in flood.result()
        assert await home.ask("calm_switch") == "lit"

    lives(story, answering("while True: print('x')"), replace(liar(), name="calm"))
