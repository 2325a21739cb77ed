"""Spend an evening with edged in a room made of software, measured from outside."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class _ToldToStop(Exception):
    """Whoever looked has gone, or wants it to end."""


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

    if options.live and (options.say or options.json or options.picture):
        print("edged demo: --live is told line by line and takes no other option", file=sys.stderr)
        return 2
    try:
        if options.live:
            from ._live import live

            return asyncio.run(_until_told_to_stop(live()))
        evening = Evening(options.say)
        with Programme(evening) as programme:
            record = asyncio.run(_until_told_to_stop(evening.play()))
        programme.summary(record)
    except _ToldToStop:
        return 128 + signal.SIGTERM
    except NoEvening as trouble:
        print(f"edged demo: {trouble}", file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps(record.as_json(), indent=2) + "\n")
    if options.picture:
        options.picture.write_text(picture(record))
    return 0 if record.ok else 1


async def _until_told_to_stop(play: Coroutine[Any, Any, T]) -> T:
    """`play`, cancelled when the terminal is closed, so that nothing of it is left behind."""
    task = asyncio.create_task(play)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if task.cancelled():
        raise _ToldToStop
    return task.result()
