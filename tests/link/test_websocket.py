"""What a line can suffer, over real sockets: each time one word of how it ended."""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from edged import ports
from edged.core.commands import (
    AskReply,
    CancelReply,
    ClearInput,
    CommitInput,
    DeleteItem,
    DetectTurns,
    LinkCommand,
    SendAudio,
    TruncateReply,
)
from edged.core.events import LinkAccepted, LinkDown, LinkReady, ReplyStarted, Trouble
from edged.core.settings import Session as Asked
from edged.dialects import openai
from edged.link import websocket

from .provider import KEY, Ear, Handler, idle, line, listening, serving, text, tls, welcome, whole

FRAME = bytes(960)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def _trusted(authority: trustme.CA, folder: Path) -> str:
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


# --- a good line --------------------------------------------------------------------------


def test_a_conversation_over_tls_from_hello_to_goodbye(tmp_path: Path) -> None:
    authority = trustme.CA()
    got: list[dict[str, Any]] = []
    seen: dict[str, str | None] = {}

    async def server(wire: ServerConnection) -> None:
        assert wire.request is not None
        seen["authorization"] = wire.request.headers.get("Authorization")
        seen["extensions"] = wire.request.headers.get("Sec-WebSocket-Extensions")
        seen["path"] = wire.request.path
        got.append(await welcome(wire))
        async for message in wire:
            got.append(json.loads(message))
            if got[-1]["type"] == "response.create":
                await wire.send(text("response.created", response={"id": "r"}))
        seen["code"] = str(wire.close_code)

    async def story() -> tuple[LinkDown, Ear]:
        async with serving(server, ssl=tls(authority)) as url:
            ear = Ear()
            provider: ports.Provider = line(url, ca_file=_trusted(authority, tmp_path))
            session = provider.session()

            async def speaker() -> None:
                await ear.ready.wait()
                said: list[LinkCommand] = [SendAudio(FRAME), SendAudio(FRAME), CommitInput()]
                for command in [*said, AskReply()]:
                    session.offer(command)
                while ReplyStarted("r") not in ear.heard:
                    ear.stirred.clear()
                    await ear.stirred.wait()
                session.close()

            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                group.create_task(speaker())
                down = await session.run(ear)
        return down, ear

    down, ear = asyncio.run(story())
    assert ear.heard == [LinkAccepted("sess_1", "gpt"), LinkReady(), ReplyStarted("r")]
    assert (down.trouble, down.code) == (None, "1000")
    assert 0 <= down.jitter <= 1
    assert [event["type"] for event in got] == [
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "response.create",
    ]
    assert seen == {
        "authorization": f"Bearer {KEY}",
        "extensions": None,
        "path": "/v1/realtime?model=gpt",
        "code": "1000",
    }


def test_no_sound_goes_out_before_the_configuration_is_confirmed() -> None:
    types: list[str] = []

    async def server(wire: ServerConnection) -> None:
        await wire.send(text("session.created", session={"id": "s"}))
        types.append(json.loads(await wire.recv())["type"])
        # Sound sent too early would arrive before the answer to this ping does.
        await (await wire.ping())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                types.append(json.loads(await wire.recv())["type"])
        await wire.send(text("session.updated", session={}))
        types.append(json.loads(await wire.recv())["type"])

    async def story() -> None:
        async with serving(server) as url:
            session = line(url).session()
            session.offer(SendAudio(FRAME))
            await session.run(Ear())

    asyncio.run(story())
    assert types == ["session.update", "input_audio_buffer.append"]


