"""A sound card that is opened, used, unplugged, found again and closed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pyaudio
import pytest

from edged.core.commands import Chime
from edged.core.events import (
    EchoMeasured,
    MicFrame,
    MicLost,
    MicOpened,
    SpeakerHushed,
    SpeakerLost,
    SpeakerOpened,
    SpeakerProgress,
    SpeakerUnderran,
)
from edged.core.frames import Cleaned
from edged.echo import off
from edged.ports import Echo, PartBroken, SoundCard
from edged.sound import _card, portaudio
from edged.sound._devices import Device, MissingDevice, find
from edged.sound.portaudio import Settings

from .studio import Ear, Studio, Thing
from .witness import Witness

USB = "USB Audio: - (hw:1,0)"


def studio(*things: Thing) -> Studio:
    return Studio(list(things) or [Thing("HDMI", outputs=2), Thing(USB, inputs=1, outputs=2)])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same patience at a fraction of the time."""
    monkeypatch.setattr(_card, "_WATCH_S", 0.1)
    monkeypatch.setattr(_card, "_FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(_card, "_LONGEST_PAUSE_S", 0.1)


@asynccontextmanager
async def opened(
    place: Studio,
    settings: Settings | None = None,
    wire_rate: int = 24000,
    echo: Echo | None = None,
) -> AsyncIterator[tuple[SoundCard, Ear]]:
    """A card in `place`; afterwards everything was given back and nothing went wrong unseen."""
    bugs: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, bug: bugs.append(bug))
    ear = Ear()
    echo = echo or off.open(off.Settings(), wire_rate)
    card = portaudio.open(settings or Settings(), ear, wire_rate, 20, echo, "off", api=place.api)
    try:
        yield card, ear
    finally:
        await card.close()
    assert bugs == []
    assert all(api.terminated for api in place.made)
    assert "sound" not in {thread.name for thread in threading.enumerate()}


