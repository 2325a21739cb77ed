"""What a running speaker tells whoever watches: from its socket, else from the journal."""

import argparse
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ..control import ControlError, Request, read
from ..journal import printable, written
from . import _socket

UNIT = "edged"
_PAST = 200
"""Entries of the journal that are read before new ones are waited for."""
_MOMENT_S = 1.0
_NO_FILES = "No journal files were found"
"""What journalctl says, in no other language, before it waits for them for ever."""
_WARNING = 4
_NO_YEAR_S = 253_402_000_000.0
"""Short of the year 10000, which Python does not count to."""
_PREFIX = "EDGED_"
_OWN = ("EDGED_FACT", "EDGED_STATE")
_NAMES = {"EDGED_SESSION", "EDGED_WORD", "EDGED_DEVICE", "EDGED_CODE", "EDGED_DETAIL"}
_NAMES |= {"EDGED_MODEL", "EDGED_VOICE", "EDGED_SERVER", "EDGED_TOOL"}
"""What others have named: never figures, whatever they look like."""
_EXIT = {"UNIT": f"{UNIT}.service", "COMMAND": "ExecStart"}
"""Has what systemd itself writes when the speaker has left or was killed, beside EXIT_CODE; of the
program that reloads it COMMAND is another one."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""random(4): another one after each start; the journal writes it without dashes."""
_FIGURE = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
"""As the speaker writes its figures; no other text is one, whatever Python makes of `nan`."""
_UNITS = {"_ms": " ms", "_s": " s", "_dbfs": " dBFS", "_db": " dB", "_usd": " USD", "_ppm": " ppm"}


@dataclass(frozen=True)
class Entry:
    """One entry of the speaker's story."""

    time: float
    """Seconds since 1970; ValueError for one that no calendar has."""
    fact: str
    """Its kind, as `core.commands.Fact`; "" for what others tell of the unit."""
    message: str
    state: str
    warning: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    bygone: bool = False
    """Of the time before this machine's start: what ran then runs no more."""

    def __post_init__(self) -> None:
        if not 0 <= self.time < _NO_YEAR_S:
            raise ValueError(f"{self.time} is no time")

    @property
    def exited(self) -> bool:
        """Whether this is systemd's word that the speaker has left or was killed."""
        return not self.fact and "exit_code" in self.fields

    @property
    def clock(self) -> str:
        """When, on this machine's clock."""
        return datetime.fromtimestamp(self.time).strftime("%H:%M:%S")


@dataclass(frozen=True)
class Now:
    """How the speaker is at one moment; only its socket tells."""

    state: str
    trouble: str = ""
    light: str = "#000000"
    sending: bool = False
    microphone_dbfs: float | None = None
    """None while the microphone is closed."""
    speaker_dbfs: float | None = None
    """None while there is no loudspeaker."""
    volume_db: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


News = Entry | Now


def live(options: argparse.Namespace) -> Iterator[News]:
    """From the control socket, until the speaker has gone; `control.ControlError` as `ask`."""
    with contextlib.closing(_socket.follow(options, Request("watch"))) as told:
        for each in told:
            if "note" in each:
                yield read(Entry, _clean(each["note"]))
            elif "now" in each:
                yield read(Now, _clean(each["now"]))


def _clean(told: Any) -> Any:
    """Without anything that a terminal would obey: some of it comes from the provider."""
    match told:
        case str():
            return printable(told.rstrip())
        case dict():
            return {_clean(name): _clean(value) for name, value in told.items()}
        case list():
            return [_clean(each) for each in told]
    return told


