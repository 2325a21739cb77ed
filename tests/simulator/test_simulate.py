"""`edged simulate`: a server that another program can start, use, and end."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from edged.cli import main

GREETING = re.compile(r"listening on (wss?://127\.0\.0\.1:\d+/v1/realtime)\n")
HEADERS = {"Authorization": "Bearer a key"}


@contextlib.asynccontextmanager
async def simulating(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The verb in a process of its own, and the address that it told."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edged", "simulate", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    try:
        assert process.stdout is not None
        greeting = GREETING.fullmatch((await process.stdout.readline()).decode())
        assert greeting
        yield process, greeting[1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told(number: signal.Signals) -> None:
    async def story() -> None:
        async with simulating() as (process, url):
            async with connect(f"{url}?model=m", additional_headers=HEADERS) as line:
                await line.recv()
                process.send_signal(number)
                with pytest.raises(ConnectionClosed):
                    await line.recv()
                assert line.close_code == 1001
            assert await process.wait() == 0

    asyncio.run(story())


def test_it_answers_what_it_was_told_to_and_keeps_a_record(tmp_path: Path) -> None:
    log, sounds = tmp_path / "log.jsonl", tmp_path / "sounds"

    async def story() -> None:
        told = ("--voice", "melody", "--pace", "0", "--log", str(log), "--keep-audio", str(sounds))
        async with simulating(*told, "--answer", "Good night.", "--key", "a key") as (process, url):
            async with connect(f"{url}?model=m", additional_headers=HEADERS) as line:
                await line.send('{"type": "response.create"}')
                async for message in line:
                    event = json.loads(message)
                    if event["type"] == "response.done":
                        break
            assert "Good night." in event["response"]["output"][0]["content"][0]["transcript"]
            process.terminate()
            await process.wait()

    asyncio.run(story())
    kinds = [json.loads(line)["type"] for line in log.read_text().splitlines()]
    assert kinds[0] == "server.started"
    assert kinds[-1] == "connection.closed"
    assert (sounds / "session-1-out.pcm").stat().st_size > 4 * 0.3 * 48_000 - 100


def test_an_answer_may_have_several_items() -> None:
    async def story() -> None:
        told = ("--voice", "melody", "--pace", "0", "--answer", "One.", "--and", "Two.")
        async with simulating(*told, "--and-call", "bye", "--answer", "Three.") as (_, url):
            async with connect(f"{url}?model=m", additional_headers=HEADERS) as line:
                tool = {"type": "function", "name": "bye"}
                session = {"type": "realtime", "tools": [tool], "output_modalities": ["text"]}
                await line.send(json.dumps({"type": "session.update", "session": session}))
                await line.send('{"type": "response.create"}')
                async for message in line:
                    event = json.loads(message)
                    if event["type"] == "response.done":
                        break
            one, two, call = event["response"]["output"]
            texts = [item["content"][0]["text"] for item in (one, two)]
            assert (texts, call["name"]) == (["One.", "Two."], "bye")

    asyncio.run(story())


def test_a_further_item_needs_an_answer_to_belong_to(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "--and", "Two."])
    assert "needs an --answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "code"), [("bad-key", 3000), ("no-model", 4000), ("refuse", None)]
)
def test_faults_are_switched_on_by_name(fault: str, code: int | None) -> None:
    async def story() -> None:
        async with simulating("--fault", fault) as (_, url):
            if code is None:
                with pytest.raises((OSError, InvalidHandshake, EOFError)):
                    await connect(f"{url}?model=m", additional_headers=HEADERS)
                return
            async with connect(f"{url}?model=m", additional_headers=HEADERS) as line:
                with pytest.raises(ConnectionClosed):
                    await line.recv()
                assert line.close_code == code

    asyncio.run(story())


def test_it_serves_tls_with_a_certificate_from_files(tmp_path: Path) -> None:
    certificate = trustme.CA().issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())

    async def story() -> None:
        told = ("--certificate", str(chain), "--private-key", str(key))
        async with simulating(*told) as (_, url):
            assert url.startswith("wss://")

    asyncio.run(story())


def test_a_port_that_is_taken_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["simulate", "--port", str(taken.getsockname()[1])]) == 1
    assert "address already in use" in capsys.readouterr().err


def test_a_port_that_there_cannot_be_is_refused_in_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["simulate", "--port", "70000"]) == 1
    assert "port" in capsys.readouterr().err
