"""The light in the terminal."""

import asyncio
import fcntl
import os
import pty
import re

from edged.core.events import Trouble
from edged.core.scenes import Look, Scene, colour
from edged.lights.console import _Console


def test_a_terminal_shows_a_dot_in_the_lights_colour_and_the_states_name() -> None:
    async def story() -> list[str]:
        ours, theirs = pty.openpty()
        with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb", 0) as seen:
            light = _Console(terminal)
            light.show(Look(Scene.ASLEEP))
            light.show(Look(Scene.HEARING))
            light.close()
            drawn = b""
            while drawn.count(b"\r\x1b[K") < 3:
                drawn += await asyncio.to_thread(seen.read, 4096)
            return drawn.decode().split("\r\x1b[K")[1:]

    asleep, hearing, gone = asyncio.run(story())
    assert asleep == "○ asleep"
    sky = colour(Look(Scene.HEARING), 0)
    levels = ";".join(str(round(255 * part)) for part in (sky.red, sky.green, sky.blue))
    assert hearing == f"\x1b[38;2;{levels}m●\x1b[0m hearing"
    assert gone == ""


def test_the_dot_breathes_while_the_speaker_thinks() -> None:
    async def story() -> set[str]:
        ours, theirs = pty.openpty()
        loop = asyncio.get_running_loop()
        with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb", 0) as seen:
            light = _Console(terminal)
            light.show(Look(Scene.THINKING))
            dots: set[str] = set()
            drawn = asyncio.Event()

            def look() -> None:
                dots.update(re.findall(r"38;2;([\d;]+)m", os.read(seen.fileno(), 4096).decode()))
                if len(dots) >= 5:
                    drawn.set()

            loop.add_reader(seen, look)
            async with asyncio.timeout(10):
                await drawn.wait()
            loop.remove_reader(seen)
            light.close()
            return dots

    assert len(asyncio.run(story())) >= 5


def test_a_pipe_gets_one_plain_line_for_each_state() -> None:
    reading, writing = os.pipe()

    async def story() -> None:
        with os.fdopen(writing, "w") as pipe:
            light = _Console(pipe)
            light.show(Look(Scene.THINKING))
            await asyncio.sleep(0.2)  # long enough for the breath to be redrawn
            light.show(Look(Scene.TROUBLE, Trouble.NETWORK))
            light.show(Look(Scene.ASLEEP))
            light.close()

    asyncio.run(story())
    with os.fdopen(reading) as lines:
        assert lines.read() == "thinking\ntrouble (network)\nasleep\n"


def test_a_mark_tells_that_room_sound_leaves_the_device() -> None:
    reading, writing = os.pipe()

    async def story() -> None:
        with os.fdopen(writing, "w") as pipe:
            light = _Console(pipe)
            light.show(Look(Scene.LISTENING))
            light.show(Look(Scene.LISTENING, sending=True))
            light.show(Look(Scene.THINKING))
            light.close()

    asyncio.run(story())
    with os.fdopen(reading) as lines:
        assert lines.read() == "listening\nlistening ▲\nthinking\n"


def test_a_reader_who_has_stopped_reading_delays_nobody() -> None:
    """Who waits for them waits for ever: nobody empties this pipe before the light is closed."""

    async def story() -> tuple[str, str]:
        reading, writing = os.pipe()
        room = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 8192)
        with os.fdopen(reading) as lines, os.fdopen(writing, "w") as pipe:
            light = _Console(pipe)
            shown = ""
            while len(shown) <= room:
                for look in (Look(Scene.TROUBLE, Trouble.NETWORK), Look(Scene.ASLEEP)):
                    light.show(look)
                shown += "trouble (network)\nasleep\n"
            light.close()
            pipe.close()
            return shown, lines.read()

    shown, seen = asyncio.run(story())
    assert len(seen) < len(shown)
    assert seen == shown[: len(seen)]