def journalled(known: Collection[Entry] = ()) -> Generator[Entry, None, None]:
    """From the journal of the service, the last entries first; it never ends by itself.

    Where some are `known`, from the speaker itself, only those after them. Raises `ControlError`
    when there is no journal to be read.
    """
    last = max((entry.time for entry in known), default=0.0)
    command = ["journalctl", "-q", "-o", "json", "-f", "-n", str(_PAST), "-u", UNIT]
    command += [f"--since=@{last:.6f}"] if known else []
    told = {entry.message for entry in known}
    try:
        _look_into_it()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace")
    except OSError as error:
        raise _nowhere(str(error)) from error
    with child, contextlib.ExitStack() as stack:
        stack.callback(child.terminate)
        assert child.stdout is not None
        for line in child.stdout:
            entry = entry_of(line)
            # Journald's clock is a moment behind ours.
            if entry is not None and not (entry.time < last + _MOMENT_S and entry.message in told):
                yield entry
    raise ControlError("the journal cannot be followed", "see: journalctl -f -u edged")


def _look_into_it() -> None:
    """Say on standard error what of it may not be seen, which nobody says who follows it as JSON.

    Raises `ControlError` where none of it may, or where there is nothing that could be followed.
    """
    seen = subprocess.run(
        ["journalctl", "-n", "0"], capture_output=True, text=True, errors="replace", check=False
    )
    told = seen.stderr.strip()
    if seen.returncode and not told:
        silence = f"journalctl ends with status {seen.returncode} and says nothing"
        raise ControlError(f"the journal cannot be read: {silence}", "try: journalctl -u edged")
    if seen.returncode:
        hint = "sudo edged watch; or: sudo usermod -aG systemd-journal USER, and log in again"
        raise ControlError(f"the journal cannot be read: {told}", hint)
    if _NO_FILES in told:
        raise _nowhere(told)
    if told:
        print(told, file=sys.stderr)


def _nowhere(why: str) -> ControlError:
    hint = "start the speaker: sudo systemctl start edged, or edged run"
    return ControlError(f"there is no journal either: {why}", hint)


def entry_of(line: str) -> Entry | None:
    """A line of `journalctl -o json`; None for one that tells nothing here."""
    try:
        told = json.loads(line)
        texts = {name: _clean(_text(value)) for name, value in told.items()}
        return _entry(texts, int(texts["__REALTIME_TIMESTAMP"]) / 1e6)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        # Any program may write to the journal, also in our name.
        return None


def _entry(texts: Mapping[str, str], at: float) -> Entry:
    fields = {
        name.removeprefix(_PREFIX).lower(): value if name in _NAMES else _value(value)
        for name, value in texts.items()
        if name.startswith(_PREFIX) and name not in _OWN
    }
    if _EXIT.items() <= texts.items() and "EXIT_CODE" in texts:
        fields["exit_code"] = texts["EXIT_CODE"]
        fields["exit_status"] = _value(texts.get("EXIT_STATUS", ""))
    boot = _BOOT_ID.read_text(encoding="ascii").strip().replace("-", "")
    return Entry(
        time=at,
        fact=texts.get("EDGED_FACT", ""),
        message=texts.get("MESSAGE", ""),
        state=texts.get("EDGED_STATE", ""),
        warning=texts.get("PRIORITY", "6") <= str(_WARNING),
        fields=fields,
        bygone=texts.get("_BOOT_ID", boot) != boot,
    )


def _text(value: Any) -> str:
    """A field is a text, or its bytes where it is not printable, or all of several values."""
    match value:
        case [str() | list() as first, *_]:
            value = first
        case _:
            pass
    if isinstance(value, list):
        return bytes(value).decode(errors="replace")
    return "" if value is None else str(value)


def _value(told: str) -> str | float:
    if not _FIGURE.fullmatch(told):
        return told
    return float(told) if "." in told else int(told)


def words(name: str, value: Any) -> tuple[str, str]:
    """A field's name and value for people: `volume_db`, -6 is volume, -6 dB."""
    for ending, unit in _UNITS.items():
        if name.endswith(ending) and isinstance(value, int | float):
            return printable(name.removesuffix(ending).replace("_", " ")), written(value) + unit
    shown = "-" if value is None else printable(written(value))
    return printable(name.replace("_", " ")), shown
