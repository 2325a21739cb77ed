"""Say what the speaker is doing."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..control import Request
from . import _socket


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
        print("\n".join(_words(reply)))
    return 0


def _words(fields: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """One line a field, in the speaker's order; a table is indented under its name."""
    for name, value in fields.items():
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            yield label
            yield from _words(value, indent + "  ")
        else:
            yield f"{label} {value}"
