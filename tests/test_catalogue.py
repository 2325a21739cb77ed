"""The catalogue: `journalctl -x` explains every entry, with its own figures."""

import re
import textwrap
from pathlib import Path

import pytest

from edged import cli, journal, plugins
from edged.core.commands import Fact

from . import journals

TEXTS = {
    text.partition("\n")[0]: text.partition("\n")[2]
    for text in journals.CATALOGUE.read_text(encoding="utf-8").split("\n-- ")[1:]
}
"""Each entry of the catalogue, by its MESSAGE_ID."""
ADVICE = re.compile(
    r"\b(Nothing needs to be done|[Mm]end|[Tt]ype|[Tt]ake|[Pp]ut|[Gg]ive|[Pp]ress|[Ll]ook|[Rr]aise|"
    r"[Ll]ower|[Ss]ee (to|the)|Ask again|turn it down|name in)\b|`edged \w+"
)
"""What to do: nothing, or one of these."""
FACTS = {name: fact for fact, name in journal.MESSAGE_IDS.items()}
needs_journal = pytest.mark.skipif(bool(journals.LACKING), reason=journals.LACKING)


def test_every_kind_of_entry_is_explained_and_nothing_else() -> None:
    assert {FACTS.get(name, name) for name in TEXTS} == set(Fact)
    text = journals.CATALOGUE.read_text(encoding="utf-8")
    assert len(re.findall("^-- ", text, re.MULTILINE)) == len(Fact)


@pytest.mark.parametrize("name", TEXTS)
def test_an_explanation_says_what_happened_and_what_to_do(name: str) -> None:
    headers, _, body = TEXTS[name].partition("\n\n")
    assert re.fullmatch(r"Subject: .+\nDefined-By: edged", headers)
    assert len(body.split()) >= 8
    assert ADVICE.search(" ".join(body.split()))
    assert all(len(line) <= 78 for line in body.splitlines())


@pytest.mark.parametrize(
    "verb", sorted(set(re.findall(r"`edged ([a-z]+)", "".join(TEXTS.values()))))
)
def test_every_command_it_advises_is_there(verb: str) -> None:
    assert verb in plugins.names("verbs")
    with pytest.raises(SystemExit) as over:
        cli.main([verb, "--help"])
    assert over.value.code == 0


def test_the_evening_of_these_tests_tells_everything_that_can_be_told() -> None:
    told = {entry["EDGED_FACT"] for entry in journals.an_evening().sent}
    assert told == set(Fact)


def test_it_names_only_fields_that_such_an_entry_always_has() -> None:
    for entry in journals.an_evening().sent:
        wanted = set(re.findall(r"@([A-Z_]+)@", TEXTS[entry["MESSAGE_ID"]]))
        assert wanted <= set(entry), entry["EDGED_FACT"]


@needs_journal
def test_journalctl_takes_it_whole(tmp_path: Path) -> None:
    journals.catalogue(tmp_path)
    listed = journals.journalctl(["--root", str(tmp_path), "--list-catalog"])
    assert {line.partition(" ")[0] for line in listed.splitlines()} == set(TEXTS)
    for name, text in TEXTS.items():
        dumped = journals.journalctl(["--root", str(tmp_path), "--dump-catalog", name])
        assert dumped.strip() == f"-- {name}\n{text}".strip()


@needs_journal
@pytest.mark.skipif(not journals.may_mount(), reason="needs a mount namespace of its own")
@pytest.mark.parametrize("fact", Fact)
def test_journalctl_explains_an_entry_with_its_own_figures(fact: Fact, tmp_path: Path) -> None:
    book = journals.an_evening()
    file = book.write(tmp_path / "one.journal")
    database = journals.catalogue(tmp_path / "root")
    match = f"EDGED_FACT={fact}"
    explained = journals.journalctl(["--file", str(file), "-x", "-n1", match], database)
    entry = [entry for entry in book.sent if entry["EDGED_FACT"] == fact][-1]
    text = TEXTS[journal.MESSAGE_IDS[fact]]
    for name, value in entry.items():
        text = text.replace(f"@{name}@", value)
    words = " ".join(line.strip("░ ") for line in explained.splitlines()[1:]).split()
    assert " ".join(words) == " ".join(text.split())
    assert entry["MESSAGE"] in explained.splitlines()[0]
    assert "@" not in explained, textwrap.indent(explained, "  ")
