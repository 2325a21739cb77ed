"""`scripts/bench`: run the benches that are named, or all, and judge them."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from rich.console import Console

from edged.simulator.evening.daemon import DaemonFailed

from . import echo, first_conversation, open_room, turn_taking
from .report import Figure, Result, as_json, table
from .rig import Tell


class Bench(Protocol):
    """Measures, and raises `OSError`, `TimeoutError` or `DaemonFailed` when it cannot."""

    def __call__(self, *, short: bool, tell: Tell) -> Awaitable[Sequence[Figure]]:
        """Measure; `short` is enough to notice a step back."""


_STDOUT = Path("-")

BENCHES: Mapping[str, Bench] = {
    "first-conversation": first_conversation.run,
    "turn-taking": turn_taking.run,
    "echo": echo.run,
    "echo-room": open_room.run,
}


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for; `names` are all benches when none is named."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--short", action="store_true", help="fewer rounds: some minutes each")
    parser.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=_STDOUT,
        metavar="FILE",
        help="write the figures, on standard output where no file is named",
    )
    parser.add_argument(
        "--echo", default="auto", metavar="DRIVER", help="what echo-room is to hear through"
    )
    options = parser.parse_intermixed_args(words)
    for name in options.names:
        if name not in BENCHES:
            parser.error(f"there is no bench {name}; there are: {', '.join(BENCHES)}")
    options.names = list(dict.fromkeys(options.names)) or list(BENCHES)
    return options


async def measure(bench: Bench, *, short: bool, tell: Tell) -> Result:
    """Run one bench; what stops it is part of its result."""
    try:
        return Result(await bench(short=short, tell=tell))
    except (OSError, TimeoutError, DaemonFailed) as trouble:
        return Result([], f"{type(trouble).__name__}: {trouble}")


def progress(console: Console, name: str) -> Callable[[str], None]:
    """Tells each step as a line with the seconds so far."""
    began = time.monotonic()

    def tell(step: str) -> None:
        console.print(f"{name} {time.monotonic() - began:4.0f} s: {step}", highlight=False)

    return tell


def main(words: Sequence[str]) -> int:
    """0 when all figures of all benches named hold."""
    options = arguments(words)
    aside = Console(stderr=True)
    benches = {**BENCHES, "echo-room": partial(open_room.run, mode=options.echo)}
    results = {
        name: asyncio.run(measure(benches[name], short=options.short, tell=progress(aside, name)))
        for name in options.names
    }
    shown = aside if options.json == _STDOUT else Console()
    for name, result in results.items():
        shown.print(table(name, result))
        if result.trouble:
            shown.print(f"{name} could not be finished: {result.trouble}", highlight=False)
    told = as_json(results)
    for fact, value in dict(told["machine"]).items():  # type: ignore[call-overload]
        shown.print(f"{fact}: {value}", highlight=False)
    text = json.dumps(told, indent=2) + "\n"
    if options.json == _STDOUT:
        sys.stdout.write(text)
    elif options.json:
        options.json.write_text(text, encoding="utf-8")
    return 0 if all(result.ok for result in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
