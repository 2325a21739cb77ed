"""When it is night for the lights, and when nobody can know."""

import ctypes
from datetime import datetime, time, timedelta
from pathlib import Path
from time import tzset
from typing import Any

import pytest

from edged import schema
from edged.config import ConfigError
from edged.night import Hours, Known, Night, clock_is_set, is_kept_right

LATE = datetime(2026, 11, 21, 23, 30)


def test_a_night_goes_on_past_midnight() -> None:
    night = Hours("22:00-07:00")
    assert [night.cover(time(hour, 59)) for hour in (21, 22, 23, 0, 6, 7, 12)] == [
        *(False, True, True, True, True, False, False)
    ]
    assert night.cover(time(22, 0))
    assert not night.cover(time(7, 0))


def test_an_afternoon_does_not() -> None:
    nap = Hours("13:00 - 14:30")
    assert [nap.cover(time(hour)) for hour in (12, 13, 14, 15, 0)] == [
        *(False, True, True, False, False)
    ]


def test_a_time_zone_that_is_set_meanwhile_counts() -> None:
    """As on the first evening of a new machine, which thinks that it is in London."""
    with pytest.MonkeyPatch.context() as machine:
        machine.setenv("TZ", "UTC0")
        tzset()
        now = datetime.now()
        around = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 1)]
        night = Night(Hours("-".join(around)), known=lambda: True)
        assert night()
        machine.setenv("TZ", "FAR-12")
        assert not night()
    tzset()


def test_no_hours_are_never() -> None:
    assert not Hours("")
    assert not Hours("").cover(time(3))


@pytest.mark.parametrize("text", ["22-7", "22:00", "25:00-07:00", "22:61-07:00", "at night", "-"])
def test_hours_that_are_none_are_a_mistake_of_the_section(text: str) -> None:
    with pytest.raises(ConfigError, match='write them as "22:00-07:00"'):
        schema.read(None, [f'lights.quiet_hours="{text}"'])


def test_before_the_clock_is_set_there_is_no_night() -> None:
    known = False
    night = Night(Hours("22:00-07:00"), lambda: LATE, lambda: known)
    assert not night()
    known = True
    assert night()
    known = False
    assert night(), "a clock that was set once stays so"


def test_without_hours_nobody_asks_for_the_clock() -> None:
    def ask() -> bool:
        raise AssertionError("asked")

    assert not Night(Hours(""), lambda: LATE, ask)()


# --- who says that the clock is set -------------------------------------------------------


def nobody() -> int:
    return 16_000_000


def chip(root: Path, hctosys: str, since_epoch: str) -> None:
    folder = root / "sys/class/rtc/rtc0"
    folder.mkdir(parents=True)
    (folder / "hctosys").write_text(f"{hctosys}\n")
    (folder / "since_epoch").write_text(f"{since_epoch}\n")


def test_a_pi_that_has_just_started_does_not_know_the_time(tmp_path: Path) -> None:
    assert not clock_is_set(tmp_path, nobody)


def test_the_network_has_set_it(tmp_path: Path) -> None:
    mark = tmp_path / "run/systemd/timesync/synchronized"
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert clock_is_set(tmp_path, nobody)


@pytest.mark.parametrize(
    ("hctosys", "since_epoch", "known"),
    [("1", "1795000000", True), ("0", "1795000000", False), ("1", "86400", False)],
)
def test_a_chip_counts_if_the_clock_was_set_by_it_and_its_battery_lasted(
    tmp_path: Path, hctosys: str, since_epoch: str, known: bool
) -> None:
    chip(tmp_path, hctosys, since_epoch)
    assert clock_is_set(tmp_path, nobody) is known


@pytest.mark.parametrize(
    ("error_us", "known"), [(0, True), (15_999_500, True), (16_000_000, False), (-1, False)]
)
def test_the_kernel_says_how_far_off_it_may_be_or_may_not_be_asked(
    tmp_path: Path, error_us: int, known: bool
) -> None:
    assert clock_is_set(tmp_path, lambda: error_us) is known
    assert is_kept_right(lambda: error_us) is known


class Kernel:
    """Has a clock as a time service keeps it: what adjtimex(2) tells of it."""

    def __init__(self, verdict: int, error_us: int) -> None:
        self._verdict = verdict
        self._error_us = error_us

    def adjtimex(self, into: Any) -> int:
        told = into._obj
        assert told.modes == 0, "that would set the clock"
        told.maxerror = self._error_us
        return self._verdict


@pytest.mark.parametrize(
    ("service", "kernel", "known"),
    [
        ("nobody yet", Kernel(5, 16_000_000), False),
        ("systemd-timesyncd or ntpd", Kernel(0, 1_200), True),
        ("chrony with rtcsync, as Debian has it", Kernel(0, 31_000), True),
        ("chrony without, which leaves the verdict at 'unsynchronised'", Kernel(5, 31_000), True),
        ("a leap second is to come", Kernel(1, 1_200), True),
        ("a service that may not ask", Kernel(-1, 0), False),
    ],
)
def test_whoever_keeps_the_time_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str, kernel: Kernel, known: bool
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: kernel)
    assert clock_is_set(tmp_path) is known, service


def test_a_clock_that_was_set_once_stays_so() -> None:
    """The network may be away for days: an alarm rings all the same."""
    told = [False, True, False]
    known = Known(lambda: told.pop(0))
    assert [known() for _ in range(4)] == [False, True, True, True]


def test_this_machine_can_be_asked() -> None:
    assert is_kept_right() in (True, False)