def test_fifteen_seconds_of_preroll_arrive_whole_and_in_order() -> None:
    frames = [bytes([number % 256, number // 256]) * 480 for number in range(750)]
    got: list[bytes] = []

    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        while len(got) < len(frames):
            event = json.loads(await wire.recv())
            got.append(b64decode(event["audio"]))

    async def story() -> int:
        async with serving(server) as url:
            session = line(url).session()

            def feed(event: object) -> None:
                if isinstance(event, LinkReady):
                    for frame in frames:
                        session.offer(SendAudio(frame))

            await session.run(feed)
            return session.dropped

    assert asyncio.run(story()) == 0
    assert got == frames


def test_on_the_wire_too_an_answer_ends_before_the_sound_that_waits_and_a_commit_after() -> None:
    got: list[str] = []

    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        async for message in wire:
            got.append(json.loads(message)["type"])
            if got[-1] == "response.create":
                return

    async def story() -> None:
        async with serving(server) as url:
            session = line(url).session()
            # All of it before the line is up: that is how a line that is slow looks.
            session.offer(DetectTurns(False))
            session.offer(ClearInput())
            for _ in range(100):
                session.offer(SendAudio(FRAME))
            session.offer(CommitInput())
            session.offer(CancelReply("r"))
            session.offer(TruncateReply("a", 0, 120))
            session.offer(DeleteItem("b"))
            session.offer(AskReply())
            await session.run(Ear())

    asyncio.run(story())
    assert got == [
        "response.cancel",
        "conversation.item.truncate",
        "conversation.item.delete",
        "session.update",
        "input_audio_buffer.clear",
        *["input_audio_buffer.append"] * 100,
        "input_audio_buffer.commit",
        "response.create",
    ]


def test_a_line_that_stands_still_holds_back_the_end_of_an_answer_by_little() -> None:
    got: list[str] = []
    go_on = asyncio.Event()

    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        wire.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768
        )
        wire.transport.pause_reading()
        await go_on.wait()
        wire.transport.resume_reading()
        async for message in wire:
            got.append(json.loads(message)["type"])
            if got[-1] == "response.cancel":
                return

    async def story() -> None:
        async with serving(server) as url, asyncio.TaskGroup() as group:
            session, ear = line(url, outbox_s=1.0).session(), Ear()
            group.create_task(session.run(ear))
            await ear.ready.wait()
            while not session.dropped:
                session.offer(SendAudio(FRAME))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            session.offer(CancelReply("r"))
            go_on.set()

    asyncio.run(story())
    # 20 ms each: the kernel's and the library's buffers are full, and nothing else went before.
    assert 10 < got.index("response.cancel") < 125


def test_the_key_is_in_no_log_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    async def server(wire: ServerConnection) -> None:
        await wire.close(3000, f"bad key {KEY}")

    async def story() -> tuple[LinkDown, str]:
        async with serving(server, logger=logging.getLogger("quiet")) as url:
            provider = line(url)
            session = provider.session()
            down = await session.run(Ear())
            return down, repr((provider, session, vars(session)["_limit"], down))

    logging.getLogger("quiet").setLevel(logging.CRITICAL)
    with caplog.at_level(logging.DEBUG):
        down, texts = asyncio.run(story())
    assert down.detail == "bad key [key]"
    assert KEY not in texts
    assert KEY not in caplog.text


# --- refused ------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        down, heard = asyncio.run(whole(f"ws://127.0.0.1:{port}/"))
    assert (down.trouble, down.code) == (Trouble.NETWORK, "ECONNREFUSED")
    assert heard == []


def test_a_name_that_does_not_exist() -> None:
    down, _ = asyncio.run(whole("wss://nobody.invalid/v1/realtime", connect_timeout_s=20.0))
    assert down.trouble is Trouble.NETWORK
    assert down.detail


def test_a_certificate_of_a_stranger(tmp_path: Path) -> None:
    async def story() -> tuple[LinkDown, list[Any]]:
        async with serving(idle, ssl=tls(trustme.CA())) as url:
            return await whole(url, ca_file=_trusted(trustme.CA(), tmp_path))

    down, heard = asyncio.run(story())
    assert (down.trouble, down.code) == (Trouble.NETWORK, "certificate")
    assert "certificate" in down.detail
    assert heard == []


def test_a_certificate_for_somebody_else(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)

    async def story() -> LinkDown:
        async with serving(idle, ssl=context) as url:
            return (await whole(url, ca_file=_trusted(authority, tmp_path)))[0]

    down = asyncio.run(story())
    assert (down.trouble, down.code) == (Trouble.NETWORK, "certificate")
    assert "localhost" in down.detail


def test_a_certificate_from_the_future_means_that_the_clock_was_never_set(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = tomorrow + timedelta(days=1)
    authority.issue_cert("localhost", not_before=tomorrow, not_after=later).configure_cert(context)

    async def story() -> LinkDown:
        async with serving(idle, ssl=context) as url:
            return (await whole(url, ca_file=_trusted(authority, tmp_path)))[0]

    assert asyncio.run(story()).trouble is Trouble.CLOCK


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (401, "", Trouble.KEY),
        (429, "slow down", Trouble.PROVIDER),
        (429, '{"error": {"code": "insufficient_quota", "message": "pay"}}', Trouble.CREDIT),
        (503, "", Trouble.PROVIDER),
        (302, "", Trouble.NETWORK),
    ],
)
def test_a_request_to_connect_that_is_refused(status: int, body: str, trouble: Trouble) -> None:
    def refuse(wire: ServerConnection, request: Request) -> Response:
        response = wire.respond(HTTPStatus(status), body)
        response.headers["Location"] = "ws://127.0.0.1:1/elsewhere"
        return response

    async def story() -> tuple[LinkDown, list[Any]]:
        async with serving(idle, process_request=refuse) as url:
            return await whole(url)

    down, heard = asyncio.run(story())
    assert (down.trouble, down.code) == (trouble, str(status))
    assert heard == []


def test_something_that_is_no_websocket_server() -> None:
    async def story() -> LinkDown:
        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"220 mail.example ESMTP\r\n\r\n")

        async with listening(babble) as url:
            return (await whole(url))[0]

    assert asyncio.run(story()).trouble is Trouble.NETWORK


