"""The README's page of journalctl recipes: typed as they stand there, they say what it says."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from edged import journal
from edged.core.commands import Fact, note, warn

from . import journals
from .journals import Book

README = (journals.TOP / "README.md").read_text(encoding="utf-8")
PAGE = README.partition("## Watching it")[2].partition("\n## ")[0]
RECIPES = re.findall(r"^\| `(journalctl .+?)` \| .+ \|$", PAGE, re.MULTILINE)

pytestmark = pytest.mark.skipif(bool(journals.LACKING), reason=journals.LACKING)


def of(told: str) -> list[dict[str, str]]:
    """The entries of `-o json`."""
    entries: list[dict[str, str]] = [json.loads(line) for line in told.splitlines()]
    assert entries
    return entries


def sent(book: Book, *facts: Fact) -> list[str]:
    """The messages of these kinds, in order."""
    return [entry["MESSAGE"] for entry in book.sent if entry["EDGED_FACT"] in facts]


def lines(told: str) -> list[str]:
    """The messages of journalctl's usual form."""
    shown = [line for line in told.splitlines() if not line.startswith("-- ")]
    assert all(re.match(r"\w{3} \d\d \d\d:\d\d:\d\d pi edged\[321\]: ", line) for line in shown)
    return [line.split(": ", 1)[1] for line in shown]


def _at_most(book: Book, priority: int) -> list[str]:
    return [entry["MESSAGE"] for entry in book.sent if int(entry["PRIORITY"]) <= priority]


def _brief(told: str, book: Book) -> None:
    assert lines(told) == _at_most(book, 5)
    assert {"woken by hey_jarvis", "session ended: stopped", "edged 1.0"} < set(lines(told))
    assert "a gap in the answer" in told
    assert "muted: the microphone is closed" in told
    assert not [line for line in lines(told) if line in {"asleep", "listening"}]


def _needs_you(told: str, book: Book) -> None:
    assert lines(told) == _at_most(book, 3)
    network = "trouble: network; no route to host; see to the network"
    assert [line for line in lines(told) if line.startswith(network)]
    assert sent(book, Fact.WOKEN)[0] not in lines(told)


def _explained(told: str, book: Book) -> None:
    subjects = [line for line in told.splitlines() if line.startswith("░░ Subject: ")]
    assert len(subjects) == 20
    assert "░░ Subject: A new configuration was refused" in subjects


def _turns(told: str, book: Book) -> None:
    assert told.splitlines() == sent(book, Fact.TURN_ENDED)
    # The last two questions had no answer: the speaker was told to stop.
    form = r"turn \d+:(?: [a-z ]+(?: \+\d+ ms [a-z ]+)+,)? \d+ ms heard"
    assert all(re.fullmatch(form, line) for line in told.splitlines())
    (sample,) = re.findall(r"^turn .*$", PAGE, re.MULTILINE)
    assert re.sub(r"\d+", "0", sample) == re.sub(r"\d+", "0", told.splitlines()[0])


def _figures(told: str, book: Book) -> None:
    for entry in of(told)[:1]:
        assert int(entry["EDGED_FIRST_AUDIO_TO_SOUND_MS"]) == 20
        assert int(entry["EDGED_SPEECH_END_TO_FIRST_AUDIO_MS"]) >= 500
        assert "MESSAGE" not in entry


def _names(told: str, book: Book) -> None:
    assert set(told.split()) == {"sess_1", "sess_2", "sess_3", "sess_4"}


def _conversation(told: str, book: Book) -> None:
    assert lines(told)[0] == "connected"
    assert "session ended: stopped" in lines(told)
    turns = [line for line in lines(told) if line.startswith("turn ")]
    assert turns == [
        entry["MESSAGE"]
        for entry in book.sent
        if (entry["EDGED_FACT"], entry.get("EDGED_SESSION")) == (Fact.TURN_ENDED, "sess_1")
    ]
    assert len(turns) < len(sent(book, Fact.TURN_ENDED))
    assert not set(sent(book, Fact.FALSE_WAKE, Fact.HEARTBEAT)) & set(lines(told))


def _network(told: str, book: Book) -> None:
    assert lines(told) == [line for line in sent(book, Fact.TROUBLE) if "network" in line]


def _wakes(told: str, book: Book) -> None:
    assert lines(told) == sent(book, Fact.FALSE_WAKE, Fact.WAKE_NEARLY_HEARD)
    assert "woken by hey_jarvis, and nobody spoke" in lines(told)


def _scores(told: str, book: Book) -> None:
    assert [(entry["EDGED_WORD"], entry["EDGED_SCORE"]) for entry in of(told)] == [
        ("hey_jarvis", "0.41"),
        ("hey_jarvis", "0.38"),
    ]


