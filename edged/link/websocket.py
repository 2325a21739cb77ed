"""One session over one WebSocket; everything that a line can suffer becomes one `LinkDown`."""

import asyncio
import contextlib
import errno
import logging
import random
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    WebSocketException,
)

from .. import ports
from ..address import Address
from ..core.commands import LinkCommand
from ..core.events import (
    Event,
    LinkAccepted,
    LinkDown,
    LinkReady,
    SessionLimited,
    Trouble,
)
from ..key import blotted, passing
from ..night import clock_is_set
from ._dialect import Dialect
from ._outbox import Outbox

E = TypeVar("E", bound=Event)

# An item that is sent whole, sound included, can exceed the library's 1 MiB many times.
_LARGEST_MESSAGE = 64 * 2**20
# What the kernel holds can be neither dropped nor overtaken, as what the outbox holds can:
# four seconds of sound may be on their way, and a quarter of a second not yet.
_KERNEL_BUFFER = 256 * 1024
_KERNEL_UNSENT = 16 * 1024
_FAREWELL_S = 0.3
_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL
# Close codes that say that we could not read what the other side sent (RFC 6455 7.4.1).
_UNREADABLE = (1002, 1003, 1007, 1009, 1010)

# At the level DEBUG the library logs the headers of the request, the key among them.
_silence = logging.Logger("edged.link.websocket", logging.CRITICAL + 1)


@dataclass(frozen=True)
class Settings:
    """How patient the line is, and whom it trusts."""

    connect_timeout_s: Annotated[float, "1 to 60"] = 9.0
    """From the first packet to the confirmed configuration; keep it below the conversation's
    `connect_timeout_s`, which can say less about the reason."""
    close_timeout_s: Annotated[float, "0.1 to 10"] = 2.0
    """An orderly end takes no longer; keep it below the conversation's `close_timeout_s`."""
    ping_interval_s: Annotated[float, "0 to 600"] = 20.0
    """Seconds between pings; 0 sends none."""
    ping_timeout_s: Annotated[float, "1 to 600"] = 20.0
    """A line that does not answer a ping, or takes no message, for this long is dead."""
    outbox_s: Annotated[float, "1 to 120"] = 20.0
    """Seconds of sound that wait when the line is slow; the oldest falls out."""
    ca_file: str = ""
    """A file of certificates (PEM) to trust besides the system's own."""
    proxy: str = "system"
    """`system` for the environment's proxy, `none` for none, or an address (http:// or
    https://). Never used for this machine itself."""
    plain_hosts: tuple[str, ...] = ()
    """Hosts that may be reached by ws://: your voice and the key travel in the clear, so name
    only servers of your own, in a network of your own."""

    def __post_init__(self) -> None:
        """Refuse a proxy that is none; ValueError, which does not repeat its password."""
        if self.proxy not in ("system", "none") and not _is_proxy(self.proxy):
            raise ValueError("proxy: expected `system`, `none`, or an address as http://host:port")


def open(settings: Settings, dialect: Dialect, key: str) -> "WebSocket":
    """A provider at the dialect's address; reads the trusted certificates, connects to nothing.

    Raises `ValueError` for an address that would send the key in the clear or is none, and for
    a key that no header can carry; `OSError` for certificates that cannot be read.
    """
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the key contains characters that no key has; copy it again")
    return WebSocket(settings, dialect, key)


class WebSocket:
    """A provider behind a WebSocket; one session at a time."""

    def __init__(self, settings: Settings, dialect: Dialect, key: str) -> None:
        self._settings = settings
        self._dialect = dialect
        self._key = key
        address = Address(dialect.url(), settings.plain_hosts)
        self._local = address.local
        self._tls = _trust(settings.ca_file) if address.encrypted else None

    def session(self) -> "Session":
        """A new session, not yet connected."""
        return Session(self._settings, self._dialect, self._dial, self._key)

    def _dial(self) -> connect:
        proxy: str | Literal[True] | None
        match self._settings.proxy:
            case "none":
                proxy = None
            case "system":
                proxy = True
            case address:
                proxy = address
        return _Connect(
            self._dialect.url(),
            additional_headers=self._dialect.headers(self._key),
            ssl=self._tls,
            proxy=None if self._local else proxy,
            compression=None,  # base64 of sound does not shrink
            max_size=_LARGEST_MESSAGE,
            open_timeout=None,  # the session's own clock bounds all of the opening
            close_timeout=self._settings.close_timeout_s,
            ping_interval=self._settings.ping_interval_s or None,
            ping_timeout=self._settings.ping_timeout_s,
            logger=_silence,
        )


