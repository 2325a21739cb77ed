"""Wake the speaker, as its wake word does."""

import argparse

from ..control import Request
from . import _socket


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    _socket.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """0 when the speaker was told; `control.ControlError` when it could not be."""
    _socket.ask(options, Request("wake"))
    return 0
