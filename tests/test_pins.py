"""The pins' library leaves nothing where somebody happens to be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LGPIO = """
from pathlib import Path

# lgpio makes a pipe when it is imported, opens it by a relative path, and leaves it there.
pipe = Path(".lgd-nfy0")
pipe.touch()
print(pipe.absolute())
pipe.read_bytes()

class error(Exception): pass

def gpiochip_open(chip):
    raise error("there is no chip")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where somebody is who types a command."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library/lgpio.py").write_text(LGPIO)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def prepare(home: Path, **environment: str) -> str:
    """Where the pipe was while the pins were looked for."""
    code = (
        "import os\n"
        "from edged import pins\n"
        "pins.prepare()\n"
        "assert os.getcwd() == os.environ['HERE']\n"
    )
    return run(home, code, **environment)


def run(home: Path, code: str, **environment: str) -> str:
    """What it prints, with that library of the pins."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "LG_WD" and not name.startswith("GPIOZERO_")
    }
    paths = os.pathsep.join(map(str, (home.parent / "library", Path(__file__).parent.parent)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "PYTHONPATH": paths, "HERE": str(home), **environment},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_what_lgpio_writes_is_not_left_where_somebody_types(home: Path) -> None:
    pipe = Path(prepare(home))
    assert pipe.name == ".lgd-nfy0"
    assert list(home.iterdir()) == []
    assert not pipe.exists()


def test_a_service_that_gives_it_a_folder_is_obeyed(home: Path) -> None:
    pipe = Path(prepare(home, LG_WD=str(home)))
    assert pipe == home / ".lgd-nfy0"
    assert pipe.exists()


@pytest.mark.parametrize("there", [True, False])
def test_only_a_library_that_is_not_there_is_to_be_installed(home: Path, there: bool) -> None:
    """Where it is there and opens no pin, somebody is not in the group."""
    if not there:
        (home.parent / "library/lgpio.py").write_text("raise ImportError")
    code = (
        "from gpiozero import BadPinFactory\n"
        "from edged import pins\n"
        "pins.prepare()\n"
        "try:\n"
        "    with pins._explained('the light'): raise BadPinFactory('none works')\n"
        "except pins.PinTrouble as trouble: print(trouble.hint)\n"
    )
    hint = run(home, code).splitlines()[-1]
    assert ("pip install 'edged[pi]'" in hint) is not there
    assert ("group gpio" in hint) is there
