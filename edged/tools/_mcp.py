"""A server of tools on this machine (MCP): started, asked what it offers, called, started anew."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import anyio
import mcp_types as mcp
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage

from ..core.commands import Fact, Note, note, warn
from ..core.settings import ToolSpec
from ..programs import Failed
from ..servers import Server, Talk, talking
from ._offer import Listed, Offer, offered
from ._tool import Kit, Tool

_START_S: Final = 60.0
"""A small board reads in large libraries for half a minute."""
_DOUBT_S: Final = 5.0
"""A server that does not even list its tools within this hangs."""
_CALM_S: Final = 1.0
"""It is not asked for them more often."""
_PAUSES_S: Final = (1.0, 300.0)
"""One that ended is started anew after the first; each further time after twice as long, up to the
last."""
_STEADY_S: Final = 60.0
"""After a life this long the pauses begin anew."""
_PAGES: Final = 8
"""Of a list; a server that has more tools says it all over again."""
_WORDS: Final = 500
"""Characters of what it says of a failure, or offers in vain."""

_TROUBLE: Final = (MCPError, Failed, ValueError, RuntimeError, TimeoutError)
"""What comes of a server that fails, lies or hangs; pydantic's errors are ValueErrors."""

for _name in ("mcp", "client"):
    # It tells of every line that it cannot read; what the owner needs to know we tell.
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


def open(server: Server, tell: Callable[[Note], None]) -> Kit:
    """Its tools, as they were when it was last asked; `tell` writes into the journal."""
    guest = _Guest(server, tell)
    return Kit((), serve=guest.serve, tools=lambda: guest.tools)


class _Guest:
    """One server, from one life of it to the next."""

    def __init__(self, server: Server, tell: Callable[[Note], None]) -> None:
        self.tools: Sequence[Tool] = ()
        self._server = server
        self._tell = tell
        self._session: ClientSession | None = None
        """None while it is not there."""
        self._doubt = asyncio.Event()
        """Set when its tools may be others now, when it may hang, and when it has ended."""

    async def serve(self) -> None:
        """Have it there, until cancelled."""
        shortest_s, longest_s = _PAUSES_S
        pause_s = shortest_s
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            fault = await self._live()
            if loop.time() - began > _STEADY_S:
                pause_s = shortest_s
            told = f"the tool server {self._server.name}: {_cut(fault)}; again in {pause_s:g} s"
            self._tell(warn(Fact.TOOLS_LOST, told, server=self._server.name))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    async def _live(self) -> str:
        """From its start to its end; why it has ended."""
        try:
            async with talking(self._server) as talk:
                await self._converse(talk)
        except Failed as failure:
            return str(failure)
        return talk.fault

    async def _converse(self, talk: Talk) -> None:
        hears, says = _Ear(talk, self._doubt.set), _Mouth(talk)
        async with ClientSession(hears, says, message_handler=self._told) as session:
            try:
                await self._keep(session)
            except _TROUBLE as trouble:
                talk.end(_words(trouble))
            finally:
                self._session = None

    async def _keep(self, session: ClientSession) -> None:
        """Until it ends or hangs, which is an error."""
        async with asyncio.timeout(_START_S):
            await _greet(session)
            self._take(await self._offer(session))
        self._session = session
        while True:
            await self._doubt.wait()
            self._doubt.clear()
            async with asyncio.timeout(_DOUBT_S):
                offer = await self._offer(session)
            if list(offer.tools.values()) != [tool.spec for tool in self.tools]:
                self._take(offer)
            await asyncio.sleep(_CALM_S)

    async def _told(self, message: object) -> None:
        """It says something unasked."""
        if isinstance(message, mcp.ToolListChangedNotification):
            self._doubt.set()

    async def _offer(self, session: ClientSession) -> Offer:
        listed: list[Listed] = []
        cursor = None
        for _ in range(_PAGES):
            wanted = mcp.ListToolsRequest(params=mcp.PaginatedRequestParams(cursor=cursor))
            page = await session.send_request(wanted, mcp.ListToolsResult)
            for tool in page.tools:
                listed.append(Listed(tool.name, tool.description or "", tool.input_schema))
            cursor = page.next_cursor
            if cursor is None:
                break
        return offered(self._server.name, self._server.allowed_tools, listed)

    def _take(self, offer: Offer) -> None:
        self.tools = [self._tool(name, spec) for name, spec in offer.tools.items()]
        told = ", ".join(spec.name for spec in offer.tools.values()) or "nothing"
        told = f"the tool server {self._server.name} offers {told}"
        if offer.left_out:
            told += "; left out: " + _cut("; ".join(offer.left_out))
        tell = warn if offer.left_out else note
        self._tell(tell(Fact.TOOLS_OFFERED, told, server=self._server.name))

    def _tool(self, name: str, spec: ToolSpec) -> Tool:
        async def call(given: Mapping[str, Any]) -> str:
            return await self._call(name, given)

        return Tool(spec, call, timeout_s=self._server.timeout_s)

    async def _call(self, name: str, given: Mapping[str, Any]) -> str:
        if self._session is None:
            raise ValueError("its server is not there now, and is started anew")
        asked = mcp.CallToolRequestParams(name=name, arguments=dict(given))
        try:
            result = await self._session.send_request(
                mcp.CallToolRequest(params=asked), mcp.CallToolResult
            )
        except asyncio.CancelledError:
            # Nobody waits any more, perhaps because it hangs.
            self._doubt.set()
            raise
        except _TROUBLE as trouble:
            raise ValueError(_words(trouble)) from trouble
        text = _text(result)
        if result.is_error:
            raise ValueError(_cut(text))
        return text


