"""The server's end of one connection: events go out in order, and everything is counted."""

import asyncio
import base64
import json
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from .conversation import new_id
from .faults import Faults
from .house import House
from .ledger import Visit
from .shapes import Refusal


class Connection(ServerConnection):
    """A WebSocket connection whose bytes are counted as they leave the socket."""

    house: House
    """Set by the subclass that a server makes for itself."""
    visit: Visit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the visit; a server that refuses everyone breaks it at once."""
        self.visit = self.house.ledger.open()
        super().connection_made(transport)
        if self.faults.refuse:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Count, then let the protocol read."""
        self.house.ledger.arrived(self.visit, len(data))
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the visit."""
        super().connection_lost(exc)
        self.house.ledger.close(self.visit, self.close_code, self.close_reason or "")

    def send_data(self) -> None:
        """Send what is due; where a farewell is to fail, not the answer to it."""
        if self.faults.breaks_at == "close" and self.protocol.close_rcvd:
            self.transport.abort()
            return
        super().send_data()

    @property
    def faults(self) -> Faults:
        """What this connection suffers now."""
        return self.house.faults_of(self.visit.number)


class Line:
    """Sends events in the order in which they were emitted; emitting never waits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._visit = connection.visit
        self._ledger = connection.house.ledger
        self._waiting: asyncio.Queue[dict[str, Any] | str] = asyncio.Queue()

    @property
    def faults(self) -> Faults:
        """What this line suffers now."""
        return self._connection.faults

    def emit(self, kind: str, **fields: Any) -> None:
        """Send one event, with an identity."""
        self._waiting.put_nowait({"type": kind, "event_id": new_id("event"), **fields})

    def emit_raw(self, text: str) -> None:
        """Send a frame that may be no event at all."""
        self._waiting.put_nowait(text)

    def refuse(self, refusal: Refusal, event_id: str | None) -> None:
        """Answer the client's event of that identity with an error."""
        self.error("invalid_request_error", refusal.code, refusal.message, refusal.param, event_id)

    def error(
        self,
        kind: str,
        code: str | None,
        message: str,
        param: str | None = None,
        event_id: str | None = None,
    ) -> None:
        """Send an `error` event."""
        told = {"type": kind, "code": code, "message": message, "param": param}
        self.emit("error", error={**told, "event_id": event_id})

    async def write(self) -> None:
        """Send what is emitted until the connection is gone."""
        try:
            while True:
                await self._send(await self._waiting.get())
                self._waiting.task_done()
        except ConnectionClosed:
            return

    async def flush(self) -> None:
        """Wait until everything emitted so far has been handed to the socket."""
        await self._waiting.join()

    async def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason; returns when the other side has agreed."""
        await self._connection.close(code, reason)

    def abort(self) -> None:
        """Break the TCP connection without a word."""
        self._ledger.note(self._visit.number, "connection.aborted", {})
        self._connection.transport.abort()

    def breaks(self, kind: str) -> bool:
        """Break here where it is to break at an event of this type; whether it did."""
        if kind != self.faults.breaks_at:
            return False
        self.abort()
        return True

    async def _send(self, event: dict[str, Any] | str) -> None:
        if isinstance(event, str):
            self._ledger.note(self._visit.number, "malformed", {"frame": event})
            await self._connection.send(event)
            return
        if self.breaks(event["type"]):
            return
        self._ledger.sent(self._visit, event)
        if event["type"] == "response.output_audio.delta":
            self._ledger.said(self._visit, base64.b64decode(event["delta"]))
        for said in self._connection.house.accent.say(event):
            await self._connection.send(json.dumps(said))
