"""The books: what was spent, over restarts, power cuts, midnight and a clock that is not set."""

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from math import inf, nan
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged import ledger
from edged.core.budget import Budget, Prices, Purse
from edged.core.commands import Book
from edged.core.events import DayTurned, Usage
from edged.ledger import Day, Ledger
from edged.store import Clerk, Store

BILL = Usage(100, 200, 50, 20, 30, 400, 2.5, 24, 7)

Deed = Callable[[Ledger], object]


def life(folder: Path, *deeds: Deed, warn: Callable[[str], None] = pytest.fail) -> list[object]:
    """One life of the speaker; what each deed gave."""

    async def live() -> list[object]:
        async with Clerk() as clerk:
            books = Ledger(Store(folder, warn), clerk)
            return [deed(books) for deed in deeds]

    return asyncio.run(live())


def turns(day: str) -> Deed:
    return lambda books: books.turned(day)


def books(usd: float, **more: object) -> Deed:
    what = dataclasses.replace(Book(usd), **more)  # type: ignore[arg-type]
    return lambda books: books.book(what)


# --- what stands in them ------------------------------------------------------------------


def test_new_books_are_empty(tmp_path: Path) -> None:
    assert ledger.read(tmp_path) == {}
    assert life(tmp_path, turns("2026-11-21")) == [DayTurned("2026-11-21", 0.0, 0.0)]


def test_every_bill_is_added_to_its_day(tmp_path: Path) -> None:
    life(
        tmp_path,
        turns("2026-11-21"),
        books(0.25, usage=BILL, answered=True),
        books(0.5, usage=BILL, answered=True),
        books(0.125, usage=Usage(transcribed_s=1.5)),
        books(0.0625, session_s=90.0),
    )
    assert ledger.read(tmp_path) == {
        "2026-11-21": Day(0.9375, 2, 200, 400, 100, 40, 60, 800, 48, 14, 6.5, 90.0)
    }


def test_every_kind_that_is_billed_has_a_place(tmp_path: Path) -> None:
    kinds = {field.name for field in dataclasses.fields(Usage)}
    assert kinds | {"usd", "answers", "session_s"} == set(Day.__struct_fields__)
    life(tmp_path, turns("2026-11-21"), books(1.0, usage=BILL))
    kept = msgspec.structs.asdict(ledger.read(tmp_path)["2026-11-21"])
    assert {kind: kept[kind] for kind in kinds} == dataclasses.asdict(BILL)


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    life(tmp_path, turns("2026-11-20"), books(0.5), turns("2026-11-21"), books(0.25))
    assert life(tmp_path, turns("2026-11-21"), books(0.125), turns("2026-11-21")) == [
        DayTurned("2026-11-21", 0.25, 0.75),
        None,
        DayTurned("2026-11-21", 0.375, 0.875),
    ]


def test_a_month_is_that_of_the_day(tmp_path: Path) -> None:
    spent = [("2025-11-30", 32.0), ("2026-10-31", 16.0), ("2026-11-01", 1.0), ("2026-11-30", 2.0)]
    life(tmp_path, *(deed for day, usd in spent for deed in (turns(day), books(usd))))
    assert life(tmp_path, turns("2026-11-30"), turns("2026-12-01"), turns("2026-10-01")) == [
        DayTurned("2026-11-30", 2.0, 3.0),
        DayTurned("2026-12-01", 0.0, 0.0),
        DayTurned("2026-10-01", 0.0, 16.0),
    ]


def test_they_hold_a_year_and_a_little_more(tmp_path: Path) -> None:
    first = date(2025, 1, 1)
    days = [(first + timedelta(days=number)).isoformat() for number in range(450)]
    life(tmp_path, *(deed for day in days for deed in (turns(day), books(1.0))))
    kept = ledger.read(tmp_path)
    assert list(kept) == days[-400:]
    life(tmp_path, turns("2024-02-29"), books(1.0), books(1.0))
    assert ledger.read(tmp_path)["2024-02-29"].usd == 2.0, "today is kept, whatever the clock says"
    assert len(ledger.read(tmp_path)) == 400


# --- without a clock ----------------------------------------------------------------------


