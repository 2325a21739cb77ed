"""The benches' own arithmetic and words; what they measure is theirs to judge, not ours."""

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from edged.core.commands import Chime
from edged.simulator.evening import comparison
from edged.simulator.hearing import RATE, Samples
from edged.simulator.provider.ledger import Direction, Entry
from edged.sound._chimes import chime
from tests.benches import __main__ as bench
from tests.benches import first_conversation as first
from tests.benches import turn_taking as turns
from tests.benches import turn_taking_verdict as verdict
from tests.benches.report import Figure, Result, as_json, table
from tests.benches.rig import Tell, noise
from tests.benches.turn_taking_person import KINDS
from tests.benches.turn_taking_sound import Heard, doubled, heard


def quiet(_: str) -> None:
    """Nobody listens."""


class TestAFigure:
    def test_holds_up_to_its_limit(self) -> None:
        assert Figure("stop_s", 1.0, "s", limit=1.0).ok
        assert not Figure("stop_s", 1.01, "s", limit=1.0).ok

    def test_holds_from_its_limit_where_more_is_better(self) -> None:
        assert Figure("stops_clean", 50, "of 50", limit=50, side="at least").ok
        assert not Figure("stops_clean", 49, "of 50", limit=50, side="at least").ok

    def test_is_only_told_without_a_limit(self) -> None:
        assert Figure("uplink_ms", 1000.0, "ms").ok

    def test_that_could_not_be_measured_does_not_hold(self) -> None:
        assert not Figure("stop_s", None, "s", limit=1.0).ok

    def test_has_a_published_form(self) -> None:
        assert Figure("ready_over_imports", 1.23456789, "ratio", 1.0, 1.5).as_json() == {
            "name": "ready_over_imports",
            "value": 1.23457,
            "unit": "ratio",
            "reference": 1.0,
            "limit": 1.5,
            "ok": True,
        }


class TestAReport:
    def test_says_for_each_bench_whether_all_of_it_holds(self) -> None:
        good, bad = Figure("a", 1, "", limit=1), Figure("b", 2, "", limit=1)
        told = json.loads(json.dumps(as_json({"x": Result([good]), "y": Result([good, bad])})))
        assert told.keys() == {"machine", "benches"}
        assert {name: one["ok"] for name, one in told["benches"].items()} == {"x": True, "y": False}
        assert [figure["name"] for figure in told["benches"]["y"]["figures"]] == ["a", "b"]

    def test_a_bench_that_was_not_finished_does_not_hold(self) -> None:
        assert not Result([], "no room").ok

    def test_names_the_machine_and_that_the_sound_server_costs_memory(self) -> None:
        machine = as_json({})["machine"]
        assert isinstance(machine, dict)
        assert machine["cores"] >= 1
        assert "memory" in machine["sound"]

    def test_marks_what_does_not_hold_for_people(self) -> None:
        paper = io.StringIO()
        console = Console(width=100, file=paper)
        console.print(table("x", Result([Figure("stop_s", 2.0, "s", limit=1.0)])))
        assert "✘" in paper.getvalue()


