"""Where the other providers differ from OpenAI, and what of a configuration they cannot have."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged import config, plugins, schema
from edged.core import commands as cmd
from edged.core import events as ev
from edged.core.settings import Abilities, Session, ToolSpec
from edged.dialects import azure, legacy, openai, xai
from edged.dialects._events import DECODERS
from edged.link import websocket

from .declared import instance, server_events

CLOCK = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {}})
RESOURCE = "wss://res.openai.azure.com/openai/v1/realtime"
PREVIEW = "wss://res.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d"


def _all() -> Mapping[str, openai.Dialect]:
    return {
        "azure": azure.open(Session(model="d"), azure.Settings(url=RESOURCE), [CLOCK]),
        "xai": xai.open(Session(model="grok", voice="ara"), xai.Settings(), [CLOCK]),
        "legacy": legacy.open(Session(model="llama"), legacy.Settings(), [CLOCK]),
    }


every = pytest.mark.parametrize("name", ["azure", "xai", "legacy"])


@pytest.mark.parametrize("limited", [False, True])
@every
def test_tools_that_come_and_go_are_told_as_they_are_then(name: str, limited: bool) -> None:
    dialect = _all()[name]
    there: list[ToolSpec] = []
    dialect.guests = lambda: there
    dialect.configure()
    if limited:
        refusal = {"type": "invalid_request_error", "message": "no", "event_id": "edged-configure"}
        dialect.decode(json.dumps({"type": "error", "error": refusal}))
        assert "edged-configure-least" in dialect.configure()
    assert "pantry_count" not in dialect.configure()
    there.append(replace(CLOCK, name="pantry_count"))
    told = dialect.configure()
    assert told.index('"clock"') < told.index('"pantry_count"')


# --- how they are reached -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "url", "headers"),
    [
        (
            azure.open(Session(model="my voice"), azure.Settings(url=RESOURCE)),
            f"{RESOURCE}?model=my%20voice",
            {"api-key": "k"},
        ),
        (
            azure.open(Session(model="d"), azure.Settings(RESOURCE, "bearer")),
            f"{RESOURCE}?model=d",
            {"Authorization": "Bearer k"},
        ),
        (
            xai.open(Session(model="grok-voice-think-fast-2.0"), xai.Settings()),
            "wss://api.x.ai/v1/realtime?model=grok-voice-think-fast-2.0",
            {"Authorization": "Bearer k"},
        ),
        (
            legacy.open(Session(model="llama"), legacy.Settings(beta_header=True)),
            "ws://localhost:8000/v1/realtime?model=llama",
            {"Authorization": "Bearer k", "OpenAI-Beta": "realtime=v1"},
        ),
        (
            legacy.open(Session(model="m"), legacy.Settings(PREVIEW, "api-key")),
            PREVIEW,
            {"api-key": "k"},
        ),
    ],
    ids=["azure", "azure, a token", "xai", "beta header", "azure's preview"],
)
def test_address_and_headers(dialect: openai.Dialect, url: str, headers: dict[str, str]) -> None:
    assert dialect.url() == url
    assert dialect.headers("k") == headers
    assert not {"Authorization", "api-key"} & dialect.headers("").keys()


def test_what_they_can_do() -> None:
    assert {name: dialect.abilities for name, dialect in _all().items()} == {
        "azure": Abilities(),
        "xai": Abilities(
            truncates=False,
            deletes=False,
            announces=False,
            asks_leave=False,
            bills_minutes=True,
        ),
        "legacy": Abilities(truncates=False, cancels=False, announces=False, asks_leave=False),
    }
    able = legacy.open(Session(), legacy.Settings(truncates=True, cancels=True))
    assert able.abilities == Abilities(announces=False, asks_leave=False)


def test_a_server_that_hears_no_ends_of_turns_is_asked_for_none() -> None:
    deaf = legacy.open(Session(), legacy.Settings(detects_turns=False))
    assert not deaf.abilities.detects_turns
    assert json.loads(deaf.configure())["session"]["turn_detection"] is None
    deaf.decode('{"type": "error", "error": {"code": "unknown_parameter"}}')
    assert json.loads(deaf.configure())["session"]["turn_detection"] is None
    assert not deaf.encode(cmd.DetectTurns(True)) + deaf.encode(cmd.DetectTurns(False))


@every
@pytest.mark.parametrize(
    ("command", "ability"),
    [
        (cmd.TruncateReply("i", 0, 5), "truncates"),
        (cmd.DeleteItem("i"), "deletes"),
        (cmd.CancelReply("r"), "cancels"),
        (cmd.Recall("user", "so it was"), "recalls"),
        (cmd.DetectTurns(True), "detects_turns"),
    ],
)
def test_what_they_cannot_do_is_not_asked_of_them(
    name: str, command: cmd.LinkCommand, ability: str
) -> None:
    dialect = _all()[name]
    assert bool(dialect.encode(command)) is getattr(dialect.abilities, ability)


@every
@pytest.mark.parametrize("interrupts", [True, False])
def test_whether_speech_ends_an_answer_is_told_in_every_shape(name: str, interrupts: bool) -> None:
    dialect = _all()[name]
    dialect.interrupts = interrupts
    told = f'"interrupt_response":{str(interrupts).lower()}'
    (turns,) = dialect.encode(cmd.DetectTurns(True))
    assert told in dialect.configure()
    assert told in turns


@every
def test_what_there_is_to_add_is_told(name: str) -> None:
    dialect = _all()[name]
    dialect.addendum = lambda: "Anna's birthday is in May."
    whole = json.loads(dialect.configure())["session"]
    dialect.decode('{"type": "error", "error": {"code": "unknown_parameter"}}')
    least = json.loads(dialect.configure())["session"]
    for session in (whole, least):
        assert session["instructions"].endswith("\n\nAnna's birthday is in May.")


# --- what they say ------------------------------------------------------------------------


@every
@pytest.mark.parametrize("kind", sorted(DECODERS))
def test_every_event_of_the_published_protocol_is_understood_too(name: str, kind: str) -> None:
    dialect = _all()[name]
    dialect.decode(json.dumps(instance(server_events()[kind], "full")))
    assert not dialect.unknown
    assert not dialect.malformed


@every
@given(st.data())
def test_nothing_makes_them_stumble(name: str, data: st.DataObject) -> None:
    dialect = _all()[name]
    kinds = sorted({*dialect.decoders, *dialect.ignored})
    names = ["item", "response", "error", "delta", "item_id", "conversation", "transcript"]
    values = st.none() | st.integers() | st.text(max_size=4) | st.just({"id": 7})
    for _ in range(5):
        event = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=4))
        event["type"] = data.draw(st.sampled_from(kinds))
        for word in dialect.decode(json.dumps(event)):
            assert isinstance(word, ev.Said | ev.Line)


def test_a_call_that_xai_tells_twice_is_made_once() -> None:
    dialect = _all()["xai"]
    dialect.decode('{"type": "response.created", "response": {"id": "r"}}')
    call = {"call_id": "c", "name": "clock", "arguments": "{}"}
    done = {"type": "response.function_call_arguments.done", **call}
    item = {"type": "function_call", "status": "completed", **call}
    again = {"type": "response.output_item.done", "response_id": "r", "item": item}
    told = [dialect.decode(json.dumps(event)) for event in (done, again, done)]
    assert told == [[ev.ToolCalled("r", "c", "clock", "{}")], [], []]
    dialect.restart()
    assert dialect.decode(json.dumps(again)) == [ev.ToolCalled("r", "c", "clock", "{}")]


def test_a_call_that_xai_tells_without_its_name_is_made_once_it_has_one() -> None:
    dialect = _all()["xai"]
    dialect.decode('{"type": "response.created", "response": {"id": "r"}}')
    call = {"call_id": "c", "name": "", "arguments": "{}"}
    done = {"type": "response.function_call_arguments.done", **call}
    item = {"type": "function_call", "status": "completed", **call, "name": "clock"}
    again = {"type": "response.output_item.done", "response_id": "r", "item": item}
    told = [dialect.decode(json.dumps(event)) for event in (done, again)]
    assert told == [[], [ev.ToolCalled("r", "c", "clock", "{}")]]


def test_words_of_an_answer_that_xai_tells_whole_are_not_told_twice() -> None:
    dialect = _all()["xai"]
    at = {"response_id": "r", "item_id": "i"}
    kind = "response.output_audio_transcript"
    dialect.decode(json.dumps({"type": f"{kind}.delta", "delta": "It is ", **at}))
    done = {"type": f"{kind}.done", "transcript": "It is noon.", **at}
    assert dialect.decode(json.dumps(done)) == [ev.ReplyText("r", "i", "It is noon.")]
    assert dialect.decode(json.dumps({"type": f"{kind}.done", **at})) == []


def test_the_older_names_are_no_longer_openais() -> None:
    old = {"type": "response.audio.delta", "response_id": "r", "item_id": "i", "delta": "AAA="}
    assert len(_all()["legacy"].decode(json.dumps(old))) == 1
    assert openai.open(Session(), openai.Settings()).decode(json.dumps(old)) == []


# --- what of a configuration they cannot have ---------------------------------------------


@pytest.mark.parametrize(
    ("driver", "lines", "mistakes"),
    [
        ("azure", "", ["provider.azure.url: is missing"]),
        (
            "azure",
            f'[provider.azure]\nurl = "{PREVIEW}"',
            ["provider.azure.url: is wss://RESOURCE"],
        ),
        ("azure", f'[provider.azure]\nurl = "{RESOURCE}"', []),
        ("xai", "", ["session.model: is OpenAI's", "session.voice: is OpenAI's"]),
        ("xai", '[session]\nmodel = "grok"\nvoice = "ara"', []),
        (
            "xai",
            '[session]\nmodel = "grok"\nvoice = "ara"\nturn_detection = "semantic_vad"',
            ["session.turn_detection: xAI knows"],
        ),
        ("legacy", "", []),
        (
            "legacy",
            '[session]\nturn_detection = "semantic_vad"',
            ["session.turn_detection: the older shape"],
        ),
        ("openai", '[session]\nturn_detection = "semantic_vad"', []),
    ],
)
def test_a_mistake_is_told_before_the_evening(
    driver: str, lines: str, mistakes: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(f'[provider]\ndriver = "{driver}"\n{lines}\n')
    told: Any = ""
    try:
        schema.read(file)
    except config.ConfigError as error:
        told = str(error)
    assert len(told.splitlines()) == len(mistakes)
    for mistake, line in zip(mistakes, sorted(told.splitlines()), strict=True):
        assert mistake in line


# --- what the README shows ----------------------------------------------------------------

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(
    r"```toml\n(.*?)```", README.split("\n## Providers\n")[1].split("\n## ")[0], re.DOTALL
)


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.splitlines()[0][2:22])
def test_what_the_readme_shows_can_be_taken_as_it_stands(block: str, tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(block)
    settings = schema.read(file)
    provider = settings.provider
    dialect = provider.module.open(settings.session, provider.settings)
    # An address that would send the key in the clear is refused here.
    assert isinstance(settings.link.settings, websocket.Settings)
    websocket.open(settings.link.settings, dialect, "none")
    assert dialect.url().startswith(("ws://nas.local", "wss://"))


def test_the_readme_shows_every_kind_of_server() -> None:
    drivers = {block.partition('driver = "')[2].partition('"')[0] or "openai" for block in SHOWN}
    assert drivers == set(plugins.drivers("dialects"))
    assert len(SHOWN) == 6
