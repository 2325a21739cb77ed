"""The sound of work, for whoever does not see the lights: a light that is heard."""

import asyncio
from collections.abc import Callable
from typing import Final

from .core.commands import Chime
from .core.scenes import Look, Scene

_PATIENCE_S: Final = 1.0
"""A tool that is done by then is not worth a sound."""


class Hum:
    """A soft sound from time to time while a tool works and nobody speaks; a `ports.Lights`."""

    def __init__(self, sound: Callable[[Chime], None], every_s: float) -> None:
        self._sound = sound
        self._every_s = every_s
        self._next: asyncio.TimerHandle | None = None

    def show(self, look: Look) -> None:
        """Begin, go on, or fall silent."""
        if look.scene is not Scene.WORKING:
            self.close()
        elif self._next is None:
            self._wait(_PATIENCE_S)

    def close(self) -> None:
        """Fall silent."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self, seconds: float) -> None:
        self._next = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        self._sound(Chime.WORKING)
        self._wait(self._every_s)
