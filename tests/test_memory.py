"""What the speaker remembers: mute and volume, over restarts, power cuts and bad disks."""

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edged.core.commands import Remember
from edged.core.events import Started
from edged.memory import Memory
from edged.ports import Memory as Port
from edged.store import Clerk, Store


def evening(folder: Path, *told: Remember, warn: Callable[[str], None] = pytest.fail) -> Started:
    """One life of the speaker; what the next one begins with."""

    async def life() -> None:
        async with Clerk() as clerk:
            memory: Port = Memory(Store(folder, warn), clerk)
            for what in told:
                memory.remember(what)

    asyncio.run(life())
    return remembered(folder, warn)


def remembered(folder: Path, warn: Callable[[str], None] = pytest.fail) -> Started:
    async def life() -> Started:
        async with Clerk() as clerk:
            return Memory(Store(folder, warn), clerk).started()

    return asyncio.run(life())


def test_the_first_evening_begins_unmuted_and_as_loud_as_configured(tmp_path: Path) -> None:
    assert remembered(tmp_path) == Started(muted=False, volume_db=None)


def test_mute_and_volume_are_as_they_were_left(tmp_path: Path) -> None:
    assert evening(tmp_path, Remember(True, -12.5)) == Started(True, -12.5)
    assert evening(tmp_path, Remember(False, 0.0)) == Started(False, 0.0)
    assert evening(tmp_path) == Started(False, 0.0)


def test_the_last_word_counts_however_quickly_they_come(tmp_path: Path) -> None:
    turned = [Remember(step % 2 == 0, -step / 2) for step in range(100)]
    assert evening(tmp_path, *turned) == Started(False, -49.5)


def test_a_slow_disk_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the end waits for it: what was told last is there afterwards."""
    patient = threading.Event()
    written: list[int] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        assert patient.wait(10)
        written.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)

    async def life() -> None:
        async with Clerk() as clerk:
            memory = Memory(Store(tmp_path, pytest.fail), clerk)
            for step in range(1, 6):
                memory.remember(Remember(True, -step))
            for _ in range(10):
                await asyncio.sleep(0)  # The loop goes round while the disk does not answer.
            assert not written
            patient.set()

    asyncio.run(life())
    assert remembered(tmp_path) == Started(True, -5.0)
    assert len(written) <= 4, "what the disk has already, or what is overtaken, is not written"


@pytest.mark.parametrize(
    "bad",
    [
        b'{"muted": 1, "volume_db": -6}',
        b'{"muted": "yes", "volume_db": -6}',
        b'{"muted": true, "volume_db": "loud"}',
        b'{"muted": true, "volume_db": 0.5}',
        b'{"muted": true, "volume_db": -60.5}',
        b'{"muted": true, "volume_db": null}',
        b'{"muted": true}',
        b"null",
        b'{"muted": tru',
    ],
)
def test_what_cannot_be_true_is_not_believed(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "speaker.json").write_bytes(bad)
    warnings: list[str] = []
    assert remembered(tmp_path, warnings.append) == Started()
    assert len(warnings) == 1
    assert (tmp_path / "speaker.json.damaged").read_bytes() == bad
    assert evening(tmp_path, Remember(True, -9.0)) == Started(True, -9.0)


def test_a_disk_that_refuses_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "speaker.new").mkdir()
    warnings: list[str] = []
    evening(tmp_path, Remember(True, -9.0), Remember(True, -12.0), warn=warnings.append)
    assert len(warnings) == 1
    assert "cannot be saved" in warnings[0]


def test_a_disk_that_was_full_for_a_moment_costs_nothing(tmp_path: Path) -> None:
    """Above all that it is muted; nobody has to touch it once more."""
    warnings: list[str] = []

    async def life() -> None:
        async with Clerk() as clerk:
            memory = Memory(Store(tmp_path, warnings.append), clerk)
            memory.remember(Remember(False, -6.0))
        (tmp_path / "speaker.new").mkdir()
        async with clerk:
            memory.remember(Remember(True, -6.0))
        async with clerk:
            memory.save_again()
        (tmp_path / "speaker.new").rmdir()
        async with clerk:
            memory.save_again()

    asyncio.run(life())
    assert remembered(tmp_path) == Started(True, -6.0)
    assert len(warnings) == 1


def test_what_was_taken_back_while_the_disk_was_full_does_not_return(tmp_path: Path) -> None:
    warnings: list[str] = []

    async def life() -> None:
        async with Clerk() as clerk:
            memory = Memory(Store(tmp_path, warnings.append), clerk)
            memory.remember(Remember(False, -6.0))
        (tmp_path / "speaker.new").mkdir()
        for muted in (True, False):
            async with clerk:
                memory.remember(Remember(muted, -6.0))
        (tmp_path / "speaker.new").rmdir()
        async with clerk:
            memory.save_again()

    asyncio.run(life())
    assert remembered(tmp_path) == Started(False, -6.0)


def test_a_bug_in_what_is_to_be_saved_is_not_hidden() -> None:
    def bug() -> None:
        raise ZeroDivisionError

    async def life() -> None:
        async with Clerk() as clerk:
            clerk.do(bug)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(life())


def test_jobs_are_done_one_at_a_time_in_order() -> None:
    done: list[int] = []
    busy = threading.Lock()

    def job(number: int) -> None:
        assert busy.acquire(blocking=False), "two at a time"
        done.append(number)
        busy.release()

    async def life() -> None:
        async with Clerk() as clerk:
            for number in range(50):
                clerk.do(partial(job, number))
                if number % 7 == 0:
                    await asyncio.sleep(0)

    asyncio.run(life())
    assert done == list(range(50))
