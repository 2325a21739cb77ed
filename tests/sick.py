"""`edged` with one part that fails when told to: `python -m tests.sick PART VERB ...`.

The part fails once there is a file `sick` in the folder of the notification socket.
"""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edged import schema
from edged.cli import main
from edged.sound import _capture
from edged.wake import openwakeword

SICK = Path(os.environ["NOTIFY_SOCKET"]).with_name("sick")


def engine() -> None:
    """The wake engine never comes back from its network."""
    kind: Any = openwakeword.Engine
    well: Callable[..., Any] = kind.scores

    def scores(self: object, samples: bytes) -> Any:
        if SICK.exists():
            threading.Event().wait()
        return well(self, samples)

    kind.scores = scores


def microphone() -> None:
    """The microphone is open and delivers nothing."""
    kind: Any = _capture.Capture
    well: Callable[..., Any] = kind.take

    def take(self: object, *block: object) -> None:
        if not SICK.exists():
            well(self, *block)

    kind.take = take


def loop() -> None:
    """A call on the event loop does not return: SIGUSR1 makes it."""

    def stand_still(*_: object) -> None:
        time.sleep(3600)

    signal.signal(signal.SIGUSR1, stand_still)


def disk() -> None:
    """The disk takes its time for the next file."""
    system: Any = os
    well: Callable[[int], None] = os.fsync

    def fsync(handle: int) -> None:
        if SICK.exists():
            SICK.unlink()
            time.sleep(2.5)
        well(handle)

    system.fsync = fsync


def reader() -> None:
    """The configuration takes its time to be read."""
    well = schema.from_options

    def from_options(options: argparse.Namespace) -> schema.Settings:
        if SICK.exists():
            time.sleep(2.5)
        return well(options)

    schema.from_options = from_options


if __name__ == "__main__":
    parts = {each.__name__: each for each in (engine, microphone, loop, disk, reader)}
    parts[sys.argv.pop(1)]()
    sys.exit(main())
