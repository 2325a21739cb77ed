"""The only bridge between foreign threads and the event loop."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Handoff(Generic[T]):
    """Carries items from any thread to a function on the loop: bounded, in order, newest kept.

    At most one wake-up of the loop is pending however many items wait, so a stalled loop finds
    only the newest `limit` items when it comes back, and `dropped` says how many fell out.
    Create it on the loop's thread. `put` never blocks and never raises.
    """

    def __init__(self, deliver: Callable[[T], None], limit: int = 1000) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._items: deque[T] = deque()
        self._limit = limit
        self._lock = Lock()
        self._woken = False
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> None:
        """Hand `item` over; the oldest waiting item falls out when `limit` wait already."""
        with self._lock:
            if self._closed:
                return
            if len(self._items) >= self._limit:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            if self._woken:
                return
            self._woken = True
        # The loop may be closed while a device thread is still running out.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._drain)

    def close(self) -> None:
        """Deliver nothing more."""
        with self._lock:
            self._closed = True
            self._items.clear()

    def _drain(self) -> None:
        emptied = False
        try:
            while (item := self._next()) is not None:
                self._deliver(item[0])
            emptied = True
        finally:
            # A bug in `deliver` is the loop's to report; what waits must still arrive.
            if not emptied:
                self._loop.call_soon(self._drain)

    def _next(self) -> tuple[T] | None:
        with self._lock:
            if self._items:
                return (self._items.popleft(),)
            self._woken = False
            return None


class Tray(Generic[T]):
    """Holds what any thread puts in until the loop comes by: bounded, in order, newest kept.

    For what is of no use before something else has come through a `Handoff`: it wakes nobody.
    `put` never blocks and never raises.
    """

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque()
        self._limit = limit
        self._lock = Lock()
        self.dropped = 0
        """Items that fell out because nobody came by."""

    def put(self, item: T) -> None:
        """Lay `item` behind the others; the oldest falls out when `limit` lie there already."""
        with self._lock:
            if len(self._items) >= self._limit:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)

    def empty(self) -> Sequence[T]:
        """Take everything, oldest first."""
        with self._lock:
            items, self._items = self._items, deque()
        return items
