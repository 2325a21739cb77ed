"""A light or a button that is not there yet: the speaker goes on, and uses it when it comes."""

import asyncio
from pathlib import Path

import pytest

from edged import app, journal
from edged.core.commands import Fact
from edged.simulator.evening.stage import KEY

from .conftest import Drop
from .serviced import until, watched
from .test_app_echo import Told, configured

SHY = '''
    """A light that is there once a file is; it writes into it what it shows."""

    from dataclasses import dataclass
    from pathlib import Path

    class NotYet(OSError):
        hint = "switch it on"

    @dataclass(frozen=True)
    class Settings:
        file: str = ""
        """Where it is."""

    def open(settings, *rest):
        return Shy(Path(settings.file))

    class Shy:
        def __init__(self, file):
            if not file.exists():
                raise NotYet(f"{file}: no lamp")
            self._file = file

        def show(self, look):
            self._file.write_text(look.scene)

        def close(self):
            self._file.write_text("closed")
'''

TARDY = '''
    """A button that is there once a file is, and is pressed at once."""

    from collections.abc import Iterator
    from dataclasses import dataclass
    from pathlib import Path

    from edged.core.events import ButtonPressed, ButtonReleased

    @dataclass(frozen=True)
    class Settings:
        file: str = ""
        """Where it is."""

        def names(self) -> Iterator[str]:
            """What it is called."""
            yield "talk"

    def open(settings, feed):
        return Tardy(Path(settings.file), feed)

    class Tardy:
        def __init__(self, file, feed):
            if not file.exists():
                raise OSError(f"{file}: no button")
            self._file = file
            feed(ButtonPressed("talk"))
            feed(ButtonReleased("talk"))

        def close(self):
            self._file.write_text("closed")
'''


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """The journal of a speaker whose state is kept here."""
    told = Told()
    monkeypatch.setattr(journal, "open", lambda: told)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return told


def test_it_shows_what_it_missed_when_it_comes(
    tmp_path: Path, told: Told, drop_driver: Drop
) -> None:
    drop_driver("lights", "shy", SHY)
    lamp = tmp_path / "lamp"
    settings = configured(tmp_path, 'lights.drivers=["shy"]', f'lights.shy.file="{lamp}"')

    async def story() -> None:
        running = asyncio.create_task(app.run(settings))
        await told.says(Fact.MICROPHONE_OPENED)
        lamp.touch()
        await told.says(Fact.PART_FOUND)
        assert lamp.read_text() == "asleep"
        running.cancel()
        await running

    asyncio.run(story())
    (missing,) = [note for note in told.notes if note.fact is Fact.PART_MISSING]
    assert missing.warning
    assert "no lamp" in missing.message
    assert missing.fields["advice"] == "switch it on"
    assert lamp.read_text() == "closed"


def test_who_watches_is_told_that_it_is_missing_and_that_it_came(
    tmp_path: Path, told: Told, drop_driver: Drop
) -> None:
    drop_driver("lights", "shy", SHY)
    lamp = tmp_path / "lamp"
    settings = configured(tmp_path, 'lights.drivers=["shy"]', f'lights.shy.file="{lamp}"')

    async def story() -> None:
        running = asyncio.create_task(app.run(settings))
        await told.says(Fact.MICROPHONE_OPENED)
        async with watched(tmp_path) as shown:
            *_, missing = await until(Fact.PART_MISSING, shown)
            lamp.touch()
            *_, found = await until(Fact.PART_FOUND, shown)
        assert missing["warning"]
        assert missing["fields"]["advice"] == "switch it on"
        assert "shy" in found["message"]
        running.cancel()
        await running

    asyncio.run(story())
    assert [note.fact for note in told.notes].count(Fact.PART_FOUND) == 1


def test_a_button_that_comes_late_does_what_it_is_for(
    tmp_path: Path, told: Told, drop_driver: Drop
) -> None:
    drop_driver("buttons", "tardy", TARDY)
    button = tmp_path / "button"
    settings = configured(
        tmp_path,
        'buttons.drivers=["tardy"]',
        f'buttons.tardy.file="{button}"',
        'buttons.actions.talk.press="mute"',
    )

    async def story() -> None:
        running = asyncio.create_task(app.run(settings))
        await told.says(Fact.MICROPHONE_OPENED)
        button.touch()
        found = await told.says(Fact.PART_FOUND)
        assert "tardy" in found.message
        await told.says(Fact.MUTED)
        running.cancel()
        await running

    asyncio.run(story())
    assert button.read_text() == "closed"


def test_a_speaker_that_ends_waits_for_none(tmp_path: Path, told: Told, drop_driver: Drop) -> None:
    drop_driver("lights", "shy", SHY)
    settings = configured(tmp_path, 'lights.drivers=["shy"]', f'lights.shy.file="{tmp_path}/lamp"')

    async def story() -> None:
        running = asyncio.create_task(app.run(settings))
        await told.says(Fact.MICROPHONE_OPENED)
        running.cancel()
        await running

    asyncio.run(story())
    assert Fact.PART_FOUND not in [note.fact for note in told.notes]
    assert told.notes[-1].fact is Fact.STOPPED
