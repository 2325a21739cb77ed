"""How a command finds the running speaker."""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from .. import config, control, schema, sections

_PATIENCE_S = 10.0
"""A board that is busy may tell nothing for a while; no watchdog waits so long."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which speaker, where there are several."""
    parser.add_argument(
        "--socket",
        type=Path,
        metavar="PATH",
        help="the control socket of the speaker that is meant",
    )


def ask(
    options: argparse.Namespace, request: control.Request, timeout_s: float = 3.0
) -> dict[str, Any]:
    """Ask the speaker that the options mean; raises `control.ControlError`."""
    return control.ask(_meant(options), request, timeout_s)


def follow(options: argparse.Namespace, request: control.Request) -> control.Replies:
    """The same, for a request with many replies."""
    return control.follow(_meant(options), request, _PATIENCE_S)


def _meant(options: argparse.Namespace) -> Path:
    named: Path | None = options.socket
    return named or _configured() or control.find()


def _configured() -> Path | None:
    """The socket that the configuration names, if it does and may be read.

    Only this section is read: its mistakes, and those of others, are for `edged check`.
    """
    document = config.layers(schema.FILE, needed=False)
    found = config.Reader(document).section(("control",), sections.Control)
    with contextlib.suppress(ValueError):
        return found.path if found.socket else None
    return None
