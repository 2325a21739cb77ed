"""What the service manager is told: ready, status, alive, reloading, stopping."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from systemd.daemon import notify

_PACKAGE = Path(__file__).parent


class Manager:
    """Speaks sd_notify(3) on $NOTIFY_SOCKET; where there is none, to nobody.

    Never raises: a manager that does not listen learns nothing, and acts on that.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._patience_s = 0.0
        self._reloading = False

    def ready(self) -> None:
        """The speaker serves."""
        self._reloading = False
        _tell("READY=1")

    def status(self, text: str) -> None:
        """One line of words for `systemctl status`."""
        # Every further line would be an assignment of its own.
        _tell("STATUS=" + " ".join(text.split()))

    def alive(self) -> None:
        """Feed the watchdog."""
        _tell("WATCHDOG=1" + self._extending(self.watchdog_s() or 0.0))

    def guard(self, stuck: Callable[[str], None]) -> None:
        """Have `stuck` told where the loop stands still, shortly before the watchdog ends it.

        A loop that does not turn tells nothing; a signal still gets through to what it waits for.
        """

        def ring(_number: int, frame: FrameType | None) -> None:
            stuck(_place(frame))

        self._patience_s = (self.watchdog_s() or 0.0) * 5 / 6
        if self._patience_s:
            signal.signal(signal.SIGALRM, ring)

    def turning(self) -> None:
        """The event loop turns."""
        self._set_alarm(self._patience_s)

    def watch(self, watchdog_s: float) -> None:
        """From now on `alive` may stay away for so long, and `turning` until it comes again."""
        self._set_alarm(0.0)
        _tell(f"WATCHDOG_USEC={round(watchdog_s * 1e6)}" + self._extending(watchdog_s))

    def reloading(self) -> None:
        """The configuration is read anew; `ready` follows, when nobody is on the line."""
        self._reloading = True
        _tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._reloading = False
        self._set_alarm(0.0)
        _tell("STOPPING=1")

    def _extending(self, by_s: float) -> str:
        """A reload may take as long as a start, unless systemd is asked for more time."""
        return f"\nEXTEND_TIMEOUT_USEC={round(by_s * 1e6)}" if self._reloading else ""

    def _set_alarm(self, after_s: float) -> None:
        """0 is never."""
        if self._patience_s:
            signal.setitimer(signal.ITIMER_REAL, after_s)

    def watchdog_s(self) -> float | None:
        """How long `alive` may stay away before the process is killed; None for ever.

        As sd_watchdog_enabled(3): a watchdog that is set for another process is not ours.
        """
        if self._environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            return None
        microseconds = self._environment.get("WATCHDOG_USEC", "")
        if not microseconds.isdecimal() or int(microseconds) == 0:
            return None
        return int(microseconds) / 1e6


def open() -> Manager:
    """Whoever started this process."""
    return Manager()


def _place(frame: FrameType | None) -> str:
    """The innermost line of ours that is being done, as `sound/_card.py:17`."""
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_PACKAGE):
            return f"{file.relative_to(_PACKAGE)}:{frame.f_lineno}"
        frame = frame.f_back
    return "no line of ours"


def _tell(assignment: str) -> None:
    try:
        notify(assignment)
    except (OSError, ValueError):
        # ValueError: it is no text of C's.
        return
