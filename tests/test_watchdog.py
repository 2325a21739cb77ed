"""The watchdog is fed by what goes on: told with fakes, and by the real process to its manager."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from edged.core.commands import Fact
from edged.core.events import MicLost, MuteAsked, ReplyAudio, ReplyDone, ReplyStarted
from edged.core.scenes import Scene
from edged.simulator import room

from .serviced import Serviced, configured, serviced
from .test_runner import House

WATCHDOG_S = 0.6
FRAME = b"\x10\x00" * 480


class Night:
    """A house whose devices go on by themselves, and whose manager ends it after `WATCHDOG_S`."""

    def __init__(self) -> None:
        self.house = House(watchdog_s=WATCHDOG_S)
        self.microphone = self.loudspeaker = self.watch = True
        """What goes on."""

    async def goes_on(self) -> None:
        house = self.house
        while True:
            await asyncio.sleep(0.02)
            house.sound.watched += self.watch
            house.sound.sounded += self.loudspeaker
            if self.microphone and house.sound.open:
                house.sound.capture(FRAME)

    @property
    def stuck(self) -> list[object]:
        notes = self.house.journal.notes
        return [note.fields["part"] for note in notes if note.fact is Fact.PART_STUCK]

    async def feeds(self, seconds: float = 1.5) -> int:
        """How often the watchdog is fed in this time, which is several times its own."""
        before = self.house.service.feeds
        await asyncio.sleep(seconds)
        return self.house.service.feeds - before

    async def starves(self) -> object:
        """It is fed no more; the part that was told of."""
        async with asyncio.timeout(10):
            while not self.stuck:
                self.house.journal.told.clear()
                await self.house.journal.told.wait()
        assert await self.feeds(0.8) == 0
        (part,) = self.stuck
        return part


def tell(story: Callable[[Night], Awaitable[None]]) -> House:
    async def told() -> House:
        night = Night()
        house = night.house
        life = asyncio.create_task(house.runner.run(house.devices))
        devices = asyncio.create_task(night.goes_on())
        await house.settles()
        try:
            await story(night)
        finally:
            devices.cancel()
            life.cancel()
            await asyncio.wait([life, devices], timeout=2)
        return house

    return asyncio.run(told())


def test_asleep_it_is_fed_while_frames_come_and_are_examined() -> None:
    async def story(night: Night) -> None:
        assert 3 <= await night.feeds() <= 9
        assert not night.stuck

    tell(story)


def test_a_wake_engine_that_hangs_starves_it_and_the_last_minutes_are_kept() -> None:
    async def story(night: Night) -> None:
        await night.feeds(0.5)
        night.house.wake.hangs = True
        assert await night.starves() == "the wake engine"

    house = tell(story)
    assert len([why for why in house.recorder.failures if "wake engine" in why]) == 1


def test_without_a_wake_engine_frames_are_enough() -> None:
    async def story(night: Night) -> None:
        night.house.wake.examined = None
        assert await night.feeds() >= 3

    tell(story)


def test_an_open_microphone_without_frames_starves_it() -> None:
    async def story(night: Night) -> None:
        await night.feeds(0.5)
        night.microphone = False
        assert await night.starves() == "the microphone"

    tell(story)


def test_muted_nothing_has_to_be_heard_but_the_card_is_watched() -> None:
    async def story(night: Night) -> None:
        night.house.runner.feed(MuteAsked(True))
        assert night.house.runner.state == Scene.MUTED
        assert await night.feeds() >= 3
        night.watch = False
        assert await night.starves() == "the watch over the sound card"

    tell(story)


def test_an_absent_microphone_is_trouble_and_no_reason_to_end() -> None:
    async def story(night: Night) -> None:
        night.microphone = False
        night.house.runner.feed(MicLost("unplugged"))
        assert night.house.runner.state == Scene.TROUBLE
        assert await night.feeds() >= 3
        night.watch = False
        assert await night.starves() == "the watch over the sound card"

    tell(story)


def test_in_a_session_the_engine_may_lag_but_what_is_to_be_heard_must_sound() -> None:
    async def story(night: Night) -> None:
        house = night.house
        house.wake.hangs = True
        await house.converses()
        assert await night.feeds() >= 3
        house.runner.feed(ReplyStarted("r"))
        house.runner.feed(ReplyAudio("r", "i", 0, bytes(48_000)))
        house.runner.feed(ReplyDone("r"))
        house.sound.play(10)
        assert house.runner.state == Scene.SPEAKING
        assert await night.feeds() >= 3
        night.loudspeaker = False
        assert await night.starves() == "the loudspeaker"

    tell(story)


# --- the real process ---------------------------------------------------------------------


async def starves(speaker: Serviced, part: str, watchdog_s: float) -> None:
    """It tells of the part once, before its manager ends it for want of a keep-alive."""
    began = time.monotonic()
    await speaker.says(f"{part} stands still")
    fed = speaker.times("WATCHDOG=1")[-1]
    assert time.monotonic() - fed < watchdog_s, "the manager has killed it already"
    assert time.monotonic() - began < 2 * watchdog_s
    await asyncio.sleep(max(0.0, fed + watchdog_s - time.monotonic()))
    assert speaker.times("WATCHDOG=1")[-1] == fed, "and it is not fed again"
    assert speaker.counts("stands still") == 1


def test_it_is_fed_about_every_third_of_the_time_from_the_moment_it_is_ready(
    tmp_path: Path,
) -> None:
    configured(tmp_path)

    async def story() -> None:
        async with serviced(tmp_path, watchdog_s=1.5) as speaker:
            await speaker.until(lambda: len(speaker.times("WATCHDOG=1")) == 6)
            await speaker.stops()
            ready, fed = speaker.times("READY=1")[0], speaker.times("WATCHDOG=1")
            assert fed[0] - ready < 0.5
            pauses = [after - before for before, after in pairwise(fed)]
            assert 0.3 < sorted(pauses)[2] < 0.9
            assert max(pauses) < 1.5

    asyncio.run(story())


def test_a_hung_engine_is_told_of_and_ended_while_the_rest_still_goes_on(tmp_path: Path) -> None:
    file = configured(tmp_path)
    file.write_text(file.read_text().replace('"button"', '"openwakeword"'))

    async def story() -> None:
        program = ("-m", "tests.sick", "engine")
        async with serviced(tmp_path, watchdog_s=3.0, program=program) as speaker:
            await speaker.until(lambda: len(speaker.times("WATCHDOG=1")) == 3)
            (tmp_path / "sick").touch()
            await starves(speaker, "the wake engine", 3.0)
            assert "asleep" in await speaker.types("status")
        assert [file.name for file in (tmp_path / "state").glob("flight-*")]

    asyncio.run(story())


def test_a_loop_that_stands_still_is_told_of_with_its_place(tmp_path: Path) -> None:
    configured(tmp_path)

    async def story() -> None:
        program = ("-m", "tests.sick", "loop")
        async with serviced(tmp_path, watchdog_s=3.0, program=program) as speaker:
            await speaker.until(lambda: len(speaker.times("WATCHDOG=1")) == 2)
            speaker.process.send_signal(signal.SIGUSR1)
            await starves(speaker, "the event loop", 3.0)

    asyncio.run(story())


def test_a_stopped_process_says_nothing_at_all_and_a_new_one_is_there_at_once(
    tmp_path: Path,
) -> None:
    configured(tmp_path)

    async def story() -> None:
        async with serviced(tmp_path, watchdog_s=1.5) as speaker:
            await speaker.says("microphone")
            speaker.process.send_signal(signal.SIGSTOP)
            stopped = time.monotonic()
            await asyncio.sleep(1.6)
            assert all(when < stopped + 0.1 for when, _ in speaker.told)
            speaker.process.kill()
            await speaker.process.wait()
        async with serviced(tmp_path, watchdog_s=1.5) as speaker:
            await speaker.says("microphone")
            await speaker.stops()

    asyncio.run(story())


def test_a_microphone_that_stays_silent_ends_the_process_without_anybody_to_kill_it(
    tmp_path: Path,
) -> None:
    configured(tmp_path, "[conversation]", "silent_microphone_s = 1.0")

    async def story() -> None:
        program = ("-m", "tests.sick", "microphone")
        async with serviced(tmp_path, program=program) as speaker:
            await speaker.says("microphone noise")
            (tmp_path / "sick").touch()
            assert await asyncio.wait_for(speaker.process.wait(), 20) == 1
            await speaker.says("open and silent")
            assert not speaker.counts("Traceback"), "one entry, as it is no bug"
            assert speaker.counts("microphone noise") == 2, "opened anew once"

    asyncio.run(story())


@pytest.mark.room
@pytest.mark.timeout(90)
@pytest.mark.skipif(bool(room.missing()), reason=room.missing() or "the room is there")
def test_a_sound_system_that_stands_still_is_heard_again_by_a_new_process_in_time(
    tmp_path: Path,
) -> None:
    file = configured(tmp_path)
    file.write_text(file.read_text().replace('"wavefile"', '"portaudio"'))

    async def story(place: room.Room) -> None:
        async with serviced(tmp_path, watchdog_s=6.0, world=place.environment) as speaker:
            await speaker.says("microphone default")
            await asyncio.sleep(1)
            os.kill(place._server.pid, signal.SIGSTOP)
            stalled = time.monotonic()
            try:
                assert await asyncio.wait_for(speaker.process.wait(), 20) == 1
                ended = time.monotonic()
            finally:
                os.kill(place._server.pid, signal.SIGCONT)
            await speaker.says("microphone stopped delivering sound")
            await speaker.says("does not come back")
            assert not speaker.counts("Traceback"), "one entry, as it is no bug"
            assert ended - stalled < 8.0, "a second is the service manager's"
            fed = [when for when in speaker.times("WATCHDOG=1") if when > stalled]
            assert fed, "a device that is looked for is no reason to be killed"
        async with serviced(tmp_path, watchdog_s=6.0, world=place.environment) as speaker:
            await speaker.says("microphone default")
            await speaker.stops()

    with room.Room() as place:
        asyncio.run(story(place))
