"""How an evening is told in a terminal."""

from pathlib import Path

import pytest

from edged.simulator.evening.daemon import Daemon, Line
from edged.simulator.evening.evening import Evening
from edged.simulator.evening.record import Record, Timeline
from edged.verbs import _evening, _live

LINE = "! trouble: microphone [detail=[Errno 19] No such device: '[/dev/snd]']"


def test_what_the_journal_says_in_brackets_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    evening = Evening()
    with _evening.Programme(evening) as programme:
        evening.say("edged", LINE)
        evening.observe("wake", False, LINE)
        programme.summary(Record(evening.steps, Timeline()))
    assert capsys.readouterr().out.replace("\n", " ").count("[Errno 19]") == 3


def test_a_live_evening_tells_the_journals_lines_as_they_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    daemon = Daemon(tmp_path / "edged.toml", {}, tmp_path, lines=[Line(0.0, LINE)])
    _live.Story(_evening.console(), daemon).tell()
    assert LINE in capsys.readouterr().out
