"""How this box hears itself: measured once for all checks, and kept for the echo driver."""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .. import plugins, schema, store
from ..acoustics.advice import recommended
from ..acoustics.figures import NAME, Calibration, Figures
from ..acoustics.probe import RATE, Probe, Tell
from ..memory import Memory
from ..ports import Echo, Feed, SoundCard
from ._measured import Measured
from ._visit import USER, Machine

SERVICE = "/var/lib/edged"
"""Where the service keeps its state."""
_LEARNER = "gate"
"""The echo driver that learns along: what it knows of the way is what all of them begin with."""


def measure(
    settings: schema.Settings, volume_db: float, tell: Tell, ask: Callable[[], None] | None
) -> Measured:
    """Play to the box and listen, for some 15 s; `ask` asks a person to speak, None nobody.

    Raises `acoustics.probe.ProbeFailed`, and OSError for a sound card that cannot be opened.
    """
    learner = plugins.load("echo", _LEARNER)
    echo = learner.open(learner.Settings(), RATE)
    sound = settings.sound

    def open_card(feed: Feed, listener: Echo) -> SoundCard:
        card: SoundCard = sound.module.open(
            sound.settings, feed, RATE, settings.frame_ms, listener, _LEARNER
        )
        return card

    async def probe() -> Figures:
        mode = settings.echo[0].name
        return await Probe(open_card, echo, min(0.0, volume_db), tell).measure(mode, ask)

    figures = asyncio.run(probe())
    guess = echo.guess if figures.heard else ()
    return Measured(figures, guess, recommended(figures, settings.volume.lowest_db))


def folder(machine: Machine, file: Path | None) -> Path:
    """The state directory of the speaker that is meant: for root the service's, where there is one.

    It need not be there before the service was started for the first time.
    """
    ours = file is not None or "STATE_DIRECTORY" in machine.environment or os.geteuid() != 0
    service = machine.path(SERVICE)
    if not ours and (service.is_dir() or machine.user(USER)):
        return service
    return store.folder(machine.environment)


def volume_db(settings: schema.Settings, where: Path) -> float:
    """The volume that the speaker would start with."""
    kept = store.Store(where, _complain)
    remembered = Memory(kept, store.Clerk()).started().volume_db
    return settings.volume.db if remembered is None else remembered


def keep(measured: Measured, machine: Machine, where: Path) -> Path | None:
    """Keep the figures in that folder, in its owner's name; None where they cannot be kept."""
    service = machine.user(USER) if where == machine.path(SERVICE) else None
    if service is not None and not where.exists():
        where.mkdir(mode=0o700, parents=True)
        os.chown(where, *service)
    value = Calibration(measured.figures, measured.best, RATE, measured.guess)
    if not store.Store(where, _complain).write(NAME, value):
        return None
    file = where / f"{NAME}.json"
    if os.geteuid() == 0:
        owner = where.stat()
        os.chown(file, owner.st_uid, owner.st_gid)
    return file


_complain = partial(print, file=sys.stderr)
