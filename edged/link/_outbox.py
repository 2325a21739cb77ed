"""What waits to go out on a line: sound and requests in order, and what cannot wait before them."""

import asyncio
from collections import deque

from ..core.commands import CancelReply, DeleteItem, LinkCommand, SendAudio, TruncateReply


class Outbox:
    """Commands in the order they were put, until the line takes them; three kinds overtake.

    Sound and requests keep their places among each other: a commit or a clear means the sound
    before it, turn detection the sound after it, and a reply is asked for what was committed.
    What ends an answer (`CancelReply`, `TruncateReply`, `DeleteItem`) names what it means
    and so goes ahead of all that waits, in its own order: nobody wants to hear the rest of an
    answer because the line is slow. A cancel without a name means the last request, and stays.

    At most `audio_s` seconds of sound wait; above that the oldest sound falls out and
    `dropped` says how many samples did. Everything else waits for ever. `put` never blocks.
    """

    def __init__(self, audio_s: float, rate: int) -> None:
        self._urgent: deque[LinkCommand] = deque()
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
        lane = self._urgent if _overtakes(command) else self._waiting
        lane.append(command)
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
        self._urgent.clear()
        self._waiting.clear()
        self._stirred.set()

    async def get(self) -> LinkCommand | None:
        """The next command, once the outbox is open; None once it is closed."""
        while not self._closed:
            lane = self._urgent or self._waiting
            if self._open and lane:
                command = lane.popleft()
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


def _overtakes(command: LinkCommand) -> bool:
    if isinstance(command, CancelReply):
        return bool(command.reply)
    return isinstance(command, TruncateReply | DeleteItem)
