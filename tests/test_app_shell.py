"""The unmodified daemon, asked through its socket by the commands a person types."""

import asyncio
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Awaitable, Callable
from datetime import datetime
from datetime import time as clock
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged import night
from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.stage import KEY
from edged.simulator.server import Faults, Options, Server, serve

CONFIGURATION = """
[provider.openai]
url = "{url}"
[sound]
driver = "wavefile"
[sound.wavefile]
speaker = "{folder}/heard.wav"
[wake]
driver = "button"
[lights]
drivers = []
[buttons]
drivers = []
[control]
socket = "{folder}/control"
"""
STORY = "This is a long story. " * 20
SHORT = "It is nine, and it does not rain."
OPTIONS = Options(answers=[SHORT], voice="melody", detector="energy", pace=0)
EDGED = (sys.executable, "-m", "edged")
needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is a Debian package"
)


class House:
    """A speaker that runs, and a shell beside it."""

    def __init__(self, folder: Path, daemon: Daemon, server: Server) -> None:
        self.folder = folder
        self.daemon = daemon
        self.server = server

    def command(self, *typed: str) -> list[str]:
        verb, *others = typed
        return [*EDGED, verb, "--socket", str(self.folder / "control"), *others]

    async def type(self, *typed: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run, self.command(*typed), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    async def says(self, text: str, **more: object) -> asyncio.Task[dict[str, Any]]:
        """As `edged say`, but in a known order; the reply is still to come."""
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "control"))
        writer.write(json.dumps({"verb": "say", "text": text, **more}).encode() + b"\n")
        await writer.drain()

        async def reply() -> dict[str, Any]:
            told: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
            return told

        return asyncio.create_task(reply())

    async def start(self, *typed: str) -> asyncio.subprocess.Process:
        command = self.command(*typed)
        return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)

    async def status(self) -> dict[str, object]:
        told: dict[str, object] = json.loads((await self.type("status", "--json")).stdout)
        return told


def lines(house: House) -> str:
    return "\n".join(line.text for line in house.daemon.lines)


def evening(folder: Path, story: Callable[[House], Awaitable[None]], settings: str = "") -> None:
    async def told() -> None:
        async with await serve(OPTIONS) as server:
            file = folder / "edged.toml"
            file.write_text(CONFIGURATION.format(folder=folder, url=server.url) + settings)
            known = {**os.environ, "STATE_DIRECTORY": str(folder / "state"), "OPENAI_API_KEY": KEY}
            async with Daemon(file, known, folder, undisturbed=False) as daemon:
                await daemon.says("microphone")
                await story(House(folder, daemon, server))
                await daemon.stop()
                assert daemon.process.returncode == 0, daemon.lines

    asyncio.run(told())


