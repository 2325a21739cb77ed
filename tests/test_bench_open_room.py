"""The bench of the open room: who interrupted whom, and what was heard of it; no room needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged.simulator.hearing import RATE, Samples
from edged.simulator.provider.companding import resample
from edged.simulator.provider.ledger import Direction, Entry
from tests.benches import __main__ as bench
from tests.benches import open_room as room
from tests.benches import open_room_figures as outcome
from tests.benches import open_room_sound as sound
from tests.benches.open_room_sound import WIRE_RATE, FirstWords, Sounded
from tests.benches.open_room_verdict import (
    BargeIn,
    Span,
    Undisturbed,
    barge_in,
    caught_pct,
    onsets,
    replies,
    undisturbed,
)
from tests.benches.report import Figure
from tests.benches.rig import noise

_Line = tuple[float, Direction, str, Mapping[str, Any]]
LONG = Span(1.0, 20.0)


def ledger(*lines: _Line, session: int = 1) -> Sequence[Entry]:
    """As the server writes it."""
    return [Entry(t, session, direction, kind, told) for t, direction, kind, told in lines]


def answered(at: float, name: str, status: str = "completed") -> list[_Line]:
    """An answer of two seconds in two pieces."""
    sound = {"response_id": f"r{name}", "item_id": f"i{name}", "delta": {"bytes": 48_000}}
    return [
        (at, "out", "response.created", {"response": {"id": f"r{name}"}}),
        (at + 0.2, "out", "response.output_audio.delta", sound),
        (at + 0.4, "out", "response.output_audio.delta", sound),
        (at + 0.5, "out", "response.done", {"response": {"id": f"r{name}", "status": status}}),
    ]


def heard_speech(at: float, at_ms: int = 0) -> _Line:
    return (at, "out", "input_audio_buffer.speech_started", {"audio_start_ms": at_ms})


def truncated(at: float, name: str) -> _Line:
    return (at, "in", "conversation.item.truncate", {"item_id": f"i{name}", "audio_end_ms": 700})


class TestTheLedger:
    def test_tells_the_answers_with_their_sound(self) -> None:
        first, second = replies(ledger(*answered(1, "a"), *answered(5, "b")), 1)
        assert (first.id, first.first, first.start, first.samples) == ("ra", 1.2, 0, 48_000)
        assert (second.id, second.first, second.start) == ("rb", 5.2, 48_000)
        assert first.cut is None

    def test_tells_of_one_connection_only(self) -> None:
        assert not replies(ledger(*answered(1, "a"), session=2), 1)

    @pytest.mark.parametrize(
        "end",
        [
            truncated(1.3, "a"),
            (1.3, "in", "conversation.item.delete", {"item_id": "ia"}),
            (1.3, "in", "response.cancel", {"response_id": "ra"}),
            (1.3, "in", "response.cancel", {}),
        ],
    )
    def test_an_answer_is_cut_by_whatever_ends_it_early(self, end: _Line) -> None:
        (reply,) = replies(ledger(*answered(1, "a")[:2], end), 1)
        assert reply.cut == 1.3

    def test_the_provider_may_cut_it_too(self) -> None:
        (reply,) = replies(ledger(*answered(1, "a", status="cancelled")), 1)
        assert reply.cut == 1.5

    def test_forgetting_what_the_person_said_cuts_nothing(self) -> None:
        doubted: _Line = (1.3, "in", "conversation.item.delete", {"item_id": "a ghost's"})
        (reply,) = replies(ledger(*answered(1, "a"), doubted), 1)
        assert reply.cut is None

    def test_an_onset_is_told_in_samples_of_what_was_appended(self) -> None:
        assert onsets(ledger(heard_speech(2.0, 1500)), 1, LONG) == [(2.0, 36_000)]
        assert not onsets(ledger(heard_speech(30.0)), 1, LONG)


class TestAnAnswerThroughWhichNobodySpeaks:
    def test_is_heard_to_its_end(self) -> None:
        told = undisturbed(ledger(*answered(0.9, "a")), 1, "ra", LONG)
        assert told == Undisturbed(seconds=2.0, cut=False, false_starts=0, more=0)

    def test_may_be_interrupted_by_itself(self) -> None:
        entries = ledger(
            *answered(0.9, "a"), heard_speech(2.0), truncated(2.1, "a"), *answered(4.0, "b")
        )
        told = undisturbed(entries, 1, "ra", LONG)
        assert told == Undisturbed(seconds=2.0, cut=True, false_starts=1, more=1)

    def test_is_not_blamed_for_what_comes_after(self) -> None:
        entries = ledger(*answered(0.9, "a"), heard_speech(30.0), truncated(30.1, "a"))
        told = undisturbed(entries, 1, "ra", LONG)
        assert told == Undisturbed(seconds=2.0, cut=False, false_starts=0, more=0)


class TestABargeIn:
    SPAN = Span(3.0, 10.0)

    def test_is_caught_when_the_answer_ends_and_is_answered_itself(self) -> None:
        entries = ledger(*answered(1, "a"), truncated(3.3, "a"), *answered(6, "b"))
        told = barge_in(entries, 1, "ra", self.SPAN, last_sound=3.35)
        assert told.caught
        assert told.told_ms == pytest.approx(300)
        assert told.stop_ms == pytest.approx(350)
        assert told.answers == 1

    def test_may_fall_into_a_pause_of_the_answer(self) -> None:
        entries = ledger(*answered(1, "a"), truncated(3.3, "a"))
        assert barge_in(entries, 1, "ra", self.SPAN, last_sound=2.9).stop_ms == 0

    def test_that_nobody_obeys_is_missed(self) -> None:
        told = barge_in(ledger(*answered(1, "a")), 1, "ra", self.SPAN, last_sound=3.0)
        assert not told.caught

    def test_that_is_obeyed_late_is_missed(self) -> None:
        entries = ledger(*answered(1, "a"), truncated(5.6, "a"))
        assert not barge_in(entries, 1, "ra", self.SPAN, last_sound=4.0).caught

    def test_that_is_told_but_sounds_on_is_missed(self) -> None:
        entries = ledger(*answered(1, "a"), truncated(3.3, "a"))
        assert not barge_in(entries, 1, "ra", self.SPAN, last_sound=5.6).caught

    def test_into_an_answer_that_has_cut_itself_before_is_missed(self) -> None:
        entries = ledger(*answered(1, "a"), truncated(2.5, "a"))
        assert not barge_in(entries, 1, "ra", self.SPAN, last_sound=3.0).caught

    def test_that_is_answered_twice_says_so(self) -> None:
        entries = ledger(
            *answered(1, "a"), truncated(3.3, "a"), *answered(6, "b"), *answered(8, "c")
        )
        assert barge_in(entries, 1, "ra", self.SPAN, last_sound=3.3).answers == 2

    def test_counts_among_all(self) -> None:
        caught, missed = BargeIn(300.0, 320.0, 1), BargeIn(None, None, 0)
        assert caught_pct([caught, caught, caught, missed]) == 75
        assert caught_pct([]) is None


def doubled(samples: Samples) -> Samples:
    """What was sent as the loudspeaker sounds it."""
    return resample(samples, WIRE_RATE, RATE)


class TestWhatWasHeard:
    def test_of_an_answer_that_was_made_quieter_for_a_while(self) -> None:
        sent = noise(4.0, WIRE_RATE, -20, seed=1)
        sounding = sent.astype(np.float64)
        sounding[WIRE_RATE : 2 * WIRE_RATE] *= 10 ** (-12 / 20)
        recorded = doubled(np.rint(np.pad(sounding, 3000)).astype(np.int16))
        assert sound.sounded(sent, recorded) == Sounded(4.0, 1.0, 0.0)

    def test_of_an_answer_that_was_cut_short(self) -> None:
        sent = noise(4.0, WIRE_RATE, -20, seed=1)
        recorded = doubled(np.pad(sent[: 2 * WIRE_RATE], (3000, 3 * WIRE_RATE)))
        assert sound.sounded(sent, recorded) == Sounded(2.0, 0.0, 2.0)

    def test_of_first_words_that_arrived_whole(self) -> None:
        words = noise(1.0, WIRE_RATE, -36, seed=2)
        found = sound.first_words(doubled(words), np.pad(words, 12_000), begin=5000)
        assert found.alike > 0.99
        assert abs(found.gain_db) < 0.1
        assert abs(found.place - 17_000) <= 1

    def test_of_first_words_that_were_swallowed(self) -> None:
        words = noise(1.0, WIRE_RATE, -36, seed=2)
        rest = words.copy()
        rest[: round(sound.FIRST_S * WIRE_RATE)] = 0
        found = sound.first_words(doubled(words), np.pad(rest, 12_000), begin=0)
        assert found.alike < 0.5

    def test_of_an_earcon_in_what_was_sent(self) -> None:
        earcon = noise(0.1, WIRE_RATE, -36, seed=3)
        quiet = noise(2.0, WIRE_RATE, -70, seed=4)
        with_it = quiet.copy()
        with_it[10_000 : 10_000 + len(earcon)] += earcon // 10
        assert sound.trace_db(earcon, with_it) == pytest.approx(-20, abs=1.5)
        assert sound.trace_db(earcon, quiet) < -35


class TestTheVerdict:
    def figures(self, harvest: outcome.Harvest) -> Mapping[str, Figure]:
        return {f.name: f for f in outcome.figures(outcome.SHORT, harvest, [1.0])}

    def good(self) -> outcome.Harvest:
        return outcome.Harvest(
            undisturbed=[Undisturbed(30.0, False, 0, 0)] * 2,
            sounded=[Sounded(28.0, 0.0, 0.0)] * 2,
            barge_ins=[BargeIn(300.0, 320.0, 1)] * 4,
            over=[FirstWords(0.8, -1.0, 9000)] * 4,
            in_turn=4,
            opened=FirstWords(0.95, -0.5, 0),
            asked=[FirstWords(0.99, 0.1, 0)],
            earcon_db=[-40.0],
            echo_dbfs=[-26.0],
            near_dbfs=[-36.0],
        )

    def test_holds_when_nothing_interrupts_itself_and_everybody_is_heard(self) -> None:
        assert all(figure.ok for figure in self.figures(self.good()).values())

    def test_does_not_hold_for_one_self_interruption(self) -> None:
        harvest = self.good()
        harvest.undisturbed[0] = Undisturbed(30.0, True, 1, 0)
        assert not self.figures(harvest)["self_interruptions"].ok

    def test_nineteen_of_twenty_barge_ins_are_enough(self) -> None:
        harvest = self.good()
        harvest.barge_ins = [BargeIn(300.0, 320.0, 1)] * 19 + [BargeIn(None, None, 0)]
        told = {f.name: f for f in outcome.figures(outcome.Plan(), harvest, [1.0])}
        assert told["barge_ins_caught"].ok
        harvest.barge_ins[0] = BargeIn(None, None, 0)
        told = {f.name: f for f in outcome.figures(outcome.Plan(), harvest, [1.0])}
        assert not told["barge_ins_caught"].ok

    def test_does_not_hold_where_the_room_was_too_kind(self) -> None:
        harvest = self.good()
        harvest.echo_dbfs = [-30.0]
        assert not self.figures(harvest)["ser_db"].ok

    def test_nothing_at_all_is_no_verdict(self) -> None:
        told = self.figures(outcome.Harvest())
        assert not told["answers_s"].ok
        assert not told["barge_ins_caught"].ok
        assert not told["ser_db"].ok
        assert not told["earcon_at_server_db"].ok


def test_the_echo_driver_is_a_word_of_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def run(*, short: bool, tell: object, mode: str) -> Sequence[Figure]:
        asked.append(mode)
        return []

    monkeypatch.setattr(room, "run", run)
    file = str(tmp_path / "figures.json")
    assert bench.main(["echo-room", "--short", "--json", file]) == 0
    assert bench.main(["echo-room", "--echo", "gate", "--json", file]) == 0
    assert asked == ["auto", "gate"]
