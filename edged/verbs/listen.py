"""See live how loud the microphone is and how near the wake words come to being heard."""

import argparse
import contextlib
import json
from collections.abc import Iterator, Mapping
from math import inf
from time import monotonic
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from . import _socket
from ._news import Entry, Now, live
from ._screen import WIDTH, bar, console, meter

_LINE_S = 0.5
"""Where there is no terminal, a line for each so long tells of its loudest and best."""
_TOLD = ("woken", "wake_nearly_heard")


class Heard(NamedTuple):
    """What was heard in a moment."""

    dbfs: float | None
    """None while the microphone is closed."""
    scores: Mapping[str, float]


def arguments(parser: argparse.ArgumentParser) -> None:
    """For how long, and for whom."""
    _socket.arguments(parser)
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="end after so long")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def run(options: argparse.Namespace) -> int:
    """Go on until Ctrl-C; `control.ControlError` when the speaker cannot be asked, or goes."""
    screen = console()
    told = _until(options)
    if screen.is_terminal and not options.json:
        picture = Picture()
        with Live(
            get_renderable=picture.draw, console=screen, refresh_per_second=12, transient=True
        ):
            for each in told:
                picture.take(each)
        return 0
    for heard in _gathered(told):
        if options.json:
            print(json.dumps(heard._asdict()), flush=True)
        else:
            print(_line(heard), flush=True)
    return 0


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text}: a number of seconds, 0 or more")


def _until(options: argparse.Namespace) -> Iterator[Now | Entry]:
    end = None if options.seconds is None else monotonic() + options.seconds
    begun = False
    for news in live(options):
        # What comes before the first moment is of the past.
        begun = begun or isinstance(news, Now)
        if begun:
            yield news
        if end is not None and monotonic() >= end:
            return


def _gathered(told: Iterator[Now | Entry]) -> Iterator[Heard]:
    """The loudest and the best of each stretch."""
    moments: list[Now] = []
    due = monotonic() + _LINE_S
    for news in told:
        if isinstance(news, Now):
            moments.append(news)
        if monotonic() >= due and moments:
            yield _best(moments)
            moments.clear()
            due = monotonic() + _LINE_S


def _best(moments: list[Now]) -> Heard:
    levels = [now.microphone_dbfs for now in moments if now.microphone_dbfs is not None]
    words = {word for now in moments for word in now.scores}
    scores = {word: max(now.scores.get(word, 0.0) for now in moments) for word in sorted(words)}
    return Heard(max(levels, default=None), scores)


def _line(heard: Heard) -> str:
    if heard.dbfs is None:
        return "the microphone is closed"
    words = "".join(f"  {word} {score:.2f}" for word, score in heard.scores.items())
    return f"{heard.dbfs:6.1f} dBFS{words}"


class Picture:
    """A bar for the level and one for each word; drawn from another thread than told."""

    def __init__(self) -> None:
        self._now = Now("")
        self._best: dict[str, float] = {}
        self._last: list[Entry] = []

    def take(self, news: Now | Entry) -> None:
        """One more moment, or what came of one."""
        if isinstance(news, Now):
            self._now = news
            best = {word: max(self._best.get(word, 0.0), s) for word, s in news.scores.items()}
            self._best = {**self._best, **best}
        elif news.fact in _TOLD:
            self._last = [*self._last, news][-5:]

    def draw(self) -> RenderableType:
        """The picture of this moment."""
        now = self._now
        table = Table.grid(padding=(0, 1))
        for _ in range(3):
            table.add_column(no_wrap=True)
        if now.microphone_dbfs is None:
            table.add_row("  microphone", Text("closed", "dim"), "")
        else:
            table.add_row(
                "  microphone", meter(now.microphone_dbfs), f"{now.microphone_dbfs:.0f} dBFS"
            )
        for word, threshold in now.thresholds.items():
            score = now.scores.get(word, 0.0)
            told = f"{score:.2f}  best {self._best.get(word, 0.0):.2f}  wakes at {threshold:g}"
            table.add_row(f"  {word}", bar(score), Text(told, "bold" if score >= threshold else ""))
        story = [Text(f"  {entry.clock} {entry.message}", "dim") for entry in self._last]
        footer = Text("  say the wake word; Ctrl-C ends it", "dim")
        return Panel(Group(table, Text(), *story, footer), title="edged hears", width=WIDTH)
