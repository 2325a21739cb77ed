"""The state of a speaker: four small machines, each a table.

Is anyone on the line (`Link`), whose turn is it (`Turn`), may anyone hear us (`Hearing`), and is
anything wrong (`Health`). State moves only through these tables: a move without a row changes
nothing. The tables, and the diagram generated from them, are the whole truth. What the outside
calls the state of the speaker is a pure function of the four.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from .scenes import Scene


class Link(StrEnum):
    """Whether anyone is on the line."""

    DOWN = "down"
    OPENING = "opening"
    UP = "up"
    CLOSING = "closing"
    REOPENING = "reopening"
    """Woken again while the last line is still closing, or to be replaced by a fresh one."""
    BROKEN = "broken"
    """Lost in the middle of a conversation, and about to be opened once more."""


class Turn(StrEnum):
    """Whose turn is it? Only while the line is up."""

    QUIET = "quiet"
    HEARING = "hearing"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Hearing(StrEnum):
    """Whether anyone may hear us."""

    OPEN = "open"
    MUTED = "muted"


class Health(StrEnum):
    """Whether anything is wrong."""

    WELL = "well"
    TROUBLED = "troubled"


class Move(StrEnum):
    """Why a machine moves; some come from outside, some are the core's own."""

    WOKEN = "woken"
    CONFIGURED = "configured"
    ENDED = "ended"
    LOST = "lost"
    DROPPED = "dropped"
    RETRIED = "retried"
    ROTATED = "rotated"
    SPEECH_STARTED = "speech started"
    SPEECH_STOPPED = "speech stopped"
    HELD = "held"
    ASKED = "asked"
    REPLY_STARTED = "reply started"
    SOUNDED = "sounded"
    DRAINED = "drained"
    DISMISSED = "dismissed"
    INTERRUPTED = "interrupted"
    MUTED = "muted"
    UNMUTED = "unmuted"
    FAILED = "failed"
    RECOVERED = "recovered"


State = TypeVar("State", Link, Turn, Hearing, Health)

LINK: Mapping[tuple[Link, Move], Link] = {
    (Link.DOWN, Move.WOKEN): Link.OPENING,
    (Link.OPENING, Move.CONFIGURED): Link.UP,
    (Link.OPENING, Move.ENDED): Link.CLOSING,
    (Link.OPENING, Move.LOST): Link.DOWN,
    (Link.UP, Move.ENDED): Link.CLOSING,
    (Link.UP, Move.LOST): Link.DOWN,
    (Link.UP, Move.DROPPED): Link.BROKEN,
    (Link.UP, Move.ROTATED): Link.REOPENING,
    (Link.BROKEN, Move.RETRIED): Link.OPENING,
    (Link.BROKEN, Move.WOKEN): Link.OPENING,
    (Link.BROKEN, Move.ENDED): Link.DOWN,
    (Link.CLOSING, Move.LOST): Link.DOWN,
    (Link.CLOSING, Move.WOKEN): Link.REOPENING,
    (Link.REOPENING, Move.ENDED): Link.CLOSING,
    (Link.REOPENING, Move.LOST): Link.OPENING,
}

