"""The scripts find their own folder from anywhere, and say plainly what they want."""

import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
GOING = re.compile(r"^(?:\w+=\$\()?(?:CDPATH='' )?cd .*\bdirname\b.*$", re.M)
SCRIPTS = [
    file
    for folder in ("scripts", "tests/rigs/appliance")
    for file in sorted((HERE / folder).iterdir())
    if file.is_file() and GOING.search(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_another_folder_of_the_same_name_leads_none_astray(script: Path, tmp_path: Path) -> None:
    """Whoever has CDPATH set goes to other folders by their names."""
    folder = script.parent.relative_to(HERE)
    (tmp_path / "elsewhere" / folder).mkdir(parents=True)
    copy = tmp_path / "checkout" / folder / script.name
    copy.parent.mkdir(parents=True)
    text = script.read_text(encoding="utf-8")
    going = GOING.search(text)
    assert going
    beginning = text[: going.end()]
    tells = '\nprintf "%s\\n" "${here:-$PWD}"\n'
    copy.write_text(beginning + tells)
    copy.chmod(0o755)
    done = subprocess.run(
        [str(folder / script.name), str(tmp_path / "wheels")],
        cwd=tmp_path / "checkout",
        env={**os.environ, "CDPATH": str(tmp_path / "elsewhere")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout in (f"{tmp_path}/checkout\n", f"{copy.parent}\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("install --wheels", "install: --wheels needs a folder"),
        ("package --wheels", "package: --wheels needs a folder"),
        ("wheels", "wheels: name a folder: scripts/wheels FOLDER [PYTHON]"),
    ],
)
def test_a_folder_that_is_not_named_is_asked_for(typed: str, said: str) -> None:
    script, *options = typed.split()
    done = subprocess.run(
        [HERE / "scripts" / script, *options], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, f"{said}\n")
