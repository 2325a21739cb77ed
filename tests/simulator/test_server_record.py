"""What the simulated server can tell afterwards: every event, every byte, every sample."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from edged.simulator.server import Options, Speech, serve
from tests.simulator.caller import calling, dial, hum, turn

TUNE = Speech("A tune of half a second", hum(0.5))


def options(folder: Path | None = None) -> Options:
    return Options(
        detector="energy",
        answers=[TUNE],
        pace=0,
        think_s=0,
        keep_audio=folder is None,
        log=folder / "log.jsonl" if folder else None,
        audio_directory=folder / "sounds" if folder else None,
    )


def test_sounds_are_kept_to_the_sample_in_both_directions() -> None:
    async def story() -> None:
        async with await serve(options()) as server:
            for _ in range(2):
                async with calling(server) as caller:
                    await caller.append(turn())
                    await caller.next("response.done")
            for visit in server.visits:
                assert np.array_equal(np.frombuffer(visit.heard, "<i2"), turn())
                assert np.array_equal(np.frombuffer(visit.said, "<i2"), TUNE.samples)

    asyncio.run(story())


def test_sounds_and_log_are_in_files_for_another_process(tmp_path: Path) -> None:
    async def story() -> None:
        async with await serve(options(tmp_path)) as server, calling(server) as caller:
            await caller.append(turn())
            await caller.next("response.done")
            assert not server.visits[0].heard

    asyncio.run(story())
    sounds = tmp_path / "sounds"
    heard = np.frombuffer((sounds / "session-1-in.pcm").read_bytes(), "<i2")
    assert np.array_equal(heard, turn())
    said = np.frombuffer((sounds / "session-1-out.pcm").read_bytes(), "<i2")
    assert np.array_equal(said, TUNE.samples)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["t"] for line in log] == sorted(line["t"] for line in log)
    kinds = [line["type"] for line in log]
    assert kinds[:3] == ["server.started", "connection.opened", "session.created"]
    assert kinds[-1] == "connection.closed"
    appended = [line for line in log if line["type"] == "input_audio_buffer.append"]
    assert sum(line["audio"]["bytes"] for line in appended) == heard.nbytes
    answered = [line for line in log if line["type"] == "response.output_audio.delta"]
    assert sum(line["delta"]["bytes"] for line in answered) == said.nbytes
    assert {line["direction"] for line in appended} == {"in"}
    assert {line["direction"] for line in answered} == {"out"}


def test_no_sound_is_in_the_log_wherever_an_event_carries_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with await serve(options(tmp_path)) as server, calling(server) as caller:
            await caller.append(turn())
            started = await caller.next("input_audio_buffer.speech_started")
            await caller.next("response.done")
            await caller.send("conversation.item.retrieve", item_id=started["item_id"])
            await caller.next("conversation.item.retrieved")

    asyncio.run(story())
    longest = max(len(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
    assert longest < 2000


def test_bytes_are_counted_at_the_socket_with_their_time() -> None:
    async def story() -> None:
        async with await serve(options()) as server:
            asleep = server.ledger.now
            async with calling(server) as caller:
                await caller.append(hum(0.2))
                await caller.send("input_audio_buffer.clear")
                await caller.next("input_audio_buffer.cleared")
                quiet = server.ledger.now
                assert server.ledger.received_bytes(quiet) == 0
                pong = await caller.line.ping()
                await pong
                # A ping counts too: two bytes of header, four of mask, four of payload.
                assert server.ledger.received_bytes(quiet) == 10
            visit = server.visits[0]
            sent = hum(0.2).nbytes * 4 // 3
            assert visit.socket_bytes > sent
            assert visit.socket_bytes == server.ledger.received_bytes()
            assert server.ledger.received_bytes(until=asleep) == 0
            assert asleep <= visit.opened <= visit.arrivals[0][0]

    asyncio.run(story())


def test_the_end_of_a_session_is_told_with_its_code() -> None:
    async def story() -> None:
        async with await serve(options()) as server:
            async with calling(server):
                pass
            async with dial(server) as line:
                line.transport.abort()
        codes = [visit.close_code for visit in server.visits]
        assert codes == [1000, 1006]
        assert [entry.details["code"] for entry in server.entries("connection.closed")] == codes

    asyncio.run(story())


def test_a_log_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def story() -> None:
        with pytest.raises(OSError, match="file"):
            await serve(Options(log=tmp_path / "file" / "log.jsonl"))

    asyncio.run(story())
