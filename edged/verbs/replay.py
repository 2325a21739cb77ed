"""Let a fresh speaker live through a recording, and print what it decides."""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import app
from ..record import Recording, as_json, told


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which recording, and how much of it."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="written by `edged run --record`, or flight-*.jsonl from the state directory",
    )
    parser.add_argument("--commands", action="store_true", help="only what it decides")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """0 when the file was replayed to its end; `record.Unreadable` says what is wrong with it."""
    recording = Recording(options.file)
    _introduce(recording)
    tell = _as_json if options.json else _as_words
    if recording.header.cut:
        for now, event in recording:
            tell(now, "event", event)
    else:
        for now, event, commands in app.replay(recording):
            if not options.commands:
                tell(now, "event", event)
            for command in commands:
                tell(now, "command", command)
    if recording.broken_off:
        print("edged: the last line is half written and was left out", file=sys.stderr)
    return 0


def _introduce(recording: Recording) -> None:
    header = recording.header
    if header.why:
        print(f"edged: kept because of: {header.why}", file=sys.stderr)
    if header.edged != version("edged"):
        print(
            f"edged: recorded by edged {header.edged}, this is {version('edged')}:"
            " it may decide differently",
            file=sys.stderr,
        )
    if header.cut:
        print(
            "edged: the beginning was more than the memory holds, so that what the speaker knew is"
            " not known: here are the events alone",
            file=sys.stderr,
        )


def _as_json(now: float, what: str, thing: Any) -> None:
    print(as_json({"t": now, what: type(thing).__name__} | told(thing)))


def _as_words(now: float, what: str, thing: Any) -> None:
    mark = "" if what == "event" else "  -> "
    print(f"{now:12.3f} {mark}{type(thing).__name__}{_words(told(thing))}")


def _words(fields: Mapping[str, Any]) -> str:
    return "".join(f" {name}={_word(value)}" for name, value in fields.items())


def _word(value: object) -> str:
    """Dots in the place of what was said are counted."""
    if is_dataclass(value):
        return f"({_words(told(value)).strip()})"
    if isinstance(value, Mapping):
        return f"({_words(value).strip()})"
    if isinstance(value, str):
        return json.dumps(re.sub("·{4,}\\??", lambda said: f"<{len(said[0])} characters>", value))
    return str(value)
