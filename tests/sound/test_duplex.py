"""What is played meets what is heard: at the right place in time, whatever the devices are like."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.core.events import EchoMeasured, Event, MicFrame
from edged.core.frames import Cleaned
from edged.ports import Echo
from edged.sound._capture import Capture
from edged.sound._duplex import Duplex
from edged.sound.uplink import Uplink

from .witness import MARGIN_MS, STALE, Believer, Witness

WIRE = 24000
FRAME = WIRE // 50
RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass
class Devices:
    """A loudspeaker and a microphone with one clock, and no sound but clicks."""

    far_rate: int = WIRE
    near_rate: int = WIRE
    far_period_ms: int = 10
    near_period_ms: int = 10
    holds_ms: float = 30
    """How much the loudspeaker holds."""
    lags_ms: float = 15
    """How late the microphone delivers."""
    jitter_ms: float = 0
    """How far from the truth the told times are, at most."""
    hole_ms: float = 0
    """The loudspeaker runs dry for so long in the middle."""
    tells_hole: bool = True
    glitch_ms: float = 0
    """Of one block in the middle a wrong time is told."""
    frames: list[MicFrame] = field(default_factory=list)

    def live(self, echo: Echo, clicks_ms: Sequence[float], path_ms: float, length_ms: int) -> None:
        """Click, and hear it so much later."""

        async def story() -> None:
            duplex = Duplex(echo, "witness", WIRE)
            duplex.speaker_opened(self.far_rate)
            duplex.microphone_opened(self.near_rate)
            capture = Capture(self._feed, 0, duplex.heard)
            capture.prepare(self.near_rate, 1)
            blocks = [
                *self._plays(duplex, clicks_ms, length_ms),
                *self._hears(
                    capture, [at + path_ms for at in clicks_ms], length_ms + round(self.hole_ms)
                ),
            ]
            for _, block in sorted(blocks, key=lambda each: each[0]):
                block()
                await asyncio.sleep(0)

        asyncio.run(story())

    def _feed(self, event: Event) -> None:
        assert isinstance(event, MicFrame)
        self.frames.append(event)

    def _plays(
        self, duplex: Duplex, clicks_ms: Sequence[float], length_ms: int
    ) -> Iterator[tuple[float, Callable[[], None]]]:
        size = self.far_rate * self.far_period_ms // 1000
        at, chance, middle = 100.0, np.random.default_rng(1), length_ms // self.far_period_ms // 2
        for number in range(length_ms // self.far_period_ms):
            dry = number == middle and self.hole_ms > 0
            at += self.hole_ms / 1000 if dry else 0
            end = at + size / self.far_rate
            block = clicked(at, size, self.far_rate, clicks_ms)
            told = end + chance.uniform(-1, 1) * self.jitter_ms / 1000
            told += self.glitch_ms / 1000 if number == middle else 0
            flag = dry and self.tells_hole

            def play(block: bytes = block, told: float = told, flag: bool = flag) -> None:
                duplex.played(block, told, flag)

            yield at - self.holds_ms / 1000, play
            at = end

    def _hears(
        self, capture: Capture, clicks_ms: Sequence[float], length_ms: int
    ) -> Iterator[tuple[float, Callable[[], None]]]:
        size = self.near_rate * self.near_period_ms // 1000
        at, chance = 100.003, np.random.default_rng(2)
        for _ in range(length_ms // self.near_period_ms):
            block = clicked(at, size, self.near_rate, clicks_ms)
            told = at + chance.uniform(-1, 1) * self.jitter_ms / 1000
            at += size / self.near_rate

            def hear(block: bytes = block, told: float = told) -> None:
                capture.take(block, size, told, False)

            yield at + self.lags_ms / 1000, hear


def clicked(at: float, frames: int, rate: int, clicks_ms: Sequence[float]) -> bytes:
    """A block that begins at this time: soft clicks a few milliseconds wide."""
    time_ms = (at - 100 + (np.arange(frames) + 0.5) / rate) * 1000
    sound = sum(20000 * np.exp(-(((time_ms - click) / 0.7) ** 2)) for click in clicks_ms)
    return np.rint(sound + np.zeros(frames)).astype("<i2").tobytes()


def late_ms(believer: Believer) -> list[float]:
    """How much later than played each click is heard."""
    pairs = zip(found(believer.played), found(believer.heard), strict=True)
    return [(heard - played) * 1000 / WIRE for played, heard in pairs]


def found(sound: bytes | bytearray) -> list[float]:
    """Where the clicks are, in samples."""
    loud = np.clip(np.frombuffer(sound, dtype="<i2").astype(float) - 1000, 0, None)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud > 0, [0]))))
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [float(np.average(np.arange(a, b), weights=loud[a:b])) for a, b in spans]


@settings(deadline=None, max_examples=60)
@given(
    devices=st.builds(
        Devices,
        far_rate=st.sampled_from(RATES),
        near_rate=st.sampled_from(RATES),
        far_period_ms=st.sampled_from((5, 10, 20)),
        near_period_ms=st.sampled_from((5, 10, 20)),
        holds_ms=st.floats(16, 300),
        lags_ms=st.floats(0, 100),
        jitter_ms=st.floats(0, 1),
    ),
    path_ms=st.floats(0, 80),
)
def test_an_echo_is_looked_for_where_it_is(devices: Devices, path_ms: float) -> None:
    believer = Believer()
    devices.live(believer, [300, 700, 1100], path_ms, 1300)
    assert late_ms(believer) == pytest.approx([MARGIN_MS + path_ms] * 3, abs=3)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("hole_ms", [40, 250, 1700])
def test_a_hole_is_silence_and_the_echo_after_it_is_found(hole_ms: int, told: bool) -> None:
    believer, witness = Believer(), Witness()
    for echo in (believer, witness):
        devices = Devices(hole_ms=hole_ms, tells_hole=told, far_rate=48000, near_rate=16000)
        devices.live(echo, [500, 1300 + hole_ms], 40, 2000)
    assert late_ms(believer) == pytest.approx([MARGIN_MS + 40] * 2, abs=3)
    assert witness.changes.count("underrun") == 1
    first, second = found(bytes(witness.played))
    assert second - first == pytest.approx((800 + hole_ms) * 24, abs=48)


@pytest.mark.parametrize("told", [True, False])
def test_a_hole_no_longer_than_jitter_counts_where_the_device_tells_of_it(told: bool) -> None:
    witness = Witness()
    Devices(hole_ms=8, tells_hole=told).live(witness, [200, 808], 0, 1000)
    assert witness.changes.count("underrun") == told
    first, second = found(witness.played)
    assert second - first == pytest.approx((608 if told else 600) * 24, abs=24)


def test_times_that_jump_about_are_averaged() -> None:
    witness = Witness()
    Devices(jitter_ms=5).live(witness, [], 0, 3000)
    places = np.array(witness.places)
    astray = places - places[-1] - FRAME * (np.arange(len(places)) - len(places) + 1)
    assert np.abs(astray[30:]).max() < 0.002 * WIRE
    assert "underrun" not in witness.changes


def test_a_loudspeaker_that_was_silent_for_an_hour_is_not_made_up_for() -> None:
    line = Line(Witness())
    line.hear(3)
    line.duplex.played(ramp(1, 240), 100.1, False)
    line.hear(3)
    before = len(line.echo.played)
    line.duplex.played(ramp(1, 240), 3700.1, True)
    line.hear(3)
    assert len(line.echo.played) - before <= 2 * 5 * WIRE
    assert line.echo.changes[-1] == "underrun"


def test_one_wrong_time_is_no_hole() -> None:
    witness = Witness()
    Devices(glitch_ms=60).live(witness, [], 0, 1000)
    assert witness.changes == ["reopened", "reopened", "rested"]
    assert np.ptp(np.diff(witness.places)) < 0.005 * WIRE


@pytest.mark.parametrize("near_rate", RATES)
@pytest.mark.parametrize("far_rate", RATES)
def test_every_frame_is_20_ms_of_the_wire_and_none_is_lost(far_rate: int, near_rate: int) -> None:
    witness = Witness()
    devices = Devices(far_rate, near_rate)
    devices.live(witness, [], 0, 1000)
    clean = [frame.clean for frame in devices.frames]
    assert all(clean)
    # 11025 Hz has no frame of 20 ms: now and then one is not full yet.
    made = [each for each in clean if each is not None and each.samples]
    assert len(made) == len(clean) if near_rate != 11025 else len(made) >= len(clean) - 2
    assert {len(each.samples) for each in made} == {2 * FRAME}
    assert {len(each.noise) for each in made} == {2 * FRAME}
    # The silence before the first block is far sound too.
    assert len(witness.played) // 2 >= WIRE - FRAME


# --- dozing -------------------------------------------------------------------------------


def ramp(first: int, frames: int = FRAME) -> bytes:
    return np.arange(first, first + frames).astype("<i2").tobytes()


@dataclass
class Line:
    """A microphone that counts, and what leaves of it: raw while dozing, clean while awake."""

    echo: Witness
    left: bytearray = field(default_factory=bytearray)
    frames: int = 0

    def __post_init__(self) -> None:
        self.duplex = Duplex(self.echo, "witness", WIRE)
        self.duplex.speaker_opened(WIRE)
        self.duplex.microphone_opened(WIRE)

    def hear(self, frames: int) -> list[Cleaned | None]:
        return [self._hear() for _ in range(frames)]

    def _hear(self) -> Cleaned | None:
        at = self.frames * FRAME
        self.frames += 1
        raw = ramp(at)
        clean = self.duplex.heard(raw, at, 100 + self.frames * 0.02)
        self.left += raw if clean is None else clean.samples
        return clean


@pytest.mark.parametrize("late", [0, 120, FRAME, 700])
def test_from_raw_to_clean_no_sample_comes_twice_and_none_is_stale(late: int) -> None:
    line = Line(Witness(late=late))
    for _ in range(3):
        line.duplex.doze(True)
        line.left.clear()
        first = line.frames * FRAME
        assert line.hear(7) == [None] * 7
        line.duplex.doze(False)
        assert None not in line.hear(9)
        sound = np.frombuffer(bytes(line.left), dtype="<i2")
        assert np.array_equal(sound, np.arange(first, first + 16 * FRAME - late).astype("<i2"))
        assert STALE not in sound


def test_the_first_frame_awake_has_a_score_though_its_sound_is_old() -> None:
    line = Line(Witness(late=FRAME, score=0.3, erle_db=4.0))
    line.duplex.doze(True)
    line.hear(2)
    line.duplex.doze(False)
    (clean,) = line.hear(1)
    assert clean is not None
    assert (clean.samples, clean.score, len(clean.noise)) == (b"", 0.3, 2 * FRAME)


def test_awake_from_the_start_what_a_late_driver_held_is_thrown_away() -> None:
    line = Line(Witness(late=FRAME))
    line.hear(5)
    assert bytes(line.left) == ramp(0, 4 * FRAME)


def test_a_line_that_is_lost_and_back_within_a_frame_changes_nothing() -> None:
    line = Line(Witness(late=FRAME))
    line.hear(3)
    line.duplex.doze(True)
    line.duplex.doze(False)
    line.hear(3)
    assert bytes(line.left) == ramp(0, 5 * FRAME)


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_a_tone_from_raw_to_clean_stays_in_phase(rate: int) -> None:
    """What was raw is resampled on its way out, what is clean was before: nobody hears the seam."""
    duplex, uplink = Duplex(Witness(late=FRAME), "witness", WIRE), Uplink(WIRE)
    duplex.microphone_opened(rate)
    uplink.restart(rate)
    duplex.doze(True)
    size = rate // 50
    tone = np.rint(8000 * np.sin(2 * np.pi * 440 * np.arange(50 * size) / rate)).astype("<i2")
    left = b""
    for number in range(50):
        if number == 25:
            duplex.doze(False)
        raw = tone[number * size : (number + 1) * size].tobytes()
        clean = duplex.heard(raw, number * size, 100 + number * 0.02)
        left += uplink.room(raw) if clean is None else uplink.clean(clean.samples)
    sound = np.frombuffer(left, dtype="<i2").astype(float)
    steps = 2 * np.cos(2 * np.pi * 440 / WIRE) * sound[1:-1] - sound[:-2] - sound[2:]
    assert len(sound) == 49 * FRAME
    assert np.abs(steps[200:]).max() < 4


def test_dozing_it_costs_nothing_and_remembers_no_sound_of_then() -> None:
    line = Line(Witness())
    line.duplex.doze(True)
    line.duplex.played(ramp(1), 100.0, False)
    line.hear(100)
    assert not line.echo.heard
    assert not line.echo.played
    line.duplex.doze(False)
    line.hear(1)
    line.duplex.played(ramp(1, 240), 102.1, False)
    line.hear(2)
    # From the first frame awake until the first block there was silence.
    first = int(np.flatnonzero(line.echo.played_samples())[0])
    assert first == pytest.approx((102.09 - 102.0) * WIRE, abs=2)
    assert line.echo.changes[-1] == "rested"
    assert np.diff(line.echo.places) == pytest.approx([FRAME] * 3, abs=1)


# --- what changes -------------------------------------------------------------------------


def test_lost_frames_of_the_microphone_are_silence_and_nothing_moves() -> None:
    line = Line(Witness())
    line.hear(5)
    told = len(line.echo.changes)
    line.frames += 7
    line.hear(5)
    assert line.echo.changes[told:] == ["underrun"]
    assert np.diff(line.echo.places) == pytest.approx([FRAME] * 17, abs=1)
    assert not any(line.echo.heard[2 * FRAME * 6 : 2 * FRAME * 13])
    assert any(line.echo.heard[2 * FRAME * 13 :])


def test_a_microphone_that_counts_from_anew_is_one_that_rested() -> None:
    line = Line(Witness())
    line.hear(5)
    told = len(line.echo.changes)
    line.frames += 50 * 60
    line.hear(5)
    assert line.echo.changes[told:] == ["rested", "underrun"]
    assert len(line.echo.heard) == 2 * FRAME * 11


def test_devices_opened_anew_and_a_mixer_that_turned_are_told() -> None:
    line = Line(Witness())
    line.hear(2)
    line.duplex.speaker_opened(48000)
    line.duplex.volume_turned()
    line.hear(2)
    line.duplex.microphone_opened(WIRE)
    line.frames = 0
    line.hear(2)
    assert line.echo.changes == [
        *("reopened", "reopened", "rested"),
        *("reopened", "volume"),
        *("reopened", "rested"),
    ]


def test_what_was_found_out_is_told_when_dozing_begins() -> None:
    line = Line(Witness(drift_ppm=-17.4))
    line.hear(1)
    line.duplex.answer()
    line.echo.score, line.echo.erle_db = 0.1, 21.04
    line.hear(3)
    line.echo.score, line.echo.erle_db = inf, 99.0
    line.hear(1)
    assert line.duplex.status() == {"echo": "witness", "echo_erle_db": 21.0, "echo_drift_ppm": -17}
    assert line.duplex.doze(True) == EchoMeasured("witness", 21.04, -17.4)
    assert line.duplex.doze(True) is None


def test_nothing_is_told_where_nothing_was_said_or_nothing_came_back() -> None:
    for answers, score in ((False, 0.1), (True, inf)):
        line = Line(Witness(score=score))
        if answers:
            line.duplex.answer()
        line.hear(3)
        assert line.duplex.doze(True) is None
        line.duplex.doze(False)


def test_a_stalled_loop_leaves_no_hole_where_there_was_none() -> None:
    """Three seconds nobody comes by: frames heard are lost, blocks played are not."""
    line = Line(Witness())
    at = 100.05
    for number in range(500):
        at += 0.01
        line.duplex.played(ramp(number * 240, 240), at, False)
        if number % 2 and not 100 < number < 400:
            line.frames = number // 2
            line.hear(1)
    assert line.echo.changes[2:] == ["rested", "rested", "underrun"]
    sound = line.echo.played_samples()
    sound = sound[np.flatnonzero(sound)[0] :]
    assert np.array_equal(sound, np.arange(1, 1 + len(sound)).astype("<i2"))
    assert line.duplex.dropped == 0