def tell(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def test_a_morning_with_a_microphone_and_a_loudspeaker() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            card.set_volume(-6)
            assert await ear.hear(SpeakerOpened) == SpeakerOpened("HDMI", 48000, 20.0)
            card.open_microphone()
            assert await ear.hear(MicOpened) == MicOpened(USB, 48000)
            await place.run(100, streams=2)
            frames = ear.all(MicFrame)
            assert [frame.position for frame in frames] == [0, 960, 1920, 2880, 3840]
            assert ear.told.index(frames[0]) > ear.told.index(ear.all(MicOpened)[0])
            card.queue(np.full(4800, 5000, dtype="<i2").tobytes())
            card.finish()
            await place.run(400)
            assert ear.all(SpeakerProgress)[-1].heard == 4800
            sides = np.frombuffer(bytes(place.played["HDMI"]), dtype="<i2").reshape(-1, 2)
            assert np.array_equal(sides[:, 0], sides[:, 1])
            assert np.median(sides[sides > 100]) == pytest.approx(2506, abs=2)
            card.close_microphone()
            seen = len(ear.all(MicFrame))
            await place.run(100)
            assert len(ear.all(MicFrame)) == seen

    tell(story)


@pytest.mark.parametrize(
    ("rates", "own", "settings", "expected"),
    [
        ((16000, 24000, 48000), 48000, Settings(), 24000),
        ((44100, 48000), 44100, Settings(), 44100),
        ((16000,), 48000, Settings(), 16000),
        ((24000, 48000), 48000, Settings(capture_rate=48000, playback_rate=48000), 48000),
    ],
)
def test_the_wires_rate_where_the_device_has_it_else_its_own(
    rates: tuple[int, ...], own: int, settings: Settings, expected: int
) -> None:
    async def story() -> None:
        place = studio(Thing("Box", inputs=2, outputs=2, rates=rates, rate=own))
        async with opened(place, settings) as (card, ear):
            card.open_microphone()
            assert (await ear.hear(MicOpened)).rate == expected
            assert (await ear.hear(SpeakerOpened)).rate == expected
            await place.run(100, streams=2)
            frame = ear.all(MicFrame)[0]
            assert len(frame.samples) == 2 * expected // 50
            period = {stream.options["frames_per_buffer"] for stream in place.streams}
            assert period == {expected // 100}

    tell(story)


def test_telephone_sound_is_made_of_better() -> None:
    """The wake engine hears the same microphone."""

    async def story() -> None:
        place = studio(Thing("Box", inputs=2, outputs=2, rates=(8000, 16000, 48000), rate=8000))
        async with opened(place, wire_rate=8000) as (card, ear):
            card.open_microphone()
            assert (await ear.hear(MicOpened)).rate == 48000
            assert (await ear.hear(SpeakerOpened)).rate == 48000

    asyncio.run(story())


def test_a_rate_that_no_device_has_is_said_with_its_name() -> None:
    async def story() -> None:
        place = studio(Thing("Box", inputs=1, outputs=1))
        async with opened(place, Settings(capture_rate=11000)) as (card, ear):
            card.open_microphone()
            lost = await ear.hear(MicLost)
            assert '"Box"' in lost.detail
            assert "11000" in lost.detail
            assert "Invalid sample rate" in lost.detail

    tell(story)


def test_the_third_channel_of_an_array() -> None:
    async def story() -> None:
        place = studio(Thing("Array", inputs=6), Thing("Box", outputs=1))
        async with opened(place, Settings(channel=2)) as (card, ear):
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(40, streams=2)
            assert {stream.options["channels"] for stream in place.streams} == {1, 3}
            assert len(ear.all(MicFrame)[0].samples) == 1920

    tell(story)


def test_a_missing_microphone_is_told_once_with_what_to_do_and_found_when_it_comes() -> None:
    async def story() -> None:
        place = studio(Thing("HDMI", outputs=2))
        async with opened(place, Settings(microphone="USB Audio")) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            lost = await ear.hear(MicLost)
            for part in ('no microphone "USB Audio"', "there are: none", "`edged devices`"):
                assert part in lost.detail
            place.things.append(Thing("USB Audio: - (hw:3,0)", inputs=1))
            assert (await ear.hear(MicOpened)).device == "USB Audio: - (hw:3,0)"
            assert len(ear.all(MicLost)) == 1
            await place.run(40, streams=2)
            assert [frame.position for frame in ear.all(MicFrame)] == [0, 960]

    tell(story)


def test_unplugged_and_plugged_into_another_port() -> None:
    async def story() -> None:
        place = studio(Thing("HDMI", outputs=2), Thing(USB, inputs=1))
        async with opened(place, Settings(microphone=USB)) as (card, ear):
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(60, streams=2)
            usb = place.things.pop()
            before = len(ear.told)
            await ear.hear(MicLost, before)
            usb.name = "USB Audio: - (hw:2,0)"
            place.things.append(usb)
            found = await ear.hear(MicOpened, before)
            assert found.device == usb.name
            before = len(ear.told)
            await place.run(60, streams=2)
            first = await ear.hear(MicFrame, before)
            assert first.position == 0

    tell(story)


def test_a_stream_that_says_nothing_counts_as_lost_and_is_opened_anew() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(40, streams=2)
            place.asleep.add(USB)
            before = len(ear.told)
            lost = await ear.hear(MicLost, before)
            assert "stopped delivering" in lost.detail
            place.asleep.clear()
            await ear.hear(MicOpened, before)

    tell(story)


def broken() -> asyncio.Future[object]:
    """What ends the process, as soon as something does."""
    ended: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def take(_: object, bug: dict[str, Any]) -> None:
        if not ended.done():
            ended.set_result(bug["exception"])

    asyncio.get_running_loop().set_exception_handler(take)
    return ended


@pytest.mark.parametrize("dead", [USB, "HDMI"])
def test_a_device_that_is_open_and_silent_after_one_reopening_ends_the_process(dead: str) -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            ended = broken()
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(40, streams=2)
            place.asleep.add(dead)
            kind = MicOpened if dead == USB else SpeakerOpened
            before = len(ear.told)
            async with asyncio.timeout(10):
                while not ended.done():
                    await place.run(20)
                    await asyncio.sleep(0.01)
            problem = await ended
            assert isinstance(problem, PartBroken)
            assert "open and silent" in str(problem)
            again = [event for event in ear.told[before:] if isinstance(event, kind)]
            assert len(again) == 1, "opened anew once"

    tell(story)


def test_a_device_that_was_well_for_a_while_may_fall_silent_again() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            ended = broken()
            card.open_microphone()
            await ear.hear(MicOpened)
            for _ in range(2):
                before = len(ear.told)
                place.asleep.add(USB)
                while not any(isinstance(event, MicLost) for event in ear.told[before:]):
                    await place.run(20)
                    await asyncio.sleep(0.01)
                place.asleep.clear()
                await ear.hear(MicOpened, before)
                for _ in range(100):
                    await place.run(10)
                    await asyncio.sleep(0.01)
            assert not ended.done()

    tell(story)


def test_its_pulse_tells_who_is_alive() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            await ear.hear(SpeakerOpened)
            await place.run(20, streams=1)
            first = card.pulse()
            assert not first.playing
            card.queue(bytes(24000))
            await place.run(20, streams=1)
            assert card.pulse().playing
            assert card.pulse().sounded == first.sounded + 2
            place.things.clear()
            await ear.hear(SpeakerLost)
            assert not card.pulse().playing, "nobody can play it any more"
            lost = card.pulse().watched
            await asyncio.sleep(0.5)
            assert card.pulse().watched > lost, "it is looked for"

    tell(story)


def test_a_lost_microphone_that_nobody_wants_any_more_is_not_missed() -> None:
    """Muted while it is away: there is nothing to be looked for, and nothing hangs."""

    async def story() -> None:
        place = studio(Thing("HDMI", outputs=2))
        async with opened(place) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            await ear.hear(MicLost)
            card.close_microphone()
            watched = card.pulse().watched
            async with asyncio.timeout(10):
                while card.pulse().watched < watched + 5:
                    await place.run(20)

    tell(story)


def test_a_lost_loudspeaker_forgets_its_answer_and_comes_back() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            await ear.hear(SpeakerOpened)
            await place.run(20, streams=1)
            card.queue(bytes(48000))
            place.asleep.add("HDMI")
            before = len(ear.told)
            await ear.hear(SpeakerLost, before)
            card.queue(bytes(48000))
            place.asleep.clear()
            await ear.hear(SpeakerOpened, before)
            before = len(ear.told)
            card.queue(np.full(240, 999, dtype="<i2").tobytes())
            card.finish()
            await place.run(200, streams=1)
            assert (await ear.hear(SpeakerProgress, before)).heard == 240

    tell(story)


def test_no_sound_system_at_all_is_told_for_both_and_looked_for() -> None:
    async def story() -> None:
        place = studio()
        place.broken = True
        async with opened(place) as (card, ear):
            card.open_microphone()
            await ear.hear(MicLost)
            await ear.hear(SpeakerLost)
            place.broken = False
            await ear.hear(MicOpened)
            await ear.hear(SpeakerOpened)
            assert len(ear.all(MicLost)) == len(ear.all(SpeakerLost)) == 1

    tell(story)


def test_while_the_loudspeaker_plays_a_search_for_the_microphone_leaves_it_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_card, "_FORCE_EVERY", 10**6)
    monkeypatch.setattr(_card, "_WATCH_S", 1.0)

    async def story() -> None:
        place = studio(Thing("HDMI", outputs=2, rates=(24000,)))
        async with opened(place) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            await ear.hear(MicLost)
            card.queue(np.full(24000, 77, dtype="<i2").tobytes())
            card.finish()
            await place.run(1100, streams=1)
            sides = np.frombuffer(bytes(place.played["HDMI"]), dtype="<i2")[::2]
            assert np.all(sides[:24000] == 77)
            assert len(place.made) == 1

    tell(story)


def test_the_microphone_that_opens_too_late_is_not_opened() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            card.open_microphone()
            card.close_microphone()
            await ear.hear(SpeakerOpened)
            await place.run(50)
            assert not ear.all(MicOpened)
            assert not ear.all(MicFrame)
            card.open_microphone()
            await ear.hear(MicOpened)

    tell(story)


def test_lost_frames_are_a_jump_of_the_position() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(40, streams=2)
            place.status, place.lost_s = 2, 0.05
            await place.run(40, streams=2)
            positions = [frame.position for frame in ear.all(MicFrame)]
            assert positions == [0, 960, 4320, 5280]

    tell(story)


def test_a_device_that_ran_dry_in_the_middle_of_an_answer_is_told_as_a_gap() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            await ear.hear(SpeakerOpened)
            await place.run(20, streams=1)
            place.status, place.lost_s = pyaudio.paOutputUnderflow, 0.1
            await place.run(20, streams=1)
            card.queue(bytes(24000))
            await place.run(50, streams=1)
            assert not ear.all(SpeakerUnderran)
            place.status, place.lost_s = pyaudio.paOutputUnderflow, 0.1
            await place.run(50, streams=1)
            (gap,) = ear.all(SpeakerUnderran)
            assert gap.missing_ms == pytest.approx(90, abs=5)

    tell(story)


@pytest.mark.parametrize(
    "sounds",
    [
        lambda card: card.sound(Chime.WOKEN),
        lambda card: card.say(np.full(4800, 5000, dtype="<i2").tobytes()),
    ],
)
def test_a_long_silence_lets_the_loudspeaker_rest_and_a_sound_wakes_it(
    sounds: Callable[[SoundCard], None],
) -> None:
    async def story() -> None:
        place = studio()
        async with opened(place, Settings(rest_s=0.03)) as (card, ear):
            card.doze(True)
            await ear.hear(SpeakerOpened)
            await place.run(10, streams=1)
            while place.streams:
                await place.run(10)
            sounds(card)
            await place.run(200, streams=1)
            assert any(place.played["HDMI"])
            assert not ear.all(SpeakerLost)

    tell(story)


def test_awake_each_frame_is_clean_and_meets_what_sounded_meanwhile() -> None:
    async def story() -> None:
        place, witness = studio(), Witness(score=0.2, erle_db=12.0)
        async with opened(place, echo=witness) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            await ear.hear(MicOpened)
            card.doze(True)
            await place.run(160, streams=2)
            assert [frame.clean for frame in ear.all(MicFrame)] == [None] * 8
            card.doze(False)
            card.queue(np.full(2400, 5000, dtype="<i2").tobytes())
            card.finish()
            await place.run(400, streams=2)
            clean = [frame.clean for frame in ear.all(MicFrame)[8:]]
            assert len(clean) == 20
            assert all(each is not None and len(each.samples) == 960 for each in clean)
            played = witness.played_samples()
            assert np.count_nonzero(played > 2500) == pytest.approx(2400, abs=30)
            # A frame ends when the next period begins; the box holds 30 ms and sounds one of 10.
            behind = len(played) - witness.places[-1]
            assert behind == pytest.approx(0.04 * 24000, abs=2)
            assert np.diff(witness.places[1:]) == pytest.approx([480] * 19, abs=2)
            card.doze(True)
            assert await ear.hear(EchoMeasured) == EchoMeasured("off", 12.0, 0.0)
            said = card.status()
            assert said["microphone"] == USB
            assert said["microphone_rate"] == said["speaker_rate"] == 48000
            assert (said["echo"], said["echo_erle_db"]) == ("off", 12.0)
            lost = ("capture_overflows", "capture_frames_lost", "capture_blocks_dropped")
            assert [said[name] for name in (*lost, "speaker_blocks_dropped")] == [0] * 4

    tell(story)


@pytest.mark.parametrize("hears_through", [True, False])
def test_earcons_are_known_only_to_a_driver_that_hears_through_them(hears_through: bool) -> None:
    async def story() -> None:
        place, witness = studio(), Witness(hears_through=hears_through)
        async with opened(place, echo=witness) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            await ear.hear(MicOpened)
            card.sound(Chime.WOKEN)
            await place.run(300, streams=2)
            assert any(place.played["HDMI"])
            assert any(witness.played) == hears_through
            assert len(witness.played) > 2 * 24 * 250
            card.queue(np.full(2400, 5000, dtype="<i2").tobytes())
            await place.run(100, streams=2)
            assert witness.played_samples().max() > 4000

    tell(story)


def test_awake_the_loudspeaker_does_not_rest_and_one_that_rests_is_woken() -> None:
    async def story() -> None:
        place, witness = studio(), Witness()
        async with opened(place, Settings(rest_s=0.03), echo=witness) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.doze(True)
            await place.run(10, streams=1)
            while place.streams:
                await place.run(10)
            card.open_microphone()
            await ear.hear(MicOpened)
            card.doze(False)
            # Half a second, in which it would have rested long ago.
            for _ in range(50):
                await place.run(10, streams=2)
                await asyncio.sleep(0.01)
            assert len(place.made) == 1, "lost, and opened anew"
            assert witness.changes == ["reopened", "reopened", "rested"]
            assert len(witness.played) / 48 == pytest.approx(len(witness.heard) / 48, abs=80)

    tell(story)


def test_dozing_the_driver_is_given_nothing() -> None:
    async def story() -> None:
        place, witness = studio(), Witness()
        async with opened(place, echo=witness) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.doze(True)
            for _ in range(50):
                card.sound(Chime.WOKEN)
                await place.run(100, streams=1)
            assert card.status()["speaker_blocks_dropped"] == 0

    tell(story)


def test_a_loudspeaker_that_rests_while_everything_is_opened_anew_plays_again() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place, Settings(rest_s=0.03)) as (card, ear):
            card.doze(True)
            await ear.hear(SpeakerOpened)
            await place.run(10, streams=1)
            while place.streams:
                await place.run(10)
            before = len(ear.told)
            card.open_microphone()
            await ear.hear(MicLost, before)
            await ear.hear(SpeakerOpened, before)
            card.queue(np.full(2400, 5000, dtype="<i2").tobytes())
            card.finish()
            await place.run(300, streams=1)
            assert ear.all(SpeakerProgress)[-1].heard == 2400
            assert not ear.all(SpeakerLost)

    tell(story)


