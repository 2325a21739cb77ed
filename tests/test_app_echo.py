"""Which echo driver a speaker takes, what it says of that, and what the others are told."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edged import app, board, journal, schema
from edged.acoustics.figures import NAME, Calibration, Figures, Recommended
from edged.control import Request, ask
from edged.core.commands import Fact, Note
from edged.echo import _speex, gate
from edged.simulator.evening.stage import KEY
from edged.simulator.server import Options, Server, serve
from edged.store import Store

from .conftest import Drop

PARROT = '''
    """Says sevens, whatever it hears."""

    import asyncio
    from dataclasses import dataclass
    from math import inf

    from edged.core.frames import Cleaned

    parrots = []

    @dataclass(frozen=True)
    class Settings:
        """What it says."""

        word: int = 7
        """A number."""

    def open(settings, wire_rate):
        parrots.append(Parrot(settings.word, wire_rate))
        return parrots[-1]

    class Parrot:
        hears_through = True
        late = 0
        drift_ppm = 0.0

        def __init__(self, word, rate):
            self.said = (word.to_bytes(2, "little")) * (rate // 50)
            self.left = 60
            self.enough = asyncio.Event()

        def far(self, samples): ...

        def near(self, samples, play_delay, capture_delay):
            self.left -= 1
            if not self.left:
                self.enough.set()
            return Cleaned(self.said, inf, 0.0, self.said)

        def flushed(self, frames): ...

        def notify(self, why): ...
'''


class Told:
    """A journal that can be waited for."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._news = asyncio.Event()

    def note(self, note: Note, state: str) -> None:
        self.notes.append(note)
        self._news.set()

    async def says(self, fact: Fact) -> Note:
        """The first entry of this kind."""
        while True:
            for note in self.notes:
                if note.fact is fact:
                    return note
            self._news.clear()
            async with asyncio.timeout(20):
                await self._news.wait()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return tmp_path


def configured(folder: Path, *assignments: str) -> schema.Settings:
    """A speaker on files, without lights and buttons."""
    (folder / "edged.toml").write_text(f"""
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
        """)
    return schema.read(folder / "edged.toml", assignments)


@contextlib.asynccontextmanager
async def speaker(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *assignments: str
) -> AsyncIterator[Told]:
    """One that runs in this process."""
    told = Told()
    monkeypatch.setattr(journal, "open", lambda: told)
    running = asyncio.create_task(app.run(configured(folder, *assignments)))
    try:
        yield told
    finally:
        running.cancel()
        await running


def turns_asked(server: Server) -> list[dict[str, Any]]:
    """The turn detection in every update of the first session."""
    asked = [entry.details["session"] for entry in server.entries("session.update")]
    return [session["audio"]["input"]["turn_detection"] for session in asked]


@pytest.mark.parametrize(
    ("evidence", "interrupts"), [("auto", False), ("both", False), ("provider", True)]
)
def test_a_newcomer_is_one_file_and_what_it_says_is_what_leaves(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    drop_driver: Drop,
    evidence: str,
    interrupts: bool,
) -> None:
    drop_driver("echo", "parrot", PARROT)

    async def story() -> None:
        async with (
            await serve(Options(keep_audio=True)) as server,
            speaker(
                folder,
                monkeypatch,
                f"provider.openai.url={server.url}",
                "echo.mode=parrot",
                "echo.parrot.word=9",
                f"barge_in.evidence={evidence}",
            ) as told,
        ):
            await told.says(Fact.MICROPHONE_OPENED)
            (parrot,) = sys.modules["edged.echo.parrot"].parrots
            assert parrot.left == 60, "nobody asked it anything asleep"
            await asyncio.to_thread(ask, folder / "control", Request("wake"))
            await told.says(Fact.CONNECTED)
            async with asyncio.timeout(20):
                await parrot.enough.wait()
            await asyncio.to_thread(ask, folder / "control", Request("stop"))
            await told.says(Fact.SESSION_ENDED)
            chosen = await told.says(Fact.ECHO_CHOSEN)
            assert chosen.message == "echo: parrot"
            assert server.visits[0].heard.endswith(b"\x09\0" * 480 * 30)
            assert [turns["interrupt_response"] for turns in turns_asked(server)] == [interrupts]

    asyncio.run(story())


def test_a_library_that_is_not_here_is_told_and_gone_without(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_speex, "_LIBRARY", "libwater.so.1")
    monkeypatch.setattr(board, "echo_modes", lambda: ("dual", "speex", "gate"))

    async def story() -> None:
        async with speaker(folder, monkeypatch) as told:
            chosen = await told.says(Fact.ECHO_CHOSEN)
            assert chosen.fields == {"mode": "gate"}
            lacks = "libwater.so.1: cannot open shared object file: No such file or directory"
            lacks += "; Debian's package is libspeexdsp1"
            assert chosen.message == f"echo: gate (dual: {lacks}; speex: {lacks})"
            assert not chosen.warning
            await told.says(Fact.MICROPHONE_OPENED)

    asyncio.run(story())


def calibrated(guess: list[list[float]]) -> Calibration:
    """What `edged calibrate` keeps."""
    figures = Figures(
        at="2026-03-01T12:00:00Z",
        microphone="a",
        speaker="b",
        volume_db=-6.0,
        mode="gate",
        noise_dbfs=-60.0,
        silent=False,
        heard=True,
        echo_dbfs=-26.0,
        echo_peak_dbfs=-14.0,
        near_dbfs=-36.0,
        near_measured=False,
        ser_db=-10.0,
        delay_ms=80.0,
        path_ms=20.0,
        spread_ms=0.1,
        drift_ppm=0.0,
        drift_within_ppm=1.0,
        clipped=0,
    )
    return Calibration(figures, Recommended(-6.0, 0.0, "gate", 120), 24_000, guess)


def test_it_begins_with_what_was_calibrated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recalled: list[object] = []
    monkeypatch.setattr(gate._Gate, "recall", lambda _, guess: recalled.append(guess))
    guess = [[0.5] * 18] * 8
    kept = Store(folder / "state", lambda text: pytest.fail(text))
    assert kept.write(NAME, calibrated(guess))

    async def story() -> None:
        async with speaker(folder, monkeypatch, "echo.mode=gate") as told:
            chosen = await told.says(Fact.ECHO_CHOSEN)
            assert chosen.message == "echo: gate, as calibrated 2026-03-01T12:00:00Z"
            await told.says(Fact.MICROPHONE_OPENED)

    asyncio.run(story())
    assert recalled == [guess]


def test_what_does_not_fit_is_told_and_gone_without(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Store(folder / "state", lambda text: pytest.fail(text))
    assert kept.write(NAME, calibrated([[1.0]]))

    async def story() -> None:
        async with speaker(folder, monkeypatch, "echo.mode=gate") as told:
            assert (await told.says(Fact.ECHO_CHOSEN)).message == "echo: gate"
            warned = await told.says(Fact.NOT_SAVED)
            assert "edged calibrate" in warned.message
            await told.says(Fact.MICROPHONE_OPENED)

    asyncio.run(story())


def test_one_that_was_asked_for_and_cannot_be_is_refused_with_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_speex, "_LIBRARY", "libwater.so.1")

    with pytest.raises(app.StartFailed, match=r"echo driver speex .*libspeexdsp1") as caught:
        asyncio.run(app.run(configured(folder, "echo.mode=speex")))
    assert "libspeexdsp1" in caught.value.hint
    assert "auto" in caught.value.hint
