"""What waits to go out on a line: everything in order, sound within bounds."""

import asyncio
from collections import deque

from ..core.commands import LinkCommand, SendAudio


class Outbox:
    """Commands in the order they were put, until the line takes them.

    At most `audio_s` seconds of sound wait; above that the oldest sound falls out and
    `dropped` says how many samples did. Everything else waits for ever and keeps its place
    among the sound: a commit never overtakes what it commits. `put` never blocks.
    """

    def __init__(self, audio_s: float, rate: int) -> None:
        self._waiting: deque[LinkCommand] = deque()
        self._room = int(audio_s * rate) * 2
        self._sound = 0
        self._stirred = asyncio.Event()
        self._open = False
        self._closed = False
        self.dropped = 0

    def put(self, command: LinkCommand) -> None:
        """Let `command` wait its turn; forgotten when the outbox is closed."""
        if self._closed:
            return
        self._waiting.append(command)
        if isinstance(command, SendAudio):
            self._sound += len(command.samples)
            while self._sound > self._room:
                self._drop_oldest_sound()
        self._stirred.set()

    def open(self) -> None:
        """The line takes commands from now on."""
        self._open = True
        self._stirred.set()

    def close(self) -> None:
        """Forget what waits; `get` returns None from now on."""
        self._closed = True
        self._waiting.clear()
        self._stirred.set()

    async def get(self) -> LinkCommand | None:
        """The next command, once the outbox is open; None once it is closed."""
        while not self._closed:
            if self._open and self._waiting:
                command = self._waiting.popleft()
                if isinstance(command, SendAudio):
                    self._sound -= len(command.samples)
                return command
            self._stirred.clear()
            await self._stirred.wait()
        return None

    def _drop_oldest_sound(self) -> None:
        for place, command in enumerate(self._waiting):
            if isinstance(command, SendAudio):
                del self._waiting[place]
                self._sound -= len(command.samples)
                self.dropped += len(command.samples) // 2
                return