def test_a_device_that_ran_dry_leaves_a_hole_that_the_driver_is_told_of() -> None:
    async def story() -> None:
        place, witness = studio(Thing("Box", inputs=1, outputs=1)), Witness()
        async with opened(place, echo=witness) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(100, streams=2)
            told, played = len(witness.changes), len(witness.played)
            place.status, place.lost_s = pyaudio.paOutputUnderflow, 0.1
            await place.run(20, streams=2)
            await place.run(20, streams=2)
            assert "underrun" in witness.changes[told:]
            assert (len(witness.played) - played) / 48 == pytest.approx(140, abs=1)

    tell(story)


@pytest.mark.parametrize("wrong", [0.0, 1e9])
def test_where_a_driver_tells_no_times_its_latency_counts(wrong: float) -> None:
    async def story() -> None:
        place, witness = studio(), Witness()
        place.times = {"input_buffer_adc_time": wrong, "output_buffer_dac_time": wrong}
        async with opened(place, echo=witness) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(200, streams=2)
            assert witness.changes == ["reopened", "reopened", "rested"]
            # 20 ms to the loudspeaker and 20 ms from the microphone, and the blocks are as long.
            behind = len(witness.played) // 2 - witness.places[-1]
            assert behind == pytest.approx(0.04 * 24000, abs=2)

    tell(story)


