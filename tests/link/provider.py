"""A provider in the tests' own process: real sockets, real TLS, and faults on request."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from edged.core.events import Event, LinkDown, LinkReady
from edged.core.settings import Session as Asked
from edged.core.settings import ToolSpec
from edged.dialects import openai
from edged.link import websocket

Handler = Callable[[ServerConnection], Awaitable[None]]

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

KEY = "sk-very-secret"


def line(
    url: str,
    key: str = KEY,
    asked: Asked | None = None,
    tools: Sequence[ToolSpec] = (),
    **settings: Any,
) -> websocket.WebSocket:
    """A provider at `url` that speaks the GA dialect, without the environment's proxies."""
    dialect = openai.open(asked or Asked(model="gpt"), openai.Settings(url=url), tools)
    patience: dict[str, Any] = {"connect_timeout_s": 5.0, "proxy": "none"} | settings
    return websocket.open(websocket.Settings(**patience), dialect, key)


@contextlib.asynccontextmanager
async def serving(handler: Handler, **kwargs: Any) -> AsyncIterator[str]:
    """The address of a server that hands every connection to `handler`."""
    scheme = "wss" if "ssl" in kwargs else "ws"
    options: dict[str, Any] = {"close_timeout": 0.2, "compression": "deflate"} | kwargs
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"{scheme}://localhost:{port}/v1/realtime"


@contextlib.asynccontextmanager
async def listening(handler: Talk) -> AsyncIterator[str]:
    """The address of a server of plain TCP, which has hung up everywhere when it is left."""
    hung_up: list[asyncio.Event] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hung_up.append(asyncio.Event())
        mine = hung_up[-1]
        with contextlib.suppress(ConnectionError):
            await handler(reader, writer)
            writer.close()
            await writer.wait_closed()
        mine.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"
        async with asyncio.timeout(5):
            for event in hung_up:
                await event.wait()


def tls(authority: Any) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for localhost from `authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def text(kind: str, **fields: Any) -> str:
    """An event of the provider's."""
    return json.dumps({"type": kind, **fields})


async def welcome(line: ServerConnection) -> dict[str, Any]:
    """Open a session and confirm its configuration, which is returned."""
    await line.send(text("session.created", session={"id": "sess_1", "model": "gpt"}))
    config: dict[str, Any] = json.loads(await line.recv())
    assert config["type"] == "session.update"
    await line.send(text("session.updated", session={}))
    return config


async def idle(line: ServerConnection) -> None:
    """Welcome whoever comes and keep quiet until they leave."""
    await welcome(line)
    await line.wait_closed()


@dataclass
class Ear:
    """Hears what a session feeds; `ready` is set when sound may go out."""

    heard: list[Event] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: Event) -> None:
        self.heard.append(event)
        self.stirred.set()
        if isinstance(event, LinkReady):
            self.ready.set()


async def whole(url: str, **settings: Any) -> tuple[LinkDown, list[Event]]:
    """How a session at `url` ends that nobody interferes with, and what it fed."""
    ear = Ear()
    down = await line(url, **settings).session().run(ear)
    return down, ear.heard
