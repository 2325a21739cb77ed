"""What the bench of the open room measured, and what it comes to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from .open_room_sound import FirstWords, Sounded
from .open_room_verdict import BargeIn, Undisturbed, caught_pct
from .report import Figure

LEAST_ALIKE = 0.5
"""First words that arrived; other words are never half as like them."""
_SER_DB = -10.0
_SHARE_CAUGHT = 0.95


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    evenings: Sequence[Sequence[float]] = ((60.0,) * 5, (60.0,) * 5)
    """Conversations in which nobody speaks through the answers, and how many seconds those are."""
    barge_ins: int = 20


SHORT = Plan(evenings=((30.0,) * 2,), barge_ins=4)


@dataclass
class Harvest:
    """Everything measured."""

    undisturbed: list[Undisturbed] = field(default_factory=list)
    sounded: list[Sounded] = field(default_factory=list)
    barge_ins: list[BargeIn] = field(default_factory=list)
    over: list[FirstWords] = field(default_factory=list)
    """The first words of those barge-ins that stopped an answer."""
    in_turn: int = 0
    """So many of those that arrived belong to what the server took for a turn."""
    opened: FirstWords | None = None
    """The first words behind the wake word, over the earcon."""
    asked: list[FirstWords] = field(default_factory=list)
    """The first words of all other questions into the quiet room."""
    unanswered: int = 0
    earcon_db: list[float] = field(default_factory=list)
    """At the server, beside the earcon at the microphone."""
    echo_dbfs: list[float] = field(default_factory=list)
    near_dbfs: list[float] = field(default_factory=list)
    cpu_pct: float = 0.0
    gaps_ms: list[float] = field(default_factory=list)
    """Of the loudspeaker: this machine was busy, and the echo driver has to find its place anew."""
    refused: int = 0


def figures(plan: Plan, got: Harvest, lateness_ms: Sequence[float]) -> Sequence[Figure]:
    """Each by name, with its limit; `lateness_ms` is how late the rig's own loop was."""
    return [
        *_of_silence(plan, got),
        *_of_barge_ins(plan, got),
        *_of_words(got),
        *_of_the_room(got),
        Figure("loudspeaker_gaps", len(got.gaps_ms), "gaps"),
        Figure("loudspeaker_gaps_ms", sum(got.gaps_ms), "ms"),
        Figure("cpu_pct", got.cpu_pct, "% of a core"),
        Figure("refused_requests", got.refused, "requests", limit=0),
        Figure("rig_late_p99_ms", float(np.percentile(lateness_ms, 99)), "ms"),
    ]


def _of_silence(plan: Plan, got: Harvest) -> Iterator[Figure]:
    seconds = sum(one.seconds for one in got.undisturbed)
    planned = sum(sum(lengths) for lengths in plan.evenings)
    # An answer ends with the last whole piece of it.
    limit = planned - 1
    yield Figure("answers_s", seconds, "s", limit=limit, side="at least")
    cut = sum(one.cut for one in got.undisturbed)
    yield Figure("self_interruptions", cut, "answers", limit=0)
    more = sum(one.more for one in got.undisturbed)
    yield Figure("answers_nobody_asked_for", more, "answers", limit=0)
    yield Figure("false_starts", sum(one.false_starts for one in got.undisturbed), "")
    heard = sum(one.heard_s for one in got.sounded) or 1.0
    yield Figure("ducked_pct", 100 * sum(one.ducked_s for one in got.sounded) / heard, "%")
    missing = sum(one.missing_s for one in got.sounded)
    yield Figure("answers_missing_s", missing, "s", limit=0.0)


def _of_barge_ins(plan: Plan, got: Harvest) -> Iterator[Figure]:
    caught = [one for one in got.barge_ins if one.caught]
    least = int(_SHARE_CAUGHT * plan.barge_ins)
    of = f"of {plan.barge_ins}"
    yield Figure("barge_ins_caught", len(caught), of, limit=least, side="at least")
    yield Figure("barge_in_pct", caught_pct(got.barge_ins), "%")
    stops = [one.stop_ms for one in caught if one.stop_ms is not None]
    told = [one.told_ms for one in caught if one.told_ms is not None]
    yield Figure("barge_in_stop_ms_p50", median(stops) if stops else None, "ms")
    yield Figure("barge_in_stop_ms_worst", max(stops, default=None), "ms")
    yield Figure("barge_in_told_ms_p50", median(told) if told else None, "ms")
    once = sum(one.answers == 1 for one in caught)
    yield Figure(
        "barge_ins_answered_once", once, f"of {len(caught)}", limit=len(caught), side="at least"
    )


def _of_words(got: Harvest) -> Iterator[Figure]:
    arrived = sum(one.alike >= LEAST_ALIKE for one in got.over)
    of = f"of {len(got.over)}"
    yield Figure("barge_in_first_words", arrived, of)
    yield Figure("barge_in_first_words_in_turn", got.in_turn, of)
    over = [one.alike for one in got.over]
    yield Figure("barge_in_first_words_alike_p50", median(over) if over else None, "")
    opened = got.opened.alike if got.opened else None
    yield Figure("opener_first_words_alike", opened, "", limit=0.8, side="at least")
    asked = [one.alike for one in got.asked]
    yield Figure(
        "question_first_words_alike", min(asked, default=None), "", limit=0.9, side="at least"
    )
    gains = [abs(one.gain_db) for one in got.asked]
    yield Figure("question_first_words_gain_db", max(gains, default=None), "dB")
    yield Figure("questions_unanswered", got.unanswered, "questions", limit=0)
    yield Figure("earcon_at_server_db", max(got.earcon_db, default=None), "dB", limit=-20.0)


def _of_the_room(got: Harvest) -> Iterator[Figure]:
    near_dbfs = median(got.near_dbfs) if got.near_dbfs else None
    echo_dbfs = median(got.echo_dbfs) if got.echo_dbfs else None
    ser_db = None if near_dbfs is None or echo_dbfs is None else near_dbfs - echo_dbfs
    yield Figure("near_dbfs", near_dbfs, "dBFS")
    yield Figure("echo_dbfs", echo_dbfs, "dBFS")
    yield Figure("ser_db", ser_db, "dB", limit=_SER_DB + 1)
