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
import wave
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.stage import KEY
from edged.simulator.server import Options, serve

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
EDGED = (sys.executable, "-m", "edged")
needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is a Debian package"
)


class House:
    """A speaker that runs, and a shell beside it."""

    def __init__(self, folder: Path, daemon: Daemon) -> None:
        self.folder = folder
        self.daemon = daemon

    def command(self, *typed: str) -> list[str]:
        verb, *others = typed
        return [*EDGED, verb, "--socket", str(self.folder / "control"), *others]

    async def type(self, *typed: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run, self.command(*typed), capture_output=True, text=True, timeout=20,
            check=False,
        )  # fmt: skip

    async def start(self, *typed: str) -> asyncio.subprocess.Process:
        command = self.command(*typed)
        return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)

    async def status(self) -> dict[str, object]:
        told: dict[str, object] = json.loads((await self.type("status", "--json")).stdout)
        return told


def evening(folder: Path, story: Callable[[House], Awaitable[None]]) -> None:
    async def told() -> None:
        async with await serve(Options(voice="melody", detector="energy", pace=0)) as server:
            file = folder / "edged.toml"
            file.write_text(CONFIGURATION.format(folder=folder, url=server.url))
            known = {**os.environ, "STATE_DIRECTORY": str(folder / "state"), "OPENAI_API_KEY": KEY}
            async with Daemon(file, known, folder, undisturbed=False) as daemon:
                await daemon.says("microphone")
                await story(House(folder, daemon))
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
def test_it_says_what_is_typed_and_leaves_off_when_told_to_stop(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        assert (await house.type("say", "Dinner is ready.")).returncode == 0
        await asyncio.sleep(2.5)
        assert (await house.type("say", "This is a long story. " * 20)).returncode == 0
        await asyncio.sleep(1.0)
        assert (await house.type("stop")).returncode == 0
        await asyncio.sleep(1.0)

    evening(tmp_path, story)
    loud = heard(tmp_path)
    silences = [b - a for a, b in pairwise(loud) if b - a > 10]
    assert len(silences) == 1, "two texts"
    assert 15 < len(loud) < 60, "and the second one was not told to its end"


@needs_espeak
def test_a_wake_takes_the_word(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        assert (await house.type("say", "This is a long story. " * 20)).returncode == 0
        await asyncio.sleep(0.5)
        assert (await house.type("wake")).returncode == 0
        await house.daemon.reaches("listening")
        refused = await house.type("say", "hello")
        assert refused.returncode == 1
        assert "in a conversation" in refused.stderr
        await asyncio.sleep(1.5)

    evening(tmp_path, story)
    assert 3 < len(heard(tmp_path)) < 60


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
