"""Push-buttons, a mute switch and a volume knob on GPIO pins, watched by their edges."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Literal

from gpiozero import DigitalInputDevice, RotaryEncoder

from .. import pins
from ..core.events import ButtonPressed, ButtonReleased, MuteAsked, VolumeTurned
from ..handoff import Handoff
from ..ports import Buttons, Feed

_NONE = -1


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
class Switch:
    """How the mute switch is wired."""

    pin: Annotated[int, "-1 to 27"] = _NONE
    """Its GPIO number; -1 where there is none."""
    pull_up: bool = True
    """True for a switch between the pin and ground, False for one between the pin and 3.3 V."""
    bounce_ms: Annotated[int, "0 to 500"] = 10
    """A contact that trembles for this long has moved once; 0 takes every edge."""
    muted_when: Literal["closed", "open"] = "closed"
    """The position in which nobody is heard."""


@dataclass(frozen=True)
class Knob:
    """How the volume knob, a rotary encoder with its common pin at ground, is wired."""

    a: Annotated[int, "-1 to 27"] = _NONE
    """The GPIO number of its contact A; -1 where there is no knob."""
    b: Annotated[int, "-1 to 27"] = _NONE
    """The GPIO number of its contact B; swap the two if it turns the wrong way round."""

    def __post_init__(self) -> None:
        """A knob has two contacts, or there is none."""
        if (self.a == _NONE) is not (self.b == _NONE):
            raise ValueError("a knob has two contacts: give both `a` and `b`")


@dataclass(frozen=True)
class Settings:
    """What there is to be pressed, moved and turned."""

    wired: Mapping[str, Wiring] = field(default_factory=lambda: {"talk": Wiring()})
    """Each button's name and its wiring; buttons.actions says what a name does. The button of a
    knob that can be pushed is one of them."""
    mute_switch: Switch = Switch()
    """A switch that stays where it is put; when the speaker starts, its position counts."""
    volume_knob: Knob = Knob()
    """A knob that clicks; each click is one step of the volume."""

    def __post_init__(self) -> None:
        """Refuse two uses of one pin."""
        users: dict[int, str] = {}
        for use, pin in self.uses():
            if users.setdefault(pin, use) != use:
                raise ValueError(
                    f"{users[pin]} and {use} are both on GPIO {pin}: give each a pin of its own"
                )

    def uses(self) -> Iterator[tuple[str, int]]:
        """What there is, and its GPIO number."""
        for name, wiring in self.wired.items():
            yield f"wired.{name}", wiring.pin
        knob = self.volume_knob
        others = {"mute_switch": self.mute_switch.pin, "volume_knob.a": knob.a}
        others["volume_knob.b"] = knob.b
        yield from ((use, pin) for use, pin in others.items() if pin != _NONE)

    def names(self) -> Iterator[str]:
        """What the buttons are called."""
        yield from self.wired


class _Gpio:
    """All of them; gpiozero's thread brings the edges, the handoff carries them over.

    gpiozero's own `Button` would start a thread for each, to time what the core times.
    """

    def __init__(self, settings: Settings, feed: Feed) -> None:
        self.notice = pins.prepare()
        """What the owner should know of these pins; empty when all is well."""
        self._handoff = Handoff[ButtonPressed | ButtonReleased | VolumeTurned](feed)
        self._close: list[Callable[[], None]] = [self._handoff.close]
        try:
            for name, wiring in settings.wired.items():
                with pins.claimed(f"buttons.gpio, button {name}"):
                    self._watch(name, wiring)
            if settings.volume_knob.a != _NONE:
                with pins.claimed("buttons.gpio, volume_knob"):
                    self._watch_knob(settings.volume_knob)
            if settings.mute_switch.pin != _NONE:
                with pins.claimed("buttons.gpio, mute_switch"):
                    self._close.append(_MuteSwitch(settings.mute_switch, feed).close)
        except pins.PinTrouble:
            self.close()
            raise

    def close(self) -> None:
        while self._close:
            self._close.pop()()

    def _watch(self, name: str, wiring: Wiring) -> None:
        device = _contact(wiring)
        device.when_activated = partial(self._handoff.put, ButtonPressed(name))
        device.when_deactivated = partial(self._handoff.put, ButtonReleased(name))
        self._close.append(device.close)

    def _watch_knob(self, knob: Knob) -> None:
        # Four edges in the right order are one click, so that a trembling contact only goes back
        # and forth between two of them: no time to wait out. gpiozero's `bounce_time` has no effect
        # on an encoder.
        encoder = RotaryEncoder(knob.a, knob.b, max_steps=0)
        encoder.when_rotated_clockwise = partial(self._handoff.put, VolumeTurned(1))
        encoder.when_rotated_counter_clockwise = partial(self._handoff.put, VolumeTurned(-1))
        self._close.append(encoder.close)


class _MuteSwitch:
    """A switch whose position counts, at the start and whenever it may have moved.

    The position is read on the loop's thread, not taken from the edge: what is told last is always
    how the switch stands.
    """

    def __init__(self, wiring: Switch, feed: Feed) -> None:
        self._feed = feed
        self._muted_when_closed = wiring.muted_when == "closed"
        self._told: bool | None = None
        self._moves = Handoff[None](self._look)
        self._contact = _contact(wiring)
        moved = partial(self._moves.put, None)
        self._contact.when_activated = self._contact.when_deactivated = moved
        self._look()

    def close(self) -> None:
        self._moves.close()
        self._contact.close()

    def _look(self, _move: None = None) -> None:
        muted = bool(self._contact.is_active) is self._muted_when_closed
        if muted is not self._told:
            self._told = muted
            self._feed(MuteAsked(muted, switch=True))


def _contact(wiring: Wiring | Switch) -> DigitalInputDevice:
    """Active while the contact is closed."""
    return DigitalInputDevice(
        wiring.pin, pull_up=wiring.pull_up, bounce_time=wiring.bounce_ms / 1000 or None
    )


def open(settings: Settings, feed: Feed) -> Buttons:
    """What there is on pins; its `notice` says so when this machine has none and they are imagined.

    A mute switch tells its position before this returns.

    Raises:
        OSError: the pins cannot be had; its `hint` says what to do.

    """
    return _Gpio(settings, feed)
