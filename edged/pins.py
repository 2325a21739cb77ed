"""The machine's GPIO pins for lights and buttons, or imagined ones where there are none."""

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator

from gpiozero import BadPinFactory, Device, GPIOPinInUse, GPIOZeroError, PinPWMUnsupported
from gpiozero.exc import PinInvalidPin, PinUnknownPi
from gpiozero.pins.local import get_pi_revision
from gpiozero.pins.mock import MockFactory, MockPWMPin

_CHOICE = "GPIOZERO_PIN_FACTORY"
_INSTALL = "install lgpio: pip install 'edged[pi]'; on an installed speaker: edged doctor lights"
_JOIN = "join the group gpio"


class PinTrouble(OSError):
    """A pin that cannot be used; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class _Imagined(MockFactory):  # type: ignore[misc]
    """The pins of a machine without any."""


def prepare() -> str:
    """Find the pins, once for the whole process; a sentence for the owner when they are imagined.

    gpiozero's choice counts, and the environment variable GPIOZERO_PIN_FACTORY over it.

    Raises:
        PinTrouble: this is a Raspberry Pi, or a factory was asked for, and its pins do not work.

    """
    if Device.pin_factory is None:
        try:
            # gpiozero warns of each library that it does not find.
            with warnings.catch_warnings(), _explained("the pin factory"), _out_of_the_way():
                warnings.simplefilter("ignore")
                Device.ensure_pin_factory()
        except PinTrouble:
            if _CHOICE in os.environ or _on_a_pi():
                raise
            Device.pin_factory = _Imagined(pin_class=MockPWMPin)
    if isinstance(Device.pin_factory, _Imagined):
        return "this machine has no GPIO pins: their lights and buttons are imagined"
    return ""


@contextlib.contextmanager
def claimed(what: str) -> Iterator[None]:
    """Turn whatever the pin libraries raise while `what` is set up into `PinTrouble`."""
    prepare()
    with _explained(what):
        yield


@contextlib.contextmanager
def _out_of_the_way() -> Iterator[None]:
    """When it is imported, lgpio makes a pipe in the working directory, opens it, and leaves it.

    Where nobody gave it a folder, as the service's unit does with LG_WD, somebody just typed a
    command: theirs need not be writable, and stays as it is.
    """
    if "LG_WD" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except _expected() as error:
        raise PinTrouble(f"{what}: {error}", _hint(error)) from error


def _expected() -> tuple[type[Exception], ...]:
    # lgpio's errors have no ancestor but Exception, and lgpio need not be installed.
    lgpio = sys.modules.get("lgpio")
    return (GPIOZeroError, OSError, RuntimeError, *([lgpio.error] if lgpio else []))


def _hint(error: Exception) -> str:
    if Device.pin_factory is None and (asked := os.environ.get(_CHOICE)):
        return f"{_CHOICE}={asked} was asked for: unset it and gpiozero chooses"
    match error:
        case GPIOPinInUse():
            return "give every light and button a pin of its own"
        case PinInvalidPin():
            return "name a pin by its GPIO number, 0 to 27, not by its place on the header"
        case BadPinFactory() | PinPWMUnsupported():
            return _lacking()
    if "busy" in str(error):
        return "another program or an overlay in config.txt uses this pin: choose another"
    return f"{_lacking()}; `gpioinfo` shows who uses which pin"


def _lacking() -> str:
    """What helps where pins cannot be had: gpiozero has imported lgpio if it is there."""
    return _JOIN if "lgpio" in sys.modules else _INSTALL


def _on_a_pi() -> bool:
    try:
        get_pi_revision()
    except PinUnknownPi:
        return False
    return True