def _lost(told: str, book: Book) -> None:
    assert lines(told) == sent(book, Fact.GAP_HEARD, Fact.SOUND_DROPPED)
    assert len(lines(told)) >= 2


def _heartbeat(told: str, book: Book) -> None:
    form = r"[\d.]+ MiB, [\d.]+ % of a processor, \d+ threads, \d+ descriptors; no sound lost"
    assert re.fullmatch(form, told.strip())


def _before(told: str, book: Book) -> None:
    assert lines(told) == ["edged ends: the loudspeaker stands still"]


def _verbose(told: str, book: Book) -> None:
    fields = dict(line.strip().split("=", 1) for line in told.splitlines() if "=" in line)
    assert fields.items() >= book.sent[-1].items()


def _json(told: str, book: Book) -> None:
    entries = of(told)
    today = entries[1:]
    assert [entry["EDGED_FACT"] for entry in today] == [each["EDGED_FACT"] for each in book.sent]
    for entry, told_to_journald in zip(today, book.sent, strict=True):
        assert entry.items() >= told_to_journald.items()
        assert entry["MESSAGE_ID"] == journal.MESSAGE_IDS[Fact(entry["EDGED_FACT"])]


CHECKS: Mapping[str, Callable[[str, Book], None]] = {
    "-p notice": _brief,
    "-p err": _needs_you,
    "-x -n 20": _explained,
    "=turn_ended -o cat": _turns,
    "=turn_ended -o json": _figures,
    "-F EDGED_SESSION": _names,
    "EDGED_SESSION=sess_1": _conversation,
    "EDGED_TROUBLE=network": _network,
    "=false_wake": _wakes,
    "=wake_nearly_heard -o json": _scores,
    "=gap_heard": _lost,
    "=heartbeat": _heartbeat,
    "-b -1": _before,
    "-o verbose": _verbose,
    "edged -o json": _json,
}
"""For each recipe but the one that follows, by what tells it from the others: what it must say."""
FOLLOWS = "journalctl -u edged -f"


@pytest.fixture
def book() -> Book:
    """The evening of which the journal tells."""
    return journals.an_evening()


@pytest.fixture
def file(book: Book, tmp_path: Path) -> Path:
    """Its journal, and what was left of the machine's life before."""
    before = Book()
    before.now -= 86_400
    before.note(warn(Fact.BROKEN, "edged ends: the loudspeaker stands still"), "speaking")
    before.write(tmp_path / "edged.journal")
    return book.write(tmp_path / "edged.journal")


def at_noon(file: Path, folder: Path) -> dict[str, str]:
    """Where `journalctl` reads that file, and the evening was today: by our clock it is noon."""
    real = shutil.which("journalctl")
    command = folder / "journalctl"
    command.write_text(f'#!/bin/sh\nexec {real} --file "{file}" --no-pager "$@"\n')
    command.chmod(0o755)
    west = time.gmtime().tm_hour - 12
    clock = {"TZ": f"EDG{west}", "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", **clock}


def test_every_recipe_is_looked_into() -> None:
    assert FOLLOWS in RECIPES
    looked_into = {part: [each for each in RECIPES if part in each] for part in CHECKS}
    assert {part: len(found) for part, found in looked_into.items()} == dict.fromkeys(CHECKS, 1)
    assert {each for found in looked_into.values() for each in found} == {*RECIPES} - {FOLLOWS}


@pytest.mark.parametrize("recipe", [each for each in RECIPES if each != FOLLOWS])
def test_a_recipe_says_what_the_readme_says(
    recipe: str, file: Path, book: Book, tmp_path: Path
) -> None:
    command = ["sh", "-c", recipe]
    if " -x" in recipe:
        if not journals.may_mount():
            pytest.skip("needs a mount namespace of its own")
        database = journals.catalogue(tmp_path / "root")
        cover = f'mount --bind "{database.parent}" /var/lib/systemd/catalog; {recipe}'
        command = ["unshare", "-m", "sh", "-ec", cover]
    done = subprocess.run(
        command,
        env=at_noon(file, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (check,) = (check for part, check in CHECKS.items() if part in recipe)
    check(done.stdout, book)


def test_following_shows_what_is_told_from_now_on(file: Path, book: Book, tmp_path: Path) -> None:
    with subprocess.Popen(
        ["sh", "-c", f"exec {FOLLOWS}"],
        env=at_noon(file, tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        shown = [following.stdout.readline().split(": ", 1)[1].rstrip() for _ in range(10)]
        assert shown == [entry["MESSAGE"] for entry in book.sent[-10:]]
        later = Book()
        later.boot = book.boot
        later.note(note(Fact.WOKEN, "woken by the night", word="shell"), "waking")
        later.write(file)
        assert following.stdout.readline().endswith("woken by the night\n")
        following.terminate()
