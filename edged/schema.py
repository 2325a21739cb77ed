"""The configuration as a whole: all its sections, and what reading them gives."""

import argparse
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from . import board, config, key, plugins, speech
from .address import Address
from .core.budget import Budget, Prices
from .core.gestures import EXCLUSIVE, Action, Bindings
from .core.settings import BargeIn, Conversation, Gestures, History, Session, Volume
from .sections import Buttons, Control, Echo, Lights, Link, Provider, Sound, Tools, Wake
from .settings import Chosen as Chosen
from .settings import Settings as Settings

T = TypeVar("T")

FILE = Path("/etc/edged/edged.toml")
"""Read unless another is named; with `edged.toml.d/*.toml` beside it; it need not exist."""


SECTIONS = {
    "conversation": Conversation,
    "barge_in": BargeIn,
    "history": History,
    "volume": Volume,
    "session": Session,
    "budget": Budget,
    "prices": Prices,
    "provider": Provider,
    "key": key.Settings,
    "link": Link,
    "sound": Sound,
    "echo": Echo,
    "wake": Wake,
    "lights": Lights,
    "buttons": Buttons,
    "gestures": Gestures,
    "tools": Tools,
    "speech": speech.Settings,
    "control": Control,
}
"""The sections, in the order in which a person wants to read them."""

FOLDERS = {
    "provider": "dialects",
    "link": "link",
    "sound": "sound",
    "echo": "echo",
    "wake": "wake",
    "lights": "lights",
    "buttons": "buttons",
    "tools": "tools",
}
"""Where the drivers of a section are; each has a table of its own inside the section."""

MOVED = {
    (
        "conversation",
        "echo",
    ): "is now `mode` of the section [echo]; leave it out for the best there is",
    ("conversation", "echo_tail_ms"): "is now `tail_ms` of the table [echo.half_duplex]",
    ("session", "tools"): "is now `drivers` of the section [tools]",
}
"""Settings that were called something else, and what to write in their place."""


