"""Be a speaker: listen for the wake word, talk, go back to sleep."""

import argparse
import asyncio
import sys
from pathlib import Path

from .. import app, schema


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
    """Run until SIGTERM or SIGINT; 1 when the speaker cannot start as configured."""
    settings = schema.from_options(options)
    try:
        asyncio.run(app.run(settings, options.record))
    except app.StartFailed as failed:
        print(f"edged: {failed}\n  {failed.hint}", file=sys.stderr)
        return 1
    return 0
