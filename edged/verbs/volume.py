"""Say how loud the speaker is, or turn it: +1 and -1 are steps, --db names a volume."""

import argparse
import contextlib
import re
from dataclasses import dataclass

from ..control import Request, read
from ..journal import written
from . import _socket

_MOST_STEPS = 120
"""So many of the smallest cross the whole range."""
_SOFTEST_DB = -60
"""The range of the settings in [volume]."""


@dataclass(frozen=True)
class _Loudness:
    """What is read of the reply."""

    volume_db: float


def arguments(parser: argparse.ArgumentParser) -> None:
    """By how much, or how loud."""
    _socket.arguments(parser)
    wish = parser.add_mutually_exclusive_group()
    wish.add_argument(
        "steps", nargs="?", type=_steps, metavar="+N|-N", help="louder or softer by N steps"
    )
    wish.add_argument(
        "--db", type=_db, metavar="DB", help="so loud: 0 is as loud as it goes, -20 is soft"
    )


def run(options: argparse.Namespace) -> int:
    """Print the volume that it has now; `control.ControlError` when it cannot be asked."""
    request = Request("status")
    if options.db is not None:
        request = Request("volume", db=options.db)
    elif options.steps is not None:
        request = Request("volume", steps=options.steps)
    print(f"{written(read(_Loudness, _socket.ask(options, request)).volume_db)} dB")
    return 0


def _steps(text: str) -> int:
    if not text.startswith(("+", "-")):
        raise argparse.ArgumentTypeError(f"+{text} is louder, -{text} softer; or --db DB")
    if not re.fullmatch("[0-9]{1,3}", text[1:]) or int(text[1:]) > _MOST_STEPS:
        raise argparse.ArgumentTypeError(f"{text[:20]}: up to {_MOST_STEPS} steps")
    return int(text)


def _db(text: str) -> float:
    with contextlib.suppress(ValueError):
        if _SOFTEST_DB <= float(text) <= 0:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text}: a number from {_SOFTEST_DB} to 0")
