"""The unit: systemd takes it as it is, and it agrees with the program it starts."""

import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from edged import cli, control, key

UNIT = Path(__file__).parents[2] / "systemd" / "edged.service"
MOST_EXPOSED = 2.0
"""Of 10, by `systemd-analyze security`."""

analysed = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in UNIT.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A root with what the unit needs in place: its command, and the targets it names."""
    command = tmp_path / settings()["ExecStart"][0].split()[0].lstrip("/")
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for target in ("basic", "multi-user", "shutdown", "sound", "sysinit"):
        (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    shutil.copy(UNIT, units)
    return tmp_path


def verified(house: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--root={house}", UNIT.name],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@analysed
def test_systemd_has_nothing_to_say(house: Path) -> None:
    assert verified(house) == (0, "")


@analysed
def test_systemd_would_say_it(house: Path) -> None:
    """A check that cannot fail would be none."""
    unit = house / "usr/lib/systemd/system" / UNIT.name
    unit.write_text(unit.read_text().replace("WatchdogSec", "WatchdogSecs"))
    assert "Unknown key" in verified(house)[1]


@analysed
def test_little_of_the_machine_is_exposed(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [
            "systemd-analyze", "security", "--offline=true", "--no-pager",
            f"--threshold={round(10 * MOST_EXPOSED)}", str(UNIT),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    verdict = done.stdout.rstrip().splitlines()[-1]
    with capsys.disabled():
        sys.stdout.write(f"\n{verdict}\n")
    assert "Overall exposure level" in verdict
    assert done.returncode == 0


def test_the_unit_and_the_program_mean_the_same(tmp_path: Path) -> None:
    unit = settings()
    assert unit["RestartPreventExitStatus"] == [str(cli.MISCONFIGURED)]
    assert Path("/run", unit["RuntimeDirectory"][0], "control") == control.SYSTEM
    (identity, folder) = unit["LoadCredential"][0].split(":")
    assert Path(folder).is_absolute()
    # Every file of the folder becomes a credential of this name.
    name = f"{identity}_{key.Settings().credential}"
    (tmp_path / name).write_text("sk-1")
    found = key.find(key.Settings(), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found.text == "sk-1"


def test_a_missing_network_keeps_nobody_from_starting() -> None:
    orders = settings()
    for order in ("After", "Wants", "Requires", "BindsTo"):
        assert not any("network" in value for value in orders[order])
