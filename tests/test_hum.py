"""The sound of work: heard while a tool takes its time, and never else."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from edged import devices, hum, journal, schema
from edged.core.commands import Chime
from edged.core.scenes import Look, Scene
from edged.hum import Hum
from edged.ports import Lights

WORKING = Look(Scene.WORKING)
Story = Callable[[Lights, list[Chime]], Awaitable[None]]


def heard(story: Story, every_s: float = 0.01) -> list[Chime]:
    """What sounds while `story` is told, and after it."""
    sounds: list[Chime] = []

    async def evening() -> None:
        await story(Hum(sounds.append, every_s), sounds)
        before = len(sounds)
        await asyncio.sleep(0.05)
        assert len(sounds) == before

    asyncio.run(evening())
    return sounds


async def some(sounds: list[Chime], times: int) -> None:
    """Wait until so many were heard."""
    async with asyncio.timeout(10):
        while len(sounds) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("after", [Scene.SPEAKING, Scene.THINKING, Scene.HEARING, Scene.ASLEEP])
def test_it_sounds_again_and_again_until_the_tool_is_done(
    after: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hum, "_PATIENCE_S", 0.01)

    async def story(lights: Lights, sounds: list[Chime]) -> None:
        lights.show(WORKING)
        await some(sounds, 3)
        lights.show(Look(after))

    assert set(heard(story)) == {Chime.WORKING}


def test_a_quick_tool_makes_no_sound() -> None:
    async def story(lights: Lights, sounds: list[Chime]) -> None:
        lights.show(WORKING)
        lights.show(Look(Scene.THINKING))
        lights.show(Look(Scene.SPEAKING))

    assert heard(story) == []


def test_a_mark_beside_the_scene_does_not_begin_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hum, "_PATIENCE_S", 0.05)

    async def story(lights: Lights, sounds: list[Chime]) -> None:
        async with asyncio.timeout(10):
            while not sounds:
                lights.show(Look(Scene.WORKING, sending=not sounds))
                await asyncio.sleep(0.005)
        lights.close()

    assert heard(story, every_s=1000) == [Chime.WORKING]


def test_the_end_of_the_speaker_is_its_end() -> None:
    async def story(lights: Lights, sounds: list[Chime]) -> None:
        lights.show(WORKING)
        lights.close()
        lights.close()

    assert heard(story) == []


@pytest.mark.parametrize("every_s", [0, 2])
def test_the_speaker_has_it_where_it_is_asked_for(tmp_path: Path, every_s: float) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(
        "sound.driver = 'wavefile'\nlights.drivers = []\nbuttons.drivers = []\n"
        f"wake.driver = 'button'\necho.mode = 'off'\ntools.sound_every_s = {every_s}"
    )
    settings = schema.read(file)

    async def evening() -> Sequence[Lights]:
        told = journal.open()
        chosen, echo = devices.echo(settings, 24000, told)
        hearing = 24000, 20, echo, chosen.name
        opened = devices.opened(settings, lambda event: None, hearing, lambda note: None)
        async with opened as (_, _, lights):
            return lights

    assert len(asyncio.run(evening())) == (1 if every_s else 0)
