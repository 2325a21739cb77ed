"""The unit: systemd takes it as it is, and it agrees with the program it starts."""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from edged import cli, control, key, programs

HERE = Path(__file__).parents[2] / "systemd"
UNIT = HERE / "edged.service"
PATIENCE = HERE / "edged-restart.conf"
MOST_EXPOSED = 2.0
"""Of 10, by `systemd-analyze security`."""

analysed = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def version() -> int:
    said = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[1])


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in UNIT.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A root with what the unit needs in place: its commands, and the targets it names."""
    for name in ("ExecStart", "ExecReload"):
        command = tmp_path / settings()[name][0].split()[0].lstrip("/")
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text("#!/bin/sh\n")
        command.chmod(0o755)
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for target in ("basic", "multi-user", "shutdown", "sound", "sysinit"):
        (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    for wanted in settings()["Wants"][0].split():
        (units / wanted).write_text(f"[Service]\nType=oneshot\nExecStart=/{command.name}\n")
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
def test_only_a_newer_systemd_understands_the_growing_delay(house: Path) -> None:
    """Why the installer looks at the version before it puts the drop-in there."""
    drop_in = house / "usr/lib/systemd/system/edged.service.d/restart.conf"
    drop_in.parent.mkdir()
    shutil.copy(PATIENCE, drop_in)
    said = verified(house)[1]
    if version() < 254:
        assert "Unknown key" in said
    else:
        assert said == ""


def exposure(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", *options, str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )


@analysed
def test_little_of_the_machine_is_exposed(capsys: pytest.CaptureFixture[str]) -> None:
    done = exposure(f"--threshold={round(10 * MOST_EXPOSED)}")
    verdict = done.stdout.rstrip().splitlines()[-1]
    with capsys.disabled():
        sys.stdout.write(f"\n{verdict}\n")
    assert "Overall exposure level" in verdict
    assert done.returncode == 0


@analysed
def test_whatever_stays_open_has_its_reason_in_the_unit() -> None:
    comments = [line for line in UNIT.read_text().splitlines() if line.startswith("# ")]
    reasons = "\n".join(comments)
    still_open = [
        test["name"]
        for test in json.loads(exposure("--json=short").stdout)
        if float(test["exposure"] or 0) > 0
    ]
    assert still_open
    for directives in still_open:
        # One line of systemd's may name two: RootDirectory=/RootImage=.
        for directive in re.split(r"(?<==)/", directives):
            assert directive in reasons, directive


def test_the_unit_and_the_program_mean_the_same() -> None:
    unit = settings()
    assert unit["RestartPreventExitStatus"] == [f"{cli.MISCONFIGURED} CREDENTIALS"]
    assert Path("/run", unit["RuntimeDirectory"][0], "control") == control.SYSTEM


def test_a_program_reaches_its_own_bounds_before_those_of_the_unit() -> None:
    """So that it fails, and not the speaker; what several take together ends the largest alone."""
    unit = settings()
    (data,) = (int(each[7:]) for each in programs._LIMITS if each.startswith("--data="))
    assert data < int(unit["MemoryMax"][0].removesuffix("M")) << 20
    assert int(programs._TASKS.removeprefix("--nproc=")) < int(unit["TasksMax"][0])
    assert unit["OOMPolicy"] == ["continue"]


@pytest.mark.parametrize("how", ["LoadCredential", "LoadCredentialEncrypted"])
def test_the_key_is_found_in_either_folder(how: str, tmp_path: Path) -> None:
    (identity, folder) = settings()[how][0].split(":")
    made = (HERE / "edged.tmpfiles").read_text()
    assert re.search(rf"^d {folder} 0700 root root -$", made, re.M)
    # Every file of the folder becomes a credential of this name.
    name = f"{identity}_{key.Settings().credential}"
    (tmp_path / name).write_text("sk-1")
    found = key.find(key.Settings(), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found.text == "sk-1"


def test_its_user_may_touch_what_the_unit_lets_it() -> None:
    users = (HERE / "edged.sysusers").read_text()
    unit = settings()
    assert re.search(rf"^u {unit['User'][0]} ", users, re.M)
    for device, group in (("char-alsa", "audio"), ("char-gpiochip", "gpio"), ("char-spi", "spi")):
        assert f"{device} rw" in unit["DeviceAllow"]
        assert re.search(rf"^m edged {group}$", users, re.M)


def test_a_missing_network_keeps_nobody_from_starting() -> None:
    orders = settings()
    for order in ("After", "Wants", "Requires", "BindsTo"):
        assert not any("network" in value for value in orders[order])
