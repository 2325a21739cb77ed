"""`edged wake`, `stop` and `status`, as typed, to a speaker that runs."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from edged import cli, control, schema
from edged.control import Request

STATUS = {"state": "asleep", "capture_rate": 48000, "wake": {"engine": "openwakeword"}}


class Speaker:
    """Answers on a socket; commands are typed while it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[str] = []

    def handle(self, request: Request) -> Mapping[str, object]:
        self.asked.append(request.verb)
        return STATUS

    def type(self, *words: str) -> int:
        async def story() -> int:
            async with control.serve(self.path, self.handle):
                return await asyncio.to_thread(cli.main, words)

        return asyncio.run(story())


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Speaker:
    """A speaker whose machine has no configuration."""
    monkeypatch.setattr(schema, "FILE", tmp_path / "edged.toml")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    return Speaker(tmp_path / "run" / "control")


def test_wake_and_stop_say_nothing_when_all_is_well(
    speaker: Speaker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert speaker.type("wake") == 0
    assert speaker.type("stop") == 0
    assert speaker.asked == ["wake", "stop"]
    assert capsys.readouterr() == ("", "")


def test_status_in_words(speaker: Speaker, capsys: pytest.CaptureFixture[str]) -> None:
    assert speaker.type("status") == 0
    assert capsys.readouterr().out.splitlines() == [
        "state: asleep",
        "capture rate: 48000",
        "wake:",
        "  engine: openwakeword",
    ]


def test_status_for_programs(speaker: Speaker, capsys: pytest.CaptureFixture[str]) -> None:
    assert speaker.type("status", "--json") == 0
    assert json.loads(capsys.readouterr().out) == STATUS


def test_another_socket_on_the_command_line(speaker: Speaker, tmp_path: Path) -> None:
    speaker.path = tmp_path / "kitchen"
    assert speaker.type("wake", "--socket", str(speaker.path)) == 0
    assert speaker.asked == ["wake"]


def test_another_socket_in_the_configuration(speaker: Speaker, tmp_path: Path) -> None:
    speaker.path = tmp_path / "kitchen"
    schema.FILE.write_text(f'[control]\nsocket = "{speaker.path}"\n[wake]\ndriver = "nonsense"\n')
    assert speaker.type("wake") == 0
    assert speaker.asked == ["wake"]


@pytest.mark.parametrize("verb", ["wake", "stop", "status"])
def test_nobody_is_at_home(speaker: Speaker, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert cli.main([verb]) == cli.FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert "edged is not running" in said.err
    assert "systemctl start edged" in said.err
