"""Push-buttons on GPIO pins, watched by their edges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from gpiozero import DigitalInputDevice

from .. import pins
from ..core.events import ButtonPressed, ButtonReleased
from ..handoff import Handoff
from ..ports import Buttons, Feed


@dataclass(frozen=True)
class Wiring:
    """How one button is wired."""

    pin: Annotated[int, "0 to 27"] = 17
    """Its GPIO number."""
    pull_up: bool = True
    """True for a button between the pin and ground, False for one between the pin and 3.3 V."""
    bounce_ms: Annotated[int, "0 to 500"] = 10
    """A contact that trembles for this long is one press; 0 takes every edge."""


@dataclass(frozen=True)
class Settings:
    """The buttons there are."""

    wired: Mapping[str, Wiring] = field(default_factory=lambda: {"talk": Wiring()})
    """Each button's name and its wiring; buttons.actions says what a name does."""


class _Gpio:
    """Buttons on pins; gpiozero's thread brings the edges, the handoff carries them over.

    gpiozero's own `Button` would start a thread for each, to time what the core times.
    """

    def __init__(self, settings: Settings, feed: Feed) -> None:
        self.notice = pins.prepare()
        """What the owner should know of these pins; empty when all is well."""
        self._handoff = Handoff[ButtonPressed | ButtonReleased](feed)
        self._devices: list[DigitalInputDevice] = []
        try:
            for name, wiring in settings.wired.items():
                with pins.claimed(f"buttons.gpio, button {name}"):
                    self._devices.append(self._watched(name, wiring))
        except pins.PinTrouble:
            self.close()
            raise

    def close(self) -> None:
        for device in self._devices:
            device.close()
        self._handoff.close()

    def _watched(self, name: str, wiring: Wiring) -> DigitalInputDevice:
        device = DigitalInputDevice(
            wiring.pin, pull_up=wiring.pull_up, bounce_time=wiring.bounce_ms / 1000 or None
        )
        device.when_activated = partial(self._handoff.put, ButtonPressed(name))
        device.when_deactivated = partial(self._handoff.put, ButtonReleased(name))
        return device


def open(settings: Settings, feed: Feed) -> Buttons:
    """The buttons; their `notice` says so when this machine has no pins and they are imagined.

    Raises:
        OSError: the pins cannot be had; its `hint` says what to do.

    """
    return _Gpio(settings, feed)
