"""Redraws a look for as long as it moves, and only then."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..core.scenes import Colour, Look, colour, steady

FRAME_S: Final = 0.05
"""20 redraws a second look smooth for breaths of a second; a Pi Zero hardly notices them."""


class Animator:
    """Calls `draw` with the colour of the moment; a steady look is drawn once.

    Create it on the loop's thread.
    """

    def __init__(self, draw: Callable[[Look, Colour], None]) -> None:
        self._draw = draw
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._look: Look | None = None
        self._drawn: Colour | None = None
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
        if now != self._drawn:
            self._drawn = now
            self._draw(look, now)
        if not steady(look):
            self._timer = self._loop.call_later(FRAME_S, self._redraw, look)
