"""A whole driver hears a recording, frame by frame."""

import asyncio
from collections.abc import Mapping
from threading import Semaphore
from types import ModuleType
from typing import Any

import pytest

from edged.core.events import Event

from .speech import pieces, silence


def listen(
    driver: ModuleType,
    settings: object,
    sound: bytes,
    monkeypatch: pytest.MonkeyPatch,
    start: int = 0,
    ear: Any = None,
) -> tuple[list[Event], Mapping[str, str | int]]:
    """What the driver feeds while it hears the sound from position `start`, and its status.

    It is offered 10 ms at a time, and the next frame once the one before has its scores, from
    the driver's engine or from `ear` if that stands before it.
    """
    scored = Semaphore(0)
    ear = ear or driver.Engine
    really = ear.scores

    def scores(self: object, samples: bytes) -> Mapping[str, float]:
        try:
            found: Mapping[str, float] = really(self, samples)
        finally:
            scored.release()
        return found

    async def story() -> tuple[list[Event], Mapping[str, str | int]]:
        events: list[Event] = []
        wake = driver.open(settings, events.append)
        per_frame = driver.FRAME // 160
        # With a last frame scored, the events of all frames before it are on their way.
        for number, piece in enumerate(pieces(sound + silence(driver.FRAME), 160)):
            wake.offer(piece, start + number * 160)
            # How long a frame may take is pytest's own time-out to say.
            if number % per_frame == per_frame - 1:
                scored.acquire()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await wake.close()
        return events, wake.status()

    with monkeypatch.context() as patch:
        patch.setattr(ear, "scores", scores)
        return asyncio.run(story())
