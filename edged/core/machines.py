"""The state of a speaker: four small machines, each a table.

Is anyone on the line (`Link`), whose turn is it (`Turn`), may anyone hear us (`Hearing`), and is
anything wrong (`Health`). State moves only through these tables: a move without a row changes
nothing. The tables are the whole truth; the README draws them. What the outside calls the state of
the speaker is a pure function of the four.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from .scenes import Scene


class Link(StrEnum):
    """Whether anyone is on the line."""

    DOWN = "down"
    WARMING = "warming"
    """Being opened in advance: nobody has asked for it yet."""
    STANDBY = "standby"
    """Opened and configured in advance: nothing is sent, and the speaker is asleep."""
    OPENING = "opening"
    UP = "up"
    CLOSING = "closing"
    REOPENING = "reopening"
    """Woken again while the last line is still closing, or to be replaced by a fresh one."""
    BROKEN = "broken"
    """Lost in the middle of a conversation, and about to be opened once more."""

    @property
    def coming(self) -> bool:
        """Whether a session is being opened."""
        return self in (Link.OPENING, Link.WARMING)

    @property
    def ahead(self) -> bool:
        """Whether a session is open, or being opened, that nobody has asked for yet."""
        return self in (Link.WARMING, Link.STANDBY)


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

    PREPARED = "prepared"
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

_OPEN = (Link.WARMING, Link.STANDBY, Link.OPENING, Link.UP)
LINK: Mapping[tuple[Link, Move], Link] = {
    (Link.DOWN, Move.WOKEN): Link.OPENING,
    (Link.DOWN, Move.PREPARED): Link.WARMING,
    (Link.WARMING, Move.CONFIGURED): Link.STANDBY,
    (Link.WARMING, Move.WOKEN): Link.OPENING,
    (Link.STANDBY, Move.WOKEN): Link.UP,
    (Link.OPENING, Move.CONFIGURED): Link.UP,
    (Link.OPENING, Move.DROPPED): Link.BROKEN,
    (Link.UP, Move.DROPPED): Link.BROKEN,
    (Link.UP, Move.ROTATED): Link.REOPENING,
    (Link.BROKEN, Move.RETRIED): Link.OPENING,
    (Link.BROKEN, Move.WOKEN): Link.OPENING,
    (Link.BROKEN, Move.ENDED): Link.DOWN,
    (Link.CLOSING, Move.WOKEN): Link.REOPENING,
    (Link.REOPENING, Move.ENDED): Link.CLOSING,
    (Link.REOPENING, Move.LOST): Link.OPENING,
    **{(link, Move.ENDED): Link.CLOSING for link in _OPEN},
    **{(link, Move.LOST): Link.DOWN for link in (*_OPEN, Link.CLOSING)},
}

_SOMEBODY = (Turn.HEARING, Turn.THINKING, Turn.SPEAKING)
_GONE = (Move.ENDED, Move.LOST, Move.DROPPED)
TURN: Mapping[tuple[Turn, Move], Turn] = {
    (Turn.QUIET, Move.SPEECH_STARTED): Turn.HEARING,
    (Turn.QUIET, Move.HELD): Turn.HEARING,
    (Turn.QUIET, Move.ASKED): Turn.THINKING,
    (Turn.QUIET, Move.REPLY_STARTED): Turn.THINKING,
    (Turn.HEARING, Move.SPEECH_STOPPED): Turn.THINKING,
    (Turn.HEARING, Move.ASKED): Turn.THINKING,
    (Turn.HEARING, Move.DISMISSED): Turn.QUIET,
    (Turn.THINKING, Move.SPEECH_STARTED): Turn.HEARING,
    (Turn.THINKING, Move.HELD): Turn.HEARING,
    (Turn.THINKING, Move.SOUNDED): Turn.SPEAKING,
    (Turn.THINKING, Move.DISMISSED): Turn.QUIET,
    (Turn.THINKING, Move.INTERRUPTED): Turn.QUIET,
    (Turn.SPEAKING, Move.SPEECH_STARTED): Turn.HEARING,
    (Turn.SPEAKING, Move.HELD): Turn.HEARING,
    (Turn.SPEAKING, Move.DRAINED): Turn.QUIET,
    (Turn.SPEAKING, Move.INTERRUPTED): Turn.QUIET,
    **{(turn, move): Turn.QUIET for turn in _SOMEBODY for move in _GONE},
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
