"""The appliance: installed on a machine with a kernel, systemd, sound cards and pins of its own.

Only asked for by name, as it takes minutes: `scripts/test -m appliance`. `EDGED_SUITE=bookworm`
before it makes that a machine with the older Debian, `EDGED_TIMES=10` a longer row of restarts.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections import ChainMap
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pytest

from .rigs.appliance import machine
from .rigs.appliance.guest import chapters
from .rigs.appliance.guest.verdicts import Chapter

HERE = Path(__file__).parent
RIG = HERE / "rigs" / "appliance"
SUITE = os.environ.get("EDGED_SUITE", "trixie")
BUILT = HERE.parent / ".cache" / f"appliance-{SUITE}"
LINES = [(name, line) for name, chapter in chapters.NAMED.items() for line in chapter.lines]
LONGEST_S = 3000

pytestmark = [
    pytest.mark.appliance,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.getuid() != 0, reason="building a Debian root takes root"),
]

Story = tuple[Chapter, ...]
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
            return _told(tmp_path_factory.mktemp("appliance"), _asked(request.session), tell)


def _asked(session: pytest.Session) -> list[Story]:
    """The chapters of which a line is tried in this run, and those before them, by story."""
    names = {
        item.callspec.params["chapter"]
        for item in session.items
        if isinstance(item, pytest.Function) and item.get_closest_marker("appliance")
    }
    asked = [
        tuple(dropwhile(lambda one: one.name not in names, reversed(story)))[::-1]
        for story in chapters.STORIES
    ]
    return [story for story in asked if story]


def _told(folder: Path, asked: list[Story], tell: Callable[[str], None]) -> Verdicts:
    """What became of all lines.

    Three machines at a time, each of which takes one processor where time is counted: so both of a
    small host have work until the last has nearly ended. What needs only the first disk begins
    while the second is built.
    """
    telling: list[Future[Verdicts]] = []
    with ThreadPoolExecutor(3) as pool:
        try:
            for disk in ("bare", "installed"):
                subprocess.run([RIG / "build", BUILT, SUITE, disk], check=True)
                stories = [story for story in asked if story[0].disk == disk]
                telling += [pool.submit(_tell, folder, story, tell) for story in stories]
            return dict(ChainMap(*(dict(each.result()) for each in telling)))
        except BaseException:
            # Nothing begins any more; what runs is waited for, as its disks are.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _tell(folder: Path, story: Story, tell: Callable[[str], None]) -> Verdicts:
    """Boot a machine for each chapter, with the disk as the one before left it."""
    share = machine.share(folder / story[0].name, HERE / "waves", RIG / "guest")
    (share / "times").write_text(os.environ.get("EDGED_TIMES", "2"))
    for name in ("wheels", "checkout"):
        shutil.copytree(BUILT / name, share / name)
    box = machine.Machine(BUILT, share)
    disk = box.disk(story[0].disk)
    told: dict[tuple[str, str], Mapping[str, Any]] = {}
    for chapter in story:
        (share / "chapter").write_text(chapter.name)
        results = share / "verdicts.jsonl"
        results.write_text("")
        say = partial(_say, tell, chapter.name)
        try:
            box.boot(disk, BUILT / f"{chapter.name}.console", say, LONGEST_S)
        except machine.NotBooted as stuck:
            say(str(stuck))
        verdicts = [json.loads(line) for line in results.read_text().splitlines()]
        told |= {(chapter.name, verdict["line"]): verdict for verdict in verdicts}
    return told


def _say(tell: Callable[[str], None], chapter: str, what: str) -> None:
    tell(f"{chapter:8}  {what}")


@pytest.mark.parametrize(
    ("chapter", "line"),
    LINES,
    ids=[f"{chapter}: {line.replace('_', ' ')}" for chapter, line in LINES],
)
def test_appliance(chapter: str, line: str, verdicts: Verdicts) -> None:
    verdict = verdicts.get((chapter, line))
    assert verdict is not None, f"not told; see {BUILT / chapter}.console"
    assert verdict["holds"], verdict["says"]
