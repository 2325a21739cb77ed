"""Be a speaker: listen for the wake word, talk, go back to sleep."""

import argparse
import asyncio
import sys

from .. import app, schema


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    schema.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 1 when the speaker cannot start as configured."""
    settings = schema.from_options(options)
    try:
        asyncio.run(app.run(settings))
    except app.StartFailed as failed:
        print(f"edged: {failed}\n  {failed.hint}", file=sys.stderr)
        return 1
    return 0