TURN: Mapping[tuple[Turn, Move], Turn] = {
    (Turn.QUIET, Move.SPEECH_STARTED): Turn.HEARING,
    (Turn.QUIET, Move.HELD): Turn.HEARING,
    (Turn.QUIET, Move.ASKED): Turn.THINKING,
    (Turn.QUIET, Move.REPLY_STARTED): Turn.THINKING,
    (Turn.HEARING, Move.SPEECH_STOPPED): Turn.THINKING,
    (Turn.HEARING, Move.ASKED): Turn.THINKING,
    (Turn.HEARING, Move.DISMISSED): Turn.QUIET,
    (Turn.HEARING, Move.ENDED): Turn.QUIET,
    (Turn.HEARING, Move.LOST): Turn.QUIET,
    (Turn.HEARING, Move.DROPPED): Turn.QUIET,
    (Turn.THINKING, Move.SPEECH_STARTED): Turn.HEARING,
    (Turn.THINKING, Move.HELD): Turn.HEARING,
    (Turn.THINKING, Move.SOUNDED): Turn.SPEAKING,
    (Turn.THINKING, Move.DISMISSED): Turn.QUIET,
    (Turn.THINKING, Move.INTERRUPTED): Turn.QUIET,
    (Turn.THINKING, Move.ENDED): Turn.QUIET,
    (Turn.THINKING, Move.LOST): Turn.QUIET,
    (Turn.THINKING, Move.DROPPED): Turn.QUIET,
    (Turn.SPEAKING, Move.SPEECH_STARTED): Turn.HEARING,
    (Turn.SPEAKING, Move.HELD): Turn.HEARING,
    (Turn.SPEAKING, Move.DRAINED): Turn.QUIET,
    (Turn.SPEAKING, Move.INTERRUPTED): Turn.QUIET,
    (Turn.SPEAKING, Move.ENDED): Turn.QUIET,
    (Turn.SPEAKING, Move.LOST): Turn.QUIET,
    (Turn.SPEAKING, Move.DROPPED): Turn.QUIET,
}

HEARING: Mapping[tuple[Hearing, Move], Hearing] = {
    (Hearing.OPEN, Move.MUTED): Hearing.MUTED,
    (Hearing.MUTED, Move.UNMUTED): Hearing.OPEN,
}

HEALTH: Mapping[tuple[Health, Move], Health] = {
    (Health.WELL, Move.FAILED): Health.TROUBLED,
    (Health.TROUBLED, Move.RECOVERED): Health.WELL,
}


def step(table: Mapping[tuple[State, Move], State], state: State, move: Move) -> State:
    """The state after `move`; the same state where the table has no row."""
    return table.get((state, move), state)


def scene(
    link: Link,
    turn: Turn,
    hearing: Hearing,
    health: Health,
    *,
    waking: bool,
    working: bool,
    attentive: bool,
) -> Scene:
    """What the outside calls the state; mute outranks everything.

    `waking`: a finger is on the button, or the greeting has not been over yet. `working`: a tool
    runs. `attentive`: who speaks now is heard; between presses to talk nobody is.
    """
    if hearing is Hearing.MUTED:
        return Scene.MUTED
    if health is Health.TROUBLED:
        return Scene.TROUBLE
    if link in (Link.OPENING, Link.REOPENING, Link.BROKEN):
        return Scene.WAKING if waking else Scene.CONNECTING
    if link is Link.UP and working and turn is not Turn.SPEAKING:
        return Scene.WORKING
    if link is Link.UP and (attentive or turn is not Turn.QUIET):
        return _TURN_SCENES[turn]
    return Scene.WAKING if waking else Scene.ASLEEP


_TURN_SCENES = {
    Turn.QUIET: Scene.LISTENING,
    Turn.HEARING: Scene.HEARING,
    Turn.THINKING: Scene.THINKING,
    Turn.SPEAKING: Scene.SPEAKING,
}


def diagram() -> str:
    """The tables as a Mermaid state diagram, one compartment a machine."""
    lines = ["stateDiagram-v2"]
    machines: list[tuple[str, str, list[tuple[str, str, str]]]] = [
        ("Link", Link.DOWN, _rows(LINK)),
        ("Turn", Turn.QUIET, _rows(TURN)),
        ("Hearing", Hearing.OPEN, _rows(HEARING)),
        ("Health", Health.WELL, _rows(HEALTH)),
    ]
    for name, first, rows in machines:
        lines += [f"  state {name} {{", f"    [*] --> {first}"]
        moves: dict[tuple[str, str], list[str]] = {}
        for source, move, target in rows:
            moves.setdefault((source, target), []).append(move)
        lines += [f"    {a} --> {b}: {', '.join(why)}" for (a, b), why in moves.items()]
        lines.append("  }")
    return "\n".join(lines) + "\n"


def _rows(table: Mapping[tuple[State, Move], State]) -> list[tuple[str, str, str]]:
    return [(source.value, move.value, target.value) for (source, move), target in table.items()]