def test_what_is_spent_without_a_clock_is_added_to_the_day_once_that_is_known(
    tmp_path: Path,
) -> None:
    life(tmp_path, turns(""), books(0.25, usage=BILL))
    assert list(ledger.read(tmp_path)) == [""]
    life(tmp_path, turns(""), books(0.5))
    assert life(tmp_path, turns(""), turns("2026-11-21"), turns("2026-11-21")) == [
        DayTurned("", 0.75, 0.75),
        DayTurned("2026-11-21", 0.75, 0.75),
        DayTurned("2026-11-21", 0.75, 0.75),
    ]
    kept = ledger.read(tmp_path)
    assert list(kept) == ["2026-11-21"]
    assert kept["2026-11-21"].audio_out == BILL.audio_out


def test_before_anybody_says_which_day_it_is_there_is_no_date(tmp_path: Path) -> None:
    life(tmp_path, books(0.25))
    assert list(ledger.read(tmp_path)) == [""]


def test_without_a_clock_the_last_day_goes_on(tmp_path: Path) -> None:
    """A speaker whose plug is pulled does not get its money anew until the network is back."""
    life(tmp_path, turns("2026-11-20"), books(1.0), turns("2026-11-21"), books(2.0))
    assert life(tmp_path, turns(""), books(0.5), turns(""), turns("2026-11-22")) == [
        DayTurned("", 2.0, 3.0),
        None,
        DayTurned("", 2.5, 3.5),
        DayTurned("2026-11-22", 0.5, 3.5),
    ]


# --- power cuts and bad disks -------------------------------------------------------------

CHILD = """
    import asyncio, sys
    from pathlib import Path
    from edged.core.commands import Book
    from edged.ledger import Ledger
    from edged.store import Clerk, Store

    async def spend():
        async with Clerk() as clerk:
            books = Ledger(Store(Path(sys.argv[1]), print), clerk)
            books.turned("2026-11-21")
            number = 0
            while True:
                books.book(Book(0.25, answered=True))
                number += 1
                while not books.saved:
                    await asyncio.sleep(0)
                print(number, flush=True)

    asyncio.run(spend())
"""


@pytest.mark.parametrize("answers", [1, 2, 7, 40])
def test_what_was_reported_written_survives_a_kill(tmp_path: Path, answers: int) -> None:
    """The process dies in the middle of its next booking, and with the books the limit holds."""
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(answers)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout if line.endswith("\n")]
    kept = ledger.read(tmp_path)["2026-11-21"]
    assert kept.answers >= told[-1] >= answers
    assert kept.usd == 0.25 * kept.answers
    (turned,) = life(tmp_path, turns("2026-11-21"))
    assert turned == DayTurned("2026-11-21", kept.usd, kept.usd)
    assert isinstance(turned, DayTurned)
    purse = Purse(Prices(), Budget(day_usd=0.25 * answers), "gpt-realtime-2.1-mini")
    purse.turned(turned.day_usd, turned.month_usd)
    assert purse.spent_out


def test_a_power_cut_leaves_the_old_books_or_the_new(tmp_path: Path) -> None:
    life(tmp_path, turns("2026-11-21"), books(0.25))
    (tmp_path / "ledger.new").write_bytes(b'{"days":{"2026-11-21":{"us')
    assert life(tmp_path, turns("2026-11-21"))[0] == DayTurned("2026-11-21", 0.25, 0.25)
    life(tmp_path, turns("2026-11-21"), books(0.5))
    assert ledger.read(tmp_path)["2026-11-21"].usd == 0.75


def test_booking_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = threading.Event()
    real = os.fsync

    def fsync(handle: int) -> None:
        assert patient.wait(10)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)

    async def live() -> None:
        async with Clerk() as clerk:
            ours = Ledger(Store(tmp_path, pytest.fail), clerk)
            ours.turned("2026-11-21")
            for _ in range(20):
                ours.book(Book(0.25))
                await asyncio.sleep(0)
            assert not ours.saved
            assert ours.turned("2026-11-21") == DayTurned("2026-11-21", 5.0, 5.0)
            patient.set()

    asyncio.run(live())
    assert ledger.read(tmp_path)["2026-11-21"].usd == 5.0


