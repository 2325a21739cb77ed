"""Close the microphone, so that nobody can be heard; `mute off` opens it again."""

import argparse

from ..control import Request
from . import _socket


def arguments(parser: argparse.ArgumentParser) -> None:
    """What is wished for, and of which speaker."""
    _socket.arguments(parser)
    parser.add_argument("wish", nargs="?", choices=("on", "off"), default="on")


def run(options: argparse.Namespace) -> int:
    """0 when it is so now; `control.ControlError` when it is not, as where a switch says no."""
    _socket.ask(options, Request("mute", on=options.wish == "on"))
    return 0
