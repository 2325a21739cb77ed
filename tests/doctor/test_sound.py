"""What the doctor says of boxes that are known to the sample, and of the software room."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edged import schema
from edged.doctor import _round
from edged.doctor._finding import Finding
from edged.doctor._visit import Machine, Visit
from edged.simulator import room
from tests.conftest import Drop

BOX = """\
    from dataclasses import dataclass, fields
    from tests.acoustics.box import Box

    @dataclass(frozen=True)
    class Settings:
        echo_db: float = -10.0
        path_ms: float = 10.0
        noise_dbfs: float = -65.0
        person_dbfs: float = -100.0
        gain: float = 1.0
        dead: bool = False
        broken: bool = False

    BOXES = []

    def open(settings, feed, wire_rate, frame_ms, echo, echo_name):
        made = {field.name: getattr(settings, field.name) for field in fields(settings)}
        if settings.person_dbfs < -99:
            made["person_dbfs"] = None
        BOXES.append(Box(**made))
        return BOXES[-1].open(feed, echo)
"""


class Patient:
    """Somebody who does as they are told, or does not."""

    def __init__(self, yes: bool = True) -> None:
        self._yes = yes
        self.heard: list[str] = []

    def told(self, text: str) -> None:
        """Speaks, where they are asked to."""
        import edged.sound.box as driver  # type: ignore[import-not-found]

        self.heard.append(text)
        driver.BOXES[-1].ask()

    def confirms(self, question: str) -> bool:
        self.heard.append(question)
        return self._yes


Look = Callable[..., dict[str, Finding]]


@pytest.fixture
def look(tmp_path: Path, drop_driver: Drop, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Has checks look at a box that is so, with a person or without; what each found."""
    drop_driver("sound", "box", BOX)
    file = tmp_path / "edged.toml"

    def looked(
        *names: str,
        person: Patient | None = None,
        mode: str = "gate",
        service: Path | None = None,
        **box: Any,
    ) -> dict[str, Finding]:
        rows = [f"{key} = {json.dumps(value)}" for key, value in box.items()]
        chosen = f'[echo]\nmode = "{mode}"\n[sound]\ndriver = "box"\n[sound.box]\n'
        file.write_text(chosen + "\n".join(rows) + "\n")
        folders = {"STATE_DIRECTORY": str(tmp_path / "state"), "RUNTIME_DIRECTORY": "/none"}
        visit = Visit(file=file, machine=Machine(environment=folders), person=person)
        if service is not None:
            monkeypatch.setattr(schema, "FILE", file)
            visit = Visit(machine=Machine(service, {"RUNTIME_DIRECTORY": "/none"}))
        return {each.name: each.finding for each in _round.outcomes(visit, names)}

    return looked


GAIN = r"alsamixer: F4, Capture {} by \d+ dB; then: sudo alsactl store"


def says(found: Finding, verdict: str, seen: str, fix: str) -> None:
    assert found.verdict == verdict, found
    assert re.search(seen, found.seen), found
    assert re.fullmatch(fix, found.fix), found


