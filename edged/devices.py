"""What the configuration names, opened: devices, the echo driver, and whoever answers."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import key, schema, sections, store
from .acoustics.figures import NAME, Calibration
from .core.commands import Fact, LinkCommand, Note, note, warn
from .core.events import LinkDown, Trouble
from .hum import Hum
from .latecomer import Latecomer
from .night import Hours, Night
from .ports import Echo, Feed, Journal, Lights, Provider, Session, SoundCard, Wake
from .reload import StartFailed


@dataclass(frozen=True)
class _Keyless:
    """A session that nobody has a key for: it ends at once, with the hint."""

    hint: str

    def offer(self, command: LinkCommand) -> None:
        pass

    def close(self) -> None:
        pass

    async def run(self, feed: Feed) -> LinkDown:
        return LinkDown(Trouble.KEY, "no key", self.hint)


class _Keyed:
    """A provider whose key is looked for anew before each session: a client secret runs out."""

    def __init__(self, settings: key.Settings, answers: Callable[[str], Provider]) -> None:
        self._settings = settings
        self._answers = answers
        self._provider: Provider | None = None
        self.secret = ""

    def look(self) -> key.Key:
        """Take the key that is there now; raises `key.NoKey`, and what opening a link raises."""
        found = key.find(self._settings)
        if self._provider is None or found.text != self.secret:
            self._provider, self.secret = self._answers(found.text), found.text
        return found

    def session(self) -> Session:
        """One with that key, or one that ends at once."""
        try:
            self.look()
        except (key.NoKey, StartFailed) as failed:
            return _Keyless(_why(failed))
        assert self._provider is not None
        return self._provider.session()


@contextlib.asynccontextmanager
async def opened(
    settings: schema.Settings,
    feed: Feed,
    hearing: tuple[int, int, Echo, str],
    tell: Callable[[Note], None],
) -> AsyncIterator[tuple[SoundCard, Wake, Sequence[Lights]]]:
    """Open the devices, and close them in the reverse order whatever happens.

    `hearing`: the wire's rate and frame, the echo driver and its name. `tell` is told which lights
    and buttons are missing, which are tried again, and which are imagined.
    """
    async with contextlib.AsyncExitStack() as stack:
        notices: set[str] = set()

        def part(what: str, chosen: schema.Chosen, *rest: object) -> Any:
            driver = _sooner_or_later(partial(_open, what, chosen, *rest), tell, chosen.name)
            stack.callback(driver.close)
            notices.add(getattr(driver, "notice", ""))
            return driver

        dimmer = _dimmer(settings.shine)
        lights: list[Lights] = [part("light", chosen, dimmer) for chosen in settings.lights]
        wake: Wake = _open("wake engine", settings.wake, feed)
        stack.push_async_callback(wake.close)
        sound: SoundCard = _open("sound", settings.sound, feed, *hearing)
        stack.push_async_callback(sound.close)
        for chosen in settings.buttons:
            part("button", chosen, feed)
        if every_s := settings.extras.sound_every_s:
            lights.append(Hum(sound.sound, every_s))
            stack.callback(lights[-1].close)
        for notice in sorted(notices - {""}):
            tell(warn(Fact.PART_MISSING, notice))
        yield sound, wake, lights


def _sooner_or_later(opening: Callable[[], Any], tell: Callable[[Note], None], name: str) -> Any:
    """The driver, or whoever stands in for it while the machine does not have it.

    A speaker without a lamp still hears: only a mistake in the configuration raises `StartFailed`.
    """

    def came(driver: Any) -> None:
        tell(note(Fact.PART_FOUND, f"{name} is there now"))

    try:
        return opening()
    except StartFailed as missing:
        if missing.mistake:
            raise
        told = f"{missing}: it goes on without, and tries again"
        tell(warn(Fact.PART_MISSING, told, advice=missing.hint))
        return Latecomer(opening, came)


def _dimmer(shine: sections.Lights) -> Callable[[], float]:
    """How much of their light the lights give at the moment."""
    night = Night(Hours(shine.quiet_hours))
    return lambda: shine.quiet_brightness if night() else shine.brightness


def _open(what: str, chosen: schema.Chosen, *rest: object) -> Any:
    """The driver, opened; a device that refuses is the owner's to mend, not a bug."""
    try:
        return chosen.module.open(chosen.settings, *rest)
    except (ImportError, OSError, ValueError) as error:
        hint = getattr(error, "hint", f"see the table of {chosen.name} in the configuration")
        # Any other OSError may be a device that is not there yet.
        mistake = isinstance(error, (ImportError, ValueError, FileNotFoundError))
        failed = f"the {what} {chosen.name} cannot be opened: {error}"
        raise StartFailed(failed, hint, mistake=mistake) from error


def echo(settings: schema.Settings, wire_rate: int, told: Journal) -> tuple[schema.Chosen, Echo]:
    """The first echo driver that can be had; the journal says which, and why no better one."""
    *better, last = settings.echo
    lacking = [settings.echo_lacking] if settings.echo_lacking else []
    for chosen in better:
        try:
            driver: Echo = chosen.module.open(chosen.settings, wire_rate)
        except (ImportError, OSError) as error:
            lacking.append(f"{chosen.name}: {error}")
            continue
        break
    else:
        chosen, driver = last, _open("echo driver", last, wire_rate)
    why = f" ({'; '.join(lacking)})" if lacking else ""
    message = f"echo: {chosen.name}{why}{_recalled(driver, wire_rate, told)}"
    told.note(note(Fact.ECHO_CHOSEN, message, mode=chosen.name), "asleep")
    return chosen, driver


def _recalled(echo: Echo, wire_rate: int, told: Journal) -> str:
    """Let the driver begin with what `edged calibrate` learned, if it did; in words when that was.

    So prepared it hears over the first answer nearly everyone whom it would have missed.
    """

    def warned(text: str) -> None:
        told.note(warn(Fact.NOT_SAVED, text), "asleep")

    recall = getattr(echo, "recall", None)
    known = store.Store(store.folder(), warned).read(NAME, Calibration, None)
    if recall is None or known is None or not known.guess or known.wire_rate != wire_rate:
        return ""
    try:
        recall(known.guess)
    except ValueError as problem:
        warned(f"what was calibrated is of no use: {problem}; `edged calibrate` mends it")
        return ""
    return f", as calibrated {known.figures.at}"


def provider(
    settings: schema.Settings, dialect: Any, told: Journal
) -> tuple[Provider, Callable[[], str], str]:
    """Who answers, what tells the key, and why there is none ("" where there is one)."""

    def answers(secret: str) -> Provider:
        opened: Provider = _open("link", settings.link, dialect, secret)
        return opened

    keyed = _Keyed(settings.key, answers)
    missing = ""
    try:
        found = keyed.look()
    except key.NoKey as none:
        missing = _why(none)
        if none.fix:
            told.note(warn(Fact.KEY_EXPOSED, f"{none}: {none.fix}"), "asleep")
    else:
        if found.warning:
            warning = f"the key comes from the {found.source}: {found.warning}"
            told.note(warn(Fact.KEY_EXPOSED, warning), "asleep")
    return keyed, lambda: keyed.secret, missing


def _why(failed: key.NoKey | StartFailed) -> str:
    return f"{failed}; {failed.hint}"