def test_a_loudspeaker_plugged_in_anew_is_told_and_a_soft_volume_is_not() -> None:
    async def story() -> None:
        place, witness = studio(), Witness()
        async with opened(place, echo=witness) as (card, ear):
            await ear.hear(SpeakerOpened)
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(60, streams=2)
            told = len(witness.changes)
            card.set_volume(-20)
            card.duck(12)
            await place.run(60, streams=2)
            assert witness.changes[told:] == []
            place.asleep.add("HDMI")
            before = len(ear.told)
            await ear.hear(SpeakerLost, before)
            assert "speaker" not in card.status()
            place.asleep.clear()
            await ear.hear(SpeakerOpened, before)
            await place.run(60, streams=2)
            assert "reopened" in witness.changes[told:]
            assert np.diff(witness.places)[-2:] == pytest.approx([480] * 2, abs=2)

    tell(story)


def test_an_echo_driver_with_a_bug_is_not_passed_over_in_silence() -> None:
    class Broken(Witness):
        def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
            raise ZeroDivisionError

    async def story() -> None:
        place = studio()
        async with opened(place, echo=Broken()) as (card, ear):
            await ear.hear(SpeakerOpened)
            ended: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().set_exception_handler(
                lambda _, bug: ended.set_result(bug["exception"])
            )
            card.open_microphone()
            await ear.hear(MicOpened)
            await place.run(20, streams=2)
            async with asyncio.timeout(5):
                assert isinstance(await ended, ZeroDivisionError)

    tell(story)