def read(file: Path | None = None, assignments: Sequence[str] = ()) -> Settings:
    """Read `file` and its drop-ins, then `section.key=value` assignments, each over the last.

    None stands for `FILE`, which may be absent. Raises `config.ConfigError` with every mistake.
    """
    document = config.layers(file or FILE, assignments, needed=file is not None)
    reader = config.Reader(document)
    sound = _section(reader, "sound", Sound)
    lights = _section(reader, "lights", Lights)
    buttons = _section(reader, "buttons", Buttons)
    tools = _section(reader, "tools", Tools)
    echo, lacking = _echo(reader, _section(reader, "echo", Echo).mode)
    settings = Settings(
        files=tuple(document.files),
        conversation=_section(reader, "conversation", Conversation),
        barge_in=_section(reader, "barge_in", BargeIn),
        history=_section(reader, "history", History),
        volume=_section(reader, "volume", Volume),
        gestures=_section(reader, "gestures", Gestures),
        session=_instructed(reader, _section(reader, "session", Session)),
        budget=_section(reader, "budget", Budget),
        prices=_section(reader, "prices", Prices),
        key=_section(reader, "key", key.Settings),
        control=_section(reader, "control", Control),
        speech=_section(reader, "speech", speech.Settings),
        frame_ms=sound.frame_ms,
        actions=buttons.actions,
        provider=_driver(reader, "provider", _section(reader, "provider", Provider).driver),
        link=_driver(reader, "link", _section(reader, "link", Link).driver),
        sound=_driver(reader, "sound", sound.driver),
        echo=echo,
        echo_lacking=lacking,
        wake=_driver(reader, "wake", _section(reader, "wake", Wake).driver),
        shine=lights,
        lights=_drivers(reader, "lights", lights.drivers),
        buttons=_drivers(reader, "buttons", buttons.drivers),
        tools=_drivers(reader, "tools", tools.drivers),
        extras=tools,
    )
    _moved(reader)
    _objected(reader, settings)
    _undecided(reader, settings.actions)
    _idle(reader, settings)
    _crossed(reader, settings)
    _nowhere(reader, settings.provider, settings.link)
    _unheard(reader, settings)
    _too_soft(reader, settings.volume)
    _unpriced(reader, settings)
    _flawed(reader, tools, settings.key)
    _unchosen(reader)
    reader.finish()
    return settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command with a configuration has; `from_options` reads them."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"read this instead of {FILE} (and FILE.d/*.toml)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="overrule one setting; can be given several times",
    )


def from_options(options: argparse.Namespace) -> Settings:
    """Read what the options added by `arguments` name; raises `config.ConfigError`."""
    return read(options.config, options.set)


def _section(reader: config.Reader, name: str, shape: type[T]) -> T:
    beside = [*(plugins.drivers(FOLDERS[name]) if name in FOLDERS else ())]
    beside += [key for section, key in MOVED if section == name and reader.has(section, key)]
    return reader.section((name,), shape, beside)


def _instructed(reader: config.Reader, session: Session) -> Session:
    """The session with what its file of instructions says; a mistake where that cannot be read."""
    if not session.instructions_file:
        return session
    file = Path(session.instructions_file).expanduser()
    try:
        return replace(session, instructions=file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        expected = "a text file that edged may read is expected"
        problem = error.strerror if isinstance(error, OSError) else error
        reader.mistake(("session", "instructions_file"), f"{expected}: {file}: {problem}")
        return session


def _nowhere(reader: config.Reader, provider: Chosen, link: Chosen) -> None:
    """An address of the provider to which no line can be opened is a mistake."""
    url = getattr(provider.settings, "url", None)
    if not url:
        return
    try:
        Address(url, getattr(link.settings, "plain_hosts", ()))
    except ValueError as error:
        reader.mistake(("provider", provider.name, "url"), str(error))


def _driver(reader: config.Reader, section: str, name: str, *address: str | int) -> Chosen:
    """The driver called `name`, as `address` in the section says; a mistake where there is none."""
    where = (section, *(address or ("driver",)))
    nothing = Chosen(name, ModuleType(name), None)
    folder = FOLDERS[section]
    there = plugins.drivers(folder)
    if name not in there:
        error = plugins.UnknownPlugin(folder, name, there)
        reader.mistake(where, f"{error}; {error.hint}")
        return nothing
    try:
        module = plugins.load(folder, name)
    except ImportError as missing:
        reader.mistake(where, f"the driver {name} cannot be used here: {missing}")
        return nothing
    return Chosen(name, module, reader.section((section, name), module.Settings))


def _drivers(reader: config.Reader, section: str, chosen: Sequence[str]) -> tuple[Chosen, ...]:
    for place, name in enumerate(chosen):
        if name in chosen[:place]:
            reader.mistake((section, "drivers", place), f'"{name}" is named twice')
    return tuple(
        _driver(reader, section, name, "drivers", place) for place, name in enumerate(chosen)
    )


def _echo(reader: config.Reader, mode: str) -> tuple[tuple[Chosen, ...], str]:
    """The echo drivers to try, the best first, and why no better one is among them."""
    known = ("auto", *plugins.drivers("echo"))
    if mode not in known:
        error = plugins.UnknownPlugin("echo", mode, known)
        reader.mistake(("echo", "mode"), f"{error}; {error.hint}")
        return (), ""
    if mode != "auto":
        return (_driver(reader, "echo", mode, "mode"),), ""
    modes = board.echo_modes()
    chosen, lacking = [], [] if "dual" in modes else [f"dual: {board.TOO_WEAK}"]
    for name in modes:
        try:
            module = plugins.load("echo", name)
        except ImportError as missing:
            lacking.append(f"{name}: {missing}")
        else:
            chosen.append(Chosen(name, module, reader.section(("echo", name), module.Settings)))
    return tuple(chosen), "; ".join(lacking)


def _moved(reader: config.Reader) -> None:
    """What is called something else by now is a mistake that says so."""
    for address, where in MOVED.items():
        if reader.has(*address):
            reader.mistake(address, where)


def _objected(reader: config.Reader, settings: Settings) -> None:
    """What this provider cannot be asked for is a mistake before the provider says so."""
    _untold(reader, settings)
    chosen, warm = settings.provider, settings.conversation.warm
    if chosen.settings is None:
        return
    objections = getattr(chosen.module, "objections", None)
    if objections is not None:
        for address, message in objections(settings.session, chosen.settings).items():
            reader.mistake(address, message)
    dialect = chosen.module.open(settings.session, chosen.settings)
    if warm != "never" and dialect.abilities.bills_minutes:
        costs = f"{chosen.name} bills by the minute, spoken or not: a session in advance would cost"
        reader.mistake(("conversation", "warm"), f'{costs}; "never" is expected')


def _undecided(reader: config.Reader, actions: Mapping[str, Bindings]) -> None:
    """A long press gives way to a hold where it is the default, not where somebody wrote it."""
    for name, bound in actions.items():
        address = ("buttons", "actions", name, "long")
        if bound.long is not bound.long_press and reader.has(*address):
            reader.mistake(address, EXCLUSIVE)


def _idle(reader: config.Reader, settings: Settings) -> None:
    """A button that nobody gave an action would do nothing, and look broken."""
    for chosen in settings.buttons:
        names = getattr(chosen.settings, "names", tuple)
        for name in names():
            if name not in settings.actions:
                message = f'"{name}" does nothing: give it a table [buttons.actions.{name}]'
                reader.mistake(("buttons", chosen.name), message)


def _untold(reader: config.Reader, settings: Settings) -> None:
    """Where the server hears no ends of turns, a button has to tell them."""
    chosen = settings.provider
    if getattr(chosen.settings, "detects_turns", True):
        return
    hears = "the server hears nobody finish (detects_turns)"
    if not any(bound.hold is Action.PUSH_TO_TALK for bound in settings.actions.values()):
        message = f'{hears}: give a button hold = "push_to_talk"'
        reader.mistake(("provider", chosen.name, "detects_turns"), message)
    if settings.wake.name != "button":
        message = f'{hears}, which a wake word would need: "button" is expected'
        reader.mistake(("wake", "driver"), message)


def _crossed(reader: config.Reader, settings: Settings) -> None:
    """No pin serves a light and a button."""
    users: dict[int, str] = {}
    for section, drivers in (("lights", settings.lights), ("buttons", settings.buttons)):
        for chosen in drivers:
            for use, pin in getattr(chosen.settings, "uses", tuple)():
                here = f"{section}.{chosen.name}.{use}"
                other = users.setdefault(pin, here)
                if other != here:
                    message = f"is on GPIO {pin}, and so is {other}: give each a pin of its own"
                    reader.mistake(tuple(here.split(".")), message)


def _unheard(reader: config.Reader, settings: Settings) -> None:
    """A stop word that no model listens for would never stop anything."""
    known: Collection[str] = getattr(settings.wake.settings, "words", ())
    for place, word in enumerate(settings.conversation.stop_words):
        if word not in known:
            engine = settings.wake.name
            there = ", ".join(known) or "none"
            message = f'"{word}" is no word that {engine} listens for; there are: {there}'
            if known:
                message += f"; give it a table [wake.{engine}.words.{word}]"
            reader.mistake(("conversation", "stop_words", place), message)


def _too_soft(reader: config.Reader, volume: Volume) -> None:
    """The first turn of the knob to the left must not make it louder."""
    if volume.db < volume.lowest_db:
        at = "db" if reader.has("volume", "db") else "lowest_db"
        message = f"db {volume.db:g} is below lowest_db {volume.lowest_db:g}: set one of the two"
        reader.mistake(("volume", at), message)


def _unpriced(reader: config.Reader, settings: Settings) -> None:
    """A limit holds only for what has a price."""
    prices, session = settings.prices, settings.session
    for name, price in prices.models.items():
        if price.same_as and prices.of(name) is None:
            where = ("prices", "models", name, "same_as")
            reader.mistake(where, f'"{price.same_as}" has no prices of its own')
    if not settings.budget.day_usd and not settings.budget.month_usd:
        return
    for use in ("model", "transcription"):
        name = getattr(session, use)
        if name and prices.of(name) is None:
            table = f"[prices.models.{json.dumps(name, ensure_ascii=False)}]"
            message = f"{name} has no price, so that no limit holds: give it a table {table}"
            reader.mistake(("session", use), f"{message}, an empty one if it costs nothing")


def _flawed(reader: config.Reader, tools: Tools, secret: key.Settings) -> None:
    """A program or a server that cannot be told to a model, or would be told our key."""
    for place, why in tools.flaws():
        reader.mistake(("tools", *place), why)
    for number, server in enumerate(tools.server):
        for name in {secret.environment, "CREDENTIALS_DIRECTORY"} & {*server.environment}:
            message = f"{name} leads to the provider's key, which is for no other program"
            reader.mistake(("tools", "server", number, "environment"), message)


def _unchosen(reader: config.Reader) -> None:
    """A table of a driver that is not chosen must be right too: it will be, one day."""
    for section, folder in FOLDERS.items():
        for name in plugins.drivers(folder):
            # One whose library is not here yet is nobody's mistake before it is chosen.
            if reader.has(section, name) and plugins.loads(folder, name):
                _driver(reader, section, name, name)
