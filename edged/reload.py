"""A new configuration for a speaker that runs: read at SIGHUP, taken when nobody is on the line."""

import gc
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from .config import ConfigError
from .core.commands import Fact, note, warn
from .ports import Journal
from .schema import Settings
from .service import Manager

_PATIENCE_S = 60.0
"""The watchdog of a speaker that is taken apart and put together again: the largest model on the
smallest board is loaded in some seconds."""
_ADVICE = "`edged check` reads it again; when it is right, `systemctl reload edged`"

Left = TypeVar("Left")
Life = Callable[[Settings, int, Left | None], Awaitable[Left]]
"""Is a speaker with these settings, the how manieth in this process, that knows what an earlier one
left, until it is retired; what it leaves. Raises `StartFailed`."""


class StartFailed(Exception):
    """The speaker cannot start as configured; `hint` says what to do.

    A `mistake` is one of the configuration's: it will not start the next time either.
    """

    def __init__(self, message: str, hint: str, *, mistake: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.mistake = mistake


class Reload:
    """What is asked for, what came of it, and the service manager told of both."""

    def __init__(self, reread: Callable[[], Settings], manager: Manager, told: Journal) -> None:
        """`reread` reads the configuration; raises `config.ConfigError`."""
        self._reread = reread
        self.manager = manager
        """Whoever started this process."""
        self._told = told
        self._retire: Callable[[], None] = lambda: None
        self._state: Callable[[], str] = lambda: "asleep"
        self._next: Settings | None = None
        self._taking = False
        self._watchdog_s = manager.watchdog_s()
        """How long the watchdog waits now."""
        self.begun = False
        """Whether a speaker has run in this process."""

    async def live(self, settings: Settings, be: Life[Left]) -> None:
        """One speaker after the other; the old one again where the new one cannot start."""
        proven: Settings | None = None
        known: Left | None = None
        for number in count(1):
            try:
                known = await be(settings, number, known)
            except StartFailed as failed:
                if proven is None:
                    raise
                self.refuse(str(failed), f"{failed.hint}; then `systemctl reload edged`")
                settings, proven = proven, None
            else:
                proven, settings = settings, self.take()
            # A speaker's parts know each other in circles, and its models are large.
            gc.collect()

    def attach(self, retire: Callable[[], None], state: Callable[[], str]) -> None:
        """Take a speaker for the one that runs: how it is asked to end, and its state."""
        self._retire, self._state = retire, state
        if self._next is not None:
            retire()

    def ask(self) -> None:
        """Read the configuration: a mistake changes nothing, a good one waits to be taken."""
        self.manager.reloading()
        usual = self._watchdog_s
        # A library may be among what is read, for the first time and from a slow card.
        self._be_patient(_PATIENCE_S)
        try:
            self._next = self._reread()
        except ConfigError as mistakes:
            self.refuse(str(mistakes), _ADVICE)
            if self._next is None:
                self.manager.ready()
            return
        finally:
            self._be_patient(usual)
        self._retire()

    def retired(self) -> None:
        """A speaker has ended to make room; what it leaves to the disk may take a while."""
        self._be_patient(_PATIENCE_S)

    def take(self) -> Settings:
        """The newest one that was asked for; nobody is on the line now."""
        if self._next is None:
            raise RuntimeError("nobody asked")
        taken, self._next = self._next, None
        self._taking = True
        return taken

    def refuse(self, why: str, advice: str) -> None:
        """Tell that the old one stays, and what to do."""
        self._taking = False
        problem = "; ".join(line.strip() for line in why.splitlines())
        refused = f"the new configuration is not taken, the old one stays: {problem}"
        self._told.note(warn(Fact.RELOAD_REFUSED, refused, advice=advice), self._state())

    def done(self) -> None:
        """A speaker runs from now on."""
        if self._taking:
            self._told.note(note(Fact.RELOADED, "the new configuration is taken"), self._state())
        if self.begun:
            self._be_patient(self.manager.watchdog_s())
        else:
            self.manager.guard(self._stuck)
        self._taking, self.begun = False, True

    def _stuck(self, place: str) -> None:
        stands = f"the event loop stands still at {place}"
        told = f"{stands}: the service manager will start edged again"
        self._told.note(warn(Fact.PART_STUCK, told, part="the event loop"), self._state())

    def _be_patient(self, watchdog_s: float | None) -> None:
        if watchdog_s and self.manager.watchdog_s():
            self._watchdog_s = watchdog_s
            self.manager.watch(watchdog_s)
