"""`edged calibrate`, as typed: in the software room, and with boxes that are known."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edged import cli, control, schema
from edged.echo import gate
from edged.simulator import room

from .conftest import Drop


def in_a_room(story: Callable[..., None]) -> Callable[..., None]:
    """With the real PortAudio, where there is a room for it."""
    missing = pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "it is there")
    marked: Callable[..., None] = pytest.mark.room(missing(story))
    return marked


DRIVER = """\
    from dataclasses import dataclass
    from tests.acoustics.box import Box

    @dataclass(frozen=True)
    class Settings:
        echo_db: float = -10.0
        '''How loud the echo is.'''
        path_ms: float = 10.0
        '''How late it is.'''
        dead: bool = False
        '''Whether the microphone is.'''
        broken: bool = False
        '''Whether it is not there.'''

    def open(settings, feed, wire_rate, frame_ms, echo, echo_name):
        return Box(
            echo_db=settings.echo_db, path_ms=settings.path_ms, dead=settings.dead,
            broken=settings.broken,
        ).open(feed, echo)
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drop_driver: Drop) -> Path:
    """One without a configuration, whose sound card can be a box; its state directory."""
    drop_driver("sound", "box", DRIVER)
    monkeypatch.setattr(schema, "FILE", tmp_path / "edged.toml")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


def typed(*words: str, **box: object) -> int:
    """`edged calibrate` with these words, of a box that is so."""
    sets = [f"--set=sound.box.{key}={json.dumps(value)}" for key, value in box.items()]
    return cli.main(["calibrate", "--set=sound.driver=box", *sets, *words])


def test_figures_are_told_and_kept(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("--set=echo.mode=gate", "--json", echo_db=-20, path_ms=10) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ser_db"] == pytest.approx(-36 + 20 + 6 + 20, abs=1)
    assert said["path_ms"] == pytest.approx(10, abs=1)
    assert said["mode"] == "gate"
    kept = json.loads((machine / "calibration.json").read_bytes())
    assert kept["figures"]["ser_db"] == said["ser_db"]
    assert kept["recommended"] == said["recommended"]
    driver: Any = gate.open(gate.Settings(), kept["wire_rate"])
    driver.recall(kept["guess"])
    assert driver.guess == kept["guess"]


def test_it_is_played_as_loud_as_the_speaker_was_left(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.mkdir()
    (machine / "speaker.json").write_text('{"muted": false, "volume_db": -15.0}')
    assert typed("--json") == 0
    assert json.loads(capsys.readouterr().out)["volume_db"] == -15
    assert typed("--json", "--volume=-3") == 0
    assert json.loads(capsys.readouterr().out)["volume_db"] == -3


def test_in_words_a_setting_is_spelled_out(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("--no-voice", path_ms=90) == 0
    told = capsys.readouterr().out
    assert "tail_ms = 180 in [echo.speex]" in told
    assert "nobody spoke" in told
    assert "a loudspeaker, at -6 dB" in told
    assert f"kept in {machine}/calibration.json" in told


@pytest.mark.parametrize(
    ("box", "said"),
    [({"dead": True}, "[sound.portaudio]"), ({"echo_db": -200}, "headset")],
)
def test_what_cannot_work_is_status_1(
    machine: Path, capsys: pytest.CaptureFixture[str], box: dict[str, object], said: str
) -> None:
    assert typed(**box) == 1
    assert said in capsys.readouterr().out


def test_a_device_that_is_not_there(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(broken=True) == 1
    assert "hw:9" in capsys.readouterr().err
    assert not machine.exists()


def test_a_speaker_that_runs_is_not_disturbed(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: control.Request) -> Mapping[str, object]:
        return {"state": "asleep"}

    async def story() -> int:
        async with control.serve(machine.parent / "run" / "control", answer):
            return await asyncio.to_thread(typed)

    assert asyncio.run(story()) == 1
    assert "systemctl stop edged" in capsys.readouterr().err
    assert not machine.exists()


def calibrated(place: room.Room, folder: Path) -> tuple[int, dict[str, Any]]:
    """What the real thing says of a room."""
    folders = {"STATE_DIRECTORY": str(folder / "state"), "RUNTIME_DIRECTORY": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "edged", "calibrate", "--json"],
        env=place.environment | folders,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


@in_a_room
def test_the_way_through_a_room_is_measured(tmp_path: Path) -> None:
    with room.Room(room.AcousticPath(70, gain_db=-16)) as place:
        status, said = calibrated(place, tmp_path)
    assert status == 0
    assert said["path_ms"] == pytest.approx(70, abs=15)
    assert said["delay_ms"] > said["path_ms"]
    assert said["ser_db"] == pytest.approx(-36 - (-20 - 6 - 16), abs=2)
    assert said["clipped"] == 0
    assert (tmp_path / "state" / "calibration.json").exists()


@in_a_room
def test_a_microphone_that_hears_nothing_is_said(tmp_path: Path) -> None:
    with room.Room() as place:
        status, said = calibrated(place, tmp_path)
    assert status == 1
    assert said["silent"]
    assert "digital silence" in said["advice"][0]["text"]