def test_a_box_that_is_well(look: Look, tmp_path: Path) -> None:
    found = look("microphone", "noise", "clipping", "loudspeaker", "echo", "voice")
    says(found["microphone"], "ok", "^a microphone$", "")
    says(found["noise"], "ok", "-65 dBFS", "")
    says(found["clipping"], "ok", r"nothing was cut off; the loudest was -\d+ dBFS", "")
    says(found["loudspeaker"], "ok", "a loudspeaker, heard at -6 dB", "")
    echo = r"-36 dBFS, you [+-]\d dB to it, after \d+ ms \(kept in /.*calibration.json\)"
    says(found["echo"], "ok", echo, "")
    says(found["voice"], "skipped", "nobody is there", "edged doctor, in a terminal")
    kept = json.loads((tmp_path / "state/calibration.json").read_text())
    assert kept["figures"]["path_ms"] == pytest.approx(10, abs=1)
    assert kept["guess"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps things for the service")
def test_root_keeps_it_where_the_service_looks_and_in_its_name(look: Look, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").write_text("edged:x:4711:4712::/:/bin/false\n")
    assert look("echo", service=root)["echo"].verdict == "ok"
    for kept in (root / "var/lib/edged", root / "var/lib/edged/calibration.json"):
        told = kept.stat()
        assert (told.st_uid, told.st_gid) == (4711, 4712)
        assert told.st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("box", "check", "verdict", "seen", "fix"),
    [
        ({"broken": True}, "microphone", "fail", '"hw:9" does not open', "`edged devices` shows.*"),
        ({"dead": True}, "microphone", "fail", "nothing but zeros", "alsamixer: F4, switch.*"),
        ({"noise_dbfs": -40}, "noise", "warn", "-40 dBFS: a voice hardly", "move it away.*"),
        ({"gain": 30.0}, "clipping", "fail", r"\d+ samples were cut off", GAIN.format("down")),
        ({"echo_db": -200}, "loudspeaker", "fail", "was not heard", "alsamixer: unmute.*"),
        (
            {"echo_db": 18.0},
            "echo",
            "warn",
            "too loud to speak over",
            r"set db = -\d+ in \[volume\]",
        ),
        (
            {"path_ms": 480.0, "mode": "speex"},
            "echo",
            "fail",
            "ms",
            r'set mode = "gate" in \[echo\]',
        ),
    ],
)
def test_a_box_that_is_not(
    look: Look, box: dict[str, Any], check: str, verdict: str, seen: str, fix: str
) -> None:
    says(look(check, **box)[check], verdict, seen, fix)


@pytest.mark.parametrize(
    ("mode", "person", "verdict", "fix"),
    [
        ("off", None, "skipped", "edged doctor, in a terminal"),
        ("off", Patient(), "ok", ""),
        ("off", Patient(yes=False), "fail", "alsamixer: unmute.*"),
        ("gate", Patient(), "fail", r'with a headset set mode = "off" in \[echo\].*'),
    ],
)
def test_a_headset(look: Look, mode: str, person: Patient | None, verdict: str, fix: str) -> None:
    found = look("loudspeaker", person=person, mode=mode, echo_db=-200)["loudspeaker"]
    says(found, verdict, "", fix)


@pytest.mark.parametrize(
    ("person_dbfs", "verdict", "seen", "fix"),
    [
        (-30.0, "ok", r"-3\d dBFS, \d+ dB over it", ""),
        (-50.0, "warn", "soft", GAIN.format("up")),
    ],
)
def test_a_voice(look: Look, person_dbfs: float, verdict: str, seen: str, fix: str) -> None:
    person = Patient()
    found = look("voice", person=person, person_dbfs=person_dbfs, noise_dbfs=-75.0)
    says(found["voice"], verdict, seen, fix)
    assert person.heard == ["Say a sentence from where you usually stand."]


# --- the real PortAudio -------------------------------------------------------------------


def in_a_room(story: Callable[..., None]) -> Callable[..., None]:
    """With the real PortAudio, where there is a room for it."""
    missing = pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "it is there")
    marked: Callable[..., None] = pytest.mark.room(missing(story))
    return marked


def visited(
    place: room.Room, folder: Path, *checks: str, toml: str = ""
) -> tuple[int, dict[str, Any]]:
    """What `edged doctor --json` says in a room: its status, and the checks by name."""
    file = folder / "edged.toml"
    file.write_text(toml)
    folders = {"STATE_DIRECTORY": str(folder / "state"), "RUNTIME_DIRECTORY": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "edged", "doctor", "--json", "--config", str(file), *checks],
        env=place.environment | folders,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stderr == ""
    told = json.loads(done.stdout)
    return done.returncode, {each["name"]: each for each in told["checks"]}


@in_a_room
def test_a_room_that_is_well(tmp_path: Path) -> None:
    with room.Room(room.AcousticPath(40, gain_db=-16)) as place:
        status, found = visited(place, tmp_path, "echo", "clipping", "noise")
    # Where others want the processor, too, the delay may jump.
    assert found.pop("echo")["verdict"] in ("ok", "warn")
    assert {name: each["verdict"] for name, each in found.items()} == dict.fromkeys(
        ("config", "devices", "cards", "microphone", "noise", "clipping", "loudspeaker"), "ok"
    ), found
    assert status == 0
    assert '"default" at 8, 16, 24, 32, 44.1, 48, 96 kHz' in found["cards"]["seen"]
    assert (tmp_path / "state/calibration.json").exists()


@in_a_room
def test_a_room_without_a_sound_and_a_device_that_is_not_there(tmp_path: Path) -> None:
    with room.Room() as place:
        status, found = visited(place, tmp_path, "echo")
        assert status == 1
        assert found["microphone"]["verdict"] == "fail"
        assert "zeros" in found["microphone"]["seen"]
        assert found["echo"]["seen"] == "it needs loudspeaker, which is skipped"
        toml = '[sound.portaudio]\nmicrophone = "Nonesuch"\n'
        status, found = visited(place, tmp_path, "microphone", toml=toml)
    assert status == 1
    assert re.search(r'no microphone "Nonesuch"; there are: .*"default"', found["cards"]["seen"])
    assert found["cards"]["fix"] == "edged setup, which lists them, or: edged devices"
    assert found["microphone"]["verdict"] == "skipped"
