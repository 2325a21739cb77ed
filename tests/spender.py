"""`edged` on a day that the test says, and where wanted with a disk that never has the books."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from edged import cli, duties
from edged.core.events import DayTurned
from edged.runner import Duty

_DAY = Path(os.environ["SPENDER_DAY"])
_keep_date = duties.keep_date
_fsync = os.fsync


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _of_the_test(turned: Callable[[str], DayTurned]) -> Duty:
    def told(day: str) -> DayTurned:
        _say(f"it is {day}")
        return turned(day)

    return _keep_date(
        told,
        known=lambda: True,
        now=lambda: datetime.fromisoformat(_DAY.read_text()),
        sleep=lambda _: asyncio.sleep(0.02),
    )


def _never(handle: int) -> None:
    if Path(f"/proc/self/fd/{handle}").readlink().name == "ledger.new":
        _say("the disk stands still")
        time.sleep(1000)
    _fsync(handle)


duties.keep_date = _of_the_test  # type: ignore[assignment]
if os.environ.get("SPENDER_DISK") == "still":
    os.fsync = _never  # type: ignore[assignment]
sys.exit(cli.main())
