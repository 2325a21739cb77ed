"""A speaker for tools to reach: its clocks are set by hand, and it tells what was asked of it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from edged.core.events import Event, Rang, VolumeTurned
from edged.core.settings import Volume
from edged.store import Clerk, Store
from edged.tools._bells import Bells
from edged.tools._reach import Moment, Reach
from edged.tools._tool import Kit
from edged.tools._toolbox import Toolbox

NOON = datetime(2026, 3, 2, 12, 0).timestamp()
"""Of a Monday, here."""
SHIPPED = Path(__file__).parent.parent.parent / "config" / "edged.toml"
"""The configuration as it comes."""


class Stand:
    """One life of the speaker after the other, with one state directory."""

    def __init__(self, folder: Path) -> None:
        self.now = Moment(1000.0, NOON, known=True, boot="first")
        self.events: list[Event] = []
        self.warnings: list[str] = []
        self.store = Store(folder, self.warnings.append)
        self.volume_db = -6.0

    def reach(self, clerk: Clerk | None = None) -> Reach:
        made = Reach(
            self.store,
            clerk or Prompt(),
            status=lambda: {"volume_db": self.volume_db},
            volume=Volume(),
            moment=lambda: self.now,
        )
        made.feed = self.feed
        return made

    def feed(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, VolumeTurned):
            at = self.volume_db if event.to_db is None else event.to_db
            self.volume_db = min(0.0, max(-42.0, at + 3 * event.steps))

    @property
    def rung(self) -> list[str]:
        """The names of what has rung so far."""
        return [event.name for event in self.events if isinstance(event, Rang)]

    def pass_s(self, seconds: float) -> None:
        """Time goes by, on all clocks."""
        at = self.now
        self.now = replace(at, steady=at.steady + seconds, wall=at.wall + seconds)

    def boot(self, after_s: float, *, known: bool = True) -> None:
        """The power was off for so long; without a clock chip nobody knows that."""
        self.now = Moment(20.0, self.now.wall + (after_s if known else 0), known, f"{after_s}")


class Prompt(Clerk):
    """Writes at once."""

    def do(self, job: Callable[[], object]) -> None:
        job()


def asked(kit: Kit, tool: str, /, **arguments: object) -> Any:
    """What the model is answered: JSON, where it is that."""
    text = asyncio.run(Toolbox([kit]).call(tool, json.dumps(arguments)))
    try:
        return json.loads(text)
    except ValueError:
        return text


class Life:
    """One life of the speaker with a tool that rings; its bells look at the time when told to."""

    def __init__(self, stand: Stand, tool: ModuleType) -> None:
        self._stand = stand
        self.kit: Kit = tool.open(tool.Settings(), stand.reach())
        bells = getattr(self.kit.serve, "__self__", None)
        assert isinstance(bells, Bells)
        self._bells: Bells[Any] = bells

    def __call__(self, tool: str, /, **arguments: object) -> Any:
        """What the model is answered."""
        return asked(self.kit, tool, **arguments)

    def look(self) -> float | None:
        """See what is due."""
        return self._bells.look(self._stand.now)

    def at(self, day: str, clock: str) -> None:
        """Let time pass until then, and look."""
        wall = datetime.fromisoformat(f"{day}T{clock}").timestamp()
        self._stand.pass_s(wall - self._stand.now.wall)
        self.look()
