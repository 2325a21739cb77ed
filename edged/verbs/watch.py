"""Watch the speaker live: state, light, level, latencies and its last turns, as they happen."""

import argparse
import contextlib
import json
import sys
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import asdict
from time import monotonic, sleep

from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..control import ControlError, Strange
from ..core.events import Trouble
from ..core.scenes import Look, Scene, colour
from ..journal import written
from . import _socket
from ._news import Entry, News, Now, journalled, live, words
from ._screen import WIDTH, console, meter, visible

_STORY = 10
_SILENT_DBFS = -100.0
_AWAY_S = 10.0
"""A speaker that takes a new configuration, or is started anew, is back by then."""
_RETRY_S = 0.5
_TURNS = 4
_OVER = ("stopped", "broken", "not_started")
_SECONDARY = ("session", "turn", "heard_ms", "interrupted", "advice", "detail")
"""Of a turn's fields those that are no latency."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which speaker, and for whom."""
    _socket.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    parser.add_argument("--journal", action="store_true", help="from the journal in any case")


def run(options: argparse.Namespace) -> int:
    """Go on until Ctrl-C; in a terminal a picture, else a line for each entry.

    Where the socket cannot be reached, and once the speaker has gone, the journal is read.
    `control.ControlError` when there is neither.
    """
    screen = console()
    in_words = options.json or not screen.is_terminal
    view = View()
    news = view.follow(options, in_words=in_words)
    if options.json:
        for each in news:
            print(json.dumps({type(each).__name__.lower(): asdict(each)}), flush=True)
    elif in_words:
        for each in news:
            if isinstance(each, Entry):
                print(line_of(each), flush=True)
    else:
        with Live(get_renderable=view.draw, console=screen, refresh_per_second=10, transient=True):
            for each in news:
                view.take(each)
    return 0


def line_of(entry: Entry) -> str:
    """The entry as one line."""
    mark = "! " if entry.warning else ""
    told = (words(name, value) for name, value in entry.fields.items())
    fields = ", ".join(f"{name} {value}" for name, value in told if value not in entry.message)
    return f"{entry.clock} {entry.state:<10} {mark}{entry.message}" + (fields and f" ({fields})")


