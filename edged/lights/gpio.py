"""One LED, a dimmable LED or an RGB LED on GPIO pins; one more tells when somebody listens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from gpiozero import LED, PWMLED, RGBLED

from .. import pins
from ..core.scenes import Colour, Look
from ..ports import Lights
from ._animator import Animator, Dimmer, undimmed

_LIT = 0.5
"""Every hue's brightest part is above this, and every breath and blink crosses it, so that a lamp
which knows only on and off shows the rhythm."""
_NONE = -1


@dataclass(frozen=True)
class Settings:
    """How the light is wired."""

    kind: Literal["led", "pwm", "rgb"] = "rgb"
    """led knows only on and off, pwm is dimmed, rgb has a colour."""
    pin: Annotated[int, "0 to 27"] = 22
    """The GPIO number of a led or pwm light."""
    red: Annotated[int, "0 to 27"] = 22
    """The GPIO number of an rgb light's red."""
    green: Annotated[int, "0 to 27"] = 23
    """The GPIO number of an rgb light's green."""
    blue: Annotated[int, "0 to 27"] = 27
    """The GPIO number of an rgb light's blue."""
    active_high: bool = True
    """False for a light that is lit while its pin is low (common anode)."""
    brightness: Annotated[float, "0 to 1"] = 1.0
    """The most light it gives, to match it with others; a led is off at 0 and on above."""
    sending_pin: Annotated[int, "-1 to 27"] = _NONE
    """The GPIO number of a second LED, wired the same way, lit while room sound is leaving the
    device, whatever the brightness; -1 where there is none."""

    def __post_init__(self) -> None:
        """Refuse two uses of one pin."""
        users: dict[int, str] = {}
        for use, pin in self.uses():
            if users.setdefault(pin, use) != use:
                both = f"{use} and {users[pin]} are both on GPIO {pin}"
                raise ValueError(f"{both}: give each a pin of its own")

    def uses(self) -> Iterator[tuple[str, int]]:
        """What is wired, and its GPIO number."""
        for use in ("red", "green", "blue") if self.kind == "rgb" else ("pin",):
            yield use, getattr(self, use)
        if self.sending_pin != _NONE:
            yield "sending_pin", self.sending_pin


class _Gpio:
    """A light on pins."""

    def __init__(self, settings: Settings, dimmer: Dimmer) -> None:
        self.notice = pins.prepare()
        """What the owner should know of these pins; empty when all is well."""
        self._brightness = settings.brightness
        with pins.claimed("lights.gpio"):
            if settings.kind == "rgb":
                self._light = RGBLED(
                    settings.red, settings.green, settings.blue, active_high=settings.active_high
                )
            else:
                kind = LED if settings.kind == "led" else PWMLED
                self._light = kind(settings.pin, active_high=settings.active_high)
        self._mark: LED | None = None
        if settings.sending_pin != _NONE:
            with pins.claimed("lights.gpio, sending_pin"):
                self._mark = LED(settings.sending_pin, active_high=settings.active_high)
        self._animator = Animator(self._draw, dimmer)

    def show(self, look: Look) -> None:
        self._animator.show(look)

    def close(self) -> None:
        self._animator.stop()
        for lamp in (self._light, self._mark):
            if lamp is not None:
                lamp.off()
                lamp.close()

    def _draw(self, look: Look, colour: Colour, share: float) -> None:
        if self._mark is not None:
            self._mark.value = look.sending
        brightness = self._brightness * share
        lit = colour.dimmed(brightness)
        if isinstance(self._light, RGBLED):
            self._light.value = (lit.red, lit.green, lit.blue)
        elif isinstance(self._light, PWMLED):
            self._light.value = max(lit.red, lit.green, lit.blue)
        else:
            brightest = max(colour.red, colour.green, colour.blue)
            self._light.value = brightness > 0 and brightest > _LIT


def open(settings: Settings, dimmer: Dimmer = undimmed) -> Lights:
    """The light; its `notice` says so when this machine has no pins and it is imagined.

    Raises:
        OSError: the pins cannot be had; its `hint` says what to do.

    """
    return _Gpio(settings, dimmer)
