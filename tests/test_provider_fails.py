"""The whole speaker in this process, and a provider that fails and is well again."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from edged.core.commands import Fact
from edged.simulator.server import Faults, Options

from .home import ANSWERS, Here, speaker

pytestmark = pytest.mark.evenings

WELL = Faults()


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-simulated")
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)


def tell(folder: Path, story: Callable[[Here], Awaitable[None]], faults: Faults = WELL) -> None:
    async def told() -> None:
        options = Options(
            answers=ANSWERS,
            detector="energy",
            think_s=0.02,
            transcription_s=0.02,
            pace=4.0,
            faults=faults,
        )
        async with speaker(folder, options) as here:
            await story(here)
            await here.asks("stop")
            if here.server.visits[-1].closed is None:
                await here.is_now("asleep")

    asyncio.run(told())


async def cannot_be_woken(here: Here) -> str:
    """What somebody is told who types it all the same."""
    reader, writer = await asyncio.open_unix_connection(here.folder / "control")
    writer.write(b'{"verb": "wake"}\n')
    told = json.loads(await reader.readline())
    writer.close()
    await writer.wait_closed()
    assert not told["ok"]
    return str(told["error"])


def asked_for(here: Here) -> int:
    """How often an answer was asked for."""
    return len(here.server.entries("response.create"))


def test_an_overloaded_provider_is_asked_once_more(tmp_path: Path) -> None:
    async def story(here: Here) -> None:
        await here.connects()
        await here.is_asked()
        await here.tells(Fact.REQUEST_REFUSED)
        here.server.faults = WELL
        await here.is_now("speaking")
        await here.tells(Fact.TURN_ENDED)
        assert asked_for(here) == 1
        assert all(told["fact"] != "trouble" for told in here.notes)

    tell(tmp_path, story, Faults(busy=True))


def test_one_that_stays_so_is_told_of_and_asked_again_by_whoever_likes(tmp_path: Path) -> None:
    async def story(here: Here) -> None:
        await here.connects()
        await here.is_asked()
        await here.tells(Fact.TROUBLE, "trouble: provider")
        await here.is_now("listening")
        assert asked_for(here) == 1
        here.server.faults = WELL
        await here.is_answered()
        assert asked_for(here) == 1
        assert len(here.server.visits) == 1

    tell(tmp_path, story, Faults(busy=True))


def test_an_empty_account_is_tried_again_at_each_wake(tmp_path: Path) -> None:
    async def story(here: Here) -> None:
        await here.connects()
        await here.is_asked()
        await here.tells(Fact.TROUBLE, "trouble: credit")
        await here.is_now("asleep")
        here.server.faults = WELL
        await here.connects()
        assert len(here.server.visits) == 2

    tell(tmp_path, story, Faults(quota=True))


def test_a_refused_key_is_shown_to_the_provider_once(tmp_path: Path) -> None:
    async def story(here: Here) -> None:
        await here.asks("wake")
        for _ in range(3):
            await here.tells(Fact.TROUBLE, "trouble: key")
            await here.is_now("asleep")
            assert await cannot_be_woken(here) == "it cannot be woken: it is trouble"
        assert len(here.server.visits) == 1

    tell(tmp_path, story, Faults(bad_key=True))