class Session:
    """One conversation over one WebSocket.

    The line counts as accepted when the provider says so, not when it has been upgraded, and
    what is offered waits until the configuration is confirmed.
    """

    def __init__(
        self, settings: Settings, dialect: Dialect, dial: Callable[[], connect], key: str
    ) -> None:
        self._settings = settings
        self._dialect = dialect
        self._dial = dial
        self._key = key
        self._outbox = Outbox(settings.outbox_s, dialect.wire_rate)
        self._limit: asyncio.Timeout | None = None
        self._line: ClientConnection | None = None
        self._closing = False
        self._stalled = False

    @property
    def dropped(self) -> int:
        """Samples of sound that fell out because the line was too slow."""
        return self._outbox.dropped

    def offer(self, command: LinkCommand) -> None:
        """Send `command` as soon as the line takes it, in the outbox's order."""
        self._outbox.put(command)

    def close(self) -> None:
        """Begin an orderly end: what waits is forgotten and `run` returns soon."""
        if self._closing:
            return
        self._closing = True
        self._outbox.close()
        # Before there is a line there is nobody to take leave of.
        self._bound(0.0 if self._line is None else self._settings.close_timeout_s)

    async def run(self, feed: ports.Feed) -> LinkDown:
        """Connect, configure and converse; return how it ended. To be called once.

        Bounded by `connect_timeout_s` until the configuration is confirmed and by
        `close_timeout_s` after `close`. Raises `CancelledError` only, after a farewell of at
        most 0.3 s; what `feed` raises is passed on in an exception group.
        """
        try:
            down = LinkDown() if self._closing else await self._live(feed)
        finally:
            self._limit = None
            await self._hang_up()
        advice = passing(self._key) if down.trouble is Trouble.KEY else ""
        told = replace(
            down,
            trouble=None if self._closing else down.trouble,
            detail="; ".join(part for part in (down.detail, advice) if part),
            dropped_samples=self.dropped,
            oddities=self._dialect.oddities(),
            jitter=random.random(),
            transient=down.transient and not self._closing,
            # A fresh one may be there at the next wake.
            fatal=down.fatal and not advice,
        )
        return self._without_key(told)

    async def _live(self, feed: ports.Feed) -> LinkDown:
        self._dialect.restart()
        limit = self._limit = asyncio.timeout(self._settings.connect_timeout_s)
        try:
            async with limit:
                self._line = await self._dial()
                return await self._talk(self._line, feed)
        except InvalidStatus as no:
            return self._dialect.refused(no.response.status_code, bytes(no.response.body or b""))
        except ssl.SSLCertVerificationError as doubt:
            # A clock that was never set lies before every certificate.
            early = doubt.verify_code == _NOT_YET_VALID
            what = Trouble.CLOCK if early else Trouble.NETWORK
            return LinkDown(what, "certificate", f"certificate refused: {doubt.verify_message}")
        except TimeoutError:
            if not limit.expired():
                return _dropped("ETIMEDOUT", "nobody answers at the address")
            if self._closing:
                return LinkDown(detail="cut off")
            stage = "no connection" if self._line is None else "no confirmed session"
            detail = f"{stage} within {self._settings.connect_timeout_s:g} s"
            return _dropped("timeout", detail)
        except OSError as broken:
            code = errno.errorcode.get(broken.errno or 0, "")
            return _dropped(code, str(broken) or type(broken).__name__)
        # The last two are the library's way to say that it cannot use a SOCKS proxy, or its port.
        except (WebSocketException, EOFError, ImportError, ValueError) as odd:
            cut_short = isinstance(odd, EOFError | InvalidMessage)
            # There may be a password in its address.
            said = odd.msg if isinstance(odd, InvalidProxy) else str(odd) or type(odd).__name__
            return LinkDown(Trouble.NETWORK, "handshake", said, transient=cut_short)

    async def _talk(self, line: ClientConnection, feed: ports.Feed) -> LinkDown:
        wire = line.transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _KERNEL_UNSENT)
        async with asyncio.TaskGroup() as group:
            sender = group.create_task(self._send(line))
            down = await self._receive(line, feed)
            sender.cancel()
        return down

    async def _receive(self, line: ClientConnection, feed: ports.Feed) -> LinkDown:
        try:
            while True:
                for event in self._dialect.decode(await line.recv(decode=False)):
                    if isinstance(event, LinkDown):
                        return event
                    feed(self._told(event))
                    if isinstance(event, LinkAccepted | SessionLimited):
                        await line.send(self._dialect.configure())
                    elif isinstance(event, LinkReady):
                        self._outbox.open()
                        if not self._closing:
                            self._bound(None)
        except ConnectionClosed as closed:
            return self._ended(closed)

    def _told(self, event: Event) -> Event:
        """The event with what only a line knows, and without what nobody may read."""
        if isinstance(event, LinkAccepted):
            event = replace(event, lasts_s=_left(self._dialect.expires_at))
        return self._without_key(event)

    def _without_key(self, event: E) -> E:
        # Providers repeat a key in their complaints about it, and may do so anywhere.
        said = ((name, getattr(event, name)) for name in event.__slots__)
        texts = {name: text for name, text in said if isinstance(text, str)}
        clean: dict[str, Any] = {name: blotted(text, self._key) for name, text in texts.items()}
        return event if clean == texts else replace(event, **clean)

    async def _send(self, line: ClientConnection) -> None:
        # How the line ended is told where it is read.
        with contextlib.suppress(ConnectionClosed):
            while (command := await self._outbox.get()) is not None:
                for text in self._dialect.encode(command):
                    try:
                        # The library's pings wait behind a full buffer and notice nothing.
                        async with asyncio.timeout(self._settings.ping_timeout_s):
                            await line.send(text)
                    except TimeoutError:
                        self._stalled = True
                        line.transport.abort()
                        return
                # Seconds of pre-roll in one go would keep the loop from the microphone.
                await asyncio.sleep(0)
            await line.close()

    def _ended(self, closed: ConnectionClosed) -> LinkDown:
        theirs, ours = closed.rcvd, closed.sent
        if theirs is not None:
            return self._dialect.ended(theirs.code, theirs.reason)
        if self._stalled:
            detail = f"the line took nothing for {self._settings.ping_timeout_s:g} s"
            return _dropped("stalled", detail)
        if ours is not None and ours.code in _UNREADABLE:
            return LinkDown(Trouble.PROVIDER, str(ours.code), ours.reason)
        reason = ours.reason if ours is not None and ours.reason else str(closed.__cause__ or "")
        return replace(self._dialect.ended(None, reason or "the line broke"), code="1006")

    def _bound(self, seconds: float | None) -> None:
        if self._limit is not None and not self._limit.expired():
            now = asyncio.get_running_loop().time()
            self._limit.reschedule(None if seconds is None else now + seconds)

    async def _hang_up(self) -> None:
        if self._line is None:
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await self._line.close()
        finally:
            self._line.transport.abort()


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        # The key goes where the owner sent it and nowhere else.
        return exc


def _dropped(code: str, detail: str) -> LinkDown:
    """The network's fault, which passes."""
    return LinkDown(Trouble.NETWORK, code, detail, transient=True)


def _left(expires_at: float | None) -> float | None:
    """Seconds until then; None where that is not known, or no time that can be right."""
    if expires_at is None or not clock_is_set():
        return None
    left = expires_at - time.time()
    return left if left > 0 else None


def _is_proxy(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _trust(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
