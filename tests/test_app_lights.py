"""The unmodified daemon's lights, as bright as its owner wants them at this hour."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from edged.core.scenes import Look, Scene, colour
from edged.night import clock_is_set
from edged.simulator.evening.daemon import Daemon
from edged.simulator.evening.stage import BUTTON, KEY
from edged.simulator.pinboard import PinsClient

CONFIGURATION = """
[provider.openai]
url = "ws://127.0.0.1:9/v1/realtime"
[sound]
driver = "wavefile"
[wake]
driver = "button"
[control]
socket = "{folder}/control"
[lights]
brightness = 0.5
quiet_brightness = 0.25
{hours}
"""
ALWAYS = 'quiet_hours = "00:00-23:59"'


@pytest.mark.parametrize("hours", ["", ALWAYS])
def test_muted_it_shines_as_its_owner_wants(tmp_path: Path, hours: str) -> None:
    """Where nobody has set the machine's clock, there are no quiet hours."""
    quiet = hours and clock_is_set()
    wanted = colour(Look(Scene.MUTED), 0).dimmed(0.25 if quiet else 0.5)
    file = tmp_path / "edged.toml"
    file.write_text(CONFIGURATION.format(folder=tmp_path, hours=hours))
    environment = {
        **os.environ,
        "GPIOZERO_PIN_FACTORY": "room",
        "EDGED_ROOM_PINS": str(tmp_path / "pins"),
        "STATE_DIRECTORY": str(tmp_path / "state"),
        "OPENAI_API_KEY": KEY,
    }

    def shines(pins: Mapping[int, float]) -> bool:
        shown = (pins.get(22), pins.get(23), pins.get(27))
        return shown == pytest.approx((wanted.red, wanted.green, wanted.blue))

    async def story() -> None:
        async with (
            Daemon(file, environment, tmp_path, undisturbed=False) as speaker,
            PinsClient(tmp_path / "pins", lambda _: None) as pins,
        ):
            await speaker.reaches("asleep")
            await pins.press(BUTTON)
            await speaker.reaches("muted")
            await pins.wait_for(shines)
            await speaker.stop()

    asyncio.run(story())
