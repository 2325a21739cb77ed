"""The way to the provider: its name, a connection, its certificate, and how long that takes."""

import asyncio
import errno
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ._finding import Finding, fail, ok, warn
from ._visit import Visit

ORDER = 40
NEEDS = ("config",)

_PATIENCE_S = 8.0
_SLOW_MS = 400.0
_NOWHERE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
_PROXY = "`proxy` in [link.websocket]"
_NOT_YET_VALID = 9
"""X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL."""


@dataclass(frozen=True)
class _Way:
    host: str
    port: int
    trust: ssl.SSLContext | None
    """None where nothing is encrypted."""
    setting: str
    """Where the address stands in the configuration."""


def look(visit: Visit) -> Finding:
    """As far as the proxy, where there is one; nothing is asked of the provider."""
    url = urlsplit(visit.provider_url())
    secure, host = url.scheme == "wss", url.hostname or ""
    port = url.port or (443 if secure else 80)
    link = visit.settings.link.settings
    proxy = _proxy(getattr(link, "proxy", ""), secure, host)
    if proxy:
        return _reached(proxy)
    ca_file: str = getattr(link, "ca_file", "")
    try:
        trust = _trust(ca_file)
    except OSError as problem:
        seen = f"the certificates in {ca_file} cannot be used: {_said(problem)}"
        return fail(seen, "correct `ca_file` in [link.websocket]")
    setting = f"`url` in [provider.{visit.settings.provider.name}]"
    return asyncio.run(_walk(_Way(host, port, trust if secure else None, setting)))


def _reached(proxy: str) -> Finding:
    """Of the way there, nothing; of the address nothing is told: a password may stand in it."""
    try:
        through = urlsplit(proxy)
        host, port = through.hostname, through.port
    except ValueError:
        host = None
    if host is None:
        form = "http://HOST:PORT, as `proxy` in [link.websocket] or as https_proxy"
        return fail("the proxy has no address", f"write it as {form}")
    return asyncio.run(_walk(_Way(host, port or 80, None, _PROXY)))


def _proxy(chosen: str, secure: bool, host: str) -> str:
    """The proxy that the line takes; "" for none, as for this machine itself."""
    if host == "localhost" or host.startswith("127.") or host == "::1" or chosen == "none":
        return ""
    if chosen != "system":
        return chosen
    if proxy_bypass(host):
        return ""
    return getproxies().get("https" if secure else "http", "")


async def _walk(way: _Way) -> Finding:
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            there = await loop.getaddrinfo(way.host, way.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, TimeoutError, UnicodeError) as error:
        return fail(f"the name {way.host} is not found: {_said(error)}", _no_name(way))
    named_ms = _since(began)
    began = time.monotonic()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(way.host, way.port)
    except (OSError, TimeoutError) as error:
        return fail(f"{way.host}:{way.port} is not reached: {_said(error)}", _no_way(way, error))
    trip_ms = _since(began)
    told = f"{way.host} ({there[0][4][0]}): name {named_ms:.0f} ms, round trip {trip_ms:.0f} ms"
    try:
        if way.trust:
            began = time.monotonic()
            async with asyncio.timeout(_PATIENCE_S):
                await writer.start_tls(way.trust, server_hostname=way.host)
            told += f", TLS {_since(began):.0f} ms"
    except ssl.SSLCertVerificationError as doubt:
        return _doubted(way, doubt)
    except (OSError, TimeoutError) as error:
        return fail(f"{way.host} does not speak TLS: {_said(error)}", _no_tls(way))
    finally:
        writer.transport.abort()
    if trip_ms > _SLOW_MS:
        return warn(f"{told}: answers will come late", "use a cable, or move nearer to the WLAN")
    return ok(told)


def _trust(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not error.args:
        return f"nothing comes back for {_PATIENCE_S:.0f} s"
    return str(getattr(error, "strerror", "") or error)


def _no_name(way: _Way) -> str:
    if way.host.endswith("openai.com"):
        return "connect it to the network: sudo nmtui  (then: ping -c1 api.openai.com)"
    return f"correct {way.setting}, or make the name known: getent hosts {way.host}"


def _no_way(way: _Way, error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"start the server on {way.host}, or correct {way.setting}"
    if getattr(error, "errno", None) in _NOWHERE:
        return "connect it to the network: sudo nmtui"
    return (
        f"let TCP port {way.port} to {way.host} through the firewall, or name a proxy as `proxy` "
        "in [link.websocket]"
    )


def _no_tls(way: _Way) -> str:
    return f"is it a wss:// address? see: openssl s_client -connect {way.host}:{way.port}"


def _doubted(way: _Way, doubt: ssl.SSLCertVerificationError) -> Finding:
    said = f"the certificate of {way.host} is refused: {doubt.verify_message}"
    if doubt.verify_code == _NOT_YET_VALID:
        return fail(said, "set the clock: sudo timedatectl set-ntp true")
    if "issuer" in doubt.verify_message or "self-signed" in doubt.verify_message:
        return fail(
            said,
            "sudo apt install ca-certificates, or name its file as `ca_file` in [link.websocket]",
        )
    return fail(said, f"correct {way.setting} to the name that the certificate has")
