"""A Realtime server made of software: OpenAI's GA protocol on loopback, for people without a key.

It takes every client event as strictly as the real one, hears speech in what is appended,
answers in speech, and tells afterwards what it saw. It understands nothing of what is said.
"""

import asyncio
import http
import logging
import time
from collections import deque
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.http11 import Request, Response

from .provider.detection import scorer
from .provider.faults import Faults
from .provider.house import House, Imaginative, Options
from .provider.ledger import Entry, Ledger, Visit
from .provider.line import Connection
from .provider.script import Call, Items, Script
from .provider.session import Session
from .provider.voice import Speech, Voice

__all__ = ["Call", "Faults", "Items", "Options", "Server", "Speech", "serve"]

HOST = "127.0.0.1"
"""It listens on loopback only."""
_LARGEST_MESSAGE = 32 * 2**20
_CLOSE_S = 1.0

# A client that goes away in the middle of the handshake is not worth a line on the terminal.
_quiet = logging.getLogger("edged.simulator")
_quiet.addFilter(lambda record: "handshake" not in record.getMessage())


class Server:
    """A running server; `async with` closes it."""

    def __init__(self, house: House, sockets: WebSocketServer) -> None:
        self._house = house
        self._archiving = asyncio.create_task(house.archive.run())
        self._server = sockets
        self.port: int = sockets.sockets[0].getsockname()[1]
        scheme = "wss" if house.options.tls else "ws"
        self.url = f"{scheme}://{HOST}:{self.port}{house.accent.path}"
        """Lacks only `?model=`."""

    @property
    def log(self) -> deque[Entry]:
        """Every event in and out, and what else happened, the latest 200 000."""
        return self._house.ledger.entries

    @property
    def visits(self) -> list[Visit]:
        """Every connection there was: its bytes with their times, and its sound if kept."""
        return self._house.ledger.visits

    @property
    def ledger(self) -> Ledger:
        """The whole book: its clock (`now`), and `received_bytes(since, until)`."""
        return self._house.ledger

    @property
    def script(self) -> Script:
        """What is answered; may be replaced at any time."""
        return self._house.script

    @script.setter
    def script(self, script: Script) -> None:
        self._house.script = script

    @property
    def faults(self) -> Faults:
        """What goes wrong; may be replaced at any time."""
        return self._house.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._house.faults = faults

    def entries(self, kind: str) -> list[Entry]:
        """The log's entries of one type."""
        return [entry for entry in self.log if entry.type == kind]

    def hears_speech(self) -> str:
        """Let the newest session's turn detection report an onset now; the turn's item.

        The turn stays open until `hears_silence`, whatever the sound. Nothing happens while
        one is open. Raises `RuntimeError` when no session is open or it detects no turns.
        """
        return self._newest().pretend(speech=True)

    def hears_silence(self) -> str:
        """Let the newest session's turn detection end the open turn now; the turn's item."""
        return self._newest().pretend(speech=False)

    def _newest(self) -> Imaginative:
        if not self._house.sessions:
            raise RuntimeError("no session is open")
        return self._house.sessions[-1]

    async def close_all(self, code: int) -> None:
        """Close every connection with this code; returns when the clients have agreed."""
        for connection in list(self._server.connections):
            await connection.close(code, "simulated")

    def drop_all(self) -> None:
        """Break every connection without a word, as a dying server would."""
        for connection in list(self._server.connections):
            connection.transport.abort()

    async def close(self) -> None:
        """Close every connection with 1001 and stop listening, within about a second.

        Raises OSError when a file could not be written whole.
        """
        self._house.close()
        self._server.close()
        await self._server.wait_closed()
        self._house.archive.end()
        await self._archiving

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def serve(options: Options | None = None) -> Server:
    """Start a server on loopback; raises OSError when the port is taken or a file cannot be."""
    asked = options or Options()
    house = House(asked, await asyncio.to_thread(Voice, asked.voice))
    if asked.log:
        await house.archive.open(asked.log)
    bound = type("BoundConnection", (Connection,), {"house": house})
    server = await serve_websockets(
        _receive,
        HOST,
        house.options.port,
        ssl=house.options.tls,
        create_connection=bound,
        process_request=_admit,
        compression=None,
        max_size=_LARGEST_MESSAGE,
        close_timeout=_CLOSE_S,
        logger=_quiet,
    )
    running = Server(house, server)
    # The clock is the machine's: another process can lay its own times beside these.
    clocks = {"monotonic": time.monotonic() - house.ledger.now, "wall": time.time()}
    house.ledger.note(0, "server.started", {"url": running.url, **clocks})
    return running


async def _admit(connection: ServerConnection, request: Request) -> Response | None:
    assert isinstance(connection, Connection)
    await connection.house.nap(connection.faults.connect_delay_s)
    if connection.faults.http_status:
        status = http.HTTPStatus(connection.faults.http_status)
        return connection.respond(status, f"{status.phrase}\n")
    path = connection.house.accent.path
    if urlsplit(request.path).path != path:
        return connection.respond(http.HTTPStatus.NOT_FOUND, f"Sessions are at {path}\n")
    return None


async def _receive(connection: ServerConnection) -> None:
    assert isinstance(connection, Connection)
    request = connection.request
    assert request is not None
    model = parse_qs(urlsplit(request.path).query).get("model", [""])[0]
    objection = _objection(connection, request, model)
    if objection:
        code, reason = objection
        await connection.close(code, reason)
        return
    # A detector reads its model from a file.
    score = await asyncio.to_thread(scorer, connection.house.options.detector)
    await Session(connection, model, score).run()


def _objection(connection: Connection, request: Request, model: str) -> tuple[int, str] | None:
    """Why the session is closed right after the upgrade, as close code and reason."""
    if connection.faults.bad_key or not _authorized(connection.house, request):
        return 3000, "invalid_request_error.invalid_api_key"
    if "OpenAI-Beta" in request.headers and not connection.house.accent.beta:
        return 4000, "invalid_request_error.beta_api_shape_disabled"
    if "intent" in parse_qs(urlsplit(request.path).query):
        return 4000, "invalid_request_error.invalid_intent"
    if not model:
        return 4000, "invalid_request_error.missing_model"
    if connection.faults.no_model:
        return 4000, "invalid_request_error.model_not_found"
    return None


def _authorized(house: House, request: Request) -> bool:
    token = request.headers.get(house.accent.key_header, "").strip()
    if house.accent.key_header == "Authorization":
        scheme, _, token = token.partition(" ")
        if scheme.lower() != "bearer":
            return False
    return bool(token.strip()) and house.options.key in (None, token.strip())
