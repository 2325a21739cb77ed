"""The way to the provider, over real sockets and real TLS: what is wrong on it, and the fix."""

import asyncio
import contextlib
import gc
import re
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from edged.doctor import _round
from edged.doctor._finding import Finding
from edged.doctor._visit import Machine, Visit
from edged.simulator.server import Faults, Options, Server, serve

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"


class Case:
    """A configuration that means a server of this test's."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "edged.toml"
        self.authority = trustme.CA()
        self._trusted = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self._trusted)

    def means(self, url: str, *, trusts: bool = True, more: str = "") -> None:
        """Write it."""
        trusted = f'ca_file = "{self._trusted}"\n' if trusts else ""
        self.file.write_text(
            f'[provider.openai]\nurl = "{url}"\n[link.websocket]\n{trusted}{more}\n'
        )

    def look(self, name: str, key: str = KEY) -> Finding:
        """What that check finds, online."""
        machine = Machine(environment={"OPENAI_API_KEY": key})
        visit = Visit(file=self.file, machine=machine, online=True)
        (*_, outcome) = _round.outcomes(visit, [name])
        return outcome.finding

    def certificate(self, name: str, valid_from: datetime | None = None) -> ssl.SSLContext:
        """A server's side of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name, not_before=valid_from).configure_cert(context)
        return context


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    for name in ("https_proxy", "http_proxy", "all_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Case(tmp_path)


def says(found: Finding, verdict: str, seen: str, fix: str) -> None:
    assert found.verdict == verdict, found
    assert re.search(seen, found.seen), found
    assert re.fullmatch(fix, found.fix), found


def beside(story: Callable[[], Finding], **options: Any) -> tuple[Finding, Server]:
    """What is found while a simulated provider with these options runs."""

    async def both() -> tuple[Finding, Server]:
        async with await serve(Options(voice="melody", detector="energy", **options)) as server:
            beside.url = server.url  # type: ignore[attr-defined]
            return await asyncio.to_thread(story), server

    with warnings.catch_warnings():
        # Before Python 3.12 asyncio's server keeps whoever turned away in the middle of a TLS
        # handshake, and the collector complains of it wherever it happens to run.
        warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
        result = asyncio.run(both())
        gc.collect()
    return result


def address() -> str:
    """Where the server of `beside` is."""
    url: str = beside.url  # type: ignore[attr-defined]
    return url


def _received(server: Server) -> list[str]:
    """The events that came to it."""
    return [entry.type for entry in server.log if entry.direction == "in"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- the network --------------------------------------------------------------------------


def test_an_address_that_is_none(case: Case) -> None:
    for url in ("wss://localhost:99999/v1", "https://localhost/v1", "wss:///v1"):
        case.means(url)
        says(case.look("config"), "fail", "of the form wss://host/path", "change line 2 of .*")


@pytest.mark.parametrize(
    "proxy", ["proxy:3128", "http://", "http://me:secret@x:99999", "http://[::1"]
)
def test_a_proxy_that_is_none(case: Case, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case.means("wss://edged.invalid/v1/realtime", more=f'proxy = "{proxy}"')
    found = case.look("config")
    says(found, "fail", "an address as http://host:port", "change line 3 of .*")
    assert "secret" not in str(found)
    case.means("wss://edged.invalid/v1/realtime")
    monkeypatch.setenv("https_proxy", proxy)
    found = case.look("network")
    says(found, "fail", "the proxy has no address", r"write it as http://HOST:PORT, as `proxy` .*")
    assert "secret" not in str(found)


def test_certificates_that_are_none(case: Case, tmp_path: Path) -> None:
    for name in ("nothing.pem", "edged.toml"):
        more = f'ca_file = "{tmp_path}/{name}"'
        case.means("wss://edged.invalid/v1/realtime", trusts=False, more=more)
        says(
            case.look("network"),
            "fail",
            f"the certificates in {tmp_path}/{name} cannot be used: ",
            r"correct `ca_file` in \[link.websocket\]",
        )


def test_a_name_that_nobody_has(case: Case) -> None:
    case.means("wss://edged.invalid/v1/realtime")
    says(
        case.look("network"),
        "fail",
        "the name edged.invalid is not found",
        r"correct `url` in \[provider.openai\], or make the name known: getent hosts edged.invalid",
    )


def test_the_address_of_another_provider_is_corrected_where_it_stands(case: Case) -> None:
    url = f"ws://localhost:{free_port()}/v1"
    case.file.write_text(
        f'[provider]\ndriver = "legacy"\n[provider.legacy]\nurl = "{url}"\n', encoding="utf-8"
    )
    fix = r"start the server on localhost, or correct `url` in \[provider.legacy\]"
    says(case.look("network"), "fail", r"localhost:\d+ is not reached", fix)


def test_nobody_listens(case: Case) -> None:
    case.means(f"wss://localhost:{free_port()}/v1")
    says(
        case.look("network"),
        "fail",
        r"localhost:\d+ is not reached",
        r"start the server on localhost, or correct `url` in \[provider.openai\]",
    )


def test_tls_and_a_round_trip(case: Case) -> None:
    def story() -> Finding:
        case.means(address().replace("127.0.0.1", "localhost"))
        return case.look("network")

    found, server = beside(story, tls=case.certificate("localhost"))
    says(found, "ok", r"localhost \(.*\): name \d+ ms, round trip \d+ ms, TLS \d+ ms", "")
    assert not _received(server)


@pytest.mark.parametrize(
    ("trusts", "name", "valid_from", "seen", "fix"),
    [
        (
            False,
            "localhost",
            None,
            "unable to get local issuer|self-signed",
            r"sudo apt install ca-certificates, or .*`ca_file` in \[link.websocket\]",
        ),
        (
            True,
            "elsewhere.example",
            None,
            "Hostname mismatch",
            r"correct `url` in \[provider.openai\] to the name that the certificate has",
        ),
        (
            True,
            "localhost",
            datetime.now(UTC) + timedelta(days=2),
            "not yet valid",
            "set the clock: sudo timedatectl set-ntp true",
        ),
    ],
)
def test_a_certificate_that_is_refused(
    case: Case,
    trusts: bool,
    name: str,
    valid_from: datetime | None,
    seen: str,
    fix: str,
) -> None:
    def story() -> Finding:
        case.means(address().replace("127.0.0.1", "localhost"), trusts=trusts)
        return case.look("network")

    found, _ = beside(story, tls=case.certificate(name, valid_from))
    says(found, "fail", seen, fix)


@contextlib.asynccontextmanager
async def blunt() -> AsyncIterator[int]:
    """The port of somebody who hangs up on whatever is said."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def test_a_server_that_speaks_no_tls(case: Case) -> None:
    async def story() -> Finding:
        async with blunt() as port:
            case.means(f"wss://127.0.0.1:{port}/v1")
            return await asyncio.to_thread(case.look, "network")

    fix = r"is it a wss:// address\? see: openssl s_client -connect 127.0.0.1:\d+"
    says(asyncio.run(story()), "fail", "does not speak TLS", fix)


def test_behind_a_proxy_the_proxy_is_what_is_looked_for(case: Case) -> None:
    async def story() -> Finding:
        async with blunt() as port:
            case.means("wss://edged.invalid/v1", more=f'proxy = "http://127.0.0.1:{port}"')
            return await asyncio.to_thread(case.look, "network")

    says(asyncio.run(story()), "ok", r"127.0.0.1 .*: name \d+ ms, round trip", "")


# --- the provider -------------------------------------------------------------------------


def test_a_session_is_opened_and_closed_and_nothing_asked(case: Case) -> None:
    def story() -> Finding:
        case.means(address().replace("127.0.0.1", "localhost"))
        return case.look("provider")

    found, server = beside(story, tls=case.certificate("localhost"), key=KEY)
    says(found, "ok", r"gpt-realtime-2.1-mini answers, and takes the configuration, after", "")
    assert _received(server) == ["session.update"]
    (update,) = (entry for entry in server.log if entry.direction == "in")
    tools = update.details["session"]["tools"]
    assert [tool["name"] for tool in tools][:2] == ["clock", "goodbye"]


@pytest.mark.parametrize(
    ("options", "key", "seen", "fix"),
    [
        ({"key": "sk-another-one"}, KEY, "key: ", "make a new key .*: sudo edged setup"),
        ({"faults": Faults(no_model=True)}, KEY, "provider: ", ".*correct `model` in .session."),
        ({"faults": Faults(http_status=503)}, KEY, "provider: |network: ", ".*"),
        ({"faults": Faults(refuse=True)}, KEY, "network: ", "edged doctor network"),
    ],
)
def test_a_provider_that_refuses(
    case: Case, options: dict[str, Any], key: str, seen: str, fix: str
) -> None:
    def story() -> Finding:
        case.means(address())
        return case.look("provider", key)

    found, _ = beside(story, **options)
    says(found, "fail", seen, fix)
    assert key not in found.seen


def test_a_provider_that_takes_the_least_of_it_only(case: Case) -> None:
    def story() -> Finding:
        case.means(address())
        return case.look("provider")

    found, _ = beside(story, faults=Faults(modest=True))
    seen = r"answers, but takes only the least .*Unknown parameter: 'session.audio.output.voice'"
    says(found, "warn", seen, r"change in \[session\] what it names, .*")


def test_nobody_is_asked_who_was_not_allowed_to(case: Case) -> None:
    def story() -> Finding:
        case.means(address())
        machine = Machine(environment={"OPENAI_API_KEY": KEY})
        (*_, outcome) = _round.outcomes(Visit(file=case.file, machine=machine), ["provider"])
        return outcome.finding

    found, server = beside(story)
    says(found, "skipped", "is not asked", "edged doctor --online")
    assert not _received(server)
