"""Whoever watches a speaker is told all that its journal is told while it lives, and once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from edged.core.commands import Fact

from .serviced import Serviced, configured, serviced, until, watched

Story = Callable[[Serviced], Awaitable[None]]


def tell(story: Story, folder: Path, state: Path | None = None) -> Serviced:
    """Tell a story to a daemon that is stopped in the end."""

    async def told() -> Serviced:
        async with serviced(folder, state=state) as speaker:
            await speaker.says("microphone")
            await story(speaker)
            await speaker.stops()
        return speaker

    return asyncio.run(told())


def test_who_comes_later_is_told_the_warnings_of_the_start_first(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        async with watched(tmp_path) as shown:
            entries = await until(Fact.MICROPHONE_OPENED, shown)
        facts = [entry["fact"] for entry in entries]
        assert facts[:3] == [Fact.STARTED, Fact.KEY_EXPOSED, Fact.ECHO_CHOSEN]
        assert entries[1]["warning"]
        assert {entry["state"] for entry in entries[:3]} == {"asleep"}

    tell(story, tmp_path)


def test_a_mistake_in_a_new_configuration_and_that_it_is_mended(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        async with watched(tmp_path) as shown:
            entries = await until(Fact.MICROPHONE_OPENED, shown)
            configured(tmp_path, "[volume]", 'db = "loud"')
            speaker.reload()
            entries += await until(Fact.RELOAD_REFUSED, shown)
            refused = entries[-1]
            configured(tmp_path)
            speaker.reload()
            entries += await until(Fact.RELOADED, shown)
            entries += await until(Fact.MICROPHONE_OPENED, shown)
        assert "volume.db" in refused["message"]
        assert "edged check" in refused["fields"]["advice"]
        assert refused["state"] == "asleep"
        times = [entry["time"] for entry in entries]
        assert times == sorted(set(times)), "nothing is told twice, over a reload too"

    speaker = tell(story, tmp_path)
    assert speaker.counts("not taken") == 1
    assert speaker.counts("is taken") == 1


def test_a_new_configuration_with_which_it_cannot_start(tmp_path: Path) -> None:
    """Nobody can be told before the old one is back."""
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        async with watched(tmp_path) as shown:
            await until(Fact.MICROPHONE_OPENED, shown)
            file = configured(tmp_path, "[wake.openwakeword.words.hey]", 'model = "/no/such.onnx"')
            file.write_text(file.read_text().replace('"button"', '"openwakeword"'))
            speaker.reload()
            *_, refused = await until(Fact.RELOAD_REFUSED, shown)
        assert "/no/such.onnx" in refused["message"]

    speaker = tell(story, tmp_path)
    assert speaker.counts("not taken") == 1


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "file").touch()

    async def story(speaker: Serviced) -> None:
        async with watched(tmp_path) as shown:
            await until(Fact.MICROPHONE_OPENED, shown)
            await speaker.types("volume", "control", "+1")
            *_, warned = await until(Fact.NOT_SAVED, shown)
        assert warned["warning"]

    tell(story, tmp_path, state=tmp_path / "file" / "state")