# --- ended --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "trouble"),
    [
        (3000, "invalid_request_error.invalid_api_key", Trouble.KEY),
        (4000, "invalid_request_error.beta_api_shape_disabled", Trouble.PROVIDER),
        (1001, "Your session hit the maximum duration of 60 minutes.", None),
        (1011, "boom", Trouble.PROVIDER),
        (1000, "bye", None),
    ],
)
def test_code_and_reason_of_the_end_are_kept(
    code: int, reason: str, trouble: Trouble | None
) -> None:
    async def server(wire: ServerConnection) -> None:
        await wire.close(code, reason)

    async def story() -> tuple[LinkDown, list[Any]]:
        async with serving(server) as url:
            return await whole(url)

    down, heard = asyncio.run(story())
    assert (down.trouble, down.code, down.detail) == (trouble, str(code), reason)
    assert heard == []


def test_a_fatal_error_ends_the_session_whatever_the_server_does_next() -> None:
    gone = asyncio.Event()

    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        await wire.send(text("error", error={"code": "insufficient_quota", "message": "pay"}))
        await wire.wait_closed()
        gone.set()

    async def story() -> tuple[LinkDown, list[Any]]:
        async with serving(server) as url, asyncio.timeout(5):
            told = await whole(url)
            await gone.wait()
            return told

    down, heard = asyncio.run(story())
    assert (down.trouble, down.code) == (Trouble.CREDIT, "insufficient_quota")
    assert heard == [LinkAccepted("sess_1", "gpt"), LinkReady()]


def test_a_line_cut_in_the_middle_of_an_answer() -> None:
    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        await wire.send(text("response.created", response={"id": "r"}))
        wire.transport.abort()

    async def story() -> tuple[LinkDown, list[Any]]:
        async with serving(server) as url:
            return await whole(url)

    down, heard = asyncio.run(story())
    assert (down.trouble, down.code) == (Trouble.NETWORK, "1006")
    assert heard[:2] == [LinkAccepted("sess_1", "gpt"), LinkReady()]


def test_rubbish_is_passed_over_and_the_conversation_goes_on() -> None:
    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        await wire.send("no json")
        await wire.send(b"\xff\x00\xfe")
        await wire.send(text("session.exploded", pieces=[1] * 100_000, sound="A" * 2_000_000))
        await wire.send(text("response.created", response={"id": "r"}))
        await wire.close(1000)

    async def story() -> tuple[LinkDown, list[Any]]:
        async with serving(server) as url:
            return await whole(url)

    down, heard = asyncio.run(story())
    assert heard[-1] == ReplyStarted("r")
    assert (down.trouble, down.code) == (None, "1000")


# --- bounded ------------------------------------------------------------------------------


async def _deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


def test_a_server_that_never_answers_the_request() -> None:
    async def story() -> LinkDown:
        async with listening(_deaf) as url, asyncio.timeout(5):
            return (await whole(url, connect_timeout_s=0.2))[0]

    down = asyncio.run(story())
    assert (down.trouble, down.code) == (Trouble.NETWORK, "timeout")
    assert down.detail == "no connection within 0.2 s"


