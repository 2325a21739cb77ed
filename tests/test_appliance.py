"""The appliance: installed on a machine with a kernel, systemd, sound cards and pins of its own.

Only asked for by name, as it takes minutes: `scripts/test -m appliance`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .rigs.appliance import machine
from .rigs.appliance.guest import chapters
from .rigs.appliance.guest.verdicts import Chapter

HERE = Path(__file__).parent
RIG = HERE / "rigs" / "appliance"
BUILT = HERE.parent / ".cache" / "appliance"
LINES = [(chapter.name, line) for chapter in chapters.ALL for line in chapter.lines]
LONGEST_S = 1500

pytestmark = [
    pytest.mark.appliance,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.getuid() != 0, reason="building a Debian root takes root"),
]

Verdicts = Mapping[tuple[str, str], Mapping[str, Any]]


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Build the machine and let it tell all chapters, with the progress shown."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    began = time.monotonic()

    def tell(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {what}\n")

    with capture.global_and_fixture_disabled():
        sys.stderr.write("\n")
        BUILT.mkdir(parents=True, exist_ok=True)
        with (BUILT / "lock").open("w") as lock:
            # A disk must not be made anew below a machine that runs from it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            subprocess.run([RIG / "build", BUILT], check=True)
            return _told(tmp_path_factory.mktemp("appliance"), _asked(request.session), tell)


def _asked(session: pytest.Session) -> list[Chapter]:
    """The chapters of which a line is tried in this run."""
    names = {
        item.callspec.params["chapter"]
        for item in session.items
        if isinstance(item, pytest.Function) and item.get_closest_marker("appliance")
    }
    return [chapter for chapter in chapters.ALL if chapter.name in names]


def _told(folder: Path, asked: list[Chapter], tell: Callable[[str], None]) -> Verdicts:
    share = machine.share(folder / "share", HERE / "waves", RIG / "guest")
    box = machine.Machine(BUILT, share)
    (share / "times").write_text(os.environ.get("EDGED_TIMES", "2"))
    for name in ("wheels", "checkout"):
        shutil.copytree(BUILT / name, share / name)
    disks: dict[str, Path] = {}
    told: dict[tuple[str, str], Mapping[str, Any]] = {}
    for chapter in asked:
        tell(f"--- {chapter.name}")
        (share / "chapter").write_text(chapter.name)
        if chapter.disk not in disks:
            disks[chapter.disk] = box.disk(chapter.disk)
        box.boot(disks[chapter.disk], BUILT / f"{chapter.name}.console", tell, LONGEST_S)
        results = share / "verdicts.jsonl"
        for line in results.read_text().splitlines() if results.exists() else ():
            verdict = json.loads(line)
            told[chapter.name, verdict["line"]] = verdict
        results.unlink(missing_ok=True)
    return told


@pytest.mark.parametrize(
    ("chapter", "line"),
    LINES,
    ids=[f"{chapter}: {line.replace('_', ' ')}" for chapter, line in LINES],
)
def test_appliance(chapter: str, line: str, verdicts: Verdicts) -> None:
    verdict = verdicts.get((chapter, line))
    assert verdict is not None, f"not told; see {BUILT / chapter}.console"
    assert verdict["holds"], verdict["says"]
