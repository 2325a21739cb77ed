"""The unmodified daemon with files for sound and software for pins: what it keeps and leaves."""

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edged import app, cli
from edged.core import events as ev
from edged.core.commands import Note
from edged.journal import Lines
from edged.record import Recording
from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.stage import BUTTON, KEY
from edged.simulator.pinboard import PinsClient
from edged.simulator.server import Call, Options, serve

CONFIGURATION = """
[provider.openai]
url = "ws://127.0.0.1:9/v1/realtime"
[conversation]
trouble_s = 0.5
[sound]
driver = "wavefile"
[wake]
driver = "button"
[control]
socket = "{folder}/control"
"""
"""Nobody answers at the discard port."""

LONG = "This answer is long enough for somebody to find it too long, and to say something else."
SHORT = "It is time."


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "GPIOZERO_PIN_FACTORY": "room",
        "EDGED_ROOM_PINS": str(folder / "pins"),
        "STATE_DIRECTORY": str(folder / "state"),
        "OPENAI_API_KEY": KEY,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "edged.toml").write_text(CONFIGURATION.format(folder=tmp_path))
    return tmp_path


@contextlib.asynccontextmanager
async def daemon(folder: Path) -> AsyncIterator[Daemon]:
    configuration = folder / "edged.toml"
    async with Daemon(configuration, environment(folder), folder, undisturbed=False) as running:
        yield running
        await running.stop()
        assert running.process.returncode == 0, running.lines


def test_a_speaker_that_was_muted_is_muted_after_a_restart(folder: Path) -> None:
    async def story() -> None:
        async with daemon(folder) as speaker, PinsClient(folder / "pins", lambda _: None) as pins:
            await speaker.reaches("asleep")
            await pins.press(BUTTON)
            await speaker.reaches("muted")
        async with daemon(folder) as speaker, PinsClient(folder / "pins", lambda _: None) as pins:
            muted = await speaker.reaches("muted")
            assert not [line for line in speaker.lines if "microphone" in line.text]
            await pins.press(BUTTON)
            await speaker.reaches("asleep", since=muted)
            await speaker.says("microphone")
        async with daemon(folder) as speaker:
            await speaker.says("microphone")
            assert "muted" not in [state for _, state in speaker.states]

    asyncio.run(story())
    assert json.loads((folder / "state/speaker.json").read_text())["muted"] is False


def test_mute_outlives_a_disk_that_was_full_when_it_was_pressed(folder: Path) -> None:
    """And free again when the speaker was stopped: a microphone closed by hand stays closed."""
    full = folder / "state" / "speaker.new"
    full.mkdir(parents=True)

    async def story() -> None:
        async with daemon(folder) as speaker, PinsClient(folder / "pins", lambda _: None) as pins:
            await speaker.reaches("asleep")
            await pins.press(BUTTON)
            await speaker.reaches("muted")
            await speaker.says("cannot be saved")
            full.rmdir()
        assert len([line for line in speaker.lines if "cannot be saved" in line.text]) == 1
        async with daemon(folder) as speaker:
            await speaker.reaches("muted")
            assert not [line for line in speaker.lines if "microphone" in line.text]

    asyncio.run(story())


def test_buttons_without_pins_are_told_of_even_where_no_light_needs_them(folder: Path) -> None:
    configuration = folder / "edged.toml"
    configuration.write_text(configuration.read_text() + "[lights]\ndrivers = []\n")
    without = {k: v for k, v in environment(folder).items() if k != "GPIOZERO_PIN_FACTORY"}

    async def story() -> None:
        async with Daemon(configuration, without, folder, undisturbed=False) as speaker:
            assert await speaker.says("this machine has no GPIO pins")

    asyncio.run(story())


