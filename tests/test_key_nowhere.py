"""The key of a speaker that lives through good and bad, looked for in everything it leaves."""

import asyncio
import base64
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from edged.simulator import server as simulator
from edged.simulator.server import Call, Options

from .link.provider import text

pytestmark = [pytest.mark.evenings, pytest.mark.timeout(150)]

SECRET = "Q7vX9kLm2pRt4wYz8bNc6dFg1hJs3aEu5iOo0"
KEY = f"sk-proj-{SECRET}"
CONFIGURATION = r"""
[provider.openai]
url = "{url}"
[conversation]
trouble_s = 0.5
journal_transcripts = true
[sound]
driver = "wavefile"
[wake]
driver = "button"
[lights]
drivers = []
[buttons]
drivers = []
[control]
socket = "{folder}/control"
[[tools.command]]
name = "snoop"
description = "What a program can see."
argv = ["/bin/sh", "-c", "env; tr '\\0' ' ' < /proc/self/cmdline; ls -l /proc/self/fd"]
[key]
file = "{file}"
"""
EDGED = [sys.executable, "-m", "edged"]


def needles() -> list[bytes]:
    """Every piece of twelve characters of the secret part, as it is and in base64."""
    pieces = [SECRET[at : at + 12].encode() for at in range(len(SECRET) - 11)]
    for shift in range(3):
        # The ends differ with what stands beside it.
        coded = base64.b64encode(bytes(shift) + SECRET.encode())[4:-4]
        pieces += [coded[at : at + 16] for at in range(len(coded) - 15)]
    return pieces


def shows(content: bytes) -> list[bytes]:
    return [needle for needle in needles() if needle in content]


def test_the_search_finds_what_is_there() -> None:
    assert shows(f"by {KEY}".encode())
    assert shows(SECRET[5:17].encode())
    for before in ("", "a", "ab", "Bearer "):
        assert shows(base64.b64encode(f"{before}{KEY} and more".encode()))
    assert not shows(b"sk-proj-****uOo0")