class TestTheCommandLine:
    def test_without_names_means_all(self) -> None:
        assert bench.arguments([]).names == list(bench.BENCHES)

    def test_takes_names_once_each(self) -> None:
        options = bench.arguments(["first-conversation", "--short", "first-conversation"])
        assert options.names == ["first-conversation"]
        assert options.short

    def test_refuses_a_name_that_is_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as refused:
            bench.arguments(["second-conversation"])
        assert refused.value.code == 2
        assert "first-conversation" in capsys.readouterr().err

    @pytest.mark.parametrize(("stop_s", "status"), [(0.5, 0), (1.5, 1)])
    def test_ends_with_whether_all_held_and_leaves_the_figures(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_s: float, status: int
    ) -> None:
        async def stop(*, short: bool, tell: Tell) -> Sequence[Figure]:
            tell("stopping")
            return [Figure("stop_s", stop_s if short else 9.0, "s", limit=1.0)]

        monkeypatch.setattr(bench, "BENCHES", {"stop": stop})
        file = tmp_path / "figures.json"
        assert bench.main(["stop", "--short", "--json", str(file)]) == status
        told = json.loads(file.read_text(encoding="utf-8"))["benches"]["stop"]
        assert told["ok"] is (status == 0)
        assert told["figures"][0]["value"] == stop_s

    def test_prints_nothing_but_the_figures_where_no_file_is_named(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def stop(*, short: bool, tell: Tell) -> Sequence[Figure]:
            return [Figure("stop_s", 0.5, "s", limit=1.0)]

        monkeypatch.setattr(bench, "BENCHES", {"stop": stop})
        assert bench.main(["stop", "--json"]) == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["benches"]["stop"]["ok"]
        assert "stop_s" in said.err

    def test_a_bench_that_breaks_off_is_told_and_not_raised(self) -> None:
        async def broken(*, short: bool, tell: Tell) -> Sequence[Figure]:
            raise OSError("no PulseAudio")

        result = asyncio.run(bench.measure(broken, short=True, tell=quiet))
        assert "no PulseAudio" in result.trouble


class TestTheFirstConversation:
    @staticmethod
    def judged(capture_rate: int = 24_000) -> dict[str, Figure]:
        whole = comparison.Comparison(0, 1.0, 0, 0, 0)
        got = first.Harvest(
            edged=first.Times(uplink=[20.0, 22.0, 90.0], onset=[40.0]),
            bare=first.Times(uplink=[19.0], onset=[36.0]),
            capture_rate=capture_rate,
            uplink=[whole],
            answer=[whole],
            ready_s=[0.3],
            imports_s=[0.2],
            stop_s=[0.1, 0.4, 0.2],
            stops_clean=10,
            asleep_mib=110.0,
            conversation_mib=120.0,
            bare_mib=100.0,
            asleep_cpu_s=1.1,
            bare_cpu_s=1.0,
        )
        return {figure.name: figure for figure in first._figures(first.SHORT, got, [0.1])}

    def test_is_judged_against_the_bare_loop(self) -> None:
        figures = self.judged()
        assert figures["uplink_over_reference_ms"].value == pytest.approx(3.0)
        assert figures["onset_over_reference_ms"].value == pytest.approx(4.0)
        assert figures["ready_over_imports"].value == pytest.approx(1.5)
        assert figures["rss_asleep_over_bare_mib"].value == pytest.approx(10.0)
        assert figures["rss_conversation_over_bare_mib"].value == pytest.approx(20.0)
        assert figures["cpu_asleep_over_bare"].value == pytest.approx(1.1)
        assert figures["stop_s"].value == pytest.approx(0.4)
        assert all(figure.ok for figure in figures.values())

    def test_allows_resampling_its_declared_delay_and_nothing_else(self) -> None:
        straight, resampled = self.judged(), self.judged(capture_rate=48_000)
        name = "uplink_over_reference_ms"
        assert straight[name].limit == pytest.approx(5.0)
        assert resampled[name].limit == pytest.approx(5.0 + 32 / 24)

    def test_says_noise_that_is_found_only_where_it_is(self) -> None:
        one, other = noise(0.2, 24_000, -45, seed=1), noise(0.2, 24_000, -45, seed=2)
        arrived = np.concatenate((other, one, other))
        where, alike = comparison.place(one, arrived)
        assert where == pytest.approx(len(other), abs=0.1)
        assert alike > 0.99


SENT = noise(1.0, 24_000, -20, seed=1)
NEXT = noise(0.5, 24_000, -20, seed=2)
FADE = 384
"""Samples of the room."""


def sounding(sent: Samples, start: int, end: int) -> comparison.Floats:
    """What the room hears of `sent` from one of its own positions on, faded out before another."""
    sound = doubled(sent)[start:end] * 0.5
    sound[-FADE:] *= np.linspace(1, 0, FADE)
    return sound


def recording(*pieces: tuple[int, comparison.Floats]) -> Samples:
    """Two seconds in which each piece is heard from its position on."""
    room = np.zeros(2 * RATE)
    for at, piece in pieces:
        room[at : at + len(piece)] += piece
    return np.rint(room).astype(np.int16)


class TestAnAnswerThatWasCut:
    """At the loudspeaker, to the millisecond."""

    NEAR = RATE // 500

    def test_ends_where_its_fade_does(self) -> None:
        room = recording((5_001, sounding(SENT, 0, 20_000)))
        got = heard(SENT, room, trigger=23_000)
        assert got.end == pytest.approx(25_001, abs=self.NEAR)
        assert got.samples == pytest.approx(10_000, abs=self.NEAR)
        assert got.late == 0

    def test_is_heard_through_an_earcon(self) -> None:
        earcon = np.frombuffer(chime(Chime.WOKEN, RATE), np.int16).astype(np.float64) / 2
        room = recording((5_000, sounding(SENT, 0, 20_000)), (24_000, earcon))
        got = heard(SENT, room, trigger=23_000)
        assert got.end == pytest.approx(25_000, abs=self.NEAR)
        assert got.late == 0

    def test_is_heard_to_its_place_behind_a_gap(self) -> None:
        room = recording((5_000, sounding(SENT, 0, 9_600)), (30_000, sounding(SENT, 9_600, 20_000)))
        got = heard(SENT, room, trigger=39_000)
        assert got.end == pytest.approx(40_400, abs=self.NEAR)
        assert got.samples == pytest.approx(10_000, abs=self.NEAR)
        assert got.late == 0

    def test_that_was_never_begun_is_not_heard(self) -> None:
        assert heard(SENT, recording(), trigger=1_000) == Heard(None, 0.0, 0)

    def test_is_late_where_it_goes_on_after_its_silence(self) -> None:
        room = recording(
            (5_000, sounding(SENT, 0, 9_600)), (40_000, sounding(SENT, 20_000, 24_800))
        )
        got = heard(SENT, room, trigger=13_000)
        assert got.samples == pytest.approx(4_800, abs=self.NEAR)
        assert got.late == pytest.approx(2_400, abs=self.NEAR)

    def test_is_late_where_it_is_heard_again(self) -> None:
        room = recording((5_000, sounding(SENT, 0, 9_600)), (40_000, sounding(SENT, 0, 4_800)))
        assert heard(SENT, room, trigger=13_000).late == pytest.approx(2_400, abs=self.NEAR)

    def test_is_told_from_the_one_that_follows(self) -> None:
        following = sounding(NEXT, 0, 20_000)
        room = recording((5_000, sounding(SENT, 0, 9_600)), (40_000, following))
        assert heard(SENT, room, 13_000, NEXT).late == 0
        mixed = recording(
            (5_000, sounding(SENT, 0, 9_600)), (40_000, following), (70_000, following)
        )
        assert heard(SENT, mixed, 13_000, NEXT).late == 0

    def test_that_stops_slowly_is_not_late(self) -> None:
        room = recording((5_000, sounding(SENT, 0, 40_000)))
        got = heard(SENT, room, trigger=13_000)
        assert got.end == pytest.approx(45_000, abs=self.NEAR)
        assert got.late == 0


class TestTurnTaking:
    @staticmethod
    def ledger(*told: tuple[Direction, str, dict[str, object]]) -> list[Entry]:
        return [
            Entry(number / 10, 1, direction, kind, details)
            for number, (direction, kind, details) in enumerate(told)
        ]

    @staticmethod
    def delta(item: str, ms: int) -> tuple[Direction, str, dict[str, object]]:
        details: dict[str, object] = {
            "response_id": "r",
            "item_id": item,
            "delta": {"bytes": 48 * ms},
        }
        return "out", "response.output_audio.delta", details

    def test_knows_what_the_server_was_told_of_each_item(self) -> None:
        entries = self.ledger(
            self.delta("a", 100),
            self.delta("b", 100),
            self.delta("b", 100),
            ("in", "conversation.item.truncate", {"item_id": "b", "audio_end_ms": 50}),
            self.delta("b", 100),
            self.delta("c", 100),
            ("in", "conversation.item.delete", {"item_id": "c"}),
        )
        reply = verdict.replies(entries, 1)["r"]
        assert (reply.first_delta, reply.start, reply.samples) == (0.0, 0, 24 * 500)
        assert reply.items == {
            "a": verdict.Item(0, 2_400),
            "b": verdict.Item(2_400, 7_200, 4_800, 50),
            "c": verdict.Item(9_600, 2_400, 2_400, 0),
        }

    @pytest.mark.parametrize(
        ("heard_ms", "errors_ms"),
        [
            (150, (0, 0, 0)),
            (130, (0, 20, 0)),
            (90, (10, 50, 0)),
            (330, (0, -180, 0)),
            (430, (0, -250, -30)),
        ],
    )
    def test_judges_every_item_by_what_was_heard_of_it(
        self, heard_ms: int, errors_ms: tuple[int, int, int]
    ) -> None:
        items = (
            verdict.Item(0, 2_400),
            verdict.Item(2_400, 7_200, 4_800, 50),
            verdict.Item(9_600, 2_400, 2_400, 0),
        )
        got = Heard(0, 24 * heard_ms, 0)
        found = tuple(verdict.error_ms(item, got) for item in items)
        assert found == pytest.approx(errors_ms)

    def test_counts_what_was_told_beyond_what_had_come(self) -> None:
        assert verdict.over_received(verdict.Item(0, 7_200, 4_800, 201))
        assert not verdict.over_received(verdict.Item(0, 7_200, 4_800, 200))
        assert not verdict.over_received(verdict.Item(0, 7_200))

    @staticmethod
    def figures(stops_ms: list[float], *, short: bool) -> dict[str, Figure]:
        plan = turns.Plan(each=len(stops_ms))
        good = [verdict.Judged(30.0, 4.0, 0, 0, 1.0) for _ in stops_ms]
        cut = [verdict.Judged(stop_ms, -4.0, 0, 0, 1.0) for stop_ms in stops_ms]
        harvest = turns.Harvest(good, {**dict.fromkeys(KINDS, good), "voice": cut})
        told = turns._figures(plan, harvest, [0.1], short=short)
        return {figure.name: figure for figure in told}

    def test_is_judged_beside_the_bare_loop(self) -> None:
        figures = self.figures([40.0] * 108, short=False)
        stop = figures["voice_stop_over_reference_ms_p99"]
        assert (stop.value, stop.reference, stop.limit) == (10.0, 30.0, 15)
        assert figures["voice_truncate_error_ms_p50"].value == 4.0
        assert all(figure.ok for figure in figures.values())
        names = {name.partition("_")[0] for name, one in figures.items() if one.limit is not None}
        assert names == {"voice", "wake", "button", "push"}

    def test_forgives_one_of_few_and_no_second(self) -> None:
        name = "voice_stop_over_reference_ms_p99"
        assert self.figures([40.0] * 20 + [90.0], short=True)[name].ok
        assert not self.figures([40.0] * 19 + [90.0] * 2, short=True)[name].ok

    def test_a_kind_that_was_cut_too_seldom_does_not_hold(self) -> None:
        plan = turns.Plan(each=20)
        good = [verdict.Judged(30.0, 4.0, 0, 0, 1.0)] * 19
        harvest = turns.Harvest(good, dict.fromkeys(KINDS, good))
        told = {f.name: f for f in turns._figures(plan, harvest, [0.1], short=True)}
        assert not told["wake_interrupts"].ok
