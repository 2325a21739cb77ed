"""`edged usage`: what was spent, on what, and what is left of what may be."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from edged import cli, night, schema
from edged.core.commands import Book
from edged.core.events import Usage
from edged.ledger import Ledger
from edged.store import Clerk, Store
from edged.verbs import usage as verb

TODAY = date(2026, 11, 21)
ANSWER = Usage(text_in=700, audio_in=1_300, cached_text=500, audio_out=24_000, text_out=80)


class House:
    """A speaker that does not run, its books, its configuration, and who looks at them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.state = folder / "state"
        self.file = folder / "edged.toml"
        self.file.write_text("")
        self._capsys = capsys

    def spends(self, *bills: tuple[str, Book], where: Path | None = None) -> None:
        async def life() -> None:
            async with Clerk() as clerk:
                books = Ledger(Store(where or self.state, pytest.fail), clerk)
                for day, what in bills:
                    books.turned(day)
                    books.book(what)

        asyncio.run(life())

    def asks(self, *words: str) -> tuple[int, str]:
        """The status, and what was printed, standard error last."""
        status = cli.main(["usage", "--config", str(self.file), *words])
        told = self._capsys.readouterr()
        return status, told.out + told.err

    def figures(self, *words: str) -> dict[str, Any]:
        status, told = self.asks("--json", *words)
        figures: dict[str, Any] = json.loads(told)
        assert status == figures["spent_out"]
        return figures


class Today(date):
    """It is always the same day."""

    @classmethod
    def today(cls) -> "Today":
        return cls(TODAY.year, TODAY.month, TODAY.day)


@pytest.fixture
def house(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> House:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(night, "clock_is_set", lambda: True)
    monkeypatch.setattr(verb, "date", Today)
    return House(tmp_path, capsys)


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).isoformat()


def answers(usd: float, **more: Any) -> Book:
    return Book(usd, ANSWER, answered=True, **more)


def rows(told: str) -> dict[str, str]:
    """Each line by its first word."""
    return {line.split()[0]: line for line in told.splitlines() if line.split()}


def test_nothing_was_ever_spent(house: House) -> None:
    status, told = house.asks("--days", "3")
    assert status == 0
    assert [name for name in rows(told) if name.startswith("2026")] == [day(2), day(1), day(0)]
    assert "0.0000  USD, no limit" in rows(told)["today"]
    assert not (house.state).exists(), "who only looks changes nothing"


def test_a_line_and_a_bar_for_each_day(house: House) -> None:
    house.spends((day(3), answers(0.2)), (day(1), answers(0.1)), (day(1), answers(0.3)))
    status, told = house.asks("--days", "4")
    lines = rows(told)
    assert status == 0
    bars = {name: lines[name].count("━") for name in lines if name.startswith("2026")}
    assert bars == {day(3): 20, day(2): 0, day(1): 40, day(0): 0}
    assert "0.4000  2 answers" in lines[day(1)]
    assert "0.2000  1 answer" in lines[day(3)]
    assert "0.0000" in lines[day(2)]
    assert "answer" not in lines[day(2)]
    assert "prices of 2026-11-20" in told


def test_what_it_was_spent_on(house: House) -> None:
    house.spends(
        (day(1), answers(0.2)),
        (day(0), Book(0.01, Usage(transcribed_s=90.0))),
        (day(0), Book(0.16, session_s=120.0)),
    )
    _, told = house.asks()
    words = " ".join(told.split())
    assert "sound heard 1,300 tokens sound spoken 24,000 tokens" in words
    assert "text read 700 tokens, 500 of them cached text written 80 tokens" in words
    assert "transcribed 1.5 min on the line 2.0 min" in words


def test_totals_stand_beside_their_limits(house: House) -> None:
    house.file.write_text("[budget]\nday_usd = 1\nmonth_usd = 20\n")
    house.spends((day(30), answers(7.0)), (day(5), answers(2.0)), (day(0), answers(0.85)))
    status, told = house.asks("--days", "1")
    assert status == 0
    words = " ".join(told.split())
    assert "today 0.8500 of 1.00 USD, 85 %" in words
    assert "this month 2.8500 of 20.00 USD, 14 %" in words
    assert "no session is opened" not in told