async def _greet(session: ClientSession) -> None:
    """Agree upon a version of the protocol; the newest servers know the older greeting no more."""
    try:
        await session.initialize()
    except MCPError as refusal:
        if refusal.code != mcp.UNSUPPORTED_PROTOCOL_VERSION:
            raise
        await session.discover()


def _text(result: mcp.CallToolResult) -> str:
    """What the model can read of an answer."""
    parts = []
    for part in result.content:
        match part:
            case mcp.TextContent(text=text):
                parts.append(text)
            case mcp.EmbeddedResource(resource=mcp.TextResourceContents(text=text)):
                parts.append(text)
            case _:
                parts.append(f"[{part.type} that cannot be told]")
    if not parts and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(parts)


def _words(trouble: Exception) -> str:
    """What it was, on one line."""
    match trouble:
        case TimeoutError():
            return "it does not answer"
        case MCPError(code=mcp.CONNECTION_CLOSED, message="Connection closed"):
            # Servers use the code for whatever they like.
            return "its server has just ended"
        case MCPError() | Failed():
            return _cut(str(trouble))
        case _:
            return "it does not keep to the protocol: " + _cut(str(trouble))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WORDS else line[:_WORDS] + "..."


class _Ear:
    """What the session hears: the messages among the server's lines."""

    def __init__(self, talk: Talk, ended: Callable[[], None]) -> None:
        self._talk = talk
        self._ended = ended

    async def receive(self) -> SessionMessage | Exception:
        """The next one; raises `anyio.EndOfStream`."""
        while line := await self._talk.read():
            # Others have a turn too, however many lines there are.
            await asyncio.sleep(0)
            try:
                message = mcp.jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                # Some print for people to read.
                continue
            return SessionMessage(message)
        self._ended()
        raise anyio.EndOfStream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream as end:
            raise StopAsyncIteration from end

    async def aclose(self) -> None:
        """Whoever has opened the talk closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The same."""


class _Mouth:
    """What the session says."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def send(self, item: SessionMessage, /) -> None:
        """Say it; raises `anyio.BrokenResourceError` where nobody listens."""
        try:
            self._talk.write(
                item.message.model_dump_json(by_alias=True, exclude_unset=True).encode()
            )
        except Failed as failure:
            raise anyio.BrokenResourceError from failure

    async def aclose(self) -> None:
        """Whoever has opened the talk closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The same."""