class View:
    """What has been told, as a picture; drawn from another thread than told."""

    def __init__(self) -> None:
        self.source = "the control socket"
        self._now = Now("")
        self._light_is_told = False
        self._since = monotonic()
        self._session = ""
        self._story: deque[Entry] = deque(maxlen=_STORY)
        self._turns: deque[Entry] = deque(maxlen=_TURNS)
        self._told: deque[Entry] = deque(maxlen=_STORY)
        """The last entries that the speaker itself told."""

    def follow(self, options: argparse.Namespace, *, in_words: bool) -> Iterator[News]:
        """The socket's news, and after them the journal's; standard error says why."""
        if options.journal:
            self.source = "the journal"
        else:
            gone = yield from self._attend(options)
            self.source = f"the journal, for {gone} ({gone.hint})"
            if in_words:
                print(f"edged watch: from {self.source}", file=sys.stderr)
        self._light_is_told = False
        self._now = Now("")
        with contextlib.closing(journalled(self._told)) as entries:
            yield from entries

    def _attend(self, options: argparse.Namespace) -> Generator[News, None, ControlError]:
        """What the speaker tells, over a new start too; at last why it tells nothing any more."""
        until = monotonic()
        while True:
            try:
                for news in live(options):
                    if isinstance(news, Entry):
                        self._told.append(news)
                    until = monotonic() + _AWAY_S
                    yield news
            except ControlError as gone:
                # One of another version would only say the same again.
                if monotonic() >= until or isinstance(gone, Strange):
                    return gone
            self._now = Now("away")
            sleep(_RETRY_S)

    def take(self, news: News) -> None:
        """One more piece of news."""
        if isinstance(news, Now):
            self._now, self._light_is_told = news, True
            return
        over = news.fact in _OVER or news.exited or news.bygone
        state = "not running" if over else news.state
        if state and not self._light_is_told and (state, _trouble(news)) != self._seen:
            self._now = Now(state, _trouble(news), volume_db=self._now.volume_db)
            self._since = monotonic()
        if over or news.fact in ("started", "session_ended"):
            self._session = ""
        match news.fact:
            case "turn_ended":
                self._turns.append(news)
            case "connected" if not over:
                self._session = str(news.fields.get("session", ""))
            case "volume_changed" if not self._light_is_told:
                self._now = Now(*self._seen, volume_db=_figure(news, "volume_db"))
            case _:
                pass
        if news.fact != "state_changed":
            self._story.append(news)

    @property
    def _seen(self) -> tuple[str, str]:
        return self._now.state, self._now.trouble

    def draw(self) -> RenderableType:
        """The picture of this moment."""
        now = self._now
        light = now.light if self._light_is_told else self._guessed()
        name = now.state + (f": {now.trouble}" if now.trouble else "")
        state = Text.assemble(
            ("  ● ", f"bold {visible(light)}"),
            (f"{name:<20}", "bold"),
            ("▲ room sound leaves   " if now.sending else "", "bold"),
            (f"session {self._session}" if self._session else "", "dim"),
        )
        sound = Table.grid(padding=(0, 1))
        if now.microphone_dbfs is not None:
            sound.add_row(
                "  microphone", meter(now.microphone_dbfs), f"{now.microphone_dbfs:.0f} dBFS"
            )
        if now.speaker_dbfs is not None:
            told = f"{now.speaker_dbfs:.0f} dBFS" if now.speaker_dbfs > _SILENT_DBFS else "silent"
            sound.add_row("  loudspeaker", meter(now.speaker_dbfs), told)
        if now.volume_db is not None:
            sound.add_row("  volume", meter(now.volume_db), f"{written(now.volume_db)} dB")
        footer = Text(f"  from {self.source}; Ctrl-C ends it", "dim")
        return Panel(
            Group(state, sound, Text(), self._drawn_turns(), Text(), self._drawn_story(), footer),
            title="edged",
            width=WIDTH,
        )

    def _guessed(self) -> str:
        """The light that belongs to what the journal tells."""
        try:
            trouble = Trouble(self._now.trouble) if self._now.trouble else None
            look = Look(Scene(self._now.state), trouble)
        except ValueError:
            return "#000000"
        return colour(look, monotonic() - self._since).hex

    def _drawn_turns(self) -> RenderableType:
        """The last turns, with every latency and the cost that they tell of."""
        table = Table.grid(padding=(0, 2))
        for turn in list(self._turns):
            latencies = [
                " ".join(words(name, value))
                for name, value in turn.fields.items()
                if name.endswith(("_ms", "_usd"))
                and name not in _SECONDARY
                and _figure(turn, name) is not None
            ]
            number, heard = _figure(turn, "turn"), _figure(turn, "heard_ms")
            told = [f"{heard / 1000:.1f} s heard"] if heard is not None else []
            told += ["interrupted"] if turn.fields.get("interrupted") else []
            table.add_row(
                Text(f"  turn {written(number)}" if number is not None else "  turn", "cyan"),
                Text(", ".join(told)),
                Text(", ".join(latencies)),
            )
        return table

    def _drawn_story(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for entry in list(self._story):
            style = "bold red" if entry.warning else ""
            table.add_row(Text(f"  {entry.clock}", "dim"), Text(entry.message, style))
        return table


def _figure(entry: Entry, name: str) -> float | None:
    """None where the entry has none of that name, or something else for it."""
    value = entry.fields.get(name)
    return value if isinstance(value, int | float) else None


def _trouble(entry: Entry) -> str:
    return str(entry.fields.get("trouble", "")) if entry.state == Scene.TROUBLE else ""