def test_trouble_leaves_a_flight_that_can_be_replayed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with daemon(folder) as speaker:
            await speaker.reaches("asleep")
            wake = [sys.executable, "-m", "edged", "wake", "--socket", str(folder / "control")]
            await asyncio.to_thread(subprocess.run, wake, check=True, timeout=20)
            troubled = await speaker.reaches("trouble: network")
            await speaker.reaches("asleep", since=troubled)

    asyncio.run(story())
    (flight,) = (folder / "state").glob("flight-*.jsonl")
    assert KEY not in flight.read_text()
    assert Recording(flight).header.why == "trouble: network"
    assert cli.main(["replay", str(flight), "--commands"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if "-> OpenLink" in line]
    assert '-> Note fact="trouble"' in "".join(told[-4:])


def test_an_evening_is_recorded_from_its_beginning(folder: Path) -> None:
    record = folder / "evening.jsonl"
    command = [sys.executable, "-m", "edged", "run", "--config", str(folder / "edged.toml")]
    with subprocess.Popen(
        [*command, "--record", str(record)],
        env=environment(folder),
        stderr=subprocess.PIPE,
        text=True,
    ) as speaker:
        assert speaker.stderr is not None
        assert any("loudspeaker nowhere" in line for line in speaker.stderr)
        speaker.terminate()
        speaker.stderr.read()
    assert speaker.returncode == 0
    recording = Recording(record)
    assert recording.header.bindings["talk"]
    events = [event for _, event in recording]
    assert events[0] == ev.Started()
    assert ev.SpeakerOpened("nowhere", 24_000, 0.0) in events
    assert not recording.broken_off


class Told:
    """The journal of a daemon that records, line by line."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self.lines: list[str] = []

    async def says(self, words: str) -> None:
        """Read on until these words come; what is told stands behind time and state."""
        async with asyncio.timeout(20):
            while words not in await self.read():
                assert not self._stream.at_eof(), self.lines

    async def read(self) -> str:
        line = await self._stream.readline()
        # Told to watch itself, asyncio says so when a busy machine was slow.
        while line.startswith(b"Executing <"):
            line = await self._stream.readline()
        self.lines.append(line.decode().rstrip()[24:])
        return self.lines[-1]


async def converse(folder: Path, record: Path) -> list[str]:
    """A conversation with an interruption and a tool; what the journal told of it."""
    said = Options(answers=[LONG, Call("clock", "{}"), SHORT], voice="melody", detector="energy")
    async with await serve(said) as server:
        edged = [sys.executable, "-m", "edged"]
        speaker = await asyncio.create_subprocess_exec(
            *[*edged, "run", "--config", str(folder / "edged.toml"), "--record", str(record)],
            *["--set", f'provider.openai.url="{server.url}"'],
            env=environment(folder),
            stderr=asyncio.subprocess.PIPE,
        )
        assert speaker.stderr is not None
        told = Told(speaker.stderr)

        async def type(verb: str) -> None:
            command = [*edged, verb, "--socket", str(folder / "control")]
            await asyncio.to_thread(subprocess.run, command, check=True, timeout=20)

        await told.says("microphone")
        await type("wake")
        await told.says("listening")
        server.hears_speech()
        await told.says("hearing")
        server.hears_silence()
        await told.says("speaking")
        server.hears_speech()
        await told.says("answer interrupted")
        server.hears_silence()
        await told.says("tool clock called")
        await told.says("speaking")
        await type("stop")
        await told.says("session ended")
        speaker.terminate()
        while not speaker.stderr.at_eof():
            await told.read()
        assert await speaker.wait() == 0
    *lines, stopped, _end = told.lines
    assert stopped == "stopped"
    return lines


def test_a_replay_tells_what_the_journal_told(folder: Path) -> None:
    """A real conversation: every line that the core wrote comes out again, figures and all."""
    record = folder / "evening.jsonl"
    told = asyncio.run(converse(folder, record))
    again = io.StringIO()
    journal = Lines(again)
    for _, _, commands in app.replay(Recording(record)):
        for command in commands:
            if isinstance(command, Note):
                journal.note(command, "")
    lines = [line[24:] for line in again.getvalue().splitlines()]
    assert lines == told[-len(lines) :]
    before = [line.split()[0] for line in told[: -len(lines)]]
    assert before == ["edged", "!", "echo:"], "the version, the key's place, the echo driver"
    recorded = record.read_text()
    assert LONG not in recorded
    assert KEY not in recorded
    assert "weekday" not in recorded


def test_a_recording_that_cannot_be_written_is_said_before_anything_starts(folder: Path) -> None:
    command = [sys.executable, "-m", "edged", "run", "--config", str(folder / "edged.toml")]
    done = subprocess.run(
        [*command, "--record", str(folder / "no" / "x")],
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be written: No such file or directory" in done.stderr
    assert "microphone" not in done.stderr
