"""The doctor's round: an order, needs, and a verdict in words and for programs."""

import json
import re
from pathlib import Path

import pytest

from edged import cli, plugins
from edged.doctor import _round
from edged.doctor._finding import Finding, fail, ok, warn
from edged.doctor._visit import Visit
from tests.conftest import Drop

CHECK = '''\
    """{caption}."""
    from edged.doctor._finding import fail, ok, skipped, warn
    ORDER = {order}
    NEEDS = {needs}
    def look(visit):
        return {finding}
'''


@pytest.fixture
def ward(drop_driver: Drop) -> Drop:
    """Takes a check's name, what it needs as Python, and the finding as Python."""
    order = iter(range(1000, 1100))

    def drop(name: str, needs: str, finding: str) -> None:
        text = CHECK.format(caption=f"Of {name}", order=next(order), needs=needs, finding=finding)
        drop_driver("doctor", name, text)

    return drop


def test_every_check_can_be_described_and_comes_after_what_it_needs() -> None:
    names = _round.names()
    assert len(names) == 23
    assert names[:2] == ("python", "config")
    for place, name in enumerate(names):
        check = _round._check(name)
        assert _round.caption(name)
        needed = set(check.NEEDS) - {_round.PERSON, _round.ONLINE}
        assert needed <= set(names[:place]), f"{name} comes before what it needs"


def test_no_two_checks_have_the_same_place() -> None:
    orders = [_round._check(name).ORDER for name in _round.names()]
    assert len(set(orders)) == len(orders)


def test_a_check_that_is_asked_for_brings_what_it_needs() -> None:
    assert _round.chosen(["echo"]) == (
        *("config", "devices", "cards", "microphone", "loudspeaker", "echo"),
    )
    with pytest.raises(plugins.UnknownPlugin) as unknown:
        _round.chosen(["ecko"])
    assert 'did you mean "echo"' in unknown.value.hint


def test_what_needs_something_that_fails_is_skipped_and_says_so(ward: Drop) -> None:
    ward("first", "()", 'fail("is broken", "mend it")')
    ward("second", '("first",)', 'ok("never looked at")')
    ward("third", '("second",)', 'ok("never looked at")')
    ward("fourth", "()", 'warn("limps", "oil it")')
    ward("fifth", '("fourth",)', 'ok("limps along")')
    found = {each.name: each.finding for each in _round.outcomes(Visit(), ["third", "fifth"])}
    assert found["second"] == Finding("skipped", "it needs first, which is not well")
    assert found["third"] == Finding("skipped", "it needs second, which is skipped")
    assert found["fifth"] == ok("limps along")


def test_what_needs_a_person_or_the_provider_is_skipped_with_how_to(ward: Drop) -> None:
    ward("sees", '("person",)', 'ok("seen")')
    ward("asks", '("online",)', 'ok("asked")')
    found = [each.finding for each in _round.outcomes(Visit(), ["sees", "asks"])]
    assert [each.verdict for each in found] == ["skipped", "skipped"]
    assert [each.fix for each in found] == ["edged doctor, in a terminal", "edged doctor --online"]


@pytest.mark.parametrize("verdict", [fail, warn])
def test_nothing_is_complained_of_without_a_fix(verdict: type) -> None:
    with pytest.raises(ValueError, match="no fix"):
        verdict("something is wrong", "")


def test_words_verdict_and_status(ward: Drop, capsys: pytest.CaptureFixture[str]) -> None:
    ward("heart", "()", 'ok("beats [as it should]")')
    ward("lungs", "()", 'warn("cough", "breathe")')
    ward("bone", "()", 'fail("is broken", "mend it")')
    ward("toe", "()", 'skipped("nobody looked")')
    assert cli.main(["doctor", "heart", "lungs"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "✔ heart        beats [as it should]",
        "! lungs        cough",
        "               → breathe",
        "1 of 2 are well; 1 should be.",
    ]
    assert cli.main(["doctor", "heart", "bone", "toe"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "1 of 3 are well; 1 must be mended, 1 not looked at."
    )
    assert cli.main(["doctor", "heart"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "All 1 are well."


def test_for_programs(ward: Drop, capsys: pytest.CaptureFixture[str]) -> None:
    ward("heart", "()", 'ok("beats")')
    ward("bone", "()", 'fail("is broken", "mend it")')
    assert cli.main(["doctor", "heart", "bone", "--json"]) == 1
    streams = capsys.readouterr()
    assert json.loads(streams.out) == {
        "verdict": "fail",
        "checks": [
            {"name": "heart", "caption": "Of heart", "verdict": "ok", "seen": "beats", "fix": ""},
            {
                "name": "bone",
                "caption": "Of bone",
                "verdict": "fail",
                "seen": "is broken",
                "fix": "mend it",
            },
        ],
    }
    assert streams.err == ""


def test_a_check_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "clok"]) == 1
    assert 'did you mean "clock"?' in capsys.readouterr().err


def test_the_readme_lists_them_in_their_order() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.split("| check | looks at |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)
    told = {name: looks_at.lower() for name, looks_at in rows}
    assert tuple(told) == _round.names()
    assert told == {name: _round.caption(name).lower() for name in _round.names()}
