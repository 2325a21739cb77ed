"""The bench of the echo: its rooms, its clocks, its ears and its arithmetic; no voices needed."""

import json
import math
import wave
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edged.core.frames import Cleaned
from edged.core.settings import BargeIn
from edged.ports import Change
from edged.simulator.provider.companding import resample
from tests.benches import echo, echo_chain, echo_ears, echo_table, echo_verdict
from tests.benches.echo_chain import Played, through
from tests.benches.echo_cost import Cost, measured
from tests.benches.echo_ears import Judgement, listen, of_gate
from tests.benches.echo_room import Ways, room
from tests.benches.echo_scene import (
    FRAME,
    Acoustics,
    Burst,
    Loudspeaker,
    Scene,
    Script,
    active_rms,
    drive_for,
)
from tests.benches.echo_verdict import Hearing, Limits, Outcome
from tests.benches.echo_voices import RATE, REPORTED, TUNING, Cast, Sound, kept
from tests.benches.report import Figure, Result, as_json

WAVES = Path(__file__).parent / "waves"
BARE = Ways(np.array([1.0], np.float32), np.array([0.0, 0.5], np.float32))
"""A box in the open air."""
PREROLL = BargeIn().preroll_ms // 20
CALM = Scene(7, bursts=2, every_s=2.0, settled_s=3.0, noise_dbfs=-120.0)


def hiss(seconds: float, seed: int = 1) -> Sound:
    """Noise at -20 dBFS, which is like itself in one place only."""
    chance = np.random.default_rng(seed)
    return (0.1 * chance.standard_normal(round(seconds * RATE))).astype(np.float32)


def script(scene: Scene, *, talkative: bool = True) -> Script:
    """The box hisses all the time; the person does at their bursts."""
    far = hiss(scene.length / RATE) if talkative else np.zeros(scene.length, np.float32)
    near = np.zeros(scene.length, np.float32)
    bursts = []
    for number in range(scene.bursts):
        onset = round((scene.settled_s + number * scene.every_s) * RATE)
        words = hiss(1.0, seed=2 + number)
        near[onset : onset + len(words)] = words
        bursts.append(Burst(onset, onset + len(words)))
    return Script(far, near, bursts)


