"""What the README promises, held against what there is."""

import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from edged import cli, plugins
from edged.core.events import Trouble
from edged.core.scenes import Look, Scene, colour
from edged.simulator.evening.record import LIGHTS
from edged.simulator.room import Room

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
VERBS = sorted(set(re.findall(r"`edged ([a-z]+)`", README)))


def edged(arguments: list[str], room: Room) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edged", *arguments],
        env=room.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=TOP,
    )


def test_its_generated_parts_are_up_to_date() -> None:
    told = subprocess.run(
        [sys.executable, TOP / "scripts" / "readme", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_it_names_is_there(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb in plugins.names("verbs")
    with pytest.raises(SystemExit) as over:
        cli.main([verb, "--help"])
    assert over.value.code == 0
    assert plugins.caption("verbs", verb)
    assert verb in capsys.readouterr().out


def test_every_command_there_is_stands_in_it() -> None:
    assert set(VERBS) == set(plugins.names("verbs"))


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"(?:scripts|config|systemd|\.pictures|edged)/[\w./-]+", README)
    for name in {name.rstrip(".") for name in named}:
        if name.startswith("edged/"):
            continue
        assert (TOP / name).exists(), name


@pytest.mark.parametrize("scene", [scene for scene in Scene if scene is not Scene.TROUBLE])
def test_the_lights_are_as_promised(scene: Scene) -> None:
    brightest = max(
        (colour(Look(scene), at / 20) for at in range(80)), key=lambda c: c.red + c.green + c.blue
    )
    assert brightest.hex == LIGHTS[scene.value]
    assert scene.value in README


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_blinks_its_number(trouble: Trouble) -> None:
    numbered = re.search(r"\| trouble \| (.*) \|", README)
    assert numbered
    name = "loudspeaker" if trouble is Trouble.SPEAKER else trouble.value
    number = re.search(rf"(\d) {name}", numbered[1])
    assert number
    look = Look(Scene.TROUBLE, trouble)
    blinks = int(number[1])
    lit = [colour(look, at / 100).red > 0.5 for at in range(int(100 * (blinks * 0.5 + 0.999)))]
    assert sum(now and not before for before, now in pairwise([False, *lit])) == blinks


@pytest.mark.room
def test_the_lines_for_a_pi_can_be_typed() -> None:
    """All but the first, which needs a network, and the last, which does not end."""
    block = re.search(r"## On a Pi\n\n```console\n(.*?)```", README, re.DOTALL)
    assert block
    lines = [line.removeprefix("$ ") for line in block[1].splitlines()]
    assert len(lines) == 6
    assert os.access(TOP / lines[1], os.X_OK)
    with Room() as room:
        for line in lines[3:5]:
            program, *arguments = shlex.split(line)
            assert program == ".venv/bin/edged"
            told = edged(arguments, room)
            assert told.returncode == 0, told.stdout + told.stderr
    assert shlex.split(lines[5])[1:] == ["run", "--config", "config/edged.toml"]


def test_its_two_commands_can_be_run() -> None:
    for name in ("demo", "test"):
        assert f"./scripts/{name}" in README
        assert os.access(TOP / "scripts" / name, os.X_OK)
