"""How the simulated server opens and ends sessions, and everything it can be told to do wrong."""

import asyncio
import contextlib
import json
import ssl
import time

import pytest
import trustme
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from edged.simulator.provider.faults import MALFORMED
from edged.simulator.server import Faults, Options, Speech, serve
from tests.simulator.caller import Caller, calling, dial, hum

TUNE = Speech("A tune of two seconds", hum(2.0))


async def farewell(line: ClientConnection) -> tuple[int, str]:
    """The code and reason with which the server closes."""
    with contextlib.suppress(ConnectionClosed):
        async for _ in line:
            pass
    assert line.close_code is not None
    return line.close_code, line.close_reason or ""


def test_a_session_begins_with_its_identity_its_end_and_the_defaults() -> None:
    async def story() -> None:
        options = Options(session_s=1800)
        async with await serve(options) as server, calling(server) as caller:
            session = caller.seen[0]["session"]
            assert session["id"].startswith("sess_")
            assert session["expires_at"] == pytest.approx(time.time() + 1800, abs=5)
            assert session["type"] == "realtime"
            assert session["model"] == "gpt-realtime-2.1"
            assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"

    asyncio.run(story())


def test_a_wrong_key_is_let_in_and_shown_out() -> None:
    async def story() -> None:
        refused = (3000, "invalid_request_error.invalid_api_key")
        async with await serve(Options(key="right")) as server:
            for header in ("Bearer wrong", "Bearer ", "", "Basic right"):
                async with dial(server, headers={"Authorization": header}) as line:
                    assert await farewell(line) == refused
            async with dial(server, key="right") as line:
                assert json.loads(await line.recv())["type"] == "session.created"
            server.faults = Faults(bad_key=True)
            async with dial(server, key="right") as line:
                assert await farewell(line) == refused

    asyncio.run(story())


