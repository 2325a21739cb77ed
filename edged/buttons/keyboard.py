"""The space bar and Enter of the terminal as the button `talk`, + and - as the volume knob."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from ..core.events import ButtonPressed, ButtonReleased, VolumeTurned
from ..ports import Buttons, Feed

_PRESSES = b" \r\n"
_TURNS = {ord("+"): 1, ord("-"): -1}


@dataclass(frozen=True)
class Settings:
    """What the keys are called."""

    button: str = "talk"
    """The button that the space bar and Enter are."""

    def names(self) -> Iterator[str]:
        """What the button is called."""
        yield self.button


class _Keyboard:
    """A terminal in cbreak mode, which goes back to what it was when closed.

    A terminal tells no release, so that every press is a short one.
    """

    def __init__(self, settings: Settings, feed: Feed, stream: TextIO) -> None:
        self._button = settings.button
        self._feed = feed
        self._keys = _opened_anew(stream)
        self._loop = asyncio.get_running_loop()
        self._before = termios.tcgetattr(self._keys)
        tty.setcbreak(self._keys, termios.TCSANOW)
        self._loop.add_reader(self._keys, self._typed)

    def close(self) -> None:
        self._loop.remove_reader(self._keys)
        # The terminal may have gone before us.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._keys, termios.TCSANOW, self._before)
        os.close(self._keys)

    def _typed(self) -> None:
        try:
            keys = os.read(self._keys, 64)
        except BlockingIOError:
            return
        except OSError:
            # The terminal has gone (its window was closed): there are no keys any more.
            keys = b""
        if not keys:
            self._loop.remove_reader(self._keys)
        for key in keys:
            if key in _PRESSES:
                self._feed(ButtonPressed(self._button))
                self._feed(ButtonReleased(self._button))
            elif key in _TURNS:
                self._feed(VolumeTurned(_TURNS[key]))


def _opened_anew(stream: TextIO) -> int:
    """The same terminal, never waiting: that is no business of others who use it."""
    # It may belong to somebody else, as after `sudo -u`.
    with contextlib.suppress(OSError):
        return os.open(
            f"/proc/self/fd/{stream.fileno()}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
        )
    return os.dup(stream.fileno())


def open(settings: Settings, feed: Feed) -> Buttons:
    """The keys of the terminal on the standard input.

    Raises:
        OSError: the standard input is not a terminal.

    """
    if not sys.stdin.isatty():
        raise OSError("the standard input is not a terminal")
    return _Keyboard(settings, feed, sys.stdin)
