"""The sections of the configuration that are about this box: its parts, and how it is reached."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from . import control, home
from .core.gestures import Bindings
from .core.settings import RemoteTools
from .night import Hours
from .programs import Command
from .servers import Server


@dataclass(frozen=True)
class Provider:
    """Who answers."""

    driver: str = "openai"
    """Whose wire language is spoken: a file of the folder `dialects`."""


@dataclass(frozen=True)
class Link:
    """How the provider is reached."""

    driver: str = "websocket"
    """A file of the folder `link`."""


@dataclass(frozen=True)
class Sound:
    """The microphone and the loudspeaker."""

    driver: str = "portaudio"
    """A file of the folder `sound`."""
    frame_ms: Annotated[int, "20 to 100"] = 20
    """How much sound travels in one piece; more spares a small board work and adds delay."""


@dataclass(frozen=True)
class Echo:
    """What keeps the speaker's own voice out of what it hears."""

    mode: str = "auto"
    """A file of the folder `echo`: dual, speex, gate, half_duplex, off; `auto` takes the best of
    the first three that this board and its libraries allow."""


@dataclass(frozen=True)
class Wake:
    """Who listens for the wake word."""

    driver: str = "openwakeword"
    """A file of the folder `wake`."""


@dataclass(frozen=True)
class Lights:
    """What shows the state."""

    drivers: tuple[str, ...] = ("gpio",)
    """Files of the folder `lights`; all of them show the same; [] for none."""
    brightness: Annotated[float, "0 to 1"] = 1.0
    """How much of their light they give; trouble is shown at a tenth at least."""
    quiet_hours: str = ""
    """When they are dimmed, as "22:00-07:00", by this machine's clock once that is set; "" for
    never."""
    quiet_brightness: Annotated[float, "0 to 1"] = 0.1
    """How much of their light they give then."""

    def __post_init__(self) -> None:
        """Refuse hours that are none.

        Raises:
            ValueError: it says how they are written.

        """
        Hours(self.quiet_hours)


@dataclass(frozen=True)
class Buttons:
    """What can be pressed."""

    drivers: tuple[str, ...] = ("gpio",)
    """Files of the folder `buttons`; [] for none."""
    actions: Mapping[str, Bindings] = field(default_factory=lambda: {"talk": Bindings()})
    """What each button does, by the button's name."""


@dataclass(frozen=True)
class Tools:
    """What the model may do."""

    drivers: tuple[str, ...] = ("clock", "goodbye", "volume", "mute", "timer", "alarm", "notes")
    """Files of the folder `tools`; [] for none."""
    sound_every_s: Annotated[float, "0 to 60"] = 0.0
    """A tool that takes its time is heard: a soft sound as often as this; 0 for none."""
    command: tuple[Command, ...] = ()
    """Programs of yours: a table [[tools.command]] for each, with `name`, `description`, `argv`,
    `parameters` and `timeout_s`."""
    server: tuple[Server, ...] = ()
    """Programs of yours that stay and offer tools by MCP: a table [[tools.server]] for each, with
    `name`, `argv`, `allowed_tools`, `environment` and `timeout_s`."""
    remote: tuple[RemoteTools, ...] = ()
    """Servers of tools that the provider calls: a table [[tools.remote]] for each, with
    `server_label`, `server_url`, `allowed_tools` and `require_approval`."""

    def flaws(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Where a program cannot be called, or a server may do anything, and why."""
        for place, command in enumerate(self.command):
            for key, why in command.flaws():
                yield ("command", place, key), why
            if command.name in [other.name for other in self.command[:place]]:
                yield ("command", place, "name"), "is the name of two programs"
        for place, server in enumerate(self.server):
            for key, why in server.flaws():
                yield ("server", place, key), why
            if server.name in [other.name for other in self.server[:place]]:
                yield ("server", place, "name"), "is the name of two servers"
        if self.server and find_spec("mcp") is None:
            yield ("server",), "needs a package more: pip install 'edged[mcp]'"
        for place, remote in enumerate(self.remote):
            if not remote.allowed_tools:
                yield ("remote", place), "has no `allowed_tools`: name those that may be called"
            if remote.server_url and not remote.server_url.startswith("https://"):
                yield ("remote", place, "server_url"), "expected https://..."


@dataclass(frozen=True)
class Control:
    """The socket on which `edged status`, `wake` and the like reach the speaker."""

    socket: str = ""
    """Its path; "" for `control` in the service's runtime directory, else in /run/edged. `~/` is
    the home of whoever runs this."""

    @property
    def path(self) -> Path:
        """Where the socket is; raises ValueError for one in the home of nobody."""
        return home.path(self.socket) if self.socket else control.places()[0]
