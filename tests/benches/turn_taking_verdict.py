"""What an interruption came to: what the server was told, beside what the loudspeaker sounded."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edged.simulator.pinboard import Change
from edged.simulator.provider.ledger import Entry

from .rig import Rig
from .turn_taking_person import ANSWER_S, Cut
from .turn_taking_sound import WIRE_RATE, Heard, heard

_RED, _GREEN, _BLUE = 22, 23, 27
_LEAD_S = 0.05
_LATEST_S = 1.6
"""So long after an interruption the interrupted answer is still looked for."""


@dataclass(frozen=True)
class Judged:
    """What one interruption comes to."""

    stop_ms: float | None
    """None when nothing sounded any more."""
    error_ms: float
    """Of the item about which the server was told worst."""
    over_received: int
    late_samples: int
    light_ms: float | None


@dataclass
class Item:
    """A part of an answer, as the server's ledger knows it."""

    first: int
    """Samples of the answer before it."""
    samples: int = 0
    received: int = 0
    """Samples that had left the server when it was told how much was heard."""
    told_ms: int | None = None
    """How much that was; 0 when it was told to forget it, None when it was told nothing."""


@dataclass
class Reply:
    """An answer, as the server's ledger knows it."""

    first_delta: float
    """Seconds since the server started."""
    start: int
    """Where its sound begins in all the connection's answer sound, in samples."""
    samples: int = 0
    items: dict[str, Item] = field(default_factory=dict)


def replies(entries: Iterable[Entry], session: int) -> dict[str, Reply]:
    """What the connection with this number was answered, and what it said of it."""
    found: dict[str, Reply] = {}
    items: dict[str, Item] = {}
    total = 0
    for entry in entries:
        if entry.session != session:
            continue
        told = entry.details
        match entry.direction, entry.type:
            case "out", "response.output_audio.delta":
                reply = found.setdefault(told["response_id"], Reply(entry.t, total))
                item = reply.items.setdefault(told["item_id"], Item(reply.samples))
                items[told["item_id"]] = item
                samples = told["delta"]["bytes"] // 2
                total += samples
                reply.samples += samples
                item.samples += samples
            case "in", "conversation.item.truncate" | "conversation.item.delete":
                cut = items.get(told["item_id"])
                if cut and cut.told_ms is None:
                    cut.told_ms = told.get("audio_end_ms", 0)
                    cut.received = cut.samples
            case _:
                pass
    return found


async def judge(here: Rig, cuts: Sequence[Cut]) -> Sequence[Judged]:
    """Look at each cut again, now that nobody is in a hurry."""
    log = list(here.server.log)
    known = {session: replies(log, session) for session in {cut.session for cut in cuts}}
    ends = [later.when for later in cuts[1:]] + [float("inf")]
    return [
        await asyncio.to_thread(
            _judged, here, cut, known[cut.session], min(end, cut.when + _LATEST_S)
        )
        for cut, end in zip(cuts, ends, strict=True)
    ]


def _judged(here: Rig, cut: Cut, told: Mapping[str, Reply], until_s: float) -> Judged:
    reply = told[cut.reply]
    began = reply.first_delta + here.epoch - _LEAD_S
    said = np.frombuffer(bytes(here.server.visits[cut.session - 1].said), np.int16)
    end = reply.start + reply.samples
    first = here.loudspeaker.position_at(began)
    sounded = heard(
        said[reply.start : end],
        here.loudspeaker.between(began, until_s),
        here.loudspeaker.position_at(cut.when) - first,
        said[end : end + round(ANSWER_S * WIRE_RATE)],
    )
    stop_ms = None
    if sounded.end is not None:
        stop_ms = 1000 * (here.loudspeaker.time_of(first + sounded.end) - cut.when)
    return Judged(
        stop_ms=stop_ms if stop_ms is not None and stop_ms > 0 else None,
        error_ms=max((error_ms(item, sounded) for item in reply.items.values()), key=abs),
        over_received=sum(over_received(item) for item in reply.items.values()),
        late_samples=sounded.late,
        light_ms=None if cut.light is None else 1000 * (cut.light - cut.when),
    )


def error_ms(item: Item, sounded: Heard) -> float:
    """What the server takes for heard of it, less what was heard, in milliseconds."""
    truth = min(max(0.0, sounded.samples - item.first), item.samples)
    believed = item.samples if item.told_ms is None else item.told_ms * WIRE_RATE / 1000
    return (believed - truth) * 1000 / WIRE_RATE


def over_received(item: Item) -> bool:
    """Whether more was told to be heard than had been received."""
    return item.told_ms is not None and item.told_ms * WIRE_RATE > item.received * 1000


def note_lights(cuts: Sequence[Cut], changes: Sequence[Change]) -> None:
    """When, after each cut, the light was no longer that of an answer."""
    levels = dict.fromkeys((_RED, _GREEN, _BLUE), 0.0)
    shown: list[tuple[float, bool]] = []
    for change in changes:
        if change.pin in levels and change.role == "output":
            levels[change.pin] = change.value
            shown.append((change.time, _answering(*levels.values())))
    for cut in cuts:
        before = [answering for when, answering in shown if when <= cut.when]
        if before and before[-1]:
            cut.light = next((t for t, answering in shown if t > cut.when and not answering), None)


def _answering(red: float, green: float, blue: float) -> bool:
    """Whether the light is an answer's, green or purple; any other is blue, white or off."""
    return max(red, green) > blue
