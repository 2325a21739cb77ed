"""The keys of a terminal as a button and a knob."""

import asyncio
import os
import pty
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.buttons import keyboard
from edged.core.events import ButtonPressed, ButtonReleased, Event, VolumeTurned

PRESS = [ButtonPressed("talk"), ButtonReleased("talk")]


@pytest.fixture
def fingers(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where to type: the other end of the terminal on the standard input."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield ours
    os.close(ours)


def test_space_and_enter_are_short_presses_and_other_keys_are_not(fingers: int) -> None:
    async def story() -> None:
        fed: asyncio.Queue[Event] = asyncio.Queue()
        keys = keyboard.open(keyboard.Settings(), fed.put_nowait)
        async with asyncio.timeout(10):
            os.write(fingers, b" ")
            assert [await fed.get(), await fed.get()] == PRESS
            os.write(fingers, b"xyz\r")
            assert [await fed.get(), await fed.get()] == PRESS
        assert fed.empty()
        keys.close()

    asyncio.run(story())


def test_plus_and_minus_turn_the_volume(fingers: int) -> None:
    async def story() -> None:
        fed: asyncio.Queue[Event] = asyncio.Queue()
        keys = keyboard.open(keyboard.Settings(), fed.put_nowait)
        async with asyncio.timeout(10):
            os.write(fingers, b"++-")
            steps = [await fed.get() for _ in range(3)]
        assert steps == [VolumeTurned(1), VolumeTurned(1), VolumeTurned(-1)]
        assert fed.empty()
        keys.close()

    asyncio.run(story())


def test_the_terminal_is_what_it_was_when_the_keys_are_closed(fingers: int) -> None:
    async def story() -> None:
        before = termios.tcgetattr(sys.stdin)
        keys = keyboard.open(keyboard.Settings(), lambda event: None)
        during = termios.tcgetattr(sys.stdin)
        assert during[3] & (termios.ICANON | termios.ECHO) == 0
        # Ctrl-C still stops the speaker.
        assert during[3] & termios.ISIG
        keys.close()
        assert termios.tcgetattr(sys.stdin) == before

    asyncio.run(story())


def test_without_a_terminal_there_is_no_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        with pytest.raises(OSError, match="not a terminal"):
            keyboard.open(keyboard.Settings(), lambda event: None)

    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        asyncio.run(story())
