"""The flight recorder: the last minutes can be lived through again, however long the evening."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edged import app
from edged.core import events as ev
from edged.core.gestures import Action, Bindings
from edged.flight import Flight, Recorder
from edged.ports import Recorder as Port
from edged.record import Recording, Tape, encode
from edged.store import Clerk, Store

from .core import test_properties as courses
from .tape import Recorded, header, replayed
from .test_record import BINDINGS, HAPPENINGS

KEY = "sk-simulated-0123456789"
MINUTE = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def kept(evening: Recorded, folder: Path) -> Recording:
    """What would be on disk if something failed now."""
    file = folder / "flight.jsonl"
    first = replace(evening.header, cut=evening.flight.cut)
    file.write_bytes(first.line() + evening.flight.text())
    return Recording(file)


def relives(evening: Recorded, folder: Path) -> int:
    """Check that a replay of what is remembered decides what the speaker did; how much that is."""
    assert not evening.flight.cut
    lines = evening.flight.text().splitlines(keepends=True)
    known = next(n for n in range(4) if evening.lines[-len(lines) + n :] == lines[n:])
    assert known in (0, 3), "what brings a fresh core there: how it starts, and two devices"
    since = len(evening.lines) - len(lines) + known
    played = list(app.replay(kept(evening, folder)))
    assert replayed(played[known:]) == evening.decided(since)
    return since


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([["key refused"], ["a conversation"]])
@given(st.lists(st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=12), max_size=5))
def test_what_is_remembered_can_be_lived_through_again(
    tmp_path_factory: pytest.TempPathFactory, evenings: list[list[str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    evening = Recorded(courses.POLICY, BINDINGS, page_s=5.0, keep_s=20.0)
    evening.starts()
    for course in evenings:
        for name in course:
            if evening.laws.failed:
                break
            HAPPENINGS[name](evening)
        if evening.laws.failed:
            break
        evening.naps()
        relives(evening, folder)
    relives(evening, folder)


def test_a_night_is_forgotten_but_for_its_last_minutes(tmp_path: Path) -> None:
    evening = Recorded(bindings=BINDINGS)
    evening.starts()
    evening.feed(ev.VolumeTurned(-2))
    sizes = []
    for _ in range(5):
        evening.passes(120.0)
        sizes.append(len(evening.flight.text()))
    assert max(sizes[2:]) < 1.5 * sizes[1], "it does not grow for ever"
    evening.is_troubled()
    since = relives(evening, tmp_path)
    (began, first), *_ = kept(evening, tmp_path)
    assert first == ev.Started(muted=False, volume_db=-12.0), "as loud as it was by then"
    assert 180.0 <= evening.now - began <= 300.0
    assert since > 10_000


def test_what_was_said_before_the_first_frame_that_is_kept_leaves_all_the_same(
    tmp_path: Path,
) -> None:
    """A chapter counts only once it holds as much room sound as the speaker does."""
    for seconds in (19.0, 19.2, 20.0, 40.0):
        evening = Recorded(page_s=1.0, keep_s=0.0)
        evening.starts()
        evening.passes(seconds)
        evening.wakes(late_ms=2900)
        evening.connects()
        evening.says()
        since = relives(evening, tmp_path)
        assert (since > 0) == (seconds > 19.0)


@pytest.mark.parametrize("held", ["a button", "a conversation", "trouble", "a volume"])
def test_no_chapter_begins_in_the_middle_of_something(held: str, tmp_path: Path) -> None:
    evening = Recorded(
        bindings={"up": Bindings(Action.VOLUME_UP, long=Action.STOP)}, page_s=1.0, keep_s=0.0
    )
    evening.starts()
    match held:
        case "a button":
            evening.feed(ev.ButtonPressed("up"))
            evening.passes(30.0)
        case "a conversation":
            evening.is_answered(40.0)
            evening.passes(30.0)
        case "trouble":
            evening.feed(ev.SpeakerLost("gone"))
            evening.passes(30.0)
        case _:
            for _ in range(4):
                evening.feed(ev.VolumeTurned(-1))
                evening.passes(15.0)
    assert relives(evening, tmp_path) == 0


def test_a_muted_speaker_needs_no_memory(tmp_path: Path) -> None:
    evening = Recorded(page_s=1.0, keep_s=0.0)
    evening.starts(muted=True)
    evening.remembered = ev.Started(muted=True)
    evening.dozes(3600.0)
    assert len(evening.lines) < 5
    evening.feed(ev.MuteAsked(False))
    evening.microphone_opens()
    evening.passes(30.0)
    assert relives(evening, tmp_path) > 5


def test_a_conversation_that_outgrows_the_memory_loses_its_beginning(tmp_path: Path) -> None:
    evening = Recorded(page_s=1.0, keep_s=60.0, limit=300_000)
    evening.starts()
    evening.passes(30.0)
    evening.converses_for_ever()
    recording = kept(evening, tmp_path)
    assert recording.header.cut
    lines = evening.flight.text().splitlines(keepends=True)
    assert 100_000 < len(evening.flight.text()) <= 300_000
    assert lines == evening.lines[-len(lines) :], "whole lines, and the newest"
    evening.naps(24.0)
    assert not evening.flight.cut
    assert relives(evening, tmp_path) > 0


@pytest.mark.parametrize("limit", range(20_000, 30_000, 1000))
def test_a_memory_that_is_short_even_for_a_nap_is_still_true(limit: int, tmp_path: Path) -> None:
    evening = Recorded(page_s=1.0, limit=limit)
    evening.starts()
    while evening.now < 1060.0:
        evening.passes(0.5)
        if not evening.flight.cut:
            relives(evening, tmp_path)
    assert evening.flight.text().count(b"MicFrame") > 50


# --- the files --------------------------------------------------------------------------------


class Cockpit:
    """A recorder with its files, and somebody who winds the clocks."""

    def __init__(self, folder: Path, clerk: Clerk, tape: Tape | None = None) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        self.now = 100.0
        flight = Flight(lambda _now: True, ev.Started, 3.0)
        self.recorder = Recorder(
            header(courses.POLICY, BINDINGS),
            flight,
            Store(folder, self.warnings.append),
            clerk,
            tape=tape,
            secret=lambda: KEY,
            clock=lambda: MINUTE + timedelta(seconds=self.now),
        )
        self.port: Port = self.recorder

    def fails(self, why: str = "trouble: network", after_s: float = 0.0) -> None:
        self.now += after_s
        self.port.took(ev.LinkDown(ev.Trouble.NETWORK, detail=f"by {KEY}"), self.now)
        self.port.failed(why)

    @property
    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir())


def flies(folder: Path, story: Callable[[Cockpit], None]) -> Cockpit:
    """One flight; the files are on disk when it is over."""

    async def flight() -> Cockpit:
        async with Clerk() as clerk:
            cockpit = Cockpit(folder, clerk)
            story(cockpit)
        return cockpit

    return asyncio.run(flight())


def test_a_failure_leaves_a_file_that_says_why(tmp_path: Path) -> None:
    cockpit = flies(tmp_path, lambda cockpit: cockpit.fails(f"trouble: {KEY}"))
    assert cockpit.files == ["flight-20260203T040646Z.jsonl"]
    file = tmp_path / cockpit.files[0]
    assert file.stat().st_mode & 0o077 == 0
    assert KEY not in file.read_text()
    recording = Recording(file)
    assert recording.header.why == "trouble: [key]"
    assert not recording.header.cut
    assert list(recording) == [(100.0, ev.LinkDown(ev.Trouble.NETWORK, detail="by [key]"))]


def test_a_word_that_is_no_secret_is_left_as_it_is(tmp_path: Path) -> None:
    flight = Flight(lambda _now: True, ev.Started, 3.0)
    tape = Tape(tmp_path / "x", header(courses.POLICY, {}), pytest.fail)

    async def evening() -> None:
        store = Store(tmp_path, pytest.fail)
        recorder = Recorder(
            header(courses.POLICY, {}), flight, store, Clerk(), tape=tape, secret=lambda: "talk"
        )
        recorder.took(ev.ButtonPressed("talk"), 1.0)

    asyncio.run(evening())
    tape.close()
    assert list(Recording(tmp_path / "x")) == [(1.0, ev.ButtonPressed("talk"))]


def test_trouble_that_comes_back_is_written_once_a_minute(tmp_path: Path) -> None:
    def story(cockpit: Cockpit) -> None:
        for _ in range(13):
            cockpit.fails(after_s=10.0)

    assert len(flies(tmp_path, story).files) == 3


def test_nothing_is_written_before_anything_happened(tmp_path: Path) -> None:
    assert flies(tmp_path, lambda cockpit: cockpit.port.failed("StartFailed")).files == []


def test_the_newest_ten_are_kept_also_by_a_clock_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "speaker.json").write_text("{}")

    def story(cockpit: Cockpit) -> None:
        for _ in range(14):
            cockpit.fails(after_s=61.0)
        cockpit.now = -1e7
        cockpit.recorder._written_at = None
        cockpit.fails()

    files = flies(tmp_path, story).files
    assert len(files) == 11
    assert "speaker.json" in files
    assert files[0].startswith("flight-2025"), "what was written last stays, whatever its name"


def test_a_disk_that_refuses_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "folder").touch()

    def story(cockpit: Cockpit) -> None:
        cockpit.fails()
        cockpit.fails(after_s=61.0)

    async def flight() -> list[str]:
        async with Clerk() as clerk:
            cockpit = Cockpit(tmp_path / "folder" / "state", clerk)
            story(cockpit)
        return cockpit.warnings

    warnings = asyncio.run(flight())
    assert len(warnings) == 1
    assert "everything else goes on" in warnings[0]


def test_the_tape_and_the_memory_hold_the_same(tmp_path: Path) -> None:
    evening = Recorded()
    evening.is_answered(1.0, heard_s=0.5)
    assert evening.flight.text() == b"".join(evening.lines)
    assert encode(ev.Started(), 1000.0) == evening.lines[0]
