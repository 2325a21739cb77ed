"""Quiet hours, by this machine's clock once that has been set."""

import contextlib
import ctypes
import re
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from time import tzset
from typing import Final

_HOURS: Final = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")
_NOBODY_KNOWS_US: Final = 16_000_000
"""The most that a clock is off, as the kernel tells it where nobody has set it, or not for long."""
_BUILT: Final = 1_735_689_600
"""2025 began: a clock chip that tells an earlier time has lost it."""


class Hours:
    """A stretch of every day, past midnight too, written as "22:00-07:00"; "" for none."""

    def __init__(self, text: str) -> None:
        """Raises ValueError, which says how they are written."""
        self._stretch: tuple[time, time] | None = None
        if not text:
            return
        found = _HOURS.fullmatch(text.strip())
        try:
            if found is None:
                raise ValueError(text)  # noqa: TRY301
            hour, minute, last_hour, last_minute = map(int, found.groups())
            self._stretch = time(hour, minute), time(last_hour, last_minute)
        except ValueError as error:
            raise ValueError(
                f'quiet_hours = "{text}" are no hours: write them as "22:00-07:00", or "" for none'
            ) from error

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._stretch is not None

    def cover(self, now: time) -> bool:
        """Whether `now` is one of them; the last minute is not."""
        if self._stretch is None:
            return False
        first, last = self._stretch
        if first <= last:
            return first <= now < last
        return now >= first or now < last


class Known:
    """Whether the clock is set; one that was once stays so, whatever becomes of the network."""

    def __init__(self, witness: Callable[[], bool]) -> None:
        """`witness` tells of this moment."""
        self._witness = witness
        self._set = False

    def __call__(self) -> bool:
        """Whether it is; the witness is not asked again."""
        self._set = self._set or self._witness()
        return self._set


class Night:
    """Whether it is one of these hours; never before the clock is set."""

    def __init__(
        self,
        hours: Hours,
        now: Callable[[], datetime] | None = None,
        known: Callable[[], bool] | None = None,
    ) -> None:
        """`now` is the wall clock here, `known` whether it is set; None asks the machine."""
        self._hours = hours
        self._now = now or _here
        self._known = Known(known or clock_is_set)

    def __call__(self) -> bool:
        """Whether it is now; quick."""
        return bool(self._hours) and self._known() and self._hours.cover(self._now().time())


def _here() -> datetime:
    # The C library does not notice by itself that the time zone was set.
    tzset()
    return datetime.now()


def clock_is_set(root: Path = Path("/"), error_us: Callable[[], int] | None = None) -> bool:
    """Whether this machine's clock has been set by the network or a clock chip with a battery.

    A Raspberry Pi starts with the time at which it was switched off. Witnesses, the first that
    says yes is believed: systemd-timesyncd's mark; a chip that the kernel set the clock by; the
    kernel itself, which chrony, ntpd and the others tell how far off it is at most.
    """
    if (root / "run/systemd/timesync/synchronized").exists():
        return True
    for chip in sorted((root / "sys/class/rtc").glob("*")):
        with contextlib.suppress(OSError, ValueError):
            used = (chip / "hctosys").read_text().strip() == "1"
            if used and int((chip / "since_epoch").read_text()) > _BUILT:
                return True
    return is_kept_right(error_us)


def is_kept_right(error_us: Callable[[], int] | None = None) -> bool:
    """Whether somebody keeps it right at this moment, by the word of the kernel.

    As systemd's `timedatectl` tells it: by how far off it may be. The kernel's own verdict is
    "unsynchronised" all the same behind a chrony that is to leave the clock chip alone.
    """
    return 0 <= (error_us or _error_us)() < _NOBODY_KNOWS_US


class _Timex(ctypes.Structure):
    """The beginning of a struct timex(2), which has 208 bytes; `modes` is 0: nothing is set."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_char * 480),
    )


def _error_us() -> int:
    """How far off it is at most; -1 where the kernel may not be asked."""
    told = _Timex()
    refused = ctypes.CDLL(None).adjtimex(ctypes.byref(told)) < 0
    return -1 if refused else int(told.maxerror)
