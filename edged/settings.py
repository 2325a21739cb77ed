"""What reading the configuration gives: everything it says, and the drivers that it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from . import key, speech
from .core.budget import Budget, Prices
from .core.gestures import Bindings
from .core.settings import BargeIn, Conversation, Gestures, History, Session, Volume
from .sections import Control, Lights, Tools


@dataclass(frozen=True)
class Chosen:
    """A driver that the configuration names, and the settings its table gives."""

    name: str
    module: ModuleType
    settings: object
    """An instance of the module's `Settings`."""


@dataclass(frozen=True)
class Settings:
    """Everything the configuration says."""

    files: tuple[Path, ...]
    """What was read, in order."""
    conversation: Conversation
    barge_in: BargeIn
    history: History
    volume: Volume
    gestures: Gestures
    session: Session
    """With the text of its file of instructions, if it names one."""
    budget: Budget
    prices: Prices
    key: key.Settings
    control: Control
    speech: speech.Settings
    frame_ms: int
    actions: Mapping[str, Bindings]
    provider: Chosen
    link: Chosen
    sound: Chosen
    echo: tuple[Chosen, ...]
    """Those to try, the best first."""
    echo_lacking: str
    """Why better ones are not among them; "" where there are none."""
    wake: Chosen
    shine: Lights
    """How bright the lights are, and when."""
    lights: tuple[Chosen, ...]
    buttons: tuple[Chosen, ...]
    tools: tuple[Chosen, ...]
    extras: Tools
    """The owner's programs and servers, beside these tools."""
