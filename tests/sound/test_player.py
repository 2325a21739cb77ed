"""The loudspeaker's half: the spool, gaps, hushing, earcons, and what was really heard."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edged.core.commands import Chime
from edged.core.events import Event, SpeakerHushed, SpeakerProgress, SpeakerUnderran
from edged.sound._chimes import chime
from edged.sound._player import Player

WIRE = 24000


@dataclass
class Box:
    """A loudspeaker with a device behind it that holds 30 ms."""

    rate: int = WIRE
    channels: int = 1
    delay_ms: int = 30
    longest_priming_ms: int = 500
    told: list[Event] = field(default_factory=list)
    sounded: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.player = Player(self.told.append, WIRE, self.longest_priming_ms)
        self.player.prepare(self.rate)

    async def play(self, ms: int) -> bytes:
        """Let the device run; what it was given."""
        first = len(self.sounded)
        for _ in range(ms // 10):
            frames = self.rate // 100
            block = self.player.fill(frames, self.channels, self.delay_ms / 1000, 0.0)
            assert len(block) == 2 * frames * self.channels
            self.sounded += block
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return bytes(self.sounded[first:])

    @property
    def heard(self) -> list[int]:
        return [event.heard for event in self.told if isinstance(event, SpeakerProgress)]

    @property
    def hushed(self) -> list[int]:
        return [event.heard for event in self.told if isinstance(event, SpeakerHushed)]

    @property
    def gaps(self) -> list[float]:
        return [event.missing_ms for event in self.told if isinstance(event, SpeakerUnderran)]


def speech(ms: int, seed: int = 1) -> bytes:
    chance = np.random.default_rng(seed)
    return chance.integers(1, 9000, WIRE * ms // 1000).astype("<i2").tobytes()


def samples(sound: bytes) -> NDArray[np.int16]:
    return np.frombuffer(sound, dtype="<i2")


def tell(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def test_an_answer_sounds_at_once_and_whole() -> None:
    async def story() -> None:
        box, answer = Box(), speech(1000)
        box.player.queue(answer[:4800])
        assert (await box.play(10)) == answer[:480]
        box.player.queue(answer[4800:])
        box.player.finish()
        await box.play(1200)
        assert bytes(box.sounded).rstrip(b"\0") == answer.rstrip(b"\0")
        assert box.gaps == []

    tell(story)


def test_heard_is_what_the_device_has_let_go() -> None:
    async def story() -> None:
        box = Box(delay_ms=30)
        box.player.queue(speech(1000))
        await box.play(30)
        assert box.heard == []
        await box.play(210)
        assert box.heard[-1] == 200 * 24
        steps = np.diff(box.heard)
        assert all(steps == 480)

    tell(story)


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_the_count_ends_at_everything_queued(rate: int) -> None:
    async def story() -> None:
        box, queued = Box(rate=rate), 0
        for number in range(5):
            answer = speech(307 + 11 * number)[2 * number :]
            box.player.queue(answer[:2222])
            box.player.queue(answer[2222:])
            box.player.finish()
            queued += len(answer) // 2
            await box.play(500)
            assert box.heard[-1] == queued
        assert sorted(box.heard) == box.heard
        assert box.gaps == []

    tell(story)


def test_a_late_piece_is_one_gap_and_the_next_answer_waits_for_its_like() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(speech(100))
        await box.play(220)
        assert box.gaps == []
        box.player.queue(speech(1000))
        await box.play(190)
        assert box.gaps == [300]
        box.player.queue(speech(1000))
        box.player.finish()
        await box.play(2500)
        assert box.gaps == [300]
        assert box.heard[-1] == 2100 * 24
        # The piece came 120 ms late: so long, and no longer, the next answer is held back.
        box.player.queue(speech(100))
        assert not any(await box.play(120))
        assert any(await box.play(10))

    tell(story)


def test_an_end_that_comes_after_the_last_sound_is_no_gap() -> None:
    async def story() -> None:
        for rate in (24000, 48000):
            box = Box(rate=rate)
            box.player.queue(speech(100))
            await box.play(300)
            box.player.finish()
            await box.play(300)
            box.player.queue(speech(100))
            box.player.finish()
            await box.play(300)
            assert box.gaps == []
            assert box.heard[-1] == 200 * 24

    tell(story)


@pytest.mark.parametrize("late_ms", [50, 150, 300])
def test_after_the_first_gap_an_uneven_answer_has_no_other(late_ms: int) -> None:
    """A minute in real time, pieces up to `late_ms` late: at most one pause."""

    async def story() -> None:
        box, chance = Box(), np.random.default_rng(late_ms)
        due = np.arange(0, 60000, 200)
        arrivals = np.maximum.accumulate(due + chance.uniform(0, late_ms, len(due)))
        waiting = list(arrivals)
        now = 0
        while waiting:
            while waiting and waiting[0] <= now:
                box.player.queue(speech(200))
                waiting.pop(0)
            await box.play(10)
            now += 10
        box.player.finish()
        await box.play(1000)
        assert len(box.gaps) <= 1
        assert box.heard[-1] == 60000 * 24

    tell(story)


def test_priming_has_a_limit() -> None:
    async def story() -> None:
        box = Box(longest_priming_ms=100)
        box.player.queue(speech(100))
        await box.play(5000)
        box.player.queue(speech(100))
        box.player.finish()
        await box.play(300)
        box.player.queue(speech(50))
        assert any(await box.play(120))

    tell(story)


def test_hush_fades_within_12_ms_and_tells_nothing_more() -> None:
    async def story() -> None:
        box = Box()
        steady = np.full(24000, 8000, dtype="<i2").tobytes()
        box.player.queue(steady)
        await box.play(100)
        box.told.clear()
        box.player.hush()
        after = samples(await box.play(200))
        sounding = np.flatnonzero(after)
        assert 5 * 24 <= len(sounding) <= 12 * 24
        assert sounding[-1] < 12 * 24
        assert np.abs(np.diff(after.astype(int))).max() < 100
        assert box.told == [SpeakerHushed(2400 + 72)]

    tell(story)


def test_after_a_hush_the_next_answer_counts_from_nothing() -> None:
    async def story() -> None:
        for rate in (24000, 44100):
            box = Box(rate=rate)
            box.player.queue(speech(1000))
            await box.play(300)
            box.player.hush()
            box.told.clear()
            box.player.queue(speech(100))
            box.player.finish()
            await box.play(300)
            assert box.heard[-1] == 2400
            assert max(box.heard) == 2400

    tell(story)


def test_a_hush_of_silence_is_silence() -> None:
    async def story() -> None:
        box = Box()
        box.player.hush()
        assert not any(await box.play(50))
        box.player.queue(speech(100))
        box.player.hush()
        assert not any(await box.play(200))
        assert box.told == [SpeakerHushed(0)] * 2

    tell(story)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [24000, 44100, 48000])
def test_a_hush_is_answered_by_where_the_sound_ended(rate: int, channels: int) -> None:
    """The middle of the fade, found in what the device was given, at an odd place."""

    async def story() -> None:
        box = Box(rate=rate, channels=channels)
        box.player.set_volume(-3.0)
        box.player.queue(np.full(24000, 8000, dtype="<i2").tobytes())
        await box.play(330)
        seen = len(box.heard)
        box.player.hush()
        assert box.hushed == []
        await box.play(10)
        out = np.abs(samples(bytes(box.sounded))[::channels].astype(int))
        middle = np.flatnonzero(out > 0.5 * 8000 * 10**-0.15)[-1] * WIRE / rate
        assert box.hushed == [pytest.approx(middle, abs=30)]
        await box.play(100)
        assert len(box.hushed) == 1
        assert len(box.heard) == seen

    tell(story)


def test_a_hush_after_the_last_sample_was_taken_has_let_all_of_it_sound() -> None:
    async def story() -> None:
        for rate, ms in ((24000, 105), (24000, 100), (44100, 107), (48000, 103)):
            box = Box(rate=rate)
            box.player.queue(speech(ms))
            box.player.finish()
            await box.play(110)
            assert max(box.heard) < ms * 24
            box.player.hush()
            await box.play(10)
            assert box.hushed == [ms * 24]

    tell(story)


def test_a_hush_of_an_answer_that_was_heard_to_its_end_needs_no_device() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(speech(100))
        box.player.finish()
        await box.play(300)
        box.player.hush()
        assert box.hushed == []
        await asyncio.sleep(0)
        assert box.hushed == [2400]

    tell(story)


def test_a_hush_in_a_gap_counts_what_came_before_it() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(speech(105))
        await box.play(120)
        box.player.queue(speech(50))
        await box.play(20)
        box.player.hush()
        after = await box.play(100)
        assert not any(after)
        assert box.hushed == [105 * 24]
        assert box.gaps == []

    tell(story)


def test_a_hush_while_the_answer_is_still_held_back_counts_nothing() -> None:
    async def story() -> None:
        box = Box()
        for _ in range(2):
            box.player.queue(speech(100))
            await box.play(220)
        box.player.finish()
        await box.play(500)
        box.player.hush()
        box.player.queue(speech(100))
        assert not any(await box.play(50))
        box.player.hush()
        assert not any(await box.play(50))
        assert box.hushed == [200 * 24, 0]

    tell(story)


def test_two_hushes_between_two_blocks_are_two_answers() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(speech(1000))
        await box.play(100)
        box.player.hush()
        box.player.hush()
        box.player.queue(speech(1000, seed=2))
        box.player.hush()
        box.player.queue(speech(100, seed=3))
        await asyncio.sleep(0)
        assert box.hushed == []
        await box.play(20)
        assert box.hushed == [2400 + 72, 0, 0]
        box.player.finish()
        await box.play(200)
        assert max(box.heard) == 2400
        assert bytes(box.sounded)[2 * 2640 :].rstrip(b"\0") == speech(100, seed=3).rstrip(b"\0")

    tell(story)


def test_a_device_lost_after_a_hush_answers_with_what_is_known() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(speech(1000))
        await box.play(240)
        box.player.hush()
        box.player.forget()
        assert box.hushed == []
        box.player.hush()
        await asyncio.sleep(0)
        assert box.hushed == [200 * 24, 0]
        # A device that was only asleep may yet come by.
        await box.play(20)
        box.player.prepare(48000)
        await box.play(20)
        assert len(box.hushed) == 2

    tell(story)


def test_a_device_of_another_rate_answers_for_the_one_before_it() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(speech(1000))
        await box.play(240)
        box.player.hush()
        box.player.prepare(48000)
        assert not any(await box.play(20))
        assert box.hushed == [200 * 24]

    tell(story)


def test_a_short_period_fades_over_all_of_itself() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(np.full(24000, 8000, dtype="<i2").tobytes())
        for _ in range(20):
            box.player.fill(120, 1, 0.03, 0.0)
        box.player.hush()
        faded = samples(box.player.fill(120, 1, 0.03, 0.0)).astype(int)
        assert np.abs(np.diff([8000, *faded, 0])).max() < 100
        assert not any(box.player.fill(120, 1, 0.03, 0.0))
        await asyncio.sleep(0)
        assert box.hushed == [2400 + 60]

    tell(story)


def test_an_answer_that_ends_within_the_fade_ends_without_a_click() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(np.full(2400 + 40, 8000, dtype="<i2").tobytes())
        await box.play(100)
        box.player.hush()
        rest = samples(await box.play(10)).astype(int)
        assert np.abs(np.diff([8000, *rest])).max() < 300
        assert not rest[40:].any()
        assert box.hushed == [2400 + 20]

    tell(story)


def test_an_earcon_is_mixed_in_and_never_counted() -> None:
    async def story() -> None:
        box, answer = Box(), np.full(24000, 1000, dtype="<i2")
        box.player.sound(Chime.WOKEN)
        alone = await box.play(200)
        assert alone[: len(chime(Chime.WOKEN, WIRE))] == chime(Chime.WOKEN, WIRE)
        assert box.told == []
        box.player.queue(answer.tobytes())
        box.player.sound(Chime.WOKEN)
        both = samples(await box.play(100))
        earcon = samples(chime(Chime.WOKEN, WIRE))[:2400]
        assert np.array_equal(both, earcon + 1000)
        box.player.hush()
        rest = samples(await box.play(100))
        assert np.any(rest[480:])
        assert box.gaps == []

    tell(story)


def test_volume_and_both_sides() -> None:
    async def story() -> None:
        box = Box(channels=2)
        box.player.set_volume(-6.0)
        box.player.queue(np.full(2400, 10000, dtype="<i2").tobytes())
        out = samples(await box.play(10)).reshape(-1, 2)
        assert np.all(out == 5011)

    tell(story)


@pytest.mark.parametrize("rate", [24000, 44100, 48000])
def test_turning_the_volume_is_a_slope_for_voice_and_earcon_alike(rate: int) -> None:
    """No step from one sample to the next that the sound itself does not make."""

    async def story() -> None:
        box = Box(rate=rate)
        tone = 12000 * np.sin(2 * np.pi * 200 / WIRE * np.arange(3 * WIRE))
        box.player.queue(tone.astype("<i2").tobytes())
        await box.play(100)
        own = np.abs(np.diff(samples(bytes(box.sounded)).astype(int))).max()
        for volume_db in (-40.0, 0.0, -3.0, -6.0, -60.0, -0.5, 0.0):
            box.player.set_volume(volume_db)
            settled = np.abs(samples((await box.play(60))[2 * rate // 100 * 2 :])).max()
            assert settled == pytest.approx(12000 * 10 ** (volume_db / 20), rel=0.03, abs=2)
        steps = np.abs(np.diff(samples(bytes(box.sounded)).astype(int)))
        # Over 10 ms the slope itself adds 12000 / 240 at most.
        assert steps.max() < own + 12000 / (rate / 100) + 10
        box.player.hush()
        await box.play(50)
        box.player.set_volume(-20.0)
        box.player.sound(Chime.WOKEN)
        soft = np.abs(samples(await box.play(200))).max()
        loud = np.abs(samples(chime(Chime.WOKEN, rate))).max()
        assert soft == pytest.approx(0.1 * loud, abs=2)

    tell(story)


def test_what_was_heard_knows_nothing_of_volume() -> None:
    async def story() -> None:
        told = []
        for volumes in ((0.0, 0.0), (-60.0, -1.0)):
            box = Box(rate=44100)
            box.player.queue(speech(2000))
            for volume_db in volumes:
                box.player.set_volume(volume_db)
                await box.play(330)
            box.player.hush()
            await box.play(100)
            told.append(box.told)
        assert told[0] == told[1]
        assert isinstance(told[0][-1], SpeakerHushed)

    tell(story)


def test_as_loud_as_it_goes_is_as_it_came() -> None:
    async def story() -> None:
        box, answer = Box(), speech(20)
        box.player.set_volume(12.0)
        box.player.queue(answer)
        assert await box.play(20) == answer

    tell(story)


def test_too_loud_together_is_clipped_not_wrapped() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(np.full(24000, 32700, dtype="<i2").tobytes())
        box.player.sound(Chime.NETWORK)
        assert samples(await box.play(500)).min() > 0

    tell(story)


def test_without_a_device_nothing_is_kept() -> None:
    async def story() -> None:
        box = Box()
        box.player.forget()
        box.player.queue(speech(100))
        box.player.finish()
        box.player.sound(Chime.WOKEN)
        box.player.prepare(WIRE)
        assert not any(await box.play(300))
        assert box.told == []

    tell(story)


moves = st.lists(
    st.one_of(
        st.tuples(st.just("queue"), st.integers(1, 4000)),
        st.tuples(st.just("play"), st.integers(1, 40)),
        st.tuples(st.just("finish"), st.just(0)),
        st.tuples(st.just("hush"), st.just(0)),
        st.tuples(st.just("sound"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(moves=moves, rate=st.sampled_from([16000, 24000, 44100]), delay_ms=st.integers(0, 60))
def test_heard_never_exceeds_queued_and_always_arrives(
    moves: list[tuple[str, int]], rate: int, delay_ms: int
) -> None:
    async def story() -> None:
        box, queued = Box(rate=rate, delay_ms=delay_ms), 0
        hushed: list[tuple[int, int]] = []
        """Of each hush: what was known to be heard, and what was queued."""
        answers: list[int] = []
        for move, size in [*moves, ("finish", 0), ("play", 100)]:
            match move:
                case "queue":
                    box.player.queue(bytes(2 * size))
                    queued += size
                case "play":
                    await box.play(10 * size)
                case "finish":
                    box.player.finish()
                case "hush":
                    hushed.append((max(box.heard, default=0), queued))
                    box.player.hush()
                    answers += box.hushed
                    box.told.clear()
                    queued = 0
                case _:
                    box.player.sound(Chime.MUTED)
            assert box.heard == sorted(set(box.heard))
            assert max(box.heard, default=0) <= queued
        while not box.player.idle and len(box.sounded) < 20_000_000:
            await box.play(100)
        assert max(box.heard, default=0) == queued
        answers += box.hushed
        assert len(answers) == len(hushed)
        for heard, (known, all_of_it) in zip(answers, hushed, strict=True):
            assert known <= heard <= all_of_it

    tell(story)


def flat(ms: int, value: int = 10000) -> bytes:
    return np.full(WIRE * ms // 1000, value, dtype="<i2").tobytes()


def test_ducked_it_is_softer_at_once_and_back_at_once_without_a_click() -> None:
    async def story() -> None:
        box = Box()
        box.player.set_volume(-6)
        box.player.queue(flat(1000))
        await box.play(100)
        for by_db, expected in ((12, 1259), (6, 2512), (0, 5012), (-3, 5012)):
            box.player.duck(by_db)
            played = samples(await box.play(50))
            assert played[-1] == pytest.approx(expected, abs=1)
            # Over one block, and no faster than that.
            assert played[240] == pytest.approx(expected, abs=1)
        steps = np.abs(np.diff(samples(bytes(box.sounded))[240:].astype(int)))
        assert steps.max() <= 5012 / 240 + 1

    tell(story)


def test_a_hush_while_it_is_ducked_fades_from_there() -> None:
    async def story() -> None:
        box = Box()
        box.player.queue(flat(1000))
        await box.play(50)
        box.player.duck(12)
        await box.play(20)
        box.player.hush()
        faded = samples(await box.play(20)).astype(int)
        assert 0 < faded.max() <= 2512
        assert np.diff(faded).max() <= 0
        # The next answer, and an earcon, are ducked too, until it ends.
        box.player.queue(flat(50))
        assert samples(await box.play(20)).max() == 2511

    tell(story)


def test_a_tap_hears_what_sounds_and_when_with_the_earcons_or_without() -> None:
    async def story(earcons: bool) -> None:
        box = Box(channels=2)
        heard: list[tuple[bytes, float, bool]] = []
        box.player.tap(lambda *block: heard.append(block), earcons)
        box.player.set_volume(-6)
        box.player.duck(6)
        box.player.sound(Chime.WOKEN)
        await box.play(50)
        box.player.queue(speech(300))
        box.player.finish()
        await box.play(400)
        whole = samples(bytes(box.sounded)).reshape(-1, 2)[:, 0]
        tapped = samples(b"".join(block for block, _, _ in heard))
        assert np.array_equal(whole, tapped) == earcons
        assert tapped[: WIRE // 20].any() == earcons
        assert len(tapped) == len(whole)
        assert np.array_equal(whole[WIRE // 5 :], tapped[WIRE // 5 :])
        assert {until for _, until, _ in heard} == {0.04}
        box.player.tap(None)
        await box.play(20)
        assert len(heard) == 45

    for earcons in (True, False):
        tell(lambda earcons=earcons: story(earcons))  # type: ignore[misc]


def test_a_tap_is_told_once_that_the_device_ran_dry() -> None:
    async def story() -> None:
        box = Box()
        told: list[bool] = []
        box.player.tap(lambda _block, _until, dry: told.append(dry))
        await box.play(20)
        box.player.ran_dry(0.05)
        await box.play(30)
        assert told == [False, False, True, False, False]

    tell(story)
