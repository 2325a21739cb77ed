"""The benches' own arithmetic and words; what they measure is theirs to judge, not ours."""

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from edged.simulator.evening import comparison
from tests.benches import __main__ as bench
from tests.benches import first_conversation as first
from tests.benches.report import Figure, Result, as_json, table
from tests.benches.rig import Tell, noise


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