def test_every_hush_is_answered_whether_the_loudspeaker_plays_rests_or_is_gone() -> None:
    async def story() -> None:
        place = studio(Thing("HDMI", outputs=2, rates=(24000,)))
        async with opened(place, Settings(rest_s=0.03)) as (card, ear):
            card.doze(True)
            card.hush()
            assert not ear.all(SpeakerHushed)
            await ear.hear(SpeakerHushed)
            await ear.hear(SpeakerOpened)
            card.queue(bytes(2 * 24000))
            await place.run(100, streams=1)
            card.hush()
            await place.run(10)
            while place.streams:
                await place.run(10)
            card.hush()
            await ear.hear(SpeakerHushed, len(ear.told))
            # Woken by a new answer, and hushed before the device has asked for any of it.
            card.queue(bytes(2 * 24000))
            card.hush()
            await place.run(20, streams=1)
            card.queue(bytes(2 * 24000))
            await place.run(200)
            place.asleep.add("HDMI")
            card.hush()
            before = len(ear.told)
            await ear.hear(SpeakerLost, before)
            await ear.hear(SpeakerHushed, before)
            card.hush()
            await ear.hear(SpeakerHushed, len(ear.told))
            answers = [answer.heard for answer in ear.all(SpeakerHushed)]
            assert answers[:4] == [0, 2400 + 72, 0, 0]
            known = ear.all(SpeakerProgress)[-1].heard
            assert answers[4:] == [known, 0]
            assert 3600 <= known <= 4800

    tell(story)


