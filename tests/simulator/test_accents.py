"""The simulated server in other shapes of the protocol: as strict as in its own."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from edged.simulator.provider.accents import ACCENTS
from edged.simulator.provider.shapes import Refusal
from edged.simulator.server import Options, serve

from .caller import Caller

ITEM = {"type": "message", "role": "assistant"}
SPOKEN = {**ITEM, "content": [{"type": "output_text", "text": "so"}]}
FLAT = {"modalities": ["audio", "text"], "turn_detection": None}


@pytest.mark.parametrize(
    ("name", "event", "word"),
    [
        ("legacy", {"type": "session.update", "session": {"type": "realtime"}}, "session.type"),
        ("legacy", {"type": "session.update", "session": {"modalities": ["audio"]}}, "modalities"),
        (
            "legacy",
            {"type": "session.update", "session": {"turn_detection": {"type": "semantic_vad"}}},
            "semantic_vad",
        ),
        ("legacy", {"type": "conversation.item.create", "item": SPOKEN}, "output_text"),
        ("legacy", {"type": "response.cancel"}, "not supported"),
        ("xai", {"type": "session.update", "session": {"type": "realtime"}}, "session.type"),
        ("xai", {"type": "response.cancel", "response_id": "r"}, "response_id"),
        ("xai", {"type": "conversation.item.delete", "item_id": "i"}, "unknown event"),
        ("openai", {"type": "session.update", "session": FLAT}, "session.type"),
    ],
)
def test_what_it_refuses(name: Any, event: dict[str, Any], word: str) -> None:
    with pytest.raises(Refusal) as refusal:
        ACCENTS[name].read(json.dumps(event))
    assert word in refusal.value.message + str(refusal.value.param)


def test_the_older_shape_flattens_what_it_tells() -> None:
    async def story() -> None:
        async with await serve(Options(dialect="legacy", detector="energy")) as server:
            headers = {"Authorization": "Bearer k", "OpenAI-Beta": "realtime=v1"}
            async with connect(f"{server.url}?model=m", additional_headers=headers) as line:
                caller = Caller(line)
                created = json.loads(await line.recv())
                assert created["type"] == "session.created"
                assert created["session"]["input_audio_format"] == "pcm16"
                await caller.send("session.update", session=FLAT)
                updated = json.loads(await line.recv())
                assert updated["session"]["turn_detection"] is None
                part = {"type": "text", "text": "so it was"}
                await caller.send("conversation.item.create", item={**ITEM, "content": [part]})
                told = json.loads(await line.recv())
                assert told["type"] == "conversation.item.created"
                assert told["item"]["content"] == [part]

    asyncio.run(story())


def test_xai_begins_with_a_conversation() -> None:
    async def story() -> None:
        async with await serve(Options(dialect="xai", detector="energy")) as server:
            headers = {"Authorization": "Bearer k"}
            async with connect(f"{server.url}?model=m", additional_headers=headers) as line:
                kinds = [json.loads(await line.recv())["type"] for _ in range(3)]
                assert kinds == ["conversation.created", "ping", "session.created"]

    asyncio.run(story())
