"""Have a text said: by the provider, or by the box itself where that is not to be had."""

import argparse
import sys

from ..control import Request
from . import _socket

_PATIENCE_S = 3600.0
"""Others may be saying something, or talking with the speaker."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The text."""
    _socket.arguments(parser)
    parser.add_argument(
        "--local", action="store_true", help="by the box itself, with nobody on the line"
    )
    parser.add_argument("text", nargs="*", help="the words; without any, standard input is read")


def run(options: argparse.Namespace) -> int:
    """0 once it was heard; `control.ControlError` says why it was not."""
    text = " ".join(options.text)
    if not options.text and sys.stdin is not None:
        text = sys.stdin.read()
    request = Request("say", text=text.strip(), local=options.local)
    _socket.ask(options, request, _PATIENCE_S)
    return 0