@pytest.mark.parametrize("created", [False, True])
def test_an_upgrade_is_not_yet_success(created: bool) -> None:
    async def server(wire: ServerConnection) -> None:
        if created:
            await wire.send(text("session.created", session={"id": "s"}))
        await wire.wait_closed()

    async def story() -> tuple[LinkDown, list[Any]]:
        async with serving(server) as url, asyncio.timeout(10):
            return await whole(url, connect_timeout_s=1.5)

    down, heard = asyncio.run(story())
    assert (down.trouble, down.code) == (Trouble.NETWORK, "timeout")
    assert down.detail == "no confirmed session within 1.5 s"
    assert heard == [LinkAccepted("s")][: int(created)]


def test_the_opening_has_a_deadline_and_the_conversation_has_none() -> None:
    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        await asyncio.sleep(1.2)
        await wire.close(1000, "later")

    async def story() -> LinkDown:
        async with serving(server) as url:
            return (await whole(url, connect_timeout_s=1.0))[0]

    assert asyncio.run(story()).detail == "later"


def test_a_server_that_does_not_answer_the_farewell() -> None:
    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol()
        while chunk := await reader.read(4096):
            protocol.receive_data(chunk)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                    protocol.send_text(text("session.created", session={"id": "s"}).encode())
                    protocol.send_text(text("session.updated", session={}).encode())
                    writer.write(b"".join(protocol.data_to_send()))

    async def story() -> tuple[LinkDown, float]:
        clock = asyncio.get_running_loop().time
        async with listening(server) as url:
            session = line(url, close_timeout_s=0.2).session()
            ear = Ear()
            running = asyncio.create_task(session.run(ear))
            await ear.ready.wait()
            began = clock()
            session.close()
            return await running, clock() - began

    down, took = asyncio.run(story())
    assert down.trouble is None
    assert 0.1 < took < 1.0


def test_hanging_up_before_anybody_answered() -> None:
    async def story() -> LinkDown:
        async with listening(_deaf) as url:
            session = line(url).session()
            running = asyncio.create_task(session.run(Ear()))
            for _ in range(20):
                await asyncio.sleep(0)
            session.close()
            session.close()
            async with asyncio.timeout(2):
                return await running

    assert asyncio.run(story()).trouble is None


def test_hanging_up_before_dialling() -> None:
    async def story() -> LinkDown:
        session = line("ws://127.0.0.1:1/").session()
        session.close()
        return await session.run(Ear())

    down = asyncio.run(story())
    assert (down.trouble, down.code) == (None, "")


def test_hanging_up_while_the_configuration_is_on_its_way() -> None:
    codes: list[int | None] = []

    async def server(wire: ServerConnection) -> None:
        await wire.send(text("session.created", session={"id": "s"}))
        await wire.wait_closed()
        codes.append(wire.close_code)

    async def story() -> LinkDown:
        async with serving(server) as url:
            session = line(url).session()
            ear = Ear()
            running = asyncio.create_task(session.run(ear))
            await ear.stirred.wait()
            session.close()
            async with asyncio.timeout(2):
                return await running

    assert asyncio.run(story()).trouble is None
    assert codes == [1000]


def _frozen(over: asyncio.Event) -> Handler:
    """A server that stops reading after the welcome, until all is over."""

    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        wire.transport.pause_reading()
        await over.wait()
        wire.transport.abort()

    return server


def test_a_line_that_takes_nothing_drops_the_oldest_sound_and_is_given_up() -> None:
    async def story() -> tuple[LinkDown, int]:
        over = asyncio.Event()
        async with serving(_frozen(over), ping_interval=None) as url, asyncio.timeout(10):
            session = line(url, outbox_s=1.0, ping_interval_s=0.0, ping_timeout_s=0.3).session()
            ear = Ear()
            running = asyncio.create_task(session.run(ear))
            await ear.ready.wait()
            # More than the kernels of both sides hold; one second of it may wait.
            for _ in range(300):
                session.offer(SendAudio(bytes(48_000)))
                await asyncio.sleep(0)
            down = await running
            over.set()
            return down, session.dropped

    down, dropped = asyncio.run(story())
    assert (down.trouble, down.code) == (Trouble.NETWORK, "stalled")
    assert 0 < dropped < 300 * 24_000