def heard(folder: Path) -> list[int]:
    """The tenths of a second in which the loudspeaker was as loud as a voice."""
    with wave.open(str(folder / "heard.wav"), "rb") as file:
        rate, sound = file.getframerate(), file.readframes(file.getnframes())
    samples = np.frombuffer(sound, "<i2").astype(np.int64)
    whole = samples[: len(samples) // (rate // 10) * (rate // 10)].reshape(-1, rate // 10)
    return [int(at) for at in np.flatnonzero(np.abs(whole).max(axis=1) > 2500)]


@needs_espeak
def test_the_box_says_what_is_typed_and_leaves_off_when_told_to_stop(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        began = time.monotonic()
        assert (await house.type("say", "--local", "Dinner is ready.")).returncode == 0
        assert time.monotonic() - began > 1.0, "it was heard before we were told so"
        await asyncio.sleep(1.5)
        told = [await house.says(text, local=True) for text in (STORY, "And then?")]
        await asyncio.sleep(2.0)
        assert (await house.type("stop")).returncode == 0
        for each in told:
            assert "told to stop" in (await each)["error"]
        await asyncio.sleep(1.0)
        assert not house.server.visits, "nobody was on the line"

    evening(tmp_path, story)
    loud = heard(tmp_path)
    silences = [b - a for a, b in pairwise(loud) if b - a > 10]
    assert len(silences) == 1, "two texts"
    assert 15 < len(loud) < 75, "and the second one was not told to its end"


@needs_espeak
def test_a_wake_takes_the_word(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        story = asyncio.create_task(house.type("say", "--local", STORY))
        await asyncio.sleep(1.5)
        assert (await house.type("wake")).returncode == 0
        await house.daemon.reaches("listening")
        assert "in a conversation" in (await story).stderr
        refused = await house.type("say", "--local", "hello")
        assert refused.returncode == 1
        assert "in a conversation" in refused.stderr
        await asyncio.sleep(1.5)

    evening(tmp_path, story)
    assert 3 < len(heard(tmp_path)) < 60


@pytest.mark.evenings
def test_the_provider_says_it_word_for_word_and_hears_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        began = time.monotonic()
        said = await house.type("say", "Dinner is", "ready.")
        assert said.returncode == 0, said.stderr
        assert time.monotonic() - began > 1.0, "it was heard before we were told so"
        await house.daemon.says("session ended: announced")
        server = house.server
        (asked,) = server.entries("response.create")
        response = asked.details["response"]
        assert response["input"][0]["content"][0]["text"] == "Dinner is ready."
        assert response["tools"] == []
        assert "word for word" in response["instructions"]
        assert not server.entries("input_audio_buffer.append"), "nobody asked to be heard"
        assert re.search(r"reason=announced .*cost_usd=0\.0*[1-9]", lines(house)), "it was paid for"
        assert "Dinner" not in lines(house)

    evening(tmp_path, story)
    assert len(heard(tmp_path)) > 3


@pytest.mark.evenings
def test_in_a_conversation_it_comes_after_the_answer_and_is_part_of_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.type("wake")
        await house.daemon.reaches("listening")
        house.server.hears_speech()
        await house.daemon.reaches("hearing")
        house.server.hears_silence()
        speaking = await house.daemon.reaches("speaking")
        said = await house.type("say", "Dinner is ready.")
        assert said.returncode == 0, said.stderr
        await house.daemon.reaches("listening", since=speaking)
        assert [entry.type for entry in house.server.log].count("connection.opened") == 1
        (asked,) = house.server.entries("response.create")
        answer, announcement = house.server.entries("response.done")
        assert answer.t < asked.t < announcement.t
        conversation = announcement.details["response"]["conversation_id"]
        assert conversation == answer.details["response"]["conversation_id"] is not None

    evening(tmp_path, story)


@needs_espeak
@pytest.mark.evenings
def test_without_a_provider_or_muted_the_box_says_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.type("mute")
        assert (await house.type("say", "Dinner is ready.")).returncode == 0
        assert not house.server.visits, "nothing leaves a speaker that is muted"
        await house.type("mute", "off")
        house.server.faults = Faults(refuse=True)
        assert (await house.type("say", "Dinner is ready.")).returncode == 0
        house.server.faults = Faults(bad_key=True)
        assert (await house.type("say", "Dinner is ready.")).returncode == 0
        assert "trouble" not in {state.partition(":")[0] for _, state in house.daemon.states}

    evening(tmp_path, story)
    silences = [b - a for a, b in pairwise(heard(tmp_path)) if b - a > 5]
    assert len(silences) >= 2, "three times"


def test_what_cannot_be_said_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for text in ("", " ", "x" * 1001):
            refused = await house.type("say", text)
            assert refused.returncode == 1
            assert "a text of 1 to 1000 characters" in refused.stderr
        waiting = [await house.says(STORY) for _ in range(4)]
        refused = await house.type("say", "And then?")
        assert refused.returncode == 1
        assert "too much to say" in refused.stderr
        await house.type("stop")
        assert [(await each)["ok"] for each in waiting] == [False] * 4

    evening(tmp_path, story)


def test_in_quiet_hours_nothing_is_said(tmp_path: Path) -> None:
    hours = '[speech]\nquiet_hours = "00:00-23:59"\n'

    async def story(house: House) -> None:
        refused = await house.type("say", "Dinner is ready.")
        assert refused.returncode == 1
        assert "quiet hours" in refused.stderr

    if night.clock_is_set() and datetime.now().time() < clock(23, 58):
        evening(tmp_path, story, hours)


def test_muted_it_tells_so_and_is_not_woken(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        assert (await house.type("mute")).returncode == 0
        assert (await house.status())["state"] == "muted"
        refused = await house.type("wake")
        assert refused.returncode == 1
        assert "edged mute off" in refused.stderr
        assert (await house.type("mute", "off")).returncode == 0
        assert (await house.status())["state"] == "asleep"
        assert (await house.type("volume", "--db", "-18")).stdout == "-18 dB\n"
        assert (await house.type("volume", "+2")).stdout == "-12 dB\n"
        assert (await house.status())["volume_db"] == -12

    evening(tmp_path, story)


def test_who_watches_sees_a_conversation_and_who_sleeps_hurts_nobody(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        asleep = await house.start("watch", "--json")
        watching = await house.start("watch")
        try:
            assert asleep.stdout is not None
            assert watching.stdout is not None
            await asleep.stdout.readline()
            asleep.send_signal(signal.SIGSTOP)
            await house.type("wake")
            await house.daemon.reaches("listening")
            session = (await house.status())["session"]
            assert isinstance(session, dict)
            assert session["session"].startswith("sess_")
            await house.type("stop")
            lines: list[str] = []
            while not lines or "session ended" not in lines[-1]:
                lines.append((await watching.stdout.readline()).decode())
            # A new configuration: the same process, another speaker, and whoever watches is back.
            house.daemon.process.send_signal(signal.SIGHUP)
            while "microphone noise" not in lines[-1]:
                lines.append((await watching.stdout.readline()).decode())
        finally:
            for child in (asleep, watching):
                child.kill()
                await child.communicate()
        told = [" ".join(line.split()[1:]) for line in lines]
        assert "waking woken by shell" in told
        assert any(line.startswith("listening connected") for line in told)
        assert (await house.status())["session"] is None

    evening(tmp_path, story)


def test_in_a_terminal_it_is_a_picture(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        watching = await asyncio.create_subprocess_exec(
            *house.command("watch"), stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        try:
            await asyncio.to_thread(read_until, ours, "● asleep")
            await house.type("mute")
            await asyncio.to_thread(read_until, ours, "● muted")
            await asyncio.to_thread(read_until, ours, "from the control socket; Ctrl-C ends it")
            watching.send_signal(signal.SIGINT)
            assert await watching.wait() == 130
        finally:
            if watching.returncode is None:
                watching.kill()
                await watching.wait()
            os.close(ours)

    evening(tmp_path, story)


def read_until(terminal: int, words: str) -> str:
    """What the terminal shows, without its colours, until these words come."""
    shown = ""
    while words not in shown:
        shown += os.read(terminal, 1 << 16).decode(errors="replace")
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    return shown
