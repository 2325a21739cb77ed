"""Spend an evening with edged in a room made of software, measured from outside."""

import argparse
import asyncio
import json
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    parser.add_argument(
        "--live",
        action="store_true",
        help="use this machine's microphone and loudspeaker; you are the one who speaks",
    )
    parser.add_argument("--say", type=Path, metavar="FILE.wav", help="open with this recording")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the record of the evening")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the evening")


def run(options: argparse.Namespace) -> int:
    """Play the evening and show it; 0 only if every step was observed."""
    # Nothing of the simulator is loaded by a speaker that only runs.
    from ..simulator.evening.evening import Evening, NoEvening
    from ._evening import Programme
    from ._picture import picture

    try:
        if options.live:
            from ._live import live

            return asyncio.run(live())
        evening = Evening(options.say)
        with Programme(evening) as programme:
            record = asyncio.run(evening.play())
        programme.summary(record)
    except NoEvening as trouble:
        print(f"edged demo: {trouble}", file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps(record.as_json(), indent=2) + "\n")
    if options.picture:
        options.picture.write_text(picture(record))
    return 0 if record.ok else 1