def test_a_ping_that_nobody_answers() -> None:
    async def story() -> LinkDown:
        over = asyncio.Event()
        async with serving(_frozen(over), ping_interval=None) as url, asyncio.timeout(5):
            down, _ = await whole(url, ping_interval_s=0.1, ping_timeout_s=0.2, close_timeout_s=0.2)
            over.set()
            return down

    down = asyncio.run(story())
    assert down.trouble is Trouble.NETWORK
    assert "ping" in down.detail


def test_cancelling_takes_leave_and_leaves_nothing_behind() -> None:
    codes: list[int | None] = []
    done = asyncio.Event()

    async def server(wire: ServerConnection) -> None:
        await welcome(wire)
        await wire.wait_closed()
        codes.append(wire.close_code)
        done.set()

    async def story() -> None:
        async with serving(server) as url:
            ear = Ear()
            running = asyncio.create_task(line(url).session().run(ear))
            await ear.ready.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            async with asyncio.timeout(2):
                await done.wait()

    asyncio.run(story())
    assert codes == [1000]


def test_a_mistake_of_our_own_is_not_hidden() -> None:
    def feed(event: object) -> None:
        raise LookupError("a bug")

    async def story() -> None:
        async with serving(idle) as url:
            with pytest.raises(ExceptionGroup, match="unhandled errors") as caught:
                await line(url).session().run(feed)
            assert caught.value.subgroup(LookupError) is not None

    asyncio.run(story())


# --- what is refused before dialling ------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ws://provider.example/v1", "in the clear"),
        ("ws://192.168.1.2/v1", "in the clear"),
        ("https://api.openai.com/v1", "not an address"),
        ("wss:///v1", "not an address"),
        ("", "not an address"),
    ],
)
def test_an_address_that_must_not_be_used(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        line(url)


@pytest.mark.parametrize("url", ["ws://localhost:1/", "ws://127.0.0.2:1/", "ws://[::1]:1/"])
def test_this_machine_may_be_spoken_to_in_the_clear(url: str) -> None:
    line(url)


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    dialect = openai.open(Asked(), openai.Settings())
    with pytest.raises(ValueError, match="copy it again") as caught:
        websocket.open(websocket.Settings(), dialect, "sk-1\r\nHost: elsewhere")
    assert "sk-1" not in str(caught.value)


# --- proxies ------------------------------------------------------------------------------


def test_a_proxy_that_refuses_is_trouble_of_the_network() -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    async def story() -> LinkDown:
        async with listening(proxy) as url:
            address = url.replace("ws:", "http:").removesuffix("/v1/realtime")
            return (await whole("wss://provider.example/v1", proxy=address))[0]

    down = asyncio.run(story())
    assert asked == [b"CONNECT provider.example:443 HTTP/1.1\r\n"]
    assert down.trouble is Trouble.NETWORK
    assert "407" in down.detail


@pytest.mark.parametrize("name", ["https_proxy", "all_proxy"])
@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1",
        "socks5h://127.0.0.1:1",
        "what?",
        "http://127.0.0.1:99999",
        "http://somebody:swordfish@127.0.0.1:1/path",
    ],
)
def test_a_proxy_of_the_environment_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    monkeypatch.setenv(name, address)
    down, _ = asyncio.run(whole("wss://provider.example/v1", proxy="system"))
    assert down.trouble is Trouble.NETWORK
    assert down.detail
    assert "swordfish" not in down.detail


@pytest.mark.parametrize(
    "address", ["", "proxy.local:3128", "ftp://a:swordfish@b", "http://:1", "http://a:99999"]
)
def test_a_proxy_that_is_none_is_a_mistake_that_is_not_repeated(address: str) -> None:
    with pytest.raises(ValueError, match="http://host:port") as caught:
        websocket.Settings(proxy=address)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize("address", ["system", "none", "http://a:3128", "https://b:c@[::1]:1/"])
def test_one_that_is_one_is_none(address: str) -> None:
    assert websocket.Settings(proxy=address).proxy == address


def test_this_machine_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")

    async def server(wire: ServerConnection) -> None:
        await wire.close(1000, "here")

    async def story() -> LinkDown:
        async with serving(server) as url:
            return (await whole(url, proxy="system"))[0]

    assert asyncio.run(story()).detail == "here"
