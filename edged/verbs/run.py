"""Be a speaker: listen for the wake word, talk, go back to sleep."""

import argparse
import asyncio
import resource
from functools import partial
from pathlib import Path

from .. import app, schema
from ..ports import PartBroken


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    schema.arguments(parser)
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write what happens to FILE, without sound and words, for `edged replay`; stops at"
        " 256 MiB; an existing file is replaced",
    )


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 1 for a broken part, which the journal tells of.

    Raises `app.StartFailed` when it cannot start as configured.
    """
    # What a core dump holds of this process is the key, and what was heard.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reread = partial(schema.from_options, options)
    status = 0
    try:
        asyncio.run(app.run(reread(), options.record, reread))
    except* PartBroken:
        status = 1
    return status
