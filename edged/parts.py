"""One part of the speaker at a time, opened as configured and tried without the rest."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .core.events import (
    ButtonPressed,
    Event,
    LinkReady,
    SessionLimited,
)
from .core.scenes import Look, Scene
from .ports import Buttons, Lights, Session, Wake
from .schema import Chosen, Settings
from .tools import _toolbox as toolbox

_HEARD = 16_000
"""Samples per second that wake engines hear."""
_TRIAL_S = 1.6
"""Sound that an engine is given to see how fast it is; less than it keeps waiting."""
_EXAMINED_S = 15.0
_STILL_S = 0.25


class PartTrouble(Exception):
    """A part cannot be opened or does not do its work; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


# --- lights and buttons -------------------------------------------------------------------


async def shine(lights: Sequence[Chosen], each_s: float, tell: Callable[[str], None]) -> str:
    """Show every scene, one after the other; what the owner should know of the pins, or "".

    `tell` hears the scene's name. Imagined pins show nothing. Raises `PartTrouble`.
    """
    with contextlib.ExitStack() as stack:
        opened: list[Lights] = []
        for chosen in lights:
            opened.append(open_part("light", chosen))
            stack.callback(opened[-1].close)
        if notice := _notices(opened):
            return notice
        for scene in Scene:
            if scene not in (Scene.ASLEEP, Scene.TROUBLE):
                tell(scene.value)
                for light in opened:
                    light.show(Look(scene))
                await asyncio.sleep(each_s)
    return ""


@dataclass(frozen=True)
class Presses:
    """What came of asking for presses."""

    missed: Sequence[str]
    """The buttons that nothing came from."""
    instead: Mapping[str, str]
    """Of these, the ones for which another one came."""


@contextlib.asynccontextmanager
async def buttons_open(
    buttons: Sequence[Chosen], feed: Callable[[Event], None]
) -> AsyncIterator[str]:
    """Hold the buttons; what the owner should know of the pins, or "". Raises `PartTrouble`."""
    with contextlib.ExitStack() as stack:
        opened: list[Buttons] = []
        for chosen in buttons:
            opened.append(open_part("button", chosen, feed))
            stack.callback(opened[-1].close)
        yield _notices(opened)


async def presses(
    buttons: Sequence[Chosen],
    names: Sequence[str],
    patience_s: float,
    ask: Callable[[str], None],
) -> Presses:
    """Ask for one button after the other and wait for it; raises `PartTrouble`."""
    came: asyncio.Queue[str] = asyncio.Queue()

    def feed(event: Event) -> None:
        if isinstance(event, ButtonPressed):
            came.put_nowait(event.button)

    missed: list[str] = []
    instead: dict[str, str] = {}
    async with buttons_open(buttons, feed):
        for name in names:
            while not came.empty():
                came.get_nowait()
            ask(name)
            try:
                async with asyncio.timeout(patience_s):
                    while (other := await came.get()) != name:
                        instead[name] = other
            except TimeoutError:
                missed.append(name)
            else:
                instead.pop(name, None)
    return Presses(tuple(missed), instead)


def _notices(opened: Sequence[object]) -> str:
    return "; ".join(sorted({getattr(each, "notice", "") for each in opened} - {""}))


# --- the provider -------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """What became of a session that was opened only to be closed."""

    trouble: str
    """Its kind, in the word that lights and journal have for it; "" for none."""
    detail: str
    seconds: float
    """Until the provider had confirmed the configuration."""
    limited: str = ""
    """What it said to the whole configuration, where it took only the least of it."""


async def greet(settings: Settings, key: str) -> Hello:
    """Open a session as the speaker would, and close it as soon as it is configured.

    No sound is sent and no answer is asked for, which is what providers charge for; raises
    `PartTrouble`.
    """
    provider = settings.provider
    mine = settings.extras
    told = toolbox.specs(settings.tools, mine.command, mine.remote)
    dialect = provider.module.open(settings.session, provider.settings, told)
    session: Session = open_part("link", settings.link, dialect, key).session()
    began = time.monotonic()
    ready_s: list[float] = []
    limited: list[str] = []

    def feed(event: Event) -> None:
        if isinstance(event, LinkReady):
            ready_s.append(time.monotonic() - began)
            session.close()
        elif isinstance(event, SessionLimited):
            limited.append(event.detail)

    down = await session.run(feed)
    if ready_s:
        return Hello("", "", ready_s[0], "".join(limited))
    trouble = "provider" if down.trouble is None else down.trouble.value
    return Hello(trouble, down.detail or down.code, time.monotonic() - began)


# --- the wake word ------------------------------------------------------------------------


@dataclass(frozen=True)
class Engine:
    """A wake engine at work."""

    about: Mapping[str, str | int]
    """Its status."""
    share: float | None
    """Of real time that it needs; None where there is nothing to hear."""


async def examine(wake: Chosen) -> Engine:
    """Let the engine hear noise for a moment; raises `PartTrouble`."""
    engine: Wake = open_part("wake engine", wake, _deaf)
    try:
        if "frames_examined" not in engine.status():
            return Engine(engine.status(), None)
        noise = random.Random(7).randbytes(2 * round(_TRIAL_S * _HEARD))
        began = time.monotonic()
        engine.offer(noise, 0)
        seen = await _still(engine)
        return Engine(engine.status(), (seen - began) / _TRIAL_S)
    finally:
        await engine.close()


async def _still(engine: Wake) -> float:
    """When the engine has examined all that it was given."""
    before, since = -1, time.monotonic()
    try:
        async with asyncio.timeout(_EXAMINED_S):
            while True:
                examined = int(engine.status()["frames_examined"])
                now = time.monotonic()
                if examined != before:
                    before, since = examined, now
                elif examined and now - since > _STILL_S:
                    return since
                # An engine tells nobody that it has nothing to do.
                await asyncio.sleep(0.01)
    except TimeoutError as late:
        hint = "end what else uses the processor, or choose another `driver` in [wake]"
        raise PartTrouble("the wake engine does not come to an end", hint) from late


def _deaf(event: Event) -> None:
    """What noise wakes is of no interest."""


def open_part(what: str, chosen: Chosen, *rest: object) -> Any:
    """The driver of a part, opened; raises `PartTrouble` where it refuses."""
    try:
        return chosen.module.open(chosen.settings, *rest)
    except (ImportError, OSError, ValueError) as error:
        hint = getattr(error, "hint", f"see the table of {chosen.name} in the configuration")
        raise PartTrouble(f"the {what} {chosen.name} does not open: {error}", hint) from error