@pytest.mark.parametrize(
    ("query", "headers", "reason"),
    [
        ("?model=gpt-realtime-2.1", {"OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled"),
        ("?model=gpt-realtime-2.1&intent=chat", {}, "invalid_intent"),
        ("", {}, "missing_model"),
    ],
)
def test_old_and_wrong_ways_in_are_closed_with_their_reason(
    query: str, headers: dict[str, str], reason: str
) -> None:
    async def story() -> None:
        async with await serve() as server, dial(server, query=query, headers=headers) as line:
            assert await farewell(line) == (4000, f"invalid_request_error.{reason}")

    asyncio.run(story())


def test_sessions_are_in_one_place_only() -> None:
    async def story() -> None:
        async with await serve() as server:
            with pytest.raises(InvalidStatus) as refused:
                await dial(server, query="/elsewhere?model=gpt-realtime-2.1")
            assert refused.value.response.status_code == 404

    asyncio.run(story())


def test_a_session_that_lasted_its_time_says_so_and_closes() -> None:
    async def story() -> None:
        async with await serve(Options(session_s=0.1)) as server, calling(server) as caller:
            assert (await caller.refusal())["code"] == "session_expired"
            code, reason = await farewell(caller.line)
            assert (code, reason) == (
                1001,
                "Your session hit the maximum duration of 60 minutes.",
            )

    asyncio.run(story())


def test_it_speaks_tls_with_a_certificate_of_its_own() -> None:
    async def story() -> None:
        authority = trustme.CA()
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(served)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        async with await serve(Options(tls=served)) as server:
            assert server.url.startswith("wss://127.0.0.1:")
            async with dial(server, tls=trusting) as line:
                assert json.loads(await line.recv())["type"] == "session.created"

    asyncio.run(story())


def test_a_refused_connection_is_broken_and_makes_no_noise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        async with await serve(Options(faults=Faults(refuse=True))) as server:
            with pytest.raises((OSError, InvalidHandshake, EOFError)):
                await dial(server)
            server.faults = Faults()
            async with calling(server) as caller:
                assert caller.seen

    asyncio.run(story())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("status", [429, 503])
def test_the_upgrade_can_be_answered_with_a_status(status: int) -> None:
    async def story() -> None:
        async with await serve(Options(faults=Faults(http_status=status))) as server:
            with pytest.raises(InvalidStatus) as refused:
                await dial(server)
            assert refused.value.response.status_code == status

    asyncio.run(story())


def test_everything_can_be_late() -> None:
    async def story() -> None:
        faults = Faults(connect_delay_s=0.1, created_delay_s=0.15, updated_delay_s=0.2)
        async with await serve(Options(faults=faults)) as server:
            began = time.monotonic()
            async with dial(server) as line:
                assert time.monotonic() - began >= 0.1
                caller = Caller(line)
                await caller.receive()
                assert time.monotonic() - began >= 0.25
                await caller.update()
                assert time.monotonic() - began >= 0.45

    asyncio.run(story())


def test_a_server_that_is_late_still_ends_at_once() -> None:
    async def story() -> None:
        server = await serve(Options(faults=Faults(connect_delay_s=60)))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /v1/realtime?model=m HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n")
        writer.write(b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        writer.write(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        await writer.drain()
        began = time.monotonic()
        await server.close()
        assert time.monotonic() - began < 2
        assert (await reader.read()).startswith(b"HTTP/1.1 503")
        writer.close()
        await writer.wait_closed()

    asyncio.run(story())


def test_only_the_first_sessions_suffer_when_told_so() -> None:
    async def story() -> None:
        options = Options(faults=Faults(bad_key=True), faulty_sessions=1)
        async with await serve(options) as server:
            async with dial(server) as line:
                assert (await farewell(line))[0] == 3000
            async with calling(server) as caller:
                assert caller.seen[0]["type"] == "session.created"

    asyncio.run(story())


def test_the_line_breaks_after_so_much_of_an_answer() -> None:
    async def story() -> None:
        options = Options(
            answers=[TUNE], pace=0, think_s=0, faults=Faults(drop_after_ms=500), keep_audio=True
        )
        async with await serve(options) as server, calling(server) as caller:
            await caller.send("response.create")
            with pytest.raises(ConnectionClosed):
                await caller.next("response.done")
            assert caller.line.close_code == 1006
            assert len(server.visits[0].said) == 500 * 48
            assert server.entries("connection.aborted")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (Faults(quota=True), "insufficient_quota"),
        (Faults(busy=True), "inference_rate_limit_exceeded"),
    ],
    ids=["no credit", "overloaded"],
)
def test_what_shows_only_in_the_answer(faults: Faults, code: str) -> None:
    async def story() -> None:
        options = Options(faults=faults)
        async with await serve(options) as server, calling(server) as caller:
            await caller.send("response.create")
            done = (await caller.next("response.done"))["response"]
            assert done["status"] == "failed"
            assert done["status_details"]["error"]["code"] == code
            assert done["usage"]["total_tokens"] == 0
            assert (await caller.update())["type"] == "session.updated"

    asyncio.run(story())


def test_a_modest_server_knows_nothing_of_voices() -> None:
    async def story() -> None:
        options = Options(detector="energy", faults=Faults(modest=True))
        async with await serve(options) as server, calling(server) as caller:
            refused = await caller.update(instructions="x", audio={"output": {"voice": "ash"}})
            assert refused["error"]["param"] == "session.audio.output.voice"
            assert (await caller.update(instructions="x"))["type"] == "session.updated"

    asyncio.run(story())


def test_a_mute_server_accepts_and_never_answers() -> None:
    async def story() -> None:
        options = Options(faults=Faults(mute=True), think_s=0)
        async with await serve(options) as server, calling(server) as caller:
            await caller.send("response.create")
            await caller.next("rate_limits.updated")
            await caller.send("response.cancel")
            done = (await caller.next("response.done"))["response"]
            assert (done["status"], done["output"]) == ("cancelled", [])

    asyncio.run(story())


def test_rubbish_and_the_unheard_of_are_sent_on_request() -> None:
    async def story() -> None:
        faults = Faults(malformed=True, unknown=True)
        async with await serve(Options(faults=faults)) as server, calling(server) as caller:
            await caller.update()
            frames = [await caller.line.recv() for _ in range(1 + len(MALFORMED))]
            assert json.loads(frames[0])["type"] == "rocket.launched"
            assert tuple(frames[1:]) == MALFORMED
            await caller.send("response.create")
            told = json.loads(await caller.line.recv())
            assert told["type"] == "response.rocket.launched"

    asyncio.run(story())


def test_a_dying_server_breaks_every_line() -> None:
    async def story() -> None:
        async with await serve() as server, calling(server) as one, calling(server) as other:
            server.drop_all()
            for caller in (one, other):
                with pytest.raises(ConnectionClosed):
                    await caller.receive()

    asyncio.run(story())
