"""How an evening looks in the terminal: live while it plays, then as a table of figures."""

import os
from types import TracebackType

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..simulator.evening.evening import Evening
from ..simulator.evening.record import Record
from ._screen import WIDTH, console, meter, visible

_SHOWN_LINES = 9
_CELLS = 62


class Programme:
    """Redraws the evening ten times a second; plain lines where nobody looks at a terminal."""

    def __init__(self, evening: Evening, screen: Console | None = None) -> None:
        self._evening = evening
        self._console = screen or console()
        self._live = Live(
            get_renderable=lambda: view(evening),
            console=self._console,
            refresh_per_second=10,
            transient=True,
        )
        self._printed = 0

    def __enter__(self) -> "Programme":
        if self._console.is_terminal:
            self._live.start()
        else:
            self._evening.tell = self._print_news
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()
            # What was live is gone: this stays.
            self._print_news()

    def summary(self, record: Record) -> None:
        """Print what was observed and measured."""
        self._console.print(outcome(record))
        if not record.ok and (excuse := busy(os.getloadavg()[0], os.cpu_count() or 1)):
            self._console.print(excuse, style="yellow")

    def _print_news(self) -> None:
        story = self._evening.story
        for line in story[self._printed :]:
            self._console.print(f"{line.t:6.2f} s  {line.who:<10} {line.text}", soft_wrap=True)
        self._printed = len(story)


def busy(load: float, cores: int) -> str:
    """What a machine with so much to do may have spoiled; "" where it has time enough."""
    if load <= cores:
        return ""
    return (
        f"This machine is busy (load {load:.1f} on {cores} cores), and an evening is played in "
        "real time: try again when it is quieter."
    )


def view(evening: Evening) -> RenderableType:
    """The speaker as it is now, and the last lines of its story."""
    state = Text.assemble(
        ("  ● ", f"bold {visible(evening.light)}"),
        (f"{evening.state:<12}", "bold"),
        (f"{evening.seconds:5.1f} s   {evening.light}", "dim"),
    )
    meters = Table.grid(padding=(0, 1))
    meters.add_row("  microphone ", meter(evening.microphone_dbfs))
    meters.add_row("  loudspeaker", meter(evening.loudspeaker_dbfs))
    story = Table.grid(padding=(0, 1))
    for narrowest in (5, 8, 1):
        story.add_column(min_width=narrowest)
    for line in evening.story[-_SHOWN_LINES:]:
        story.add_row(Text(f"{line.t:5.1f}", "dim"), Text(line.who, "cyan"), Text(line.text))
    steps = Text.assemble(
        *((f" {'✔' if s.ok else '✘'} {s.name}", "green" if s.ok else "red") for s in evening.steps)
    )
    return Panel(Group(state, meters, Text(), story, Text(), steps), title="edged", width=WIDTH)


def outcome(record: Record) -> RenderableType:
    """The steps with what was observed, then the figures."""
    steps = Table(title="what was observed from outside", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("", "step", "observed"):
        steps.add_column(heading)
    for step in record.steps:
        steps.add_row("✔" if step.ok else "✘", step.name, step.observed)
    figures = Table(title="figures", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("figure", "value"):
        figures.add_column(heading)
    for name, value in record.figures():
        figures.add_row(name, value)
    return Group(steps, figures, _lights(record))


def _lights(record: Record) -> Text:
    """The light over time, one cell for each moment."""
    drawn = Text("light over time ")
    end = record.timeline[-1].t if record.timeline else 0.0
    for cell in range(_CELLS):
        now = end * cell / _CELLS
        light = next((e.light for e in reversed(record.timeline) if e.t <= now), "#000000")
        drawn.append("█", visible(light))
    return drawn
