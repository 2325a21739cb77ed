"""Somebody who calls the simulated server, and holds what it says against the published types."""

import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter
from websockets.asyncio.client import ClientConnection, connect

from edged.simulator.server import Server

Event = dict[str, Any]

UNDECLARED = {"session.id", "session.object", "session.expires_at"}
"""What the real server sends and its published types do not declare."""


@cache
def published() -> TypeAdapter[Any]:
    """Every server event that OpenAI's own package knows."""
    return TypeAdapter(RealtimeServerEvent)


def undeclared(value: Any, at: str = "") -> set[str]:
    """Members of a parsed event that its type does not declare."""
    found: set[str] = set()
    if isinstance(value, BaseModel):
        found |= {f"{at}{name}" for name in value.model_extra or {}}
        for name in type(value).model_fields:
            found |= undeclared(getattr(value, name), f"{at}{name}.")
    elif isinstance(value, list):
        for one in value:
            found |= undeclared(one, at)
    return found


class Caller:
    """One client with an open session."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.seen: list[Event] = []

    async def send(self, kind: str, **fields: Any) -> None:
        """Send one event."""
        await self.line.send(json.dumps({"type": kind, **fields}))

    async def update(self, **session: Any) -> Event:
        """Send a `session.update`; the next answer to it."""
        await self.send("session.update", session={"type": "realtime", **session})
        return await self.next("session.updated", "error")

    async def turns(self, settings: Mapping[str, Any] | None) -> Event:
        """Set the turn detection."""
        return await self.update(audio={"input": {"turn_detection": settings}})

    async def append(self, sound: npt.NDArray[np.int16], chunk_ms: int = 20) -> None:
        """Append 24 kHz sound as a microphone would, but without waiting."""
        size = 48 * chunk_ms
        data = sound.astype("<i2").tobytes()
        for start in range(0, len(data), size):
            audio = base64.b64encode(data[start : start + size]).decode()
            await self.send("input_audio_buffer.append", audio=audio)

    async def receive(self) -> Event:
        """The next event, valid by the published types."""
        event: Event = json.loads(await self.line.recv())
        parsed = published().validate_python(event)
        assert type(parsed).model_fields["type"].annotation is not None
        assert undeclared(parsed) <= UNDECLARED, event
        self.seen.append(event)
        return event

    async def next(self, *kinds: str) -> Event:
        """The next event of one of these types; others are passed over."""
        while True:
            event = await self.receive()
            if event["type"] in kinds:
                return event

    async def refusal(self) -> Event:
        """The next `error` event's error."""
        error: Event = (await self.next("error"))["error"]
        return error

    async def caught_up(self) -> None:
        """Wait until the server has obeyed everything sent."""
        await self.send("conversation.item.retrieve", item_id="nothing", event_id="caught up")
        while (await self.refusal())["event_id"] != "caught up":
            pass

    def kinds(self) -> list[str]:
        """The types of everything seen, repetitions in a row told once."""
        told: list[str] = []
        for event in self.seen:
            if told[-1:] != [event["type"]]:
                told.append(event["type"])
        return told

    def sound(self) -> bytes:
        """All answer sound seen."""
        return b"".join(
            base64.b64decode(event["delta"])
            for event in self.seen
            if event["type"] == "response.output_audio.delta"
        )


def dial(
    server: Server,
    *,
    key: str = "a key",
    query: str = "?model=gpt-realtime-2.1",
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> connect:
    """A connection to the server, to be awaited or entered."""
    told = {"Authorization": f"Bearer {key}", **(headers or {})}
    return connect(server.url + query, additional_headers=told, ssl=tls, compression=None)


@contextlib.asynccontextmanager
async def calling(server: Server) -> AsyncIterator[Caller]:
    """A session that has just been created."""
    async with dial(server) as line:
        caller = Caller(line)
        assert (await caller.receive())["type"] == "session.created"
        yield caller


def silence(seconds: float) -> npt.NDArray[np.int16]:
    """Nothing, at 24 kHz."""
    return np.zeros(int(24_000 * seconds), np.int16)


def hum(seconds: float, level: float = 0.2) -> npt.NDArray[np.int16]:
    """A loud tone at 24 kHz, which an energy detector takes for speech."""
    time = np.arange(int(24_000 * seconds)) / 24_000
    return (np.sin(2 * np.pi * 220 * time) * level * 32767).astype(np.int16)


def turn(seconds: float = 1.0) -> npt.NDArray[np.int16]:
    """Half a second of silence, a hum, and enough silence to end a turn."""
    return np.concatenate([silence(0.5), hum(seconds), silence(1.0)])
