"""A new configuration is read at SIGHUP, and taken when nobody is on the line."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from edged import store
from edged.record import Recording
from edged.simulator.evening.stage import BUTTON
from edged.simulator.pinboard import PinsClient
from edged.simulator.server import Options, serve

from .serviced import Serviced, configured, serviced

LONG = "This answer is long enough for somebody to find it too long, and to say something else."
Story = Callable[[Serviced], Awaitable[None]]


def tell(story: Story, folder: Path, *options: str, state: Path | None = None) -> Serviced:
    """Tell a story to a daemon that runs as a service and is stopped in the end."""

    async def told() -> Serviced:
        async with serviced(folder, *options, watchdog_s=6.0, state=state) as speaker:
            await story(speaker)
            await speaker.stops()
        return speaker

    return asyncio.run(told())


def test_a_new_configuration_is_taken_without_a_new_process(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        file = configured(tmp_path, "[sound.wavefile]", f'speaker = "{tmp_path}/heard.wav"')
        file.write_text(file.read_text().replace("/control", "/controlled"))
        speaker.reload()
        await speaker.says("the new configuration is taken")
        await speaker.until(lambda: len(speaker.times("READY=1")) == 2)
        await speaker.says(f"loudspeaker {tmp_path}/heard.wav")
        await speaker.says("microphone", 2)
        assert "asleep" in await speaker.types("status", "controlled")
        with pytest.raises(store.Claimed):
            store.claim(tmp_path / "state")
        assert not (tmp_path / "control").exists()

    speaker = tell(story, tmp_path)
    assert speaker.counts("edged 0.") == 1, "it was not started again"
    words = [said for _, said in speaker.told]
    reloading = words.index("RELOADING=1")
    assert words[reloading + 1].startswith("MONOTONIC_USEC=")
    patience = words.index("WATCHDOG_USEC=60000000")
    impatience = words.index("WATCHDOG_USEC=6000000")
    assert reloading < patience < impatience < len(words) - 1 - words[::-1].index("READY=1")
    assert words.count("STOPPING=1") == 1, "only at its end"


def test_a_mistake_leaves_everything_as_it_was_and_is_told_once(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        configured(tmp_path, "[volume]", 'db = "loud"', "[lihgts]")
        speaker.reload()
        await speaker.until(lambda: len(speaker.times("READY=1")) == 2)
        assert "asleep" in await speaker.types("status")
        configured(tmp_path)
        speaker.reload()
        await speaker.says("the new configuration is taken")

    speaker = tell(story, tmp_path)
    (refused,) = [line for line in speaker.lines if "not taken" in line]
    assert "volume.db" in refused
    assert "lihgts" in refused
    assert "edged check" in refused


def test_a_conversation_is_not_lost(tmp_path: Path) -> None:
    async def told() -> None:
        said = Options(answers=[LONG], voice="melody", detector="energy")
        async with await serve(said) as server:
            configured(tmp_path, url=server.url)
            async with serviced(tmp_path) as speaker:
                await speaker.says("microphone")
                await speaker.types("wake")
                await speaker.says("listening")
                server.hears_speech()
                await speaker.says("hearing")
                server.hears_silence()
                await speaker.says("speaking")
                configured(
                    tmp_path,
                    *["[sound.wavefile]", f'speaker = "{tmp_path}/heard.wav"'],
                    url=server.url,
                )
                speaker.reload()
                await speaker.until(lambda: bool(speaker.times("RELOADING=1")))
                await speaker.says("listening", 2)
                assert not speaker.counts("is taken"), "somebody is on the line"
                assert len(speaker.times("READY=1")) == 1
                assert not speaker.counts("session ended")
                await speaker.types("stop")
                await speaker.says("session ended")
                await speaker.says("is taken")
                await speaker.until(lambda: len(speaker.times("READY=1")) == 2)
                await speaker.says(f"loudspeaker {tmp_path}/heard.wav")
                await speaker.stops()

    asyncio.run(told())


def test_what_rings_is_not_cut_off(tmp_path: Path) -> None:
    """A timer sounds again and again until somebody has heard it, with pauses in between."""
    configured(tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    now = time.time()
    timer = {"name": "tea", "steady": 0.0, "wall": now, "boot": "an earlier one"}
    (state / "timers.json").write_text(json.dumps([timer]))

    async def story(speaker: Serviced) -> None:
        await speaker.says("rings")
        speaker.reload()
        await speaker.until(lambda: bool(speaker.times("RELOADING=1")))
        # Longer than from one sound of it to the next.
        await asyncio.sleep(3)
        assert not speaker.counts("is taken"), "it was cut off"
        await speaker.types("stop")
        await speaker.says("is taken")

    tell(story, tmp_path)


def test_where_the_new_one_cannot_start_the_old_one_goes_on(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        file = configured(tmp_path, "[wake.openwakeword.words.hey]", 'model = "/no/such.onnx"')
        file.write_text(file.read_text().replace('"button"', '"openwakeword"'))
        speaker.reload()
        await speaker.says("the old one stays")
        await speaker.until(lambda: len(speaker.times("READY=1")) == 2)
        assert "asleep" in await speaker.types("status")

    speaker = tell(story, tmp_path)
    (refused,) = [line for line in speaker.lines if "not taken" in line]
    assert "/no/such.onnx" in refused
    assert not speaker.counts("is taken")


def test_where_the_new_one_cannot_be_reached_the_old_one_goes_on(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        file = configured(tmp_path)
        file.write_text(file.read_text().replace('socket = "', 'socket = "/proc'))
        speaker.reload()
        await speaker.says("the old one stays")
        await speaker.until(lambda: len(speaker.times("READY=1")) == 2)
        assert "asleep" in await speaker.types("status")

    speaker = tell(story, tmp_path)
    (refused,) = [line for line in speaker.lines if "not taken" in line]
    assert "cannot be made" in refused
    assert not speaker.counts("edged ends")


def test_what_the_new_one_lacks_is_told_with_what_to_do(tmp_path: Path) -> None:
    """`edged check` finds no mistake in it."""
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        file = configured(tmp_path, "[lights.apa102]", "bus = 9")
        file.write_text(file.read_text().replace("drivers = []", 'drivers = ["apa102"]'))
        speaker.reload()
        await speaker.says("the new configuration is taken")
        assert "asleep" in await speaker.types("status")

    speaker = tell(story, tmp_path)
    (missing,) = [line for line in speaker.lines if "goes on without" in line]
    assert "/dev/spidev9.0" in missing
    assert "switch SPI on" in missing


@pytest.mark.parametrize("part", ["disk", "reader"])
def test_what_takes_longer_than_the_watchdog_waits_is_waited_for(tmp_path: Path, part: str) -> None:
    """A card that something else writes to, or a library that is read for the first time."""
    configured(tmp_path)

    async def story() -> None:
        program = ("-m", "tests.sick", part)
        async with serviced(tmp_path, watchdog_s=1.5, program=program) as speaker:
            await speaker.says("microphone")
            (tmp_path / "sick").touch()
            await speaker.types("volume", "control", "+1")
            speaker.reload()
            await speaker.says("the new configuration is taken")
            await speaker.until(lambda: len(speaker.times("READY=1")) == 2)
            await speaker.stops()
        assert not speaker.counts("stands still")
        assert longest_silence_s(speaker) < 1.5

    asyncio.run(story())


def longest_silence_s(speaker: Serviced) -> float:
    """For how long its manager heard nothing that it had not been told to wait for."""
    longest, heard, patience = 0.0, speaker.times("READY=1")[0], 1.5
    for when, said in speaker.told:
        if said == "WATCHDOG=1" or said.startswith("WATCHDOG_USEC="):
            if patience < 60:
                longest = max(longest, when - heard)
            heard = when
        if said.startswith("WATCHDOG_USEC="):
            patience = int(said.partition("=")[2]) / 1e6
    return longest


def test_what_it_was_stays_over_a_reload_where_nothing_can_be_saved(tmp_path: Path) -> None:
    """Muted, above all: a microphone that was closed by hand is not opened by a reload."""
    configured(tmp_path)
    (tmp_path / "file").touch()

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        async with PinsClient(tmp_path / "pins", lambda _: None) as pins:
            await pins.press(BUTTON)
            await speaker.until(lambda: bool(speaker.times("STATUS=muted")))
            await pins.release(BUTTON)
        speaker.reload()
        await speaker.says("the new configuration is taken")
        await speaker.until(lambda: len(speaker.times("READY=1")) == 2)
        assert "muted" in await speaker.types("status")
        assert speaker.counts("microphone noise") == 1
        async with PinsClient(tmp_path / "pins", lambda _: None) as pins:
            await pins.press(BUTTON)
            await speaker.says("microphone noise", 2)

    tell(story, tmp_path, state=tmp_path / "file" / "state")


def resident_mib(speaker: Serviced) -> float:
    pages = Path(f"/proc/{speaker.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_files(speaker: Serviced) -> int:
    return sum(1 for _ in Path(f"/proc/{speaker.process.pid}/fd").iterdir())


def test_many_reloads_leave_nothing_behind(tmp_path: Path) -> None:
    file = configured(tmp_path)
    file.write_text(file.read_text().replace('"button"', '"openwakeword"'))

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        files = open_files(speaker)
        before = resident_mib(speaker)
        for reloads in range(1, 7):
            speaker.reload()
            await speaker.says("the new configuration is taken", reloads)
            await speaker.says("microphone", reloads + 1)
        assert open_files(speaker) <= files + 2
        # The first costs some; each one that is not forgotten would cost 10 more.
        assert resident_mib(speaker) - before < 35

    tell(story, tmp_path)


def test_the_recording_goes_on_in_a_file_of_its_own(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story(speaker: Serviced) -> None:
        await speaker.says("microphone")
        for reloads in (1, 2):
            speaker.reload()
            await speaker.says("the new configuration is taken", reloads)
            await speaker.says("microphone", reloads + 1)

    tell(story, tmp_path, "--record", str(tmp_path / "evening.jsonl"))
    for name in ("evening.jsonl", "evening-2.jsonl", "evening-3.jsonl"):
        assert list(Recording(tmp_path / name)), name