class House:
    """A folder with everything that is written, and what children of it printed."""

    def __init__(self, folder: Path, file: Path) -> None:
        self.folder = folder
        self.file = file
        self.printed: list[bytes] = []
        self.seen: list[bytes] = []
        """Command lines, and the environments of children."""

    @property
    def configuration(self) -> Path:
        return self.folder / "edged.toml"

    def configure(self, url: str) -> None:
        text = CONFIGURATION.format(url=url, folder=self.folder, file=self.file)
        self.configuration.write_text(text)

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "STATE_DIRECTORY": str(self.folder / "state"),
            # Not taken while there is a file; children could have it from here.
            "OPENAI_API_KEY": KEY,
            "PYTHONASYNCIODEBUG": "1",
            "PYTHONFAULTHANDLER": "1",
        }

    async def types(self, verb: str, *words: str, status: int | None = 0) -> str:
        """Somebody types; what is printed is kept."""
        child = await asyncio.create_subprocess_exec(
            *EDGED, verb, *words, env=self.environment(), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await child.communicate()
        self.printed.append(said)
        assert status in (child.returncode, None), said.decode()
        return said.decode()

    async def asks(self, verb: str, *words: str, status: int | None = 0) -> str:
        socket = "--socket", str(self.folder / "control")
        return await self.types(verb, *socket, *words, status=status)

    async def checks(self) -> None:
        """The configuration and what the doctor says of it."""
        named = ["--config", str(self.configuration)]
        await self.types("check", *named)
        checks = ["config", "key", "provider"]
        await self.types("doctor", *named, "--json", "--online", *checks, status=None)
        await self.types("doctor", *named, *checks, status=None)

    @asynccontextmanager
    async def speaker(self, record: str) -> AsyncIterator["Speaker"]:
        """The daemon, watched and recorded; all that it printed is kept."""
        child = await asyncio.create_subprocess_exec(
            *EDGED, "run", "--config", str(self.configuration), "--record",
            str(self.folder / record), env=self.environment(), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        speaker = Speaker(child, self)
        try:
            await speaker.says("microphone")
            watch = [*EDGED, "watch", "--json", "--socket", str(self.folder / "control")]
            onlooker = await asyncio.create_subprocess_exec(*watch, stdout=asyncio.subprocess.PIPE)
            yield speaker
            await asyncio.sleep(0.5)
            onlooker.send_signal(signal.SIGINT)
            self.printed.append((await onlooker.communicate())[0])
        finally:
            if child.returncode is None:
                child.terminate()
            assert child.stdout is not None
            self.printed.append(await child.stdout.read())
            await child.wait()

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """All that was written, printed or could be seen, each with where."""
        for file in self.folder.rglob("*"):
            yield str(file), str(file).encode()
            if file.is_file():
                yield str(file), file.read_bytes()
        for said in self.printed:
            yield f"printed: {said[:60]!r}", said
        for seen in self.seen:
            yield f"seen: {seen[:60]!r}", seen


class Speaker:
    """What the daemon prints, line by line."""

    def __init__(self, child: asyncio.subprocess.Process, house: House) -> None:
        self.child = child
        self._house = house

    async def says(self, words: str) -> None:
        assert self.child.stdout is not None
        so_far: list[bytes] = []
        async with asyncio.timeout(30):
            while not so_far or words.encode() not in so_far[-1]:
                so_far.append(await self.child.stdout.readline())
                self._house.printed.append(so_far[-1])
                assert so_far[-1], (words, b"".join(so_far).decode())

    def shows(self) -> None:
        """What `ps` shows of it and of its children."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
                mine = process.name == str(self.child.pid)
                if mine or parent == str(self.child.pid):
                    self._house.seen.append((process / "cmdline").read_bytes())
                if mine:
                    limits = (process / "limits").read_text().partition("Max core file size")[2]
                    assert limits.split()[:2] == ["0", "0"], "its memory would be on the disk"
                elif parent == str(self.child.pid):
                    self._house.seen.append((process / "environ").read_bytes())
            except OSError:
                continue


async def good_evening(house: House) -> None:
    """A question, a tool that tells what it can see, an answer, words of the box's own."""
    said = Options(
        answers=[Call("snoop", "{}"), "All is well."], key=KEY, voice="melody", detector="energy"
    )
    async with await simulator.serve(said) as server:
        house.configure(server.url)
        await house.checks()
        async with house.speaker("good.jsonl") as speaker:
            await house.asks("wake")
            await speaker.says("listening")
            server.hears_speech()
            await speaker.says("hearing")
            server.hears_silence()
            await speaker.says("tool snoop called")
            speaker.shows()
            await speaker.says("speaking")
            await house.asks("status", "--json")
            if shutil.which("espeak-ng"):
                await house.asks("stop")
                await speaker.says("session ended")
                await house.types("say", "--socket", str(house.folder / "control"), "Well.")
        items = [entry.line() for entry in server.entries("conversation.item.create")]
        (told,) = [item for item in items if "function_call_output" in item]
        assert "LANG" in told, "the program was run"
        house.seen.append(told.encode())


def admit(connection: ServerConnection, request: Request) -> Response | None:
    """The doctor and the third visitor are refused, with a page about their key."""
    server: Any = connection.server
    server.visits = getattr(server, "visits", 0) + 1
    if server.visits == server.refuses:
        page = {"error": {"message": f"no {KEY}, or {KEY[:24]}, or", "code": "invalid_api_key"}}
        return connection.respond(HTTPStatus.UNAUTHORIZED, json.dumps(page))
    return None


async def indiscreet(line: ServerConnection) -> None:
    """Repeats the key wherever it can: whole, in pieces, and where it is cut off."""
    visit = getattr(line.server, "visits", 0)
    told = f"Who gave you {KEY}? Yours ends in {SECRET[-14:]}. {'Oh. ' * 58}{KEY}"
    await line.send(text("session.created", session={"id": f"sess_{KEY}", "model": KEY}))
    await line.recv()
    if visit % 2:
        await line.send(text("session.updated"))
        await line.send(text(f"news.of.{KEY}"))
        await line.send(text("error", error={"code": KEY, "message": told}))
        reply = {"id": f"resp_{KEY}", "conversation_id": "c"}
        await line.send(text("response.created", response=reply))
        item = {"type": "function_call", "status": "completed", "call_id": "c", "name": KEY}
        done = {"response_id": reply["id"], "item": item | {"arguments": f'{{"a":"{KEY}"}}'}}
        await line.send(text("response.output_item.done", **done))
        spoken = {"response_id": reply["id"], "item_id": KEY, "transcript": f"It is {KEY}."}
        await line.send(text("response.output_audio_transcript.done", **spoken))
        failed = {"status": "failed", "status_details": {"error": {"code": KEY, "message": told}}}
        await line.send(text("response.done", response=reply | failed))
    await line.close(3000, f"invalid_api_key: {KEY}"[:120])


async def bad_evening(house: House) -> None:
    """Two sessions that end badly, a request that is refused, and a key that nobody may use."""
    async with serve(indiscreet, "127.0.0.1", 0, process_request=admit) as server:
        port = server.sockets[0].getsockname()[1]
        house.configure(f"ws://127.0.0.1:{port}/v1/realtime")
        vars(server)["refuses"] = -1
        await house.checks()
        async with house.speaker("bad.jsonl") as speaker:
            vars(server)["visits"] = 0
            vars(server)["refuses"] = 3
            for _ in range(3):
                await house.asks("wake", status=None)
                await speaker.says("trouble: key")
                await house.asks("status", "--json")
                await speaker.says("asleep")
                # What only another configuration mends is tried no more before there is one.
                speaker.child.send_signal(signal.SIGHUP)
                await speaker.says("microphone")
            house.file.chmod(0o644)
            await house.asks("wake", status=None)
            await speaker.says(f"chmod 600 {house.file}")
            speaker.child.send_signal(signal.SIGABRT)
            assert await speaker.child.wait() == -signal.SIGABRT
        await house.checks()
        house.file.chmod(0o600)


async def afterwards(house: House) -> None:
    """What is left is looked at."""
    for file in [*house.folder.glob("*.jsonl"), *house.folder.glob("state/flight-*.jsonl")]:
        await house.types("replay", str(file))
        await house.types("replay", str(file), "--json")
    await house.types("usage", "--json")


def test_it_is_nowhere(tmp_path: Path) -> None:
    """Nor is any piece of it: not in files, not on screens, not among what children are given."""
    folder, elsewhere = tmp_path / "house", tmp_path / "safe"
    folder.mkdir()
    elsewhere.mkdir()
    file = elsewhere / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    house = House(folder, file)

    async def story() -> None:
        await good_evening(house)
        await bad_evening(house)
        await afterwards(house)

    asyncio.run(story())
    found = [(where, shown) for where, content in house.everything() if (shown := shows(content))]
    assert not found
    everything = b"\n".join(content for _, content in house.everything())
    for told in (
        b"sess_[key]",
        b"Who gave you [key]? Yours ends in [key]",
        b"assistant: It is [key].",
    ):
        assert told in everything, "what was told of it was written, and is not there"
    assert list(folder.glob("state/flight-*.jsonl"))


def test_a_client_secret_that_has_run_out_is_told_of_and_a_fresh_one_taken(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("ek_68af296e8e408191a1120ab6383263c2")
    file.chmod(0o600)
    fresh = "ek_79b0307f9f519202b2231bc7494374d3"
    house = House(tmp_path, file)

    async def story() -> None:
        async with await simulator.serve(Options(key=fresh, voice="melody")) as server:
            house.configure(server.url)
            async with house.speaker("evening.jsonl") as speaker:
                await house.asks("wake", status=None)
                await speaker.says("it is a client secret, which runs out within two hours")
                file.write_text(fresh)
                await house.asks("wake")
                await speaker.says("connected")

    asyncio.run(story())
