"""The light as a coloured dot and the state's name in the terminal."""

import contextlib
import os
import select
import stat
import sys
from dataclasses import dataclass
from typing import Literal, TextIO

from ..core.scenes import Colour, Look
from ..ports import Lights
from ._animator import Animator, Dimmer, undimmed


@dataclass(frozen=True)
class Settings:
    """Where the light is drawn."""

    stream: Literal["stdout", "stderr"] = "stdout"
    """A terminal gets one coloured line, anything else one plain line for each state; ▲ marks that
    room sound is leaving the device. It is as bright by night as by day."""


class _Console:
    """A light in the terminal, or its story in a file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = _opened_anew(stream)
        self._coloured = stream.isatty()
        self._told: Look | None = None
        self._animator = Animator(self._draw)

    def show(self, look: Look) -> None:
        self._animator.show(look)

    def close(self) -> None:
        self._animator.stop()
        if self._coloured:
            self._write("\r\x1b[K")
        os.close(self._stream)

    def _draw(self, look: Look, colour: Colour, _share: float) -> None:
        name = look.scene.value + (f" ({look.trouble.value})" if look.trouble else "")
        name += " ▲" if look.sending else ""
        if self._coloured:
            levels = [round(255 * part) for part in (colour.red, colour.green, colour.blue)]
            red, green, blue = levels
            dot = f"\x1b[38;2;{red};{green};{blue}m●\x1b[0m" if any(levels) else "○"
            self._write(f"\r\x1b[K{dot} {name}")
        elif look != self._told:
            self._told = look
            self._write(f"{name}\n")

    def _write(self, text: str) -> None:
        # A terminal that is held (Ctrl-S) or a full pipe misses a picture and delays nobody.
        with contextlib.suppress(BlockingIOError):
            if select.select([], [self._stream], [], 0)[1]:
                os.write(self._stream, text.encode())


def _opened_anew(stream: TextIO) -> int:
    """The same terminal or pipe, never waiting: that is no business of others who write there."""
    there = stream.fileno()
    if stream.isatty() or stat.S_ISFIFO(os.fstat(there).st_mode):
        # It may belong to somebody else, as after `sudo -u`.
        with contextlib.suppress(OSError):
            return os.open(f"/proc/self/fd/{there}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return os.dup(there)


def open(settings: Settings, dimmer: Dimmer = undimmed) -> Lights:
    """The light, on the standard output or error."""
    return _Console(sys.stdout if settings.stream == "stdout" else sys.stderr)
