"""The whole speaker and each kind of provider: nothing is said that this one has not published."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edged.core import commands as do
from edged.simulator.provider import validation
from edged.simulator.provider.accents import ACCENTS
from edged.simulator.server import Call, Options

from .dialects.published import flaws
from .home import ANSWERS, Here, speaker

pytestmark = pytest.mark.evenings

SETTINGS = {
    "openai": "",
    "azure": "",
    "xai": '[session]\nmodel = "grok-voice-think-fast-2.0"\nvoice = "ara"',
    "legacy": '[session]\nmodel = "llama"\ntranscription = "whisper"',
}
ABLE = {
    "openai": {"conversation.item.truncate"},
    "azure": {"conversation.item.truncate"},
    "xai": set[str](),
    "legacy": set[str](),
}
"""What each is told beyond what all of them are."""
ALWAYS = {
    "session.update",
    "input_audio_buffer.append",
    "conversation.item.create",
    "response.create",
}


class Tap:
    """Hears what comes as it stands on the wire."""

    def __init__(self) -> None:
        self.texts: list[str | bytes] = []

    def parse(self, message: str | bytes) -> dict[str, Any]:
        self.texts.append(message)
        return _parse(message)


_parse = validation.parse


async def _evening(here: Here) -> None:
    """A tool, an interruption, a line that breaks, a sleep, and somebody who goes on."""
    await here.connects()
    await here.is_answered()
    await here.answers()
    await here.is_spoken_to()
    here.server.hears_silence()
    await here.tells(do.Fact.TURN_ENDED)
    here.server.drop_all()
    await here.tells(do.Fact.CONNECTED)
    await here.is_answered()
    await here.asks("stop")
    await here.tells(do.Fact.SESSION_ENDED)
    await here.connects()
    await here.is_answered()
    await here.asks("stop")
    await here.tells(do.Fact.SESSION_ENDED)


@pytest.mark.parametrize("name", ACCENTS)
def test_nothing_unknown_is_said(
    name: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-simulated")
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tap = Tap()
    monkeypatch.setattr(validation, "parse", tap.parse)
    options = Options(
        dialect=name,
        answers=[Call("clock"), *ANSWERS],
        detector="energy",
        think_s=0.02,
        transcription_s=0.02,
    )

    async def told() -> Mapping[str, Any]:
        async with speaker(tmp_path, options, SETTINGS[name]) as here:
            await _evening(here)
        return {one.details["error"]["message"]: one for one in here.server.entries("error")}

    refusals = asyncio.run(told())
    assert not [message for message in refusals if "ancel" not in message]
    kinds = {json.loads(text)["type"] for text in tap.texts}
    assert kinds >= ALWAYS | ABLE[name]
    assert {text: found for text in tap.texts if (found := flaws(name, text))} == {}
