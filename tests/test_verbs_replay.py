"""`edged replay`, as typed: what a fresh speaker decides, in words or for programs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edged import cli
from edged.core import events as ev
from edged.record import encode

from .tape import Recorded
from .test_record import BINDINGS, question


@pytest.fixture
def evening() -> Recorded:
    evening = Recorded(bindings=BINDINGS)
    evening.is_answered(1.0, heard_s=0.3, done=False)
    question(evening)
    return evening


@pytest.fixture
def file(tmp_path: Path, evening: Recorded) -> Path:
    file = tmp_path / "evening.jsonl"
    file.write_bytes(evening.header.line() + b"".join(evening.lines))
    return file


def test_every_event_with_what_came_of_it(
    file: Path, evening: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", str(file)]) == 0
    told, complaints = capsys.readouterr()
    assert complaints == ""
    lines = told.splitlines()
    assert len([line for line in lines if " -> " not in line]) == len(evening.lines)
    assert len([line for line in lines if " -> " in line]) == len(evening.commands)
    at = lines.index('    1001.000 WakeHeard word="hey_jarvis" score=0.93 position=16000')
    assert lines[at + 2] == '    1001.000   -> Sound chime="woken"'
    assert lines[at + 3] == "    1001.000   -> OpenLink"
    assert '    1002.800   -> AnswerTool call="call_1" output="<18 characters>"' in lines
    assert "biscuits" not in told
    assert "·" not in told


def test_only_the_commands(
    file: Path, evening: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", str(file), "--commands"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(evening.commands)
    assert lines[0] == "    1000.000   -> SetVolume volume_db=-6.0"


def test_for_programs(file: Path, evening: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay", str(file), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = [line for line in lines if "event" in line]
    commands = [line["command"] for line in lines if "command" in line]
    assert events == [json.loads(line) for line in evening.lines]
    assert commands == [type(command).__name__ for command in evening.commands]
    assert {"t": 1000.0, "command": "SetVolume", "volume_db": -6.0} in lines
    sent = [line["samples"] for line in lines if line.get("command") == "SendAudio"]
    assert set(sent) == {640, 960}


def test_a_file_that_is_none_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", str(tmp_path / "x")]) == 1
    told, complaints = capsys.readouterr()
    assert told == ""
    assert "cannot be read: No such file" in complaints
    assert "edged run --record" in complaints


def test_a_damaged_line_ends_it_after_what_was_whole(
    file: Path, evening: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    lines[10] = b"\0" * 40 + b"\n"
    file.write_bytes(b"".join(lines))
    assert cli.main(["replay", str(file)]) == 1
    told, complaints = capsys.readouterr()
    assert len([line for line in told.splitlines() if " -> " not in line]) == 9
    assert "evening.jsonl:11: " in complaints


def test_a_recording_that_broke_off_is_replayed_and_says_so(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(file.read_bytes()[:-7])
    assert cli.main(["replay", str(file)]) == 0
    assert "the last line is half written" in capsys.readouterr().err


def test_why_it_was_kept_and_by_whom_is_told(
    file: Path, evening: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    first = replace(evening.header, why="trouble: network", edged="0.0.7")
    file.write_bytes(first.line() + evening.lines[0])
    assert cli.main(["replay", str(file)]) == 0
    complaints = capsys.readouterr().err
    assert "kept because of: trouble: network" in complaints
    assert "recorded by edged 0.0.7" in complaints


def test_without_its_beginning_the_events_are_shown_alone(
    file: Path, evening: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(replace(evening.header, cut=True).line() + encode(ev.LinkReady(), 7.0))
    assert cli.main(["replay", str(file)]) == 0
    told, complaints = capsys.readouterr()
    assert told == "       7.000 LinkReady\n"
    assert "the events alone" in complaints
