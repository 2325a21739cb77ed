"""The configuration as a whole: all its sections, and what reading them gives."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from . import board, config, home, key, objections, plugins, speech
from .core.budget import Budget, Prices
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
    objections.raised(reader, settings)
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
    try:
        file = home.path(session.instructions_file)
        return replace(session, instructions=file.read_text(encoding="utf-8").strip())
    except OSError as error:
        problem = f"{file}: {error.strerror}"
    except UnicodeDecodeError as error:
        problem = f"{file}: {error}"
    except ValueError as error:
        problem = str(error)
    expected = "a text file that edged may read is expected"
    reader.mistake(("session", "instructions_file"), f"{expected}: {problem}")
    return session


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


def _unchosen(reader: config.Reader) -> None:
    """A table of a driver that is not chosen must be right too: it will be, one day."""
    for section, folder in FOLDERS.items():
        for name in plugins.drivers(folder):
            # One whose library is not here yet is nobody's mistake before it is chosen; and to
            # load one for a table that says nothing would take memory for nothing.
            if reader.says(section, name) and plugins.loads(folder, name):
                _driver(reader, section, name, name)
