"""The pins of another process, seen and pressed from outside.

The other side, and what the lines between the two mean, is in `pins`.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

import msgspec

_PATIENCE_S: Final = 15.0


class Change(msgspec.Struct, frozen=True):
    """The state of one pin, from a moment on."""

    pin: int
    role: Literal["input", "output", "closed"]
    value: float
    """The level at the pin: 0 to 1."""
    time: float
    """Monotonic seconds."""


class PinsClient:
    """Sees and drives the pins of a process that runs with the pin factory `room`.

    ```
    async with PinsClient(path) as pins:
        await pins.press(17)
        await pins.wait_for(lambda values: values.get(22, 0) > 0)
    ```
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        on_change: Callable[[Change], None] | None = None,
        timeout_s: float = _PATIENCE_S,
    ) -> None:
        self._path = Path(path)
        self._on_change = on_change
        self._timeout_s = timeout_s
        self._states: dict[int, Change] = {}
        self._waiting: dict[asyncio.Future[float], Callable[[], bool]] = {}
        self._over = ""

    async def __aenter__(self) -> "PinsClient":
        """Connect, as soon as the process stands there; raises `TimeoutError`."""
        async with asyncio.timeout(self._timeout_s):
            while True:
                try:
                    self._reader, self._writer = await asyncio.open_unix_connection(self._path)
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    # Nothing announces that another process has begun to listen.
                    await asyncio.sleep(0.05)
        self._listening = asyncio.create_task(self._listen(), name="pins")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.cancel()
        await asyncio.wait([self._listening])
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        if not self._listening.cancelled():
            self._listening.result()

    @property
    def values(self) -> Mapping[int, float]:
        """The level, 0 to 1, at each pin in use."""
        return {pin: c.value for pin, c in self._states.items() if c.role != "closed"}

    @property
    def over(self) -> bool:
        """Whether the process has let its pins go."""
        return bool(self._over)

    def hex(self, red: int, green: int, blue: int) -> str:
        """The colour that an RGB light on these pins shows, as #rrggbb; pins not in use are 0."""
        levels = self.values
        return "#" + "".join(f"{round(255 * levels.get(p, 0.0)):02x}" for p in (red, green, blue))

    async def press(self, pin: int) -> float:
        """Push the button between `pin` and ground; returns the monotonic time of the edge."""
        return await self.drive(pin, 0)

    async def release(self, pin: int) -> float:
        """Let the button go; returns the monotonic time of the edge."""
        return await self.drive(pin, 1)

    async def drive(self, pin: int, value: Literal[0, 1]) -> float:
        """Put a level on an input, once the process watches it; returns when that arrived.

        Raises:
            TimeoutError: nobody watches that pin.
            ConnectionError: the process has let its pins go.

        """
        await self._until(lambda: self._role(pin) == "input")
        self._writer.write(json.dumps({"pin": pin, "value": value}).encode() + b"\n")
        return await self._until(lambda: self.values.get(pin) == value)

    async def wait_for(
        self, wanted: Callable[[Mapping[int, float]], bool], timeout_s: float | None = None
    ) -> float:
        """Wait until `wanted(values)` is true; returns the time of the change that made it so.

        An RGB light changes one pin after the other: a condition on a colour should name all three.
        Raises as `drive` does.
        """
        return await self._until(lambda: wanted(self.values), timeout_s)

    def _role(self, pin: int) -> str:
        return self._states[pin].role if pin in self._states else "closed"

    async def _until(self, wanted: Callable[[], bool], timeout_s: float | None = None) -> float:
        if wanted():
            return max((change.time for change in self._states.values()), default=0.0)
        if self._over:
            raise ConnectionError(self._over)
        # Asked at every change, not when a task gets its turn: a short flash is not missed.
        moment: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[moment] = wanted
        try:
            async with asyncio.timeout(timeout_s or self._timeout_s):
                return await moment
        except TimeoutError as error:
            raise TimeoutError(f"the pins stayed at {dict(self.values)}") from error
        finally:
            del self._waiting[moment]

    async def _listen(self) -> None:
        over = "the process has let its pins go"
        try:
            while line := await self._reader.readline():
                self._learn(msgspec.json.decode(line, type=Change))
        except ConnectionError:
            pass
        except msgspec.DecodeError as error:
            over = f"the pins speak strangely: {error}"
        finally:
            self._over = over
            for moment in self._waiting:
                if not moment.done():
                    moment.set_exception(ConnectionError(over))

    def _learn(self, change: Change) -> None:
        self._states[change.pin] = change
        for moment, wanted in self._waiting.items():
            if not moment.done() and wanted():
                moment.set_result(change.time)
        if self._on_change is not None:
            self._on_change(change)
