"""The unmodified daemon, and one evening with each kind of provider besides OpenAI."""

import asyncio
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged.simulator.provider.script import Answer
from edged.simulator.server import Call, Faults, Options, Server, Speech, serve
from tests.simulator.caller import hum, silence

from .serviced import configured, serviced

pytestmark = pytest.mark.evenings

RATE = 16_000
SETTINGS = {
    "azure": "",
    "xai": 'model = "grok-voice-think-fast-2.0"\nvoice = "ara"',
    "legacy": 'model = "llama"\ntranscription = "whisper"',
}
"""What of the section [session] each of them wants otherwise."""


def _recording(folder: Path) -> Path:
    """Somebody who says something every few seconds."""
    once = np.concatenate([hum(0.8), silence(1.7)])[:: 24_000 // 8_000].repeat(2)
    file = folder / "talk.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.tile(once, 12).astype("<i2").tobytes())
    return file


def _refusals(server: Server) -> list[str]:
    return [entry.details["error"]["message"] for entry in server.entries("error")]


@pytest.mark.parametrize(
    ("name", "audio"),
    [("azure", "pcma"), ("xai", "pcm"), ("legacy", "pcmu")],
)
def test_an_evening_with(name: Any, audio: str, tmp_path: Path) -> None:
    answers: list[Answer] = [
        Speech("A tune.", hum(0.6)),
        Call("clock", "{}"),
        Speech("A bell.", hum(0.6)),
    ]
    options = Options(dialect=name, key="sk-simulated", detector="energy", answers=answers)

    async def story() -> None:
        async with await serve(options) as server:
            configured(
                tmp_path,
                f'[provider]\ndriver = "{name}"\n[session]\naudio = "{audio}"\n{SETTINGS[name]}',
                f'[provider.{name}]\nurl = "{server.url}"',
                f'[sound.wavefile]\nmicrophone = "{_recording(tmp_path)}"',
                '[echo]\nmode = "off"',
            )
            async with serviced(tmp_path) as speaker:
                await speaker.types("wake")
                await speaker.until(lambda: speaker.counts("turn 2:") > 0, 60)
                await speaker.types("stop")
                await speaker.stops()
                assert not speaker.counts("not understood"), speaker.lines
                assert not speaker.counts("refused"), speaker.lines
            # Nothing was sent that this provider does not know.
            assert not [said for said in _refusals(server) if "ancel" not in said]
            told = [one.details["item"] for one in server.entries("conversation.item.create")]
            assert "function_call_output" in [item["type"] for item in told]

    asyncio.run(story())


def test_a_provider_that_takes_the_least_of_it_only_is_told_of(tmp_path: Path) -> None:
    options = Options(detector="energy", voice="melody", faults=Faults(modest=True))

    async def story() -> None:
        async with await serve(options) as server:
            configured(tmp_path, url=server.url)
            async with serviced(tmp_path) as speaker:
                await speaker.types("wake")
                await speaker.says("Unknown parameter: 'session.audio.output.voice'")
                await speaker.says("connected")
                await speaker.stops()

    asyncio.run(story())