def test_a_loudspeaker_unplugged_while_it_rests_is_lost_and_found_again() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place, Settings(rest_s=0.03)) as (card, ear):
            card.doze(True)
            await ear.hear(SpeakerOpened)
            await place.run(10, streams=1)
            while place.streams:
                await place.run(10)
            unplugged = place.things.pop(0)
            before = len(ear.told)
            card.sound(Chime.MICROPHONE)
            assert '"HDMI" does not open' in (await ear.hear(SpeakerLost, before)).detail
            place.things.append(unplugged)
            await ear.hear(SpeakerOpened, before)

    tell(story)


def test_a_sound_system_that_never_comes_back_ends_the_process_instead_of_leaving_it_deaf() -> None:
    async def story() -> None:
        place = studio()
        async with opened(place) as (card, ear):
            await ear.hear(SpeakerOpened)
            ended = broken()
            place.answers.clear()
            card.open_microphone()
            try:
                async with asyncio.timeout(10):
                    assert isinstance(await ended, PartBroken)
            finally:
                place.answers.set()

    tell(story)


def test_nothing_raises_without_a_device() -> None:
    async def story() -> None:
        place = studio(Thing("Box", inputs=1))
        async with opened(place) as (card, ear):
            lost = await ear.hear(SpeakerLost)
            assert "no default speaker; there are: none" in lost.detail
            card.queue(bytes(4800))
            card.sound(Chime.SPEAKER)
            card.finish()
            card.hush()
            card.close_microphone()

    tell(story)


DEVICES: Sequence[Device] = (
    Device(0, "HDMI: - (hw:0,3)", 0, 2, 48000, ("speaker",)),
    Device(1, "USB Audio: - (hw:1,0)", 1, 0, 48000),
    Device(2, "USB Audio: #1 (hw:1,1)", 2, 2, 48000),
    Device(3, "default", 2, 2, 48000, ("microphone",)),
)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ("", 3),
        ("1", 1),
        ("USB Audio: #1 (hw:1,1)", 2),
        ("USB Audio: #1 (hw:7,1)", 2),
        ("usb", 1),
        ("#1", 2),
    ],
)
def test_what_people_call_a_device(wanted: str, index: int) -> None:
    assert find(DEVICES, wanted, "microphone").index == index


@pytest.mark.parametrize("wanted", ["0", "17", "Jabra", "HDMI"])
def test_a_device_that_cannot_capture_is_no_microphone(wanted: str) -> None:
    with pytest.raises(MissingDevice) as caught:
        find(DEVICES, wanted, "microphone")
    assert f'no microphone "{wanted}"' in str(caught.value)
    assert '"default"' in str(caught.value)
    assert "HDMI:" not in str(caught.value)


def test_the_list_gives_portaudio_back() -> None:
    place = studio()
    names = [device.name for device in portaudio.devices(place.api)]
    assert names == ["HDMI", USB]
    assert place.made[0].terminated
