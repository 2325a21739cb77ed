"""The journal's last entry says how a speaker ended: told to, or broken, or never begun."""

import asyncio
import socket
from pathlib import Path

import pytest

from edged import app, journal
from edged.core.commands import Fact

from .conftest import Drop
from .test_app_echo import Told, configured

ROTTEN = '''
    """A light that cannot stand its own colour."""

    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Settings:
        """Nothing."""

    def open(settings, *rest):
        return Rotten()

    class Rotten:
        def show(self, look):
            raise ZeroDivisionError("what somebody said")

        def close(self): ...
'''


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """The journal of a speaker whose state is kept here."""
    told = Told()
    monkeypatch.setattr(journal, "open", lambda: told)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return told


def test_one_that_is_told_to_stop_says_so_at_the_very_end(tmp_path: Path, told: Told) -> None:
    async def story() -> None:
        running = asyncio.create_task(app.run(configured(tmp_path)))
        await told.says(Fact.MICROPHONE_OPENED)
        running.cancel()
        await running

    asyncio.run(story())
    facts = [note.fact for note in told.notes]
    assert facts[0] is Fact.STARTED
    assert facts[-1] is Fact.STOPPED
    assert facts.count(Fact.STOPPED) == 1


def test_one_that_breaks_says_so_without_a_word_of_what_was_said(
    tmp_path: Path, told: Told, drop_driver: Drop
) -> None:
    drop_driver("lights", "rotten", ROTTEN)
    with pytest.raises(ExceptionGroup):
        asyncio.run(app.run(configured(tmp_path, 'lights.drivers=["rotten"]')))
    (broken,) = [note for note in told.notes if note.fact is Fact.BROKEN]
    assert broken.message == "edged ends: ZeroDivisionError"
    assert journal.priority(broken) is journal.Priority.CRITICAL
    assert Fact.STOPPED not in [note.fact for note in told.notes]


def test_one_that_cannot_start_is_not_broken(tmp_path: Path, told: Told, drop_driver: Drop) -> None:
    drop_driver(
        "lights", "rotten", ROTTEN.replace("return Rotten()", 'raise ValueError("no light")')
    )
    with pytest.raises(app.StartFailed, match="no light"):
        asyncio.run(app.run(configured(tmp_path, 'lights.drivers=["rotten"]')))
    assert not {note.fact for note in told.notes} & {Fact.BROKEN, Fact.STOPPED}


def test_one_that_nobody_could_reach_is_not_broken_and_not_started_again(
    tmp_path: Path, told: Told
) -> None:
    with pytest.raises(app.StartFailed, match="cannot be made") as failed:
        asyncio.run(app.run(configured(tmp_path, 'control.socket="/proc/nowhere/control"')))
    assert failed.value.mistake
    assert not {note.fact for note in told.notes} & {Fact.BROKEN, Fact.STOPPED}


def test_one_whose_state_is_anothers_waits_for_it_to_end(tmp_path: Path, told: Told) -> None:
    """Two would forget each other's mute, and spend the same money twice."""

    async def story() -> None:
        first = asyncio.create_task(app.run(configured(tmp_path)))
        await told.says(Fact.MICROPHONE_OPENED)
        notes = len(told.notes)
        with pytest.raises(app.StartFailed, match="another edged keeps its state in") as failed:
            await app.run(configured(tmp_path, f'control.socket="{tmp_path}/other"'))
        assert not failed.value.mistake
        assert str(tmp_path / "state") in str(failed.value)
        assert len(told.notes) == notes, "it took nothing, and began nothing"
        first.cancel()
        await first
        told.notes.clear()
        second = asyncio.create_task(app.run(configured(tmp_path)))
        await told.says(Fact.MICROPHONE_OPENED)
        second.cancel()
        await second

    asyncio.run(story())


def test_one_in_anothers_place_is_no_mistake_of_the_configuration(
    tmp_path: Path, told: Told
) -> None:
    path = tmp_path / "taken"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(app.StartFailed, match="another edged is running") as failed:
            asyncio.run(app.run(configured(tmp_path, f'control.socket="{path}"')))
    assert not failed.value.mistake
    assert Fact.BROKEN not in {note.fact for note in told.notes}
