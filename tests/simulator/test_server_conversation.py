"""What the simulated server keeps of a conversation, and how a client edits it."""

import asyncio
import base64
from typing import Any

import numpy as np
import pytest

from edged.simulator.server import Items, Options, Speech, serve
from tests.simulator.caller import Caller, calling, hum

TUNE = Speech("A tune of one second", hum(1.0))
QUICK = Options(detector="energy", answers=[TUNE], pace=0, think_s=0)
SLOW = Options(detector="energy", answers=[TUNE], pace=1, think_s=0)


def text(role: str, words: str, **fields: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": words}], **fields}


async def create(caller: Caller, item: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Create an item; its `conversation.item.added`."""
    await caller.send("conversation.item.create", item=item, **fields)
    added = await caller.next("conversation.item.added")
    done = await caller.next("conversation.item.done")
    assert done["item"] == added["item"]
    return added


async def answered(caller: Caller) -> str:
    """Let the server answer; the answer's item."""
    await caller.send("response.create")
    done = await caller.next("response.done")
    return str(done["response"]["output"][0]["id"])


async def retrieve(caller: Caller, item_id: str) -> dict[str, Any]:
    await caller.send("conversation.item.retrieve", item_id=item_id)
    item: dict[str, Any] = (await caller.next("conversation.item.retrieved"))["item"]
    return item


async def truncate(caller: Caller, item_id: str, ms: int) -> None:
    told = {"item_id": item_id, "content_index": 0, "audio_end_ms": ms}
    await caller.send("conversation.item.truncate", **told)


def test_a_conversation_is_replayed_item_by_item_in_any_order() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            first = await create(caller, text("user", "What time is it?", id="mine"))
            assert (first["previous_item_id"], first["item"]["id"]) == (None, "mine")
            last = await create(caller, text("assistant", "Nine."))
            assert last["previous_item_id"] == "mine"
            top = await create(caller, text("system", "Go on."), previous_item_id="root")
            assert top["previous_item_id"] is None
            call = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "call_1"}
            await create(caller, call, previous_item_id="mine")
            output = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
            put = await create(caller, output)
            assert put["previous_item_id"] == last["item"]["id"]
            await caller.send("conversation.item.create", item=text("user", "Again", id="mine"))
            assert (await caller.refusal())["param"] == "item.id"

    asyncio.run(story())


def test_recorded_sound_can_be_put_in_and_is_retrieved_exactly() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            sound = base64.b64encode(hum(0.3).tobytes()).decode()
            part = {"type": "input_audio", "audio": sound}
            put = {"type": "message", "role": "user", "content": [part]}
            item = (await create(caller, put))["item"]
            assert "audio" not in item["content"][0]
            assert (await retrieve(caller, item["id"]))["content"][0]["audio"] == sound

    asyncio.run(story())


def test_truncating_cuts_the_sound_and_forgets_the_words() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            item_id = await answered(caller)
            await truncate(caller, item_id, 250)
            told = await caller.next("conversation.item.truncated")
            assert (told["item_id"], told["audio_end_ms"]) == (item_id, 250)
            part = (await retrieve(caller, item_id))["content"][0]
            heard = np.frombuffer(base64.b64decode(part["audio"]), "<i2")
            assert np.array_equal(heard, TUNE.samples[:6000])
            assert "transcript" not in part

    asyncio.run(story())


def test_more_cannot_have_been_heard_than_was_sent() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            item_id = await answered(caller)
            await truncate(caller, item_id, 1001)
            error = await caller.refusal()
            assert error["message"] == "Audio content of 1000ms is already shorter than 1001ms"
            await truncate(caller, item_id, 1000)
            await caller.next("conversation.item.truncated")

    asyncio.run(story())


def test_only_the_models_own_sound_is_truncated_and_only_once_there_is_some() -> None:
    async def story() -> None:
        options = Options(answers=[TUNE], think_s=0.2)
        async with await serve(options) as server, calling(server) as caller:
            mine = (await create(caller, text("user", "Hello")))["item"]["id"]
            written = (await create(caller, text("assistant", "Hello")))["item"]["id"]
            for item_id in (mine, written):
                await truncate(caller, item_id, 0)
                error = await caller.refusal()
                assert error["code"] == "unsupported_content_type"
                assert error["message"] == "Only model output audio messages can be truncated."

    asyncio.run(story())


def test_an_interrupted_answer_is_truncated_to_what_was_heard() -> None:
    async def story() -> None:
        async with await serve(SLOW) as server, calling(server) as caller:
            await caller.send("response.create")
            delta = await caller.next("response.output_audio.delta")
            await caller.send("response.cancel")
            await truncate(caller, delta["item_id"], 40)
            await caller.next("conversation.item.truncated")
            part = (await retrieve(caller, delta["item_id"]))["content"][0]
            assert len(base64.b64decode(part["audio"])) == 40 * 48
            assert "transcript" not in part

    asyncio.run(story())


def test_an_item_that_is_cut_while_it_is_made_does_not_grow_again() -> None:
    async def story() -> None:
        options = Options(detector="energy", answers=[TUNE], pace=2, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.send("response.create")
            item_id = (await caller.next("response.output_audio.delta"))["item_id"]
            await truncate(caller, item_id, 40)
            await caller.next("conversation.item.truncated")
            await caller.next("response.output_audio.delta")
            done = (await caller.next("response.done"))["response"]
            assert done["usage"]["output_token_details"]["audio_tokens"] == 20
            part = (await retrieve(caller, item_id))["content"][0]
            assert len(base64.b64decode(part["audio"])) == 40 * 48
            assert "transcript" not in part
            await truncate(caller, item_id, 41)
            told = (await caller.refusal())["message"]
            assert told == "Audio content of 40ms is already shorter than 41ms"

    asyncio.run(story())


def test_an_answer_of_which_nothing_was_sent_yet_cannot_be_truncated() -> None:
    async def story() -> None:
        options = Options(answers=[TUNE], think_s=0, jitter_s=1.0, seed=2)
        async with await serve(options) as server, calling(server) as caller:
            await caller.send("response.create")
            added = await caller.next("response.output_item.added")
            await truncate(caller, added["item"]["id"], 0)
            assert (await caller.refusal())["code"] == "unsupported_content_type"
            await caller.next("response.output_audio.delta")
            await truncate(caller, added["item"]["id"], 0)
            await caller.next("conversation.item.truncated")

    asyncio.run(story())


def test_an_item_that_is_deleted_while_it_is_made_stays_away() -> None:
    async def story() -> None:
        options = Options(answers=[Items([TUNE, TUNE])], pace=4, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.send("response.create")
            gone = (await caller.next("response.output_audio.delta"))["item_id"]
            await caller.send("conversation.item.delete", item_id=gone)
            await caller.next("conversation.item.deleted")
            done = (await caller.next("response.done"))["response"]
            assert [item["status"] for item in done["output"]] == ["completed"] * 2
            left = [e for e in caller.seen if e["type"] == "conversation.item.done"]
            assert [e["item"]["id"] for e in left] == [done["output"][1]["id"]]
            assert left[0]["previous_item_id"] is None
            await caller.send("conversation.item.delete", item_id=gone)
            assert (await caller.refusal())["code"] == "item_delete_invalid_item_id"

    asyncio.run(story())


def test_the_log_tells_when_what_was_cut() -> None:
    async def story() -> None:
        async with await serve(SLOW) as server, calling(server) as caller:
            await caller.send("response.create")
            item_id = (await caller.next("response.output_audio.delta"))["item_id"]
            await caller.send("response.cancel")
            await truncate(caller, item_id, 40)
            await caller.next("conversation.item.truncated")
            await caller.send("conversation.item.delete", item_id=item_id)
            await caller.next("conversation.item.deleted")
            (cancel,) = server.entries("response.cancel")
            (cut,) = server.entries("conversation.item.truncate")
            (gone,) = server.entries("conversation.item.delete")
            assert 0 < cancel.t <= cut.t <= gone.t <= server.ledger.now
            assert (cut.details["item_id"], cut.details["audio_end_ms"]) == (item_id, 40)
            assert gone.details["item_id"] == item_id
            sent = server.entries("response.output_audio.delta")
            assert {entry.details["item_id"] for entry in sent} == {item_id}

    asyncio.run(story())


def test_a_deleted_item_is_gone() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            item_id = await answered(caller)
            await caller.send("conversation.item.delete", item_id=item_id)
            assert (await caller.next("conversation.item.deleted"))["item_id"] == item_id
            await truncate(caller, item_id, 10)
            assert (await caller.refusal())["code"] == "item_truncate_invalid_item_id"

    asyncio.run(story())


def test_side_work_sees_only_what_it_is_given() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            mine = (await create(caller, text("user", "x" * 400)))["item"]["id"]
            await create(caller, text("user", "y" * 400))
            given = [{"type": "item_reference", "id": mine}, text("system", "z" * 40)]
            aside = {"conversation": "none", "input": given, "instructions": ""}
            await caller.send("response.create", response={**aside, "output_modalities": ["text"]})
            done = (await caller.next("response.done"))["response"]
            assert done["usage"]["input_token_details"]["text_tokens"] == 110

    asyncio.run(story())


@pytest.mark.parametrize("speed", [0.5, 1.5])
def test_the_voice_speaks_as_fast_as_it_is_told(speed: float) -> None:
    async def story() -> None:
        options = Options(voice="melody", answers=["one two three four five"], pace=0, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.update(audio={"output": {"speed": speed}})
            await answered(caller)
            assert len(caller.sound()) / 48_000 == pytest.approx(5 * 0.3 / speed, rel=0.01)

    asyncio.run(story())
