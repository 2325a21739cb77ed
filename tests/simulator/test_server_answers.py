"""How the simulated server answers: in bursts, in order, interruptible, and with a bill."""

import asyncio
import itertools
from typing import Any

import numpy as np
import pytest

from edged.simulator.server import Call, Items, Options, Speech, serve
from tests.simulator.caller import Caller, calling, hum, silence, turn

QUICK = Options(detector="energy", voice="melody", pace=0, think_s=0, answers=["Good evening."])
TUNE = Speech("A tune of two seconds", hum(2.0))
SLOW = Options(detector="energy", answers=[TUNE], pace=2, think_s=0)
TOOL = {"type": "function", "name": "get_time", "parameters": {"type": "object"}}


async def say(caller: Caller, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    message = {"type": "message", "role": "user", "content": content}
    await caller.send("conversation.item.create", item=message)
    await caller.next("conversation.item.done")


async def ask(caller: Caller, **response: Any) -> dict[str, Any]:
    """Request an answer; its `response.done`'s response."""
    await caller.send("response.create", response=response)
    done: dict[str, Any] = (await caller.next("response.done"))["response"]
    return done


def test_the_answer_arrives_whole_with_its_words() -> None:
    async def story() -> None:
        options = Options(answers=[TUNE], pace=0, think_s=0, keep_audio=True)
        async with await serve(options) as server, calling(server) as caller:
            done = await ask(caller)
            assert caller.sound() == TUNE.samples.tobytes() == bytes(server.visits[0].said)
            words = [e["delta"] for e in caller.seen if e["type"].endswith("transcript.delta")]
            assert "".join(words) == TUNE.transcript
            assert done["output"][0]["content"][0]["transcript"] == TUNE.transcript
            assert done["status"] == "completed"

    asyncio.run(story())


def test_the_answers_are_given_in_turn_over_all_sessions() -> None:
    async def story() -> None:
        options = Options(answers=["One.", "Two."], think_s=0)
        said = []
        async with await serve(options) as server:
            for _ in range(3):
                async with calling(server) as caller:
                    done = await ask(caller, output_modalities=["text"])
                    said.append(done["output"][0]["content"][0]["text"])
        assert said == ["One.", "Two.", "One."]

    asyncio.run(story())


def test_without_a_list_it_says_what_it_heard_and_how_long() -> None:
    async def story() -> None:
        options = Options(detector="energy", voice="melody", pace=0, think_s=0, heard=["What?"])
        async with await serve(options) as server, calling(server) as caller:
            await caller.turns({"type": "server_vad", "create_response": False})
            await caller.append(turn())
            await caller.next("conversation.item.done")
            done = await ask(caller, output_modalities=["text"])
            text = done["output"][0]["content"][0]["text"]
            assert text.startswith("I heard “What?” for 1.8 seconds. Here is a short story.")

    asyncio.run(story())


@pytest.mark.parametrize(("pace", "seconds"), [(4, 0.475), (2, 0.95)])
def test_sound_leaves_at_the_pace_that_was_asked_for(pace: float, seconds: float) -> None:
    async def story() -> None:
        options = Options(answers=[TUNE], pace=pace, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await ask(caller)
            deltas = [e.t for e in server.entries("response.output_audio.delta")]
            assert len(deltas) == 20
            # Never early; late by what a busy machine costs.
            assert seconds - 0.01 <= deltas[-1] - deltas[0] < seconds + 0.4

    asyncio.run(story())


def test_jitter_makes_sound_late_and_never_swaps_it() -> None:
    async def story() -> None:
        options = Options(answers=[TUNE], pace=20, think_s=0, jitter_s=0.05)
        async with await serve(options) as server, calling(server) as caller:
            await ask(caller)
            assert caller.sound() == TUNE.samples.tobytes()
            times = [e.t for e in server.entries("response.output_audio.delta")]
            gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
            assert max(gaps) > 2 * float(np.median(gaps)) or np.std(gaps) > 0.005

    asyncio.run(story())


def test_somebody_who_speaks_interrupts_and_is_answered() -> None:
    async def story() -> None:
        async with await serve(SLOW) as server, calling(server) as caller:
            await caller.send("response.create")
            await caller.next("response.output_audio.delta")
            await caller.append(turn())
            done = (await caller.next("response.done"))["response"]
            assert done["status"] == "cancelled"
            assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            assert done["usage"]["output_token_details"]["audio_tokens"] < 40
            created = (await caller.next("response.created"))["response"]
            assert created["id"] != done["id"]

    asyncio.run(story())


def test_without_interrupt_response_the_answer_goes_on_and_the_turn_gets_none() -> None:
    async def story() -> None:
        async with await serve(SLOW) as server, calling(server) as caller:
            await caller.turns({"type": "server_vad", "interrupt_response": False})
            await caller.send("response.create")
            await caller.next("response.output_audio.delta")
            await caller.append(turn())
            await caller.next("conversation.item.done")
            done = (await caller.next("response.done"))["response"]
            assert done["status"] == "completed"
            await caller.send("input_audio_buffer.clear")
            await caller.next("input_audio_buffer.cleared")
            assert caller.kinds().count("response.created") == 1

    asyncio.run(story())


def test_an_answer_is_cancelled_by_request_and_only_while_it_lasts() -> None:
    async def story() -> None:
        async with await serve(SLOW) as server, calling(server) as caller:
            await caller.send("response.cancel")
            refused = await caller.refusal()
            assert refused["code"] == "response_cancel_not_active"
            assert refused["message"] == "Cancellation failed: no active response found"
            await caller.send("response.create")
            created = (await caller.next("response.created"))["response"]
            await caller.next("response.output_audio.delta")
            await caller.send("response.create")
            assert (await caller.refusal())["code"] == "conversation_already_has_active_response"
            await caller.send("response.cancel", response_id=created["id"])
            item = (await caller.next("response.output_item.done"))["item"]
            done = (await caller.next("response.done"))["response"]
            assert item["status"] == "incomplete"
            assert done["status_details"]["reason"] == "client_cancelled"
            await caller.send("response.cancel", response_id=created["id"])
            assert (await caller.refusal())["code"] == "response_cancel_not_active"

    asyncio.run(story())


def test_an_answer_stops_at_its_token_limit() -> None:
    async def story() -> None:
        options = Options(answers=[TUNE], pace=0, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            done = await ask(caller, max_output_tokens=20)
            assert done["status"] == "incomplete"
            assert done["status_details"]["reason"] == "max_output_tokens"
            assert 0 < done["usage"]["output_tokens"] <= 20
            done = await ask(caller, max_output_tokens=2, output_modalities=["text"])
            assert done["status"] == "incomplete"

    asyncio.run(story())


def test_a_tool_is_called_and_its_output_answered() -> None:
    async def story() -> None:
        options = Options(answers=[Call("get_time", '{"zone": "here"}'), "It is late."], think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.update(tools=[TOOL], output_modalities=["text"])
            await caller.send("response.create")
            told = await caller.next("response.function_call_arguments.done")
            item = (await caller.next("response.output_item.done"))["item"]
            done = (await caller.next("response.done"))["response"]
            assert item["arguments"] == told["arguments"] == '{"zone": "here"}'
            assert item["status"] == "completed"
            assert done["output"] == [item]
            output = {"type": "function_call_output", "call_id": item["call_id"], "output": "9"}
            await caller.send("conversation.item.create", item=output)
            answer = await ask(caller)
            assert answer["output"][0]["content"][0]["text"] == "It is late."

    asyncio.run(story())


def test_a_tool_choice_forces_a_call_and_a_missing_tool_is_told() -> None:
    async def story() -> None:
        options = Options(answers=[Call("fly")], think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.update(tools=[TOOL], output_modalities=["text"])
            forced = await ask(caller, tool_choice={"type": "function", "name": "get_time"})
            assert forced["output"][0]["name"] == "get_time"
            told = await ask(caller)
            text = told["output"][0]["content"][0]["text"]
            assert text == "I would call fly, but this session has no such tool."

    asyncio.run(story())


def test_side_work_runs_beside_the_answer_and_leaves_no_trace_in_the_conversation() -> None:
    async def story() -> None:
        async with await serve(SLOW) as server, calling(server) as caller:
            await caller.send("response.create")
            main = (await caller.next("response.created"))["response"]
            aside = {"conversation": "none", "metadata": {"topic": "summary"}, "input": []}
            await caller.send("response.create", response={**aside, "output_modalities": ["text"]})
            first = (await caller.next("response.done"))["response"]
            second = (await caller.next("response.done"))["response"]
            assert first["metadata"] == {"topic": "summary"}
            assert (first["conversation_id"], second["id"]) == (None, main["id"])
            assert second["conversation_id"] is not None
            added = [e for e in caller.seen if e["type"] == "conversation.item.added"]
            assert [e["item"]["id"] for e in added] == [second["output"][0]["id"]]

    asyncio.run(story())


def test_the_bill_follows_the_published_rates_and_history_is_input_again() -> None:
    async def story() -> None:
        options = Options(detector="energy", answers=[TUNE], pace=0, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.update(instructions="x" * 400)
            await caller.append(turn())
            first = (await caller.next("response.done"))["response"]["usage"]
            # 1.8 s of the user at a token per 100 ms, 2 s of the assistant at one per 50 ms.
            assert first["input_token_details"]["audio_tokens"] == pytest.approx(18, abs=1)
            assert first["input_token_details"]["text_tokens"] == 100
            assert first["input_token_details"]["cached_tokens"] == 0
            assert first["output_token_details"] == {"text_tokens": 6, "audio_tokens": 40}
            heard = first["input_token_details"]["audio_tokens"]
            second = (await ask(caller))["usage"]
            details = second["input_token_details"]
            assert (details["text_tokens"], details["audio_tokens"]) == (106, heard + 40)
            assert details["cached_tokens_details"]["audio_tokens"] == heard
            assert details["cached_tokens"] == 100 + heard
            assert second["total_tokens"] == second["input_tokens"] + second["output_tokens"]

    asyncio.run(story())


def test_a_written_answer_has_no_sound() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await say(caller, "Hello")
            done = await ask(caller, output_modalities=["text"])
            assert done["output"][0]["content"] == [
                {"type": "output_text", "text": "Good evening."}
            ]
            assert not caller.sound()
            text = [e["delta"] for e in caller.seen if e["type"] == "response.output_text.delta"]
            assert "".join(text) == "Good evening."

    asyncio.run(story())


def test_two_turns_in_one_burst_leave_one_answer_uninterrupted() -> None:
    async def story() -> None:
        async with await serve(SLOW) as server, calling(server) as caller:
            await caller.append(np.concatenate([turn(), turn(), silence(0.5)]), chunk_ms=6000)
            first = (await caller.next("response.done"))["response"]
            second = (await caller.next("response.done"))["response"]
            assert (first["status"], second["status"]) == ("cancelled", "completed")

    asyncio.run(story())


BELL = Speech("A bell of one second", hum(1.0, 0.1))
BOTH = Items([TUNE, BELL])


async def reach(caller: Caller, index: int) -> dict[str, Any]:
    """Wait for sound of the answer's item with this index; the event."""
    while True:
        delta = await caller.next("response.output_audio.delta")
        if delta["output_index"] == index:
            return delta


def told_of(caller: Caller, kind: str) -> list[int]:
    """The indices of the answer's items in events of one type, repetitions told once."""
    told = [event["output_index"] for event in caller.seen if event["type"] == kind]
    return [index for index, _ in itertools.groupby(told)]


def test_two_items_of_one_answer_follow_each_other_and_the_first_ends_late() -> None:
    async def story() -> None:
        options = Options(answers=[BOTH], pace=20, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            done = await ask(caller)
            assert caller.sound() == TUNE.samples.tobytes() + BELL.samples.tobytes()
            for kind in ("audio.delta", "audio.done", "audio_transcript.done", "item.done"):
                assert told_of(caller, f"response.output_{kind}") == [0, 1]
            place = {
                (event["type"], event.get("output_index")): number
                for number, event in reversed(list(enumerate(caller.seen)))
            }
            late = place["response.output_audio.done", 0]
            assert place["response.output_audio.delta", 1] < late
            assert [item["status"] for item in done["output"]] == ["completed"] * 2
            words = [item["content"][0]["transcript"] for item in done["output"]]
            assert words == [TUNE.transcript, BELL.transcript]
            assert done["usage"]["output_token_details"]["audio_tokens"] == 60
            one, two = (item["id"] for item in done["output"])
            added = [e for e in caller.seen if e["type"] == "conversation.item.added"]
            assert [(e["previous_item_id"], e["item"]["id"]) for e in added] == [
                (None, one),
                (one, two),
            ]

    asyncio.run(story())


def test_several_items_leave_at_one_pace_without_a_pause_between_them() -> None:
    async def story() -> None:
        options = Options(answers=[BOTH], pace=4, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await ask(caller)
            times = [entry.t for entry in server.entries("response.output_audio.delta")]
            assert len(times) == 30
            assert 29 * 0.025 - 0.01 <= times[-1] - times[0] < 29 * 0.025 + 0.4

    asyncio.run(story())


def test_an_answer_that_is_cut_in_its_first_item_never_begins_the_second() -> None:
    async def story() -> None:
        async with (
            await serve(Options(answers=[BOTH], pace=2, think_s=0)) as server,
            calling(server) as caller,
        ):
            await caller.send("response.create")
            await reach(caller, 0)
            await caller.send("response.cancel")
            done = (await caller.next("response.done"))["response"]
            assert [item["status"] for item in done["output"]] == ["incomplete"]
            assert told_of(caller, "response.output_item.added") == [0]

    asyncio.run(story())


def test_an_answer_that_is_cut_in_its_second_item_leaves_the_first_complete() -> None:
    async def story() -> None:
        options = Options(detector="energy", answers=[BOTH], pace=2, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.append(turn())
            await reach(caller, 1)
            server.hears_speech()
            done = (await caller.next("response.done"))["response"]
            assert done["status_details"]["reason"] == "turn_detected"
            assert [item["status"] for item in done["output"]] == ["completed", "incomplete"]
            assert told_of(caller, "response.output_item.done") == [0, 1]

    asyncio.run(story())


def test_words_and_a_call_come_in_one_answer() -> None:
    async def story() -> None:
        options = Options(answers=[Items([TUNE, Call("get_time")])], pace=20, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.update(tools=[TOOL])
            done = await ask(caller)
            assert [item["type"] for item in done["output"]] == ["message", "function_call"]
            assert told_of(caller, "response.output_item.added") == [0, 1]
            called = first(caller, "response.function_call_arguments.done")
            assert called["output_index"] == 1
            kinds = caller.kinds()
            said = kinds.index("response.output_audio.done")
            assert said < kinds.index("response.function_call_arguments.delta")

    asyncio.run(story())


def first(caller: Caller, kind: str) -> dict[str, Any]:
    """The first event of this type that was seen."""
    return next(event for event in caller.seen if event["type"] == kind)


def test_several_tools_are_called_at_once_and_a_missing_one_is_told() -> None:
    async def story() -> None:
        calls = Items([Call("get_time"), Call("fly"), Call("get_time", '{"zone": "there"}')])
        async with (
            await serve(Options(answers=[calls], think_s=0)) as server,
            calling(server) as caller,
        ):
            await caller.update(tools=[TOOL], output_modalities=["text"])
            done = await ask(caller)
            assert [item.get("arguments") for item in done["output"]] == [
                "{}",
                None,
                '{"zone": "there"}',
            ]
            assert len({item["call_id"] for item in done["output"] if "call_id" in item}) == 2

    asyncio.run(story())


def test_the_token_limit_counts_all_items_of_an_answer() -> None:
    async def story() -> None:
        async with (
            await serve(Options(answers=[BOTH], pace=0, think_s=0)) as server,
            calling(server) as caller,
        ):
            done = await ask(caller, max_output_tokens=60)
            assert done["status_details"]["reason"] == "max_output_tokens"
            assert [item["status"] for item in done["output"]] == ["completed", "incomplete"]
            assert done["usage"]["output_tokens"] <= 60

    asyncio.run(story())
