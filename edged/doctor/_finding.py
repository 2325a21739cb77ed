"""What a check found, in words, with one exact fix for whatever is not well."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    verdict: Verdict
    seen: str
    """What was seen, on one line."""
    fix: str = ""
    """What to type or change; something must stand here for `warn` and `fail`."""

    def __post_init__(self) -> None:
        if self.verdict in ("warn", "fail") and not self.fix:
            raise ValueError(f"there is no fix for: {self.seen}")


def ok(seen: str) -> Finding:
    """All is well."""
    return Finding("ok", seen)


def warn(seen: str, fix: str) -> Finding:
    """It works, but not as it should."""
    return Finding("warn", seen, fix)


def fail(seen: str, fix: str) -> Finding:
    """It does not work."""
    return Finding("fail", seen, fix)


def skipped(why: str, fix: str = "") -> Finding:
    """It was not looked at; `fix` says how it would be."""
    return Finding("skipped", why, fix)
