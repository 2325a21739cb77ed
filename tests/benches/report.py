"""Figures with their limits: the table for people, the JSON for programs."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from rich.table import Table

Number = float | int
_LIBRARIES = ("numpy", "onnxruntime", "pyaudio", "websockets")


@dataclass(frozen=True)
class Figure:
    """One measured number; without a limit it is only reported."""

    name: str
    value: Number | None
    """None when it could not be measured."""
    unit: str
    reference: Number | None = None
    """The same of the bare loop, where there is such a thing."""
    limit: Number | None = None
    side: Literal["at most", "at least"] = "at most"

    @property
    def ok(self) -> bool:
        """Whether it is on the right side of its limit."""
        if self.limit is None:
            return True
        if self.value is None:
            return False
        return self.value <= self.limit if self.side == "at most" else self.value >= self.limit

    def as_json(self) -> dict[str, object]:
        """In its published form."""
        told = {name: rounded(value) for name, value in asdict(self).items() if name != "side"}
        return {**told, "ok": self.ok}


@dataclass(frozen=True)
class Result:
    """What became of one bench."""

    figures: Sequence[Figure]
    trouble: str = ""
    """Why it could not be finished."""

    @property
    def ok(self) -> bool:
        """Whether it was finished and every figure holds."""
        return not self.trouble and all(figure.ok for figure in self.figures)


def as_json(results: Mapping[str, Result]) -> dict[str, object]:
    """The whole run in its published form."""
    benches = {
        name: {"ok": result.ok, "figures": [figure.as_json() for figure in result.figures]}
        for name, result in results.items()
    }
    return {"machine": machine(), "benches": benches}


def table(name: str, result: Result) -> Table:
    """One bench for people."""
    shown = Table(title=name, title_justify="left")
    shown.add_column("")
    shown.add_column("figure", no_wrap=True)
    for heading in ("value", "reference", "limit"):
        shown.add_column(heading, justify="right")
    shown.add_column("unit")
    for figure in result.figures:
        bound = {"at most": "≤", "at least": "≥"}[figure.side]
        shown.add_row(
            "" if figure.limit is None else "✔" if figure.ok else "✘",
            figure.name,
            *map(_words, (figure.value, figure.reference)),
            "" if figure.limit is None else f"{bound} {_words(figure.limit)}",
            figure.unit,
        )
    return shown


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "load_1_min": round(os.getloadavg()[0], 2),
        "sound": "PulseAudio null sinks behind ALSA; its plug-in is part of every process's memory",
    }


def rounded(value: object) -> object:
    """As many digits as a reader can use."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _words(value: Number | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _processor() -> str:
    information = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    for line in information.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.machine()
