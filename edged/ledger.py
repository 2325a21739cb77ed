"""The books: what was spent on each day, and on what, over restarts and power cuts."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec

from .core.commands import Book
from .core.events import DayTurned
from .store import NONSENSE, Clerk, Store

_NAME = "ledger"
KEPT = 400
"""Days on which something was spent that are kept: more than a year of them."""

_MOST = 10_000_000
"""Of anything on one bill: a damaged one must not make the books unreadable."""

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Amount = Annotated[float, msgspec.Meta(ge=0)]
_Date = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


class Day(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was spent on one day; cached tokens are a subset of the input's."""

    usd: _Amount = 0.0
    answers: _Count = 0
    text_in: _Count = 0
    audio_in: _Count = 0
    cached_text: _Count = 0
    cached_audio: _Count = 0
    text_out: _Count = 0
    audio_out: _Count = 0
    transcribed_in: _Count = 0
    transcribed_out: _Count = 0
    transcribed_s: _Amount = 0.0
    session_s: _Amount = 0.0
    """On the line of a provider that is paid by time."""

    def kinds(self) -> dict[str, float]:
        """All of it by name."""
        return msgspec.structs.asdict(self)

    def __add__(self, other: "Day") -> "Day":
        both = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Day(*(one + more for one, more in both))


class _Books(msgspec.Struct, frozen=True):
    """The file's shape; what does not fit it is not believed."""

    days: dict[_Date, Day]
    """By ISO date; under "" what was spent while nobody knew the date."""


class Unreadable(Exception):
    """The books are there, and cannot be read."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.hint = hint


class Ledger:
    """Keeps the books; what was booked is on the disk once `saved` says so.

    One file holds all of them, as what has no date yet must be in exactly one place. Booking never
    waits for the disk; what that refuses is counted on, and the store's to try again.
    """

    def __init__(self, store: Store, clerk: Clerk) -> None:
        self._store = store
        self._clerk = clerk
        # Never changed in place: the clerk's thread reads it.
        self._days: Mapping[str, Day] = store.read(_NAME, _Books, _Books({})).days
        self._written: Mapping[str, Day] = self._days
        self._today = ""

    @property
    def days(self) -> Mapping[str, Day]:
        """All of them, by ISO date."""
        return self._days

    @property
    def saved(self) -> bool:
        """Whether the disk has everything."""
        return self._written is self._days and _NAME not in self._store.owed

    def book(self, what: Book) -> None:
        """Write it down, under the day that `turned` told last."""
        bill = asdict(what.usage) | {"usd": what.usd, "session_s": what.session_s}
        bill = {kind: min(max(0, much), _MOST) for kind, much in bill.items()}
        self._write(self._today, Day(answers=int(what.answered), **bill))

    def turned(self, today: str) -> DayTurned:
        """It is this day, an ISO date, from now on; "" while nobody knows.

        What was spent without a date counts to the first day that is known. Until then the newest
        day in the books is taken to go on: a restart leaves nobody more to spend.
        """
        self._today = today
        if today and "" in self._days:
            undated = self._days[""]
            self._days = {day: spent for day, spent in self._days.items() if day}
            self._write(today, undated)
        day_usd, month_usd = sums(self._days, today)
        return DayTurned(today, day_usd, month_usd)

    def _write(self, day: str, more: Day) -> None:
        days = {**self._days, day: self._days.get(day, Day()) + more}
        others = sorted(days.keys() - {day, ""}, reverse=True)
        kept = {day, "", *others[: KEPT - 1]}
        self._days = {each: days[each] for each in sorted(days) if each in kept}
        self._clerk.do(self._save)

    def _save(self) -> None:
        days = self._days
        if days is not self._written:
            self._store.write(_NAME, _Books(dict(days)))
            self._written = days


def read(folder: Path) -> Mapping[str, Day]:
    """The books in a state directory, by ISO date; "" for what has no date yet.

    Changes nothing, and needs no speaker that runs. Raises `Unreadable`.
    """
    file = folder / f"{_NAME}.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Books).days
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise Unreadable(f"{file} is not for you", "sudo edged usage") from error
    except OSError as error:
        hint = f"look whether the disk is well: ls -l {folder}"
        raise Unreadable(f"{file} cannot be read: {error.strerror}", hint) from error
    except NONSENSE as error:
        hint = "the speaker puts it aside when it is started, and begins new books"
        raise Unreadable(f"{file} is damaged: {error}", hint) from error


def sums(days: Mapping[str, Day], today: str) -> tuple[float, float]:
    """What was spent on this day and in its month, with all that has no date; "": the newest."""
    day = today or max(days, default="")
    undated = days[""].usd if day and "" in days else 0.0
    spent = days.get(day, Day()).usd + undated
    month = sum(each.usd for date, each in days.items() if date[:7] == day[:7]) + undated
    return spent, month
