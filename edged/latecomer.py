"""A light or a button that cannot be opened yet: the speaker goes on, and tries again."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from .core.scenes import Look
from .reload import StartFailed

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0


class Latecomer:
    """Stands in for a driver until it can be opened, then hands on to it what it was to show."""

    def __init__(self, opening: Callable[[], Any], came: Callable[[Any], None]) -> None:
        """`opening` opens it, or raises `StartFailed`; `came` is told it, once."""
        self._opening = opening
        self._came = came
        self._driver: Any = None
        self._look: Look | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._loop = asyncio.get_running_loop()
        self._again = self._loop.call_later(self._pause_s, self._try)

    def show(self, look: Look) -> None:
        """As a light does, now or when it has come."""
        self._look = look
        if self._driver is not None:
            self._driver.show(look)

    def close(self) -> None:
        """Give up, or release what has come."""
        self._again.cancel()
        if self._driver is not None:
            self._driver.close()

    def _try(self) -> None:
        try:
            self._driver = self._opening()
        except StartFailed:
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            self._again = self._loop.call_later(self._pause_s, self._try)
            return
        if self._look is not None:
            self._driver.show(self._look)
        self._came(self._driver)
