"""What came of each answer in the open room, read from the server's ledger alone.

Times are seconds of the server's clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edged.simulator.provider.ledger import Entry

CAUGHT_S = 2.5
"""A barge-in that is obeyed later is as good as none."""
_HEARD = "input_audio_buffer.speech_started"


@dataclass
class Reply:
    """An answer of the server's."""

    id: str
    created: float
    start: int
    """Where its sound begins in all the connection's answer sound, in samples."""
    first: float | None = None
    """When the first of its sound left."""
    samples: int = 0
    items: set[str] = field(default_factory=set)
    done: bool = False
    cut: float | None = None
    """When it was cancelled, or its sound said to have ended early."""


@dataclass(frozen=True)
class Span:
    """From one moment to another."""

    since: float
    until: float

    def __contains__(self, moment: float) -> bool:
        return self.since <= moment < self.until

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.until - self.since


def replies(entries: Iterable[Entry], session: int) -> Sequence[Reply]:
    """What the connection with this number was answered, in order."""
    found: dict[str, Reply] = {}
    total = 0
    for entry in entries:
        if entry.session != session:
            continue
        told = entry.details
        match entry.direction, entry.type:
            case "out", "response.created":
                name = told["response"]["id"]
                found[name] = Reply(name, entry.t, total)
            case "out", "response.output_audio.delta":
                reply = found[told["response_id"]]
                if reply.first is None:
                    reply.first, reply.start = entry.t, total
                reply.items.add(told["item_id"])
                samples = told["delta"]["bytes"] // 2
                reply.samples += samples
                total += samples
            case "out", "response.done":
                reply = found[told["response"]["id"]]
                reply.done = True
                if told["response"]["status"] == "cancelled":
                    _cut(reply, entry.t)
            case "in", "response.cancel":
                for reply in found.values():
                    if not reply.done and told.get("response_id") in (None, reply.id):
                        _cut(reply, entry.t)
            case "in", "conversation.item.truncate" | "conversation.item.delete":
                for reply in found.values():
                    if told["item_id"] in reply.items:
                        _cut(reply, entry.t)
            case _:
                pass
    return list(found.values())


def _cut(reply: Reply, when: float) -> None:
    reply.cut = when if reply.cut is None else min(reply.cut, when)


def onsets(entries: Iterable[Entry], session: int, span: Span) -> Sequence[tuple[float, int]]:
    """When the server took something for speech, and which sample of its input that began with."""
    return [
        (entry.t, entry.details["audio_start_ms"] * 24)
        for entry in entries
        if entry.session == session and entry.type == _HEARD and entry.t in span
    ]


@dataclass(frozen=True)
class Undisturbed:
    """What came of an answer through which nobody spoke."""

    seconds: float
    cut: bool
    false_starts: int
    more: int
    """Answers that nobody asked for."""


def undisturbed(entries: Sequence[Entry], session: int, reply: str, span: Span) -> Undisturbed:
    """`span` begins with the answer's first sound and ends when nothing more may be heard."""
    given = replies(entries, session)
    this = next(one for one in given if one.id == reply)
    return Undisturbed(
        seconds=this.samples / 24_000,
        cut=this.cut is not None and this.cut in span,
        false_starts=len(onsets(entries, session, span)),
        more=sum(one.created in span for one in given if one is not this),
    )


@dataclass(frozen=True)
class BargeIn:
    """What came of an answer that was talked over."""

    told_ms: float | None
    """From the onset of the voice until the server was told; None when it was not in time."""
    stop_ms: float | None
    """From there to the last sound of the answer; None when it was not stopped in time."""
    answers: int
    """To what was said: one, or something is wrong."""

    @property
    def caught(self) -> bool:
        """Whether it stopped the answer."""
        return self.stop_ms is not None


def barge_in(
    entries: Sequence[Entry], session: int, reply: str, span: Span, last_sound: float
) -> BargeIn:
    """`span` begins with the voice's onset at the microphone and ends before the next words.

    `last_sound` is when the loudspeaker sounded last before the next answer.
    """
    given = replies(entries, session)
    this = next(one for one in given if one.id == reply)
    late = span.since + CAUGHT_S
    told = this.cut is not None and span.since <= this.cut <= late
    stopped = told and last_sound <= late
    told_ms = 1000 * (this.cut - span.since) if told and this.cut is not None else None
    # It may have been silent already, between two words.
    stop_ms = max(0.0, 1000 * (last_sound - span.since)) if stopped else None
    answered = sum(one.created in span and one.samples > 0 for one in given)
    return BargeIn(told_ms, stop_ms, answered)


def caught_pct(judged: Sequence[BargeIn]) -> float | None:
    """How many of them stopped the answer, in percent; None when there were none."""
    return 100 * sum(one.caught for one in judged) / len(judged) if judged else None
