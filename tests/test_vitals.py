"""The heartbeat: what the process weighs and uses, and what it has lost since the last one."""

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from edged import app, duties, journal
from edged.core.commands import Fact
from edged.vitals import LOSSES, Vitals

from .test_app_echo import Told, configured


def status(**counted: int) -> Mapping[str, object]:
    """The runner's status with these counters, by their name in the heartbeat."""
    parts: dict[str, dict[str, object]] = {"sound": {"microphone": "x"}, "wake": {"engine": "y"}}
    for name, many in counted.items():
        part, inside = LOSSES[name]
        parts[part][inside] = many
    return {"state": "asleep", **parts}


def test_it_sees_this_very_process() -> None:
    vitals = Vitals()
    before = vitals.note(status()).fields
    weight = bytearray(64 << 20)
    weight[:: os.sysconf("SC_PAGE_SIZE")] = b"x" * len(weight[:: os.sysconf("SC_PAGE_SIZE")])
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait)
    thread.start()
    reader, writer = os.pipe()
    try:
        after = vitals.note(status()).fields
    finally:
        leave.set()
        thread.join()
        os.close(reader)
        os.close(writer)
    assert float(after["rss_mib"]) - float(before["rss_mib"]) == pytest.approx(64, abs=8)
    assert int(after["threads"]) == int(before["threads"]) + 1
    assert int(after["descriptors"]) == int(before["descriptors"]) + 2
    assert len(weight) == 64 << 20


def test_a_busy_process_uses_about_a_whole_processor() -> None:
    """Against the processor's own clock: a neighbour who is busy, too, takes from both."""
    vitals = Vitals(clock=time.thread_time)
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        pass
    assert float(vitals.note(status()).fields["cpu_pct"]) == pytest.approx(100, abs=15)


def test_the_share_of_the_processor_is_that_since_the_last_one(tmp_path: Path) -> None:
    _process(tmp_path)
    clock, cpu = iter((100.0, 3700.0, 7300.0)), iter((2.0, 38.0, 398.0))
    vitals = Vitals(tmp_path, lambda: next(clock), lambda: next(cpu))
    shares = [vitals.note(status()).fields["cpu_pct"] for _ in range(2)]
    assert shares == [1.0, 10.0]


def test_it_is_told_in_words_and_in_figures(tmp_path: Path) -> None:
    _process(tmp_path)
    clock, cpu = iter((0.0, 3600.0, 7200.0)), iter((0.0, 140.4, 280.8))
    vitals = Vitals(tmp_path, lambda: next(clock), lambda: next(cpu))
    told = vitals.note(status())
    assert told.fact is Fact.HEARTBEAT
    assert told.message == (
        "105.2 MiB, 3.9 % of a processor, 14 threads, 4 descriptors; no sound lost"
    )
    assert told.fields == {
        "rss_mib": 105.2,
        "cpu_pct": 3.9,
        "threads": 14,
        "descriptors": 4,
        "interval_s": 3600,
        **dict.fromkeys(LOSSES, 0),
    }
    lost = vitals.note(status(capture_overflows=3, wake_frames_dropped=1))
    assert lost.message.endswith("; 3 capture overflows, 1 wake frames dropped")


def test_what_was_lost_is_counted_once_also_when_a_device_begins_anew(tmp_path: Path) -> None:
    _process(tmp_path)
    vitals = Vitals(tmp_path, iter(range(100)).__next__)
    told = [
        vitals.note(status(capture_overflows=count)).fields["capture_overflows"]
        for count in (3, 3, 7, 2)
    ]
    assert told == [3, 0, 4, 2]


def test_a_sound_card_that_counts_nothing_has_lost_nothing(tmp_path: Path) -> None:
    _process(tmp_path)
    told = Vitals(tmp_path).note({"state": "starting"}).fields
    assert [told[name] for name in LOSSES] == [0] * len(LOSSES)


def test_without_a_descriptor_left_the_heart_beats_on(tmp_path: Path) -> None:
    told = Vitals(tmp_path / "gone").note(status(speaker_gaps=2))
    assert "cannot be read" in told.message
    assert told.fields["speaker_gaps"] == 2


def _process(folder: Path) -> None:
    """A process as proc(5) shows it, with four open descriptors besides the reader's."""
    (folder / "status").write_text("Name:\tedged\nVmRSS:\t  107725 kB\nThreads:\t14\n")
    (folder / "fd").mkdir()
    for number in range(5):
        (folder / "fd" / str(number)).touch()


def test_the_heart_of_a_whole_speaker_beats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that it is an hour from one beat to the next is not waited for."""
    told = Told()
    monkeypatch.setattr(journal, "open", lambda: told)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(duties, "_HEARTBEAT_S", 0.2)

    async def story() -> Mapping[str, str | int | float]:
        running = asyncio.create_task(app.run(configured(tmp_path)))
        beat = await told.says(Fact.HEARTBEAT)
        running.cancel()
        await running
        return beat.fields

    fields = asyncio.run(story())
    assert float(fields["rss_mib"]) > 10
    assert int(fields["descriptors"]) > 3
    assert set(LOSSES) < set(fields)
