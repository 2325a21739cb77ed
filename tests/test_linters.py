"""The linters are tests: a machine without them fails here."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = [pytest.mark.linters, pytest.mark.timeout(300)]

HERE = Path(__file__).parent.parent
SCRIPTS = [
    file
    for file in sorted([*(HERE / "scripts").rglob("*"), HERE / ".ci" / "run"])
    if file.is_file() and file.read_bytes().startswith(b"#!")
]


def written_for(interpreter: str) -> list[str]:
    """The scripts whose first line names the interpreter."""
    first = {file: file.read_text(encoding="utf-8").partition("\n")[0] for file in SCRIPTS}
    return [str(file) for file, line in first.items() if re.search(rf"\b{interpreter}\b", line)]


PYTHON = ["edged", "tests", *written_for("python3?")]


def lint(*command: str, cwd: Path = HERE) -> None:
    """Run a linter; what it says is the failure."""
    assert shutil.which(command[0]), f"{command[0]} is not installed: scripts/setup --tests"
    said = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_python_is_formatted() -> None:
    lint(sys.executable, "-m", "ruff", "format", "--check", "--diff", "--quiet", *PYTHON)


def test_python_keeps_the_rules() -> None:
    lint(sys.executable, "-m", "ruff", "check", *PYTHON)


def test_rules_about_exceptions_are_never_waived() -> None:
    waived = re.compile(r"#\s*noqa(?!:)|#\s*noqa:.*\b(BLE001|E722|S110)\b|#\s*ruff:\s*noqa")
    for file in [*(HERE / "edged").rglob("*.py"), *(HERE / "tests").rglob("*.py")]:
        if file != Path(__file__):
            assert not waived.search(file.read_text(encoding="utf-8")), file


def test_types_hold() -> None:
    lint(sys.executable, "-m", "mypy")


def test_shell_scripts_are_sound() -> None:
    scripts = written_for("(ba)?sh")
    assert scripts
    lint("shellcheck", "--external-sources", *scripts)


def test_every_script_can_be_run() -> None:
    assert not [file for file in SCRIPTS if not file.stat().st_mode & 0o100]


UNITS: Sequence[Path] = sorted((HERE / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_understood_by_systemd(unit: Path, tmp_path: Path) -> None:
    # The program is installed elsewhere, or not at all: any that exists stands in for it.
    text = re.sub(
        r"^(Exec\w+=[-+!@:|]*)/\S+", r"\1/bin/true", unit.read_text(encoding="utf-8"), flags=re.M
    )
    copy = tmp_path / unit.name
    copy.write_text(text)
    assert "ExecStart=" in text
    lint("systemd-analyze", "--man=no", "verify", str(copy))
