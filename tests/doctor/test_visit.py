"""A whole visit: somebody at a terminal speaks, looks and presses, in a room made of software."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from edged.simulator import room
from edged.simulator.evening.stage import BLUE, BUTTON, GREEN, RED
from edged.simulator.evening.talker import read
from edged.simulator.pinboard import PinsClient

from .terminal import Terminal

WAVES = Path(__file__).parent.parent / "waves"
JARVIS = read(WAVES / "pos_hey_jarvis_gb160.wav")


def in_a_room(story: Callable[..., None]) -> Callable[..., None]:
    """With the real PortAudio, where there is a room for it."""
    missing = pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "it is there")
    marked: Callable[..., None] = pytest.mark.room(missing(story))
    return marked


def environment(folder: Path, base: dict[str, str] | None = None) -> dict[str, str]:
    """A process's own folders, and pins made of software."""
    return {
        **(base or dict(os.environ)),
        "STATE_DIRECTORY": str(folder / "state"),
        "RUNTIME_DIRECTORY": str(folder),
        "GPIOZERO_PIN_FACTORY": "room",
        "EDGED_ROOM_PINS": str(folder / "pins"),
    }


async def done(work: Callable[[], object]) -> None:
    """Have somebody at the terminal do this, while pins are watched."""
    await asyncio.to_thread(work)


@pytest.mark.timeout(180)
@in_a_room
def test_the_wake_word_is_said_three_times(tmp_path: Path) -> None:
    (tmp_path / "edged.toml").write_text("")
    with (
        room.Room(room.AcousticPath(40, gain_db=-16)) as place,
        Terminal(
            *("doctor", "wake_word", "--config", str(tmp_path / "edged.toml")),
            environment=environment(tmp_path, place.environment),
        ) as terminal,
    ):
        terminal.reads("Say a sentence from where you usually stand")
        place.say(JARVIS)
        for number in (1, 2, 3):
            terminal.reads(rf'Say "hey jarvis" \({number} of 3\)')
            place.say(JARVIS)
        found = terminal.reads(r". wake word .*\n")
        assert re.search(r"✔ wake word +3 of 3 times \(score [01]\.\d\d, [01]\.\d\d, ", found), (
            found
        )
        assert re.search(r"dBFS +━*╌* score [01]\.\d\d", terminal.said)
        assert terminal.ends() == 0


@pytest.mark.timeout(180)
@in_a_room
def test_setup_tries_the_devices_that_were_chosen(tmp_path: Path) -> None:
    config = tmp_path / "edged.toml"
    with (
        room.Room(room.AcousticPath(40, gain_db=-16)) as place,
        Terminal(
            *("setup", "--config", str(config)),
            environment=environment(tmp_path, place.environment),
        ) as terminal,
    ):
        terminal.answers("Who answers", "2")
        terminal.answers("Its address", "ws://127.0.0.1:9/v1/realtime")
        terminal.answers("What now", "2")
        terminal.answers("The key: ", "sk-proj-abcdefghijklmnopqrstuvwxyz")
        for question in (r"The microphone \(1\): ", r"The loudspeaker \(1\): "):
            terminal.reads("the system's default")
            number = terminal.reads(r"\d+ +default\n").split()[0]
            terminal.answers(question, number)
        terminal.answers("Try them", "y")
        terminal.reads("✔ cards ")
        terminal.reads("Say a sentence from where you usually stand")
        place.say(JARVIS)
        for name in ("microphone", "noise", "voice", "clipping", "loudspeaker"):
            terminal.reads(rf"✔ {name} ")
        # Where others want the processor, too, the delay may jump.
        terminal.reads("[✔!] echo ")
        terminal.reads("What wakes it")
        terminal.presses("\x03")
        terminal.reads("nothing is written")
        assert terminal.ends() == 1
    assert not config.exists()


def test_lights_are_seen_and_buttons_pressed(tmp_path: Path) -> None:
    (tmp_path / "edged.toml").write_text("[buttons.gpio.wired.talk]\npin = 17\n")

    async def story() -> None:
        seen: list[str] = []
        with Terminal(
            *("doctor", "lights", "buttons", "--config", str(tmp_path / "edged.toml")),
            environment=environment(tmp_path),
        ) as terminal:
            async with PinsClient(
                tmp_path / "pins", lambda _: seen.append(pins.hex(RED, GREEN, BLUE))
            ) as pins:
                await done(lambda: terminal.answers("Did the light go through several", "y"))
                await done(lambda: terminal.reads("✔ lights +gpio, seen by you"))
                await done(lambda: terminal.reads("Press the button talk"))
                await pins.press(BUTTON)
                await done(lambda: terminal.reads("✔ buttons +talk: pressed"))
            assert len(set(seen)) > 6
            assert await asyncio.to_thread(terminal.ends) == 0

    asyncio.run(story())


def test_a_light_that_nobody_sees_and_buttons_that_are_swapped(tmp_path: Path) -> None:
    (tmp_path / "edged.toml").write_text(
        "[buttons.gpio.wired.talk]\npin = 17\n[buttons.gpio.wired.quiet]\npin = 5\n"
        "[buttons.actions.quiet]\n[buttons.actions.talk]\n"
    )

    async def story() -> None:
        with Terminal(
            *("doctor", "lights", "buttons", "--config", str(tmp_path / "edged.toml")),
            environment=environment(tmp_path),
        ) as terminal:
            async with PinsClient(tmp_path / "pins") as pins:
                await done(lambda: terminal.answers("Did the light go through several", "n"))
                await done(lambda: terminal.reads("✘ lights .*nothing is seen"))
                await done(lambda: terminal.reads("Press the button talk"))
                await pins.press(5)
                await done(lambda: terminal.reads("Press the button quiet"))
                await pins.release(5)
                await pins.press(5)
                await done(lambda: terminal.reads("✘ buttons +talk is quiet"))
                await done(lambda: terminal.reads("→ swap the pins of talk and quiet: edged setup"))
            assert await asyncio.to_thread(terminal.ends) == 1

    asyncio.run(story())