class Told:
    """A driver that keeps what it is told, scores as it is told, and marks its frames."""

    hears_through = True
    late = 0
    drift_ppm: float = 0.0

    def __init__(self, scores: Iterator[float] | None = None) -> None:
        self.far_samples = bytearray()
        self.near_samples = bytearray()
        self.delays: list[tuple[int, int, int]] = []
        self.notified: list[Change] = []
        self._scores = scores

    def far(self, samples: bytes) -> None:
        self.far_samples += samples

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        self.near_samples += samples
        self.delays.append((len(self.far_samples) // 2, play_delay, capture_delay))
        number = len(self.delays)
        score = 0.0 if self._scores is None else next(self._scores)
        marked = np.full(FRAME, number, "<i2").tobytes()
        return Cleaned(marked, score, 0.0, np.full(FRAME, -number, "<i2").tobytes())

    def flushed(self, frames: int) -> None:
        raise AssertionError("nothing is thrown away here")

    def notify(self, why: Change) -> None:
        self.notified.append(why)

    def misplaced(self) -> npt.NDArray[np.int64]:
        """For each frame how many samples its echo is later than the delays say."""
        far = np.frombuffer(bytes(self.far_samples), "<i2").astype(np.float64)
        near = np.frombuffer(bytes(self.near_samples), "<i2").astype(np.float64)
        found = []
        reach = 2400
        for frame, (written, play_delay, capture_delay) in enumerate(self.delays[20:], 20):
            heard = near[frame * FRAME : (frame + 1) * FRAME]
            start = written - play_delay - capture_delay - FRAME
            likely = np.correlate(far[start - reach : start + FRAME + reach], heard, "valid")
            found.append(reach - int(np.argmax(likely)))
        return np.array(found)


def played(scene: Scene, driver: Told | None = None) -> tuple[Told, Played]:
    """The scene in the open air."""
    driver = driver or Told()
    return driver, through(Acoustics(scene, script(scene), BARE), driver)


class TestTheClocks:
    @pytest.mark.parametrize("seed", [7, 8, 9])
    def test_tell_where_the_echo_is_but_for_their_error(self, seed: int) -> None:
        told, _ = played(replace(CALM, seed=seed, bursts=0))
        # 5 ms of the box's own, 1 ms of jitter.
        assert np.max(np.abs(told.misplaced())) <= 0.0061 * RATE
        delays = np.array(told.delays)[20:]
        bulk = (delays[:, 1] + delays[:, 2]) / RATE
        assert 0.01 < bulk.min() < bulk.max() < 0.18

    def test_may_differ_and_still_tell_the_truth(self) -> None:
        fast = replace(CALM, bursts=0, settled_s=20.0)
        told, _ = played(replace(fast, drift_ppm=300.0))
        assert np.max(np.abs(told.misplaced())) <= 0.0063 * RATE
        apart = len(told.far_samples) // 2 - len(told.near_samples) // 2
        steady, _ = played(fast)
        without = len(steady.far_samples) // 2 - len(steady.near_samples) // 2
        # 6 ms in 20 s, seen in whole frames.
        assert abs(apart - without) <= FRAME

    @pytest.mark.parametrize("announced", [False, True])
    def test_jump_and_may_say_so(self, announced: bool) -> None:
        scene = replace(CALM, bursts=0, settled_s=6.0, jump_s=0.045, jump_told=announced)
        told, _ = played(scene)
        misplaced = told.misplaced()
        before, after = misplaced[:100], misplaced[-100:]
        jumped = abs(float(np.median(after) - np.median(before))) / RATE
        assert jumped == pytest.approx(0.0 if announced else 0.045, abs=0.001)
        assert told.notified == (["underrun"] if announced else [])


class TestTheMicrophone:
    @pytest.mark.parametrize("ser_db", [5.0, 0.0, -10.0, -20.0])
    def test_hears_the_person_as_much_above_the_box_as_asked(self, ser_db: float) -> None:
        scene = replace(CALM, ser_db=ser_db)
        _, heard = played(scene)
        lone = heard.microphone[RATE : 2 * RATE] / 32768
        assert 20 * math.log10(active_rms(heard.near) / active_rms(lone)) == pytest.approx(
            ser_db, abs=0.3
        )
        assert 20 * math.log10(active_rms(heard.near)) == pytest.approx(-36, abs=0.01)

    def test_hears_the_person_when_the_scene_says(self) -> None:
        _, heard = played(CALM)
        for burst in heard.bursts:
            assert not heard.near[burst.onset - FRAME : burst.onset - 1].any()
            assert active_rms(heard.near[burst.onset : burst.onset + FRAME]) > 0.01

    def test_hears_the_same_every_time(self) -> None:
        scene = replace(CALM, drift_ppm=100.0, noise_dbfs=-60.0)
        assert played(scene)[1].microphone.tobytes() == played(scene)[1].microphone.tobytes()
        other = replace(scene, seed=8)
        assert played(scene)[1].microphone.tobytes() != played(other)[1].microphone.tobytes()

    @pytest.mark.parametrize("distortion_db", [-36.0, -20.0])
    def test_hears_the_loudspeaker_distort(self, distortion_db: float) -> None:
        written = hiss(2.0)
        clean = Loudspeaker(1e-3).play(written.astype(np.float64))
        heard = Loudspeaker(drive_for(written, distortion_db)).play(written.astype(np.float64))
        same = (heard @ clean) / (clean @ clean) * clean
        added = 10 * math.log10(np.sum((heard - same) ** 2) / np.sum(same**2))
        assert added == pytest.approx(distortion_db, abs=0.5)

    def test_hears_less_of_the_box_while_it_is_turned_down(self) -> None:
        scene = replace(CALM, bursts=0, duck_db=12.0)
        always = Told(iter([2.0] * 1000))
        _, loud = played(scene)
        _, soft = played(scene, always)
        later = slice(2 * RATE, 3 * RATE)
        gone = active_rms(soft.microphone[later]) / active_rms(loud.microphone[later])
        assert 20 * math.log10(gone) == pytest.approx(-12, abs=0.5)


class TestARoom:
    @pytest.mark.parametrize("seed", [*REPORTED.seeds[:10], *TUNING.seeds[:10]])
    def test_has_a_box_and_a_person_at_their_distances(self, seed: int) -> None:
        here = room(seed)
        assert 0.06 <= math.dist(here.microphone, here.loudspeaker) <= 0.1001
        assert 1.0 <= math.dist(here.person, here.loudspeaker) <= 2.5001
        assert 0.2 <= here.rt60_s <= 0.45
        for spot in (here.microphone, here.loudspeaker, here.person):
            assert all(0 < at < wall for at, wall in zip(spot, here.size, strict=True))

    def test_is_found_again_where_it_was_built_before(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tests.benches.echo_voices.CACHE", tmp_path)
        made: list[Sound] = []

        def make() -> Sound:
            made.append(hiss(0.01))
            return made[-1]

        first, again = kept("a room", make), kept("a room", make)
        assert np.array_equal(first, again)
        assert len(made) == 1
        kept("another room", make)
        assert len(made) == 2


class TestTheCasts:
    def test_tuning_and_reporting_share_nothing(self) -> None:
        def all_of(cast: Cast) -> list[set[object]]:
            return [{*cast.seeds}, {*cast.far, *cast.near}, {*cast.answers, *cast.interruptions}]

        for tuned, reported in zip(all_of(TUNING), all_of(REPORTED), strict=True):
            assert not tuned & reported

    @pytest.mark.parametrize("cast", [TUNING, REPORTED], ids=["tuning", "reported"])
    def test_nobody_talks_to_themselves(self, cast: Cast) -> None:
        pairs = [cast.pair(seed) for seed in cast.seeds[:10]]
        assert all(assistant != person for assistant, person in pairs)
        assert {assistant for assistant, _ in pairs} == set(cast.far)
        assert {person for _, person in pairs} == set(cast.near)


class TestWhatLeaves:
    def test_sends_noise_while_shut_and_what_came_before_when_it_opens(self) -> None:
        scene = replace(CALM, bursts=0)
        sure = 100
        scores = [0.0] * (sure - 1) + [2.0, 2.0] + [0.0] * 900
        _, heard = played(scene, Told(iter(scores)))
        sent = heard.sent.reshape(-1, FRAME)[:, 0].tolist()
        opening = sent.index(sure + 1)
        before = list(range(sure + 1 - PREROLL, sure + 2))
        assert sent[opening - PREROLL : opening + 1] == before
        # What was held back is not missing in the noise: no frame is without its own.
        assert sent[opening - PREROLL - 1] == -sure
        first = opening - PREROLL
        assert heard.sent_at[first : opening + 1].tolist() == [sure] * (PREROLL + 1)
        assert np.flatnonzero(heard.opened)[0] == sure


def ears_judgement(frames: int, *spans: tuple[int, int]) -> Judgement:
    on = np.zeros(frames, bool)
    for start, end in spans:
        on[start:end] = True
    return Judgement(on, [start for start, _ in spans])


def scene_of(frames: int, *bursts: tuple[int, int]) -> Played:
    nothing = np.zeros(frames * FRAME, np.int16)
    return Played(
        [Burst(start * FRAME, end * FRAME) for start, end in bursts],
        microphone=nothing,
        near=nothing.astype(np.float64),
        cleaned=nothing,
        sent=nothing,
        sent_at=np.arange(frames),
        opened=np.zeros(frames, bool),
        erle_db=np.zeros(frames),
    )


class TestTheVerdict:
    def test_counts_stretches_of_the_box_alone(self) -> None:
        scene = scene_of(2000, (1000, 1100))
        heard = echo_verdict.judged(scene, ears_judgement(2000, (10, 20), (600, 610), (1005, 1150)))
        # 1000 frames before, and from 1.5 s after the burst 824 more: seven whole stretches.
        assert heard.stretches == [True, False, True, False, False, False, False]
        assert heard.falsely_on_pct == pytest.approx(100 * 2 / 7)
        assert heard.false_starts == 2
        assert heard.minutes == pytest.approx((2000 - 176) / 50 / 60)

    def test_takes_the_time_from_the_onset(self) -> None:
        scene = scene_of(2000, (1000, 1100), (1500, 1600))
        heard = echo_verdict.judged(scene, ears_judgement(2000, (1009, 1100), (1630, 1650)))
        assert heard.latencies_ms == [200.0, None]

    def test_whoever_is_on_already_has_noticed_nothing(self) -> None:
        scene = scene_of(2000, (1000, 1100))
        heard = echo_verdict.judged(scene, ears_judgement(2000, (990, 1003), (1010, 1100)))
        assert heard.latencies_ms == [None]

    def test_finds_how_late_the_driver_is(self) -> None:
        scene = replace(CALM, bursts=2)
        _, heard = played(scene)
        late = 223
        heard.cleaned = np.concatenate((np.zeros(late, np.int16), heard.microphone))[:-late]
        assert echo_verdict.latency(heard) == late

    @staticmethod
    def hearing(on: int, of: int, *latencies_ms: float | None) -> Hearing:
        return Hearing([True] * on + [False] * (of - on), on, 1.0, latencies_ms)

    @staticmethod
    def figures(hearings: Sequence[Hearing], limits: Limits, *, short: bool) -> dict[str, Figure]:
        told = echo_verdict.decided("speex", -10.0, hearings, limits, short=short)
        return {figure.name: figure for figure in told}

    def test_is_the_median_of_the_rooms_and_the_worst(self) -> None:
        rooms = [self.hearing(on, 10, *[200.0] * 10) for on in (0, 0, 3)]
        told = self.figures(rooms, Limits(0, 20, 95, 350), short=False)
        assert told["speex_falsely_on_pct_ser-10"].ok
        worst = told["speex_falsely_on_worst_pct_ser-10"]
        assert (worst.value, worst.ok) == (30.0, False)
        assert told["speex_false_starts_per_min_ser-10"].value == 1.0
        assert told["speex_barge_in_pct_ser-10"].value == 100.0
        assert told["speex_barge_in_ms_ser-10"].value == 200.0

    def test_forgives_bad_luck_in_a_short_run_only(self) -> None:
        unlucky = [self.hearing(0, 10, *[200.0] * 9, None)] * 2
        limits = Limits(0, 20, 95, 350)
        name = "speex_barge_in_pct_ser-10"
        assert not self.figures(unlucky, limits, short=False)[name].ok
        assert self.figures(unlucky, limits, short=True)[name].ok
        bad = [unlucky[0], self.hearing(0, 10, *[200.0] * 6, *[None] * 4)]
        assert not self.figures(bad, limits, short=True)[name].ok

    def test_bad_luck_is_one_run_of_a_hundred(self) -> None:
        # Of 20 with 95 % each, fewer than 16 come true in 0.26 % of runs, fewer than 17 in 1.6 %.
        assert echo_verdict.unlucky(0.95, 20) == 16
        assert echo_verdict.unlucky(1.0, 20) == 20

    def test_nobody_detected_has_no_latency_and_does_not_hold(self) -> None:
        told = self.figures([self.hearing(0, 10, None)], Limits(0, 20, 95, 350), short=False)
        assert told["speex_barge_in_ms_ser-10"].value is None
        assert not told["speex_barge_in_ms_ser-10"].ok

    def test_a_person_alone_is_let_through_as_they_are(self) -> None:
        heard = {ear: self.hearing(0, 10, 150.0) for ear in echo_ears.EARS}
        good = Outcome(heard, None, None, stoi=[0.99], level_db=[-0.2])
        soft = Outcome(heard, None, None, stoi=[0.97], level_db=[-0.6])
        told = {f.name: f for f in echo_verdict.untouched("x", [good, good, soft])}
        assert told["x_stoi"].ok
        assert told["x_stoi_worst"].value == 0.97
        assert (told["x_level_db"].value, told["x_level_off_db"].ok) == (-0.6, False)
        assert told["x_heard_pct_silero"].value == 100.0


class TestTheEars:
    @pytest.mark.parametrize("ear", echo_ears.EARS)
    def test_hear_speech_when_it_is_said_and_only_then(self, ear: str) -> None:
        words = speech()
        quiet = (hiss(2.0) * 30).astype(np.int16)
        sent = np.concatenate((quiet, words, quiet))
        sent = sent[: len(sent) // FRAME * FRAME]
        heard = listen(ear, sent, np.arange(len(sent) // FRAME))
        onset = len(quiet) // FRAME
        assert len(heard.starts) >= 1
        assert onset < heard.starts[0] < onset + 25
        assert heard.on[heard.starts[0]]
        assert not heard.on[:onset].any()
        assert not heard.on[-20:].any()

    def test_know_of_what_was_held_back_when_it_leaves(self) -> None:
        words = speech()[: 40 * FRAME]
        quiet = (hiss(2.0) * 30).astype(np.int16)
        sent = np.concatenate((quiet, words, quiet))
        frames = np.arange(len(sent) // FRAME)
        late = np.where((frames >= 100) & (frames < 140), 140, frames)
        assert listen("silero", sent, late).starts == [140]

    def test_the_gate_takes_for_speech_what_it_lets_through(self) -> None:
        opened = np.array([False, True, True, False, True])
        assert of_gate(opened).starts == [1, 4]


def speech() -> npt.NDArray[np.int16]:
    """Somebody speaks, at 24 kHz and -30 dBFS."""
    with wave.open(str(WAVES / "cmd_after_wake.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        words = resample(samples, file.getframerate(), RATE)
    loud = np.flatnonzero(np.abs(words) > 1000)
    words = words[loud[0] : loud[-1]]
    level = active_rms(words / 32768)
    soft: npt.NDArray[np.int16] = np.rint(words * (10 ** (-30 / 20) / level)).astype(np.int16)
    return soft


class TestTheCost:
    def test_is_measured_in_a_process_of_its_own(self, tmp_path: Path) -> None:
        taken = echo.Taken()
        scene = replace(CALM, bursts=0)
        through(Acoustics(scene, script(scene), BARE), taken)
        cost = measured("half_duplex", taken.keep(tmp_path / "scene.npz"), passes=1)
        assert isinstance(cost, Cost)
        assert 0 < cost.cpu_pct < 100
        assert -1 < cost.memory_mib < 100

    def test_what_a_driver_is_given_is_kept_in_its_order(self, tmp_path: Path) -> None:
        taken, told = echo.Taken(), Told()
        scene = replace(CALM, bursts=0)
        for driver in (taken, told):
            through(Acoustics(scene, script(scene), BARE), driver)
        with np.load(taken.keep(tmp_path / "scene.npz")) as file:
            assert file["far"].tobytes() == bytes(told.far_samples)
            assert file["near"].tobytes() == bytes(told.near_samples)
            assert file["when"].tolist() == [list(each) for each in told.delays]


class TestTheBench:
    def test_a_driver_that_is_not_there_is_not_measured(self) -> None:
        with pytest.raises(echo_chain.NotThere, match="nobody"):
            echo_chain.open_driver("nobody")

    def test_names_the_drivers_that_should_be_there(self) -> None:
        assert set(echo.EXPECTED) <= set(echo.drivers())
        assert set(echo_chain.BASELINES) <= set(echo.drivers())

    def test_judges_whoever_is_expected(self) -> None:
        assert set(echo_verdict.LIMITS) == set(echo.EXPECTED)
        json.dumps([figure.as_json() for figure in echo._cost_figures("speex", Cost(1.0, 2.0))])

    def test_the_long_form_has_ten_rooms_with_ten_interruptions_at_each_level(self) -> None:
        kinds = list(echo._kinds(echo.Plan(), REPORTED, baseline=False))
        usual = {kind.ser_db: kind.scenes for kind in kinds if not kind.name}
        assert usual.keys() == {5, 0, -10, -20}
        for scenes in usual.values():
            assert len({scene.seed for scene in scenes}) >= 10
            assert all(scene.bursts >= 10 for scene in scenes)
            assert all(scene.seed in REPORTED.seeds for scene in scenes)

    def test_what_it_measures_is_what_the_readme_s_tables_ask_for(self, tmp_path: Path) -> None:
        heard = Hearing([False] * 9, 0, 1.0, [200.0])
        judged_all = Outcome(
            dict.fromkeys((*echo_ears.EARS, "opened"), heard), 30.0, 20.0, [0.99], [0.0]
        )
        figures: list[Figure] = []
        for driver in echo.drivers():
            baseline = driver in echo_chain.BASELINES
            for kind in echo._kinds(echo.Plan(), REPORTED, baseline=baseline):
                figures += echo._figures(driver, kind, [judged_all], short=False)
            figures += echo._cost_figures(driver, Cost(1.0, 2.0))
        file = tmp_path / "figures.json"
        file.write_text(json.dumps(as_json({"echo": Result(figures)})), encoding="utf-8")
        values = echo_table.read(file)
        rows = [row.split(" | ") for row in echo_table.tables(values).splitlines() if row]
        blank = [row[0] for row in rows if any(not cell.strip("| ") for cell in row)]
        assert not blank
        assert any("0 / 0 %; 100 % after 200 ms" in row for row in rows)