def test_a_disk_that_refuses_costs_one_warning_and_no_cent(tmp_path: Path) -> None:
    (tmp_path / "ledger.new").mkdir()
    warnings: list[str] = []

    def mends(_: Ledger) -> None:
        (tmp_path / "ledger.new").rmdir()

    async def live() -> None:
        async with Clerk() as clerk:
            ours = Ledger(Store(tmp_path, warnings.append), clerk)
            ours.turned("2026-11-21")
            ours.book(Book(0.5))
            ours.book(Book(0.25))
        assert not ours.saved
        assert ours.turned("2026-11-21").day_usd == 0.75, "it is counted on all the same"
        mends(ours)
        async with clerk:
            ours.book(Book(0.125))
        assert ours.saved

    asyncio.run(live())
    assert len(warnings) == 1
    assert ledger.read(tmp_path)["2026-11-21"].usd == 0.875


def test_what_a_disk_refused_is_still_known_after_a_reload(tmp_path: Path) -> None:
    (tmp_path / "ledger.new").mkdir()
    warnings: list[str] = []

    async def live() -> None:
        async with Clerk() as clerk:
            store = Store(tmp_path, warnings.append)
            old = Ledger(store, clerk)
            old.turned("2026-11-21")
            old.book(Book(0.5))
        async with clerk:
            new = Ledger(Store(tmp_path, warnings.append, store.owed), clerk)
            assert new.turned("2026-11-21").day_usd == 0.5
            assert not new.saved
            (tmp_path / "ledger.new").rmdir()
            new.book(Book(0.25))
        assert new.saved

    asyncio.run(live())
    assert ledger.read(tmp_path)["2026-11-21"].usd == 0.75


def test_a_disk_that_takes_it_again_has_it_before_the_next_bill(tmp_path: Path) -> None:
    """Else a restart would leave somebody more to spend."""
    (tmp_path / "ledger.new").mkdir()
    warnings: list[str] = []

    async def live() -> None:
        store = Store(tmp_path, warnings.append)
        async with Clerk() as clerk:
            ours = Ledger(store, clerk)
            ours.turned("2026-11-21")
            ours.book(Book(0.5))
        assert not ours.saved
        (tmp_path / "ledger.new").rmdir()
        store.again()
        assert ours.saved

    asyncio.run(live())
    assert life(tmp_path, turns("2026-11-21")) == [DayTurned("2026-11-21", 0.5, 0.5)]
    assert len(warnings) == 1


@pytest.mark.parametrize(
    "bad",
    [
        b'{"days": {"2026-11-21": {"usd": -1}}}',
        b'{"days": {"2026-11-21": {"usd": "much"}}}',
        b'{"days": {"2026-11-21": {"answers": 1.5}}}',
        b'{"days": {"yesterday": {"usd": 1}}}',
        b'{"days": []}',
        b"{}",
        b"\xff",
        b'{"days": {"2026-11-2',
        b'{"days": {}, "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_books_that_cannot_be_true_are_put_aside_and_told_of(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "ledger.json").write_bytes(bad)
    with pytest.raises(ledger.Unreadable, match="is damaged"):
        ledger.read(tmp_path)
    assert (tmp_path / "ledger.json").read_bytes() == bad, "who only looks changes nothing"
    warnings: list[str] = []
    life(tmp_path, turns("2026-11-21"), books(0.25), warn=warnings.append)
    assert len(warnings) == 1
    assert (tmp_path / "ledger.json.damaged").read_bytes() == bad
    assert ledger.read(tmp_path)["2026-11-21"].usd == 0.25


def test_of_a_newer_speaker_what_is_known_is_read(tmp_path: Path) -> None:
    day = {"usd": 0.5, "video_in": 7}
    (tmp_path / "ledger.json").write_text(json.dumps({"days": {"2026-11-21": day}, "more": 1}))
    assert ledger.read(tmp_path) == {"2026-11-21": Day(0.5)}


wild = st.one_of(st.integers(), st.sampled_from([-1, 10**30, -(10**30)]))


@settings(max_examples=40)
@given(
    usage=st.builds(
        Usage, *([wild] * 6), transcribed_s=st.floats(), transcribed_in=wild, transcribed_out=wild
    ),
    usd=st.one_of(st.floats(), st.sampled_from([nan, inf, -inf])),
)
def test_no_bill_makes_the_books_unreadable(
    tmp_path_factory: pytest.TempPathFactory, usage: Usage, usd: float
) -> None:
    folder = tmp_path_factory.mktemp("state")
    life(folder, turns("2026-11-21"), books(usd, usage=usage, session_s=usd))
    kept: Mapping[str, object] = msgspec.structs.asdict(ledger.read(folder)["2026-11-21"])
    assert all(isinstance(each, int | float) and 0 <= each <= 10**7 for each in kept.values())
