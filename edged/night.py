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
_TIME_ERROR: Final = 5
"""What adjtimex(2) returns for a clock that nobody has set."""
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
        self._known = known or clock_is_set
        self._set = False

    def __call__(self) -> bool:
        """Whether it is now; quick, and once set a clock stays so."""
        if not self._hours:
            return False
        self._set = self._set or self._known()
        return self._set and self._hours.cover(self._now().time())


def _here() -> datetime:
    # The C library does not notice by itself that the time zone was set.
    tzset()
    return datetime.now()


def clock_is_set(root: Path = Path("/"), adjtimex: Callable[[], int] | None = None) -> bool:
    """Whether this machine's clock has been set by the network or a clock chip with a battery.

    A Raspberry Pi starts with the time at which it was switched off. Witnesses, the first that
    says yes is believed: systemd-timesyncd's mark; a chip that the kernel set the clock by; the
    kernel itself, which is asked last since a hardened service may not.
    """
    if (root / "run/systemd/timesync/synchronized").exists():
        return True
    for chip in sorted((root / "sys/class/rtc").glob("*")):
        with contextlib.suppress(OSError, ValueError):
            used = (chip / "hctosys").read_text().strip() == "1"
            if used and int((chip / "since_epoch").read_text()) > _BUILT:
                return True
    return 0 <= (adjtimex or _adjtimex)() < _TIME_ERROR


def _adjtimex() -> int:
    # A struct timex that changes nothing; it has 208 bytes.
    return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))
