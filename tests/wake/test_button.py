"""A speaker without a wake word."""

import asyncio
import threading

from edged.core.events import Event
from edged.wake import button

from .speech import pieces, speech


def test_nothing_that_is_said_wakes() -> None:
    async def story() -> list[Event]:
        events: list[Event] = []
        wake = button.open(button.Settings(), events.append)
        for number, piece in enumerate(pieces(speech("pos_hey_jarvis_gb160"), 320)):
            wake.offer(piece, number * 320)
        wake.reset()
        assert wake.status()["engine"] == "button"
        assert wake.examined is None
        assert [thread.name for thread in threading.enumerate()].count("wake") == 0
        await wake.close()
        return events

    assert asyncio.run(story()) == []
