"""Redraws a look for as long as it moves, and only then."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..core.scenes import Colour, Look, Scene, colour, steady

FRAME_S: Final = 0.05
"""20 redraws a second look smooth for breaths of a second; a Pi Zero hardly notices them."""
LEAST: Final = 0.1
"""Trouble is shown with so much of the light at least."""
_PATIENCE_S: Final = 15.0
"""So soon a light that stands still notices that it is night."""

Dimmer = Callable[[], float]
"""How much of their light the lights give now, 0 to 1; quick."""


def undimmed() -> float:
    """The `Dimmer` of lights that are always bright."""
    return 1.0


class Animator:
    """Calls `draw` with the colour of the moment and the share of its light that is wanted.

    A steady look is drawn once, and again when that share changes. Create it on the loop's thread.
    """

    def __init__(
        self, draw: Callable[[Look, Colour, float], None], dimmer: Dimmer = undimmed
    ) -> None:
        self._draw = draw
        self._dimmer = dimmer
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._look: Look | None = None
        self._drawn: tuple[Colour, float] | None = None
        self._since = 0.0

    def show(self, look: Look) -> None:
        """Show `look` from its beginning; the mark of what is shown already changes at once."""
        before = self._look
        if look == before:
            return
        self.stop()
        self._look, self._drawn = look, None
        if before is None or replace(before, sending=look.sending) != look:
            self._since = self._loop.time()
        self._redraw(look)

    def stop(self) -> None:
        """Draw nothing more, until the next `show`."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._look = None

    def _redraw(self, look: Look) -> None:
        now = colour(look, self._loop.time() - self._since)
        share = self._dimmer()
        if look.scene is Scene.TROUBLE:
            share = max(LEAST, share)
        if (now, share) != self._drawn:
            self._drawn = now, share
            self._draw(look, now, share)
        pause_s = _PATIENCE_S if steady(look) else FRAME_S
        self._timer = self._loop.call_later(pause_s, self._redraw, look)
