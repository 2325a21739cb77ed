"""How an evening is told in a terminal, and drawn."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from edged.simulator.evening.daemon import Daemon, Line
from edged.simulator.evening.evening import Evening
from edged.simulator.evening.record import BargeIn, Mark, Press, Record
from edged.simulator.evening.timeline import Timeline
from edged.verbs import _evening, _live, _screen
from edged.verbs._picture import picture

LINE = "! trouble: microphone [detail=[Errno 19] No such device: '[/dev/snd]']"


def test_what_the_journal_says_in_brackets_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    evening = Evening()
    with _evening.Programme(evening) as programme:
        evening.say("edged", LINE)
        evening.observe("wake", False, LINE)
        programme.summary(Record(evening.steps, Timeline()))
    assert capsys.readouterr().out.replace("\n", " ").count("[Errno 19]") == 3


def test_in_a_terminal_what_was_said_stays_when_the_live_view_has_gone() -> None:
    written = StringIO()
    screen = Console(file=written, force_terminal=True, color_system=None, width=100)
    evening = Evening()
    with _evening.Programme(evening, screen):
        for number in range(30):
            evening.say("person", f"question {number}")
    stays = [line for line in written.getvalue().splitlines() if "│" not in line]
    told = [line.rpartition("question ")[2] for line in stays if "question" in line]
    assert told == [str(number) for number in range(30)]


def test_a_machine_that_has_no_time_is_told_of() -> None:
    assert _evening.busy(1.9, 2) == ""
    assert "load 8.8 on 2 cores" in _evening.busy(8.8, 2)


def test_a_live_evening_tells_the_journals_lines_as_they_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    daemon = Daemon(tmp_path / "edged.toml", {}, tmp_path, lines=[Line(0.0, LINE)])
    _live.Story(_screen.console(), daemon).tell()
    assert LINE in capsys.readouterr().out


def test_a_picture_shows_who_did_what_and_how_long_the_button_was_down() -> None:
    timeline = Timeline()
    timeline.shine(0.0, "#000000")
    timeline.enter(0.0, "asleep")
    timeline.enter(9.5, "waking")
    record = Record(
        [],
        timeline,
        barge_in=BargeIn(silence_ms=41, told_ms=2800, error_ms=1, sent_ms=11_300),
        push_to_talk=Press(1, 101, 0, 4, 0),
        marks=[Mark(2.0, "held to talk")],
        button=[(2.0, 4.0), (6.0, 6.08)],
    )
    drawn = picture(record)
    assert "held to talk" in drawn
    assert 'height="14" rx="2" fill="#d8dee9" width="208.0"' in drawn, "two of ten seconds"
    assert 'height="14" rx="2" fill="#d8dee9" width="8.3"' in drawn, "a short press"
    assert "41 ms" in drawn
    assert "asleep" in drawn
    assert "waking" in drawn
