"""How loud the speaker is: turned in steps, and remembered when it has been left alone."""

from collections.abc import Callable

from . import commands as do
from .commands import Chime, Command, Fact, note
from .events import VolumeTurned
from .settings import Volume
from .timers import Timer, Timers

_SETTLED_S = 1.0
"""A knob that has not been turned for so long has been set."""


class Loudness:
    """The volume in dB; 0 is as loud as it goes."""

    def __init__(self, settings: Volume, timers: Timers, do: Callable[[Command], None]) -> None:
        self._settings = settings
        self._timers = timers
        self._do = do
        self.db = settings.db

    @property
    def unsettled(self) -> bool:
        """Whether it may be turned on still, and is not to be remembered yet."""
        return self._timers.running(Timer.SETTLED)

    def start(self, remembered_db: float | None) -> None:
        """The process is up; None: nothing is remembered."""
        if remembered_db is not None:
            self.db = remembered_db
        self._do(do.SetVolume(self.db))

    def turn(self, event: VolumeTurned, now: float, *, audible: bool) -> None:
        """As loud as asked for, within bounds; a tick tells it where nothing is `audible`."""
        named = self.db if event.to_db is None else event.to_db
        wanted = named + event.steps * self._settings.step_db
        self.db = min(0.0, max(self._settings.lowest_db, wanted))
        self._do(do.SetVolume(self.db))
        if not audible:
            self._do(do.Sound(Chime.VOLUME))
        self._do(note(Fact.VOLUME_CHANGED, f"volume {self.db:g} dB", volume_db=self.db))
        self._timers.start(Timer.SETTLED, now + _SETTLED_S)
