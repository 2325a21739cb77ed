"""What is held true of the appliance, line by line, and what came of it."""

import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """What came of one line."""

    line: str
    holds: bool
    says: str
    """Figures where it holds, else what was seen instead."""
    seconds: float


Attempt = Callable[[], str]
"""Tries a line and tells figures; raises where it does not hold."""


@dataclass
class Chapter:
    """Lines that are tried one after another between a start of the machine and its end."""

    name: str
    disk: str
    """Which of the disks a story starts from; later chapters find it as it was left."""
    lines: dict[str, Attempt] = field(default_factory=dict)

    def line(self, attempt: Attempt) -> Attempt:
        """Hold what the function's name says."""
        self.lines[attempt.__name__] = attempt
        return attempt


def judge(name: str, attempt: Attempt) -> Verdict:
    """Try one line, whatever became of those before it."""
    began = time.monotonic()
    try:
        holds, says = True, attempt()
    except (AssertionError, LookupError, OSError, ValueError, subprocess.SubprocessError):
        holds, says = False, traceback.format_exc()
    return Verdict(name, holds, says, round(time.monotonic() - began, 1))
