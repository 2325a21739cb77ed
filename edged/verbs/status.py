"""Say what the speaker is doing, with its devices and the figures of the last turn."""

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ..control import Request
from . import _socket
from ._news import words

_FOR_EVER_S = 1e10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Words for people, or JSON for programs."""
    _socket.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """0 when the speaker answered; `control.ControlError` when it did not."""
    reply = _socket.ask(options, Request("status"))
    if options.json:
        print(json.dumps(reply, ensure_ascii=False))
    else:
        print("\n".join(_lines(reply)))
    return 0


def _lines(fields: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """One line a field, in the speaker's order; a table is indented under its name."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield f"{indent}{words(name, None)[0]}:"
            yield from _lines(value, indent + "  ")
        elif name == "uptime_s" and isinstance(value, int | float) and 0 <= value < _FOR_EVER_S:
            yield f"{indent}uptime: {timedelta(seconds=round(value))}"
        else:
            label, shown = words(name, value)
            yield f"{indent}{label}: {shown}"
