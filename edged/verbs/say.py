"""Have the box itself say a text, without anybody on the line; espeak-ng is its voice."""

import argparse
import sys

from ..control import Request
from . import _socket

_PATIENCE_S = 60.0
"""Others may be saying something, and a small board takes its time."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The text."""
    _socket.arguments(parser)
    parser.add_argument("text", nargs="*", help="the words; without any, standard input is read")


def run(options: argparse.Namespace) -> int:
    """0 as soon as it speaks; `control.ControlError` when it cannot, or is in a conversation."""
    text = " ".join(options.text)
    if not options.text and sys.stdin is not None:
        text = sys.stdin.read()
    _socket.ask(options, Request("say", text=text.strip()), _PATIENCE_S)
    return 0