def test_the_status_says_that_nothing_is_left(house: House) -> None:
    house.file.write_text("[budget]\nday_usd = 1\n")
    house.spends((day(0), answers(1.25)))
    status, told = house.asks()
    assert status == 1
    assert "no session is opened: 1.25 of 1.00 USD for this day are spent" in told
    house.file.write_text("[budget]\nday_usd = 2\n")
    assert house.asks()[0] == 0


def test_figures_for_programs(house: House) -> None:
    house.file.write_text("[budget]\nmonth_usd = 20\n[prices]\nas_of = '2027-01-01'\n")
    house.spends((day(1), answers(0.5)), (day(0), answers(0.25, session_s=1.5)))
    figures = house.figures("--days", "2")
    kinds = {"answers": 1, "text_in": 700, "audio_in": 1300, "cached_text": 500, "cached_audio": 0}
    kinds |= {"text_out": 80, "audio_out": 24000, "transcribed_in": 0, "transcribed_out": 0}
    assert figures == {
        "today": day(0),
        "clock_is_set": True,
        "day_usd": 0.25,
        "day_limit_usd": None,
        "month_usd": 0.75,
        "month_limit_usd": 20.0,
        "spent_out": False,
        "prices_as_of": "2027-01-01",
        "days": {
            day(1): {"usd": 0.5, **kinds, "transcribed_s": 0.0, "session_s": 0.0},
            day(0): {"usd": 0.25, **kinds, "transcribed_s": 0.0, "session_s": 1.5},
        },
    }


def test_it_says_when_the_clock_is_not_set(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night, "clock_is_set", lambda: False)
    house.file.write_text("[budget]\nday_usd = 1\n")
    house.spends((day(9), answers(0.5)), (day(4), answers(0.25)), ("", answers(0.75)))
    status, told = house.asks("--days", "1")
    assert status == 1, "the last day in the books and what has no date are 1.00"
    assert day(4) in rows(told)
    assert day(9) not in rows(told)
    assert "without date" in told
    assert "clock of this machine is not set" in " ".join(told.split())
    figures = house.figures()
    assert (figures["clock_is_set"], figures["today"], figures["day_usd"]) == (False, None, 1.0)
    assert figures["days"]["without date"]["usd"] == 0.75
    monkeypatch.setattr(night, "clock_is_set", lambda: True)
    _, told = house.asks()
    assert "is not set" not in told


def test_books_that_cannot_be_read(house: House) -> None:
    house.state.mkdir()
    (house.state / "ledger.json").write_text("{")
    status, told = house.asks()
    assert status == 1
    assert "ledger.json is damaged" in told


@pytest.mark.parametrize("text", ["[budget\n", "[budget]\nday_usd = 'much'\n"])
def test_mistakes_in_the_configuration_are_told_and_passed_over(house: House, text: str) -> None:
    house.file.write_text(text)
    house.spends((day(0), answers(0.5)))
    status, told = house.asks()
    assert status == 0
    assert "edged.toml:" in told
    assert "0.5000" in told


def test_a_configuration_that_is_not_there_is_told_of(house: House) -> None:
    house.file.unlink()
    status, told = house.asks()
    assert status == 0
    assert "edged.toml: cannot be read" in told


@pytest.mark.parametrize("count", ["0", "401", "-1", "x", "²"])
def test_a_number_of_days_is_one(house: House, count: str) -> None:
    with pytest.raises(SystemExit) as over:
        house.asks(f"--days={count}")
    assert over.value.code == 2


@pytest.mark.parametrize(("user", "theirs"), [(0, "service"), (1000, "own")])
def test_root_means_the_service_and_everybody_else_their_own(
    house: House, user: int, theirs: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service, own = tmp_path / "service", tmp_path / "home"
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", str(own))
    monkeypatch.setattr(verb, "_SERVICE", service)
    monkeypatch.setattr(schema, "FILE", house.file)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    ask: Callable[[], int] = lambda: cli.main(["usage", "--json"])  # noqa: E731
    house.spends((day(0), answers(0.25)), where=service)
    assert ask() == 0
    house.spends((day(0), answers(0.5)), where=own / "edged")
    assert ask() == 0
    told = [json.loads(line)["day_usd"] for line in house._capsys.readouterr().out.splitlines()]
    assert told == [0.25, 0.25 if theirs == "service" else 0.5]


def test_the_service_s_books_are_not_for_everybody(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    status, told = house.asks()
    assert status == 1
    assert "sudo edged usage" in told
