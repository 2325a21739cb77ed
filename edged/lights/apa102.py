"""APA102 and SK9822 LEDs on the SPI bus, as on the ReSpeaker HATs and their kin."""

import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Annotated, Final

from gpiozero import LED

from .. import pins
from ..core.scenes import Colour, Look
from ..ports import Lights
from ._animator import Animator, Dimmer, undimmed

_NONE: Final = -1
_DEVICES: Final = Path("/dev")
_WR_MODE: Final = 0x40016B01
_WR_MAX_SPEED_HZ: Final = 0x40046B04
"""SPI_IOC_WR_MODE and SPI_IOC_WR_MAX_SPEED_HZ of linux/spi/spidev.h; what is written to the device
afterwards goes out as it is, and all that a light needs is to be written to."""
_HZ: Final = 1_000_000
"""12 LEDs take half a millisecond; long ribbons distort faster ones."""
_BUS_0: Final = range(7, 12)
"""The pins of a Raspberry Pi's first SPI bus."""
_WHOLE: Final = 31
"""Of each LED's own brightness."""
_WHITE: Final = Colour(1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Settings:
    """Which LEDs."""

    leds: Annotated[int, "1 to 240"] = 3
    """How many there are in the row: 3 on a ReSpeaker 2-Mics HAT, 12 on a 4-Mic Array."""
    bus: Annotated[int, "0 to 9"] = 0
    """The SPI bus: X of /dev/spidevX.Y."""
    device: Annotated[int, "0 to 9"] = 0
    """The device on it: Y of /dev/spidevX.Y; these LEDs listen to either."""
    brightness: Annotated[float, "0 to 1"] = 0.3
    """The most light they give: at 1 they dazzle, and 12 of them draw 0.7 A."""
    power_pin: Annotated[int, "-1 to 27"] = _NONE
    """The GPIO number of a pin that must be high for them to have power: 5 on a ReSpeaker 4-Mic
    Array; -1 where there is none."""
    sending_led: Annotated[int, "-1 to 239"] = _NONE
    """The LED, from 0, that is white while room sound is leaving the device; -1 for none."""

    def __post_init__(self) -> None:
        """Refuse an LED that is not there."""
        if self.sending_led >= self.leds:
            raise ValueError(
                f"sending_led {self.sending_led} is none of {self.leds}: the first is 0"
            )

    def uses(self) -> Iterator[tuple[str, int]]:
        """What is wired, and its GPIO number."""
        if self.bus == 0:
            yield from (("bus", pin) for pin in _BUS_0)
        if self.power_pin != _NONE:
            yield "power_pin", self.power_pin


class SpiTrouble(OSError):
    """The bus cannot be used; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class _Apa102:
    """A row of LEDs that all show the same."""

    def __init__(self, settings: Settings, dimmer: Dimmer) -> None:
        self.notice = ""
        """What the owner should know of its pin; empty when all is well."""
        self._settings = settings
        self._bus = _opened(_DEVICES / f"spidev{settings.bus}.{settings.device}")
        self._power: LED | None = None
        if settings.power_pin != _NONE:
            self.notice = pins.prepare()
            try:
                with pins.claimed("lights.apa102, power_pin"):
                    self._power = LED(settings.power_pin, initial_value=True)
            except OSError:
                os.close(self._bus)
                raise
        self._animator = Animator(self._draw, dimmer)
        self._write([_led(Colour(0, 0, 0), 0.0)] * settings.leds)

    def show(self, look: Look) -> None:
        self._animator.show(look)

    def close(self) -> None:
        self._animator.stop()
        self._write([_led(Colour(0, 0, 0), 0.0)] * self._settings.leds)
        os.close(self._bus)
        if self._power is not None:
            self._power.off()
            self._power.close()

    def _draw(self, look: Look, colour: Colour, share: float) -> None:
        brightness = self._settings.brightness
        row = [_led(colour, brightness * share)] * self._settings.leds
        if look.sending and self._settings.sending_led != _NONE:
            # Whatever the hour: somebody listens.
            row[self._settings.sending_led] = _led(_WHITE, brightness)
        self._write(row)

    def _write(self, row: list[bytes]) -> None:
        """One frame: 32 zeros, the LEDs, 32 zeros for an SK9822, half a clock for each LED.

        Zeros too at the end: ones would be one more LED, in white, where the row is longer.
        """
        frame = bytes(4) + b"".join(row) + bytes(4 + ceil(len(row) / 16))
        try:
            os.write(self._bus, frame)
        except OSError:
            # The bus went away under a running speaker, which goes on without light.
            self._animator.stop()


def _led(colour: Colour, brightness: float) -> bytes:
    """Its 32 bits: three ones, its own brightness in 5 bits, then blue, green and red.

    The LED's own brightness is as low as the colour allows: 8 bits of colour alone would be too
    coarse for a breath by night.
    """
    brightest = brightness * max(colour.red, colour.green, colour.blue)
    own = ceil(_WHOLE * brightest)
    scale = 255 * brightness * _WHOLE / own if own else 0.0
    levels = (min(255, round(scale * part)) for part in (colour.blue, colour.green, colour.red))
    return bytes((0xE0 | own, *levels))


def _opened(path: Path) -> int:
    """The device, as these LEDs want it: mode 0, and no faster than they can."""
    try:
        bus = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SpiTrouble(f"{path}: {error.strerror}", _hint(error)) from error
    try:
        fcntl.ioctl(bus, _WR_MODE, struct.pack("B", 0))
        fcntl.ioctl(bus, _WR_MAX_SPEED_HZ, struct.pack("I", _HZ))
    except OSError as error:
        os.close(bus)
        raise SpiTrouble(f"{path}: {error.strerror}", "name a device of the SPI bus") from error
    return bus


def _hint(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "switch SPI on: sudo raspi-config nonint do_spi 0, and start the Pi anew"
        case PermissionError():
            return "as root: usermod -aG spi USER, and log in again"
        case _:
            return "see what else uses the SPI bus: ls -l /dev/spidev*"


def open(settings: Settings, dimmer: Dimmer = undimmed) -> Lights:
    """The lights, dark until they are shown something.

    Raises:
        OSError: the bus or the pin cannot be had; its `hint` says what to do.

    """
    return _Apa102(settings, dimmer)
