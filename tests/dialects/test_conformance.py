"""Whatever edged is told to say, and however it is configured: nothing unknown is sent."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from edged import plugins
from edged.core import commands as do
from edged.core.settings import RemoteTools, Session, ToolSpec
from edged.dialects import openai

from .published import flaws

NAMES = sorted(plugins.drivers("dialects"))
CLOCK = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {}})
REMOTE = RemoteTools("weather", "https://example.org/mcp", ("forecast",))
REFUSAL = {
    "type": "invalid_request_error",
    "code": "unknown_parameter",
    "message": "No.",
    "param": "x",
}
USUAL = {
    "xai": Session(model="grok-voice-think-fast-2.0", voice="ara"),
    "legacy": Session(model="llama"),
}
THERE = {"azure": {"url": "wss://x.openai.azure.com/openai/v1/realtime"}}
COMMANDS = [kind for kind in get_args(do.LinkCommand) if kind is not do.SendNoise]
"""Noise has become sound before it reaches a dialect."""


def _sessions(name: str) -> Iterator[Session]:
    """Each choice of each setting, one at a time, where the dialect has no objection."""
    usual = USUAL.get(name, Session())
    wishes: list[dict[str, Any]] = [{}, {"transcription": ""}, {"instructions": ""}, {"speed": 1.2}]
    for field, shape in get_type_hints(Session).items():
        if get_origin(shape) is Literal:
            wishes += [{field: choice} for choice in get_args(shape)]
    wishes += [{"turn_detection": "semantic_vad", "eagerness": each} for each in ("low", "high")]
    objections: Callable[..., object] = getattr(
        plugins.load("dialects", name), "objections", lambda *_: {}
    )
    settings = plugins.load("dialects", name).Settings(**THERE.get(name, {}))
    for wish in wishes:
        if not objections(wished := replace(usual, **wish), settings):
            yield wished


def _samples(kind: type) -> Iterator[Any]:
    """A command of this kind, and one more for each choice that it leaves."""
    values: dict[str, list[Any]] = {}
    for field, shape in get_type_hints(kind).items():
        known: dict[Any, list[Any]] = {
            str: ["x", ""],
            int: [1],
            bool: [True, False],
            bytes: [b"\1\0" * 480],
        }
        values[field] = list(get_args(shape)) if get_origin(shape) is Literal else known[shape]
    usual = {field: choices[0] for field, choices in values.items()}
    for field, choices in values.items():
        for choice in choices:
            yield kind(**{**usual, field: choice})
    if not values:
        yield kind()


def _told(name: str, session: Session, *, limited: bool, **settings: Any) -> Iterator[str]:
    """All that it can be made to say in one session."""
    module = plugins.load("dialects", name)
    tools = [CLOCK] if name in ("xai", "legacy") else [CLOCK, REMOTE]
    speaker: openai.Dialect = module.open(
        session, module.Settings(**{**THERE.get(name, {}), **settings}), tools
    )
    speaker.restart()
    yield speaker.configure()
    if limited:
        speaker.decode(json.dumps({"type": "session.created", "session": {"id": "s"}}))
        no = {"type": "error", "error": {**REFUSAL, "event_id": "edged-configure"}}
        speaker.decode(json.dumps(no))
        yield speaker.configure()
    for kind in COMMANDS:
        for command in _samples(kind):
            # What a provider cannot do the core does not ask it for.
            able = speaker.abilities
            if isinstance(command, do.Approve) and not able.asks_leave:
                continue
            if not getattr(command, "words", "") or able.announces:
                yield from speaker.encode(command)


@pytest.mark.parametrize("limited", [False, True], ids=["all", "the least"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_unknown_is_sent(name: str, limited: bool) -> None:
    texts = [text for each in _sessions(name) for text in _told(name, each, limited=limited)]
    assert {json.loads(text)["type"] for text in texts} >= {
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
        "conversation.item.create",
        "response.create",
    }
    assert {text: found for text in texts if (found := flaws(name, text))} == {}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("openai", {"retention_ratio": 1.0}),
        ("openai", {"post_instructions_tokens": 0}),
        ("legacy", {"truncates": True, "cancels": True}),
    ],
)
def test_nor_with_other_settings_of_the_provider(name: str, settings: dict[str, Any]) -> None:
    texts = list(_told(name, USUAL.get(name, Session()), limited=False, **settings))
    assert {text: found for text in texts if (found := flaws(name, text))} == {}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_unknown_would_be_found(name: str) -> None:
    """On any level, and of the wrong kind too."""
    text = next(_told(name, USUAL.get(name, Session()), limited=False))
    for path in ((), ("session",), ("session", "turn_detection"), ("session", "audio", "input")):
        event = json.loads(text)
        inner = event
        for step in path:
            inner = inner.get(step, {})
        if path and not inner:
            continue
        inner["rocket"] = 1
        assert flaws(name, json.dumps(event)), path
    assert flaws(name, '{"type": "rocket.launch"}')
    assert flaws(name, '{"type": "input_audio_buffer.append", "audio": 7}')
