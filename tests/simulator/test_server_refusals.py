"""What the simulated server refuses, in the real one's words, and that nothing changes then."""

import asyncio
import json
from typing import Any

import pytest

from edged.simulator.server import Options, serve
from tests.simulator.caller import Caller, calling, dial

QUICK = Options(detector="energy", voice="melody", pace=0, think_s=0, answers=["Good evening."])

MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


def session(**fields: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **fields}}


def sound_in(**fields: Any) -> dict[str, Any]:
    return session(audio={"input": fields})


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": fields}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"event_id": "1"}, "missing_required_parameter", "type"),
    ({"type": "session.refresh"}, "invalid_value", "type"),
    ({"type": "output_audio_buffer.clear"}, "invalid_value", "type"),
    ({"type": "response.cancel", "event_id": "x" * 513}, "string_above_max_length", "event_id"),
    ({"type": "session.update"}, "missing_required_parameter", "session"),
    ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
    (session(temperature=0.8), "unknown_parameter", "session.temperature"),
    (session(modalities=["audio"]), "unknown_parameter", "session.modalities"),
    (session(output_modalities=["audio", "text"]), "invalid_value", "session.output_modalities"),
    (session(instructions=7), "invalid_type", "session.instructions"),
    (session(instructions=None), "invalid_type", "session.instructions"),
    (session(max_output_tokens=5000), "invalid_value", "session.max_output_tokens"),
    (session(max_output_tokens="all"), "invalid_value", "session.max_output_tokens"),
    (session(tool_choice="maybe"), "invalid_value", "session.tool_choice"),
    (session(model="gpt-realtime-9"), "invalid_value", "session.model"),
    (session(truncation={"type": "retention_ratio", "retention_ratio": 2}), "invalid_value",
     "session.truncation.retention_ratio"),
    (session(tools=[{"type": "function"}]), "missing_required_parameter", "session.tools[0].name"),
    (session(tools=[{"type": "function", "function": {"name": "x"}, "name": "x"}]),
     "unknown_parameter", "session.tools[0].function"),
    (session(audio={"output": {"speed": 2}}), "invalid_value", "session.audio.output.speed"),
    (sound_in(format={"type": "audio/pcm", "rate": 16000}), "invalid_value",
     "session.audio.input.format.rate"),
    (sound_in(format="pcm16"), "invalid_type", "session.audio.input.format"),
    (sound_in(turn_detection={"type": "server_vad", "threshold": 1.5}), "invalid_value",
     "session.audio.input.turn_detection.threshold"),
    (sound_in(turn_detection={"type": "semantic_vad", "threshold": 0.5}), "unknown_parameter",
     "session.audio.input.turn_detection.threshold"),
    (sound_in(turn_detection={"type": "server_vad", "silence_duration_ms": True}),
     "invalid_type", "session.audio.input.turn_detection.silence_duration_ms"),
    ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "not base64!"}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "QQ=="}, "invalid_value", "audio"),
    (item(type="letter"), "invalid_value", "item.type"),
    (item(type="message", role="user", content=[{"type": "output_text", "text": "Hi"}]),
     "invalid_value", "item.content[0].type"),
    (item(type="message", role="assistant", content=[{"type": "output_audio", "audio": ""}]),
     "invalid_value", "item.content[0].type"),
    (item(type="function_call_output", call_id="call_1", output={"a": 1}), "invalid_type",
     "item.output"),
    (item(type="function_call_output", call_id="call_1", output="{}"), "invalid_value",
     "item.call_id"),
    ({**item(**MESSAGE), "previous_item_id": "item_9"}, "invalid_value", "previous_item_id"),
    ({"type": "conversation.item.truncate", "item_id": "item_9", "content_index": 0},
     "missing_required_parameter", "audio_end_ms"),
    ({"type": "conversation.item.truncate", "item_id": "item_9", "content_index": 0,
      "audio_end_ms": 5}, "item_truncate_invalid_item_id", "item_id"),
    ({"type": "conversation.item.delete", "item_id": "item_9"}, "item_delete_invalid_item_id",
     "item_id"),
    ({"type": "conversation.item.retrieve", "item_id": "item_9"},
     "item_retrieve_invalid_item_id", "item_id"),
    ({"type": "response.create", "response": {"voice": "marin"}}, "unknown_parameter",
     "response.voice"),
    ({"type": "response.create", "response": {"metadata": {"k": "v" * 513}}},
     "string_above_max_length", "response.metadata.k"),
    ({"type": "response.create", "response": {"input": [{"type": "item_reference", "id": "no"}]}},
     "invalid_value", "response.input[0].id"),
]  # fmt: skip


def test_every_mistake_is_named_with_its_place_and_leaves_the_session_alone() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            for number, (event, code, param) in enumerate(REFUSED):
                named = {"event_id": f"mine-{number}", **event}
                await caller.line.send(json.dumps(named))
                error = await caller.refusal()
                assert (error["code"], error["param"]) == (code, param), event
                assert error["type"] == "invalid_request_error"
                assert error["event_id"] == named["event_id"]
                assert error["message"]
            assert set(caller.kinds()) == {"session.created", "error"}

    asyncio.run(story())


@pytest.mark.parametrize("frame", ["{not JSON", "[]", '"hello"', "", b"\x00\x01"])
def test_what_is_no_event_is_refused_and_the_session_goes_on(frame: str | bytes) -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.line.send(frame)
            error = await caller.refusal()
            assert (error["code"], error["event_id"]) == ("invalid_event", None)
            assert (await caller.update())["type"] == "session.updated"

    asyncio.run(story())


def test_an_update_with_one_mistake_changes_nothing() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            before = (await caller.update())["session"]
            refused = await caller.update(
                instructions="Be brief.", audio={"output": {"speed": 1.2, "voice": 3}}
            )
            assert refused["error"]["param"] == "session.audio.output.voice"
            assert (await caller.update())["session"] == before

    asyncio.run(story())


def test_an_update_changes_only_what_it_names() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            before = (await caller.update(instructions="Be brief."))["session"]
            vad = {"type": "server_vad", "silence_duration_ms": 700}
            after = (await caller.turns(vad))["session"]
            assert after["instructions"] == "Be brief."
            detection = after["audio"]["input"].pop("turn_detection")
            assert detection["silence_duration_ms"] == 700
            assert detection["threshold"] == 0.5
            before["audio"]["input"].pop("turn_detection")
            assert after == before

    asyncio.run(story())


def test_reasoning_is_for_models_that_can() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server:
            async with calling(server) as caller:
                assert (await caller.update(reasoning={"effort": "low"}))["session"]["reasoning"]
            async with dial(server, query="?model=gpt-realtime-1.5") as line:
                refused = await Caller(line).update(reasoning={"effort": "low"})
                assert refused["error"]["param"] == "session.reasoning"

    asyncio.run(story())


def test_the_voice_is_locked_once_it_was_heard_and_the_whole_update_is_lost() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            voice = {"output": {"voice": "cedar"}}
            assert (await caller.update(audio=voice))["type"] == "session.updated"
            await caller.send("response.create")
            await caller.next("response.done")
            refused = await caller.update(audio=voice, instructions="Sing.")
            assert refused["error"]["code"] == "cannot_update_voice"
            assert (await caller.update())["session"]["instructions"] != "Sing."
            await caller.send("response.create", response={"audio": voice})
            assert (await caller.refusal())["code"] == "cannot_update_voice"

    asyncio.run(story())
