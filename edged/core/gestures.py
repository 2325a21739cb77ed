"""Presses, double presses and long presses, recognised from edges and time.

A gesture is reported as early as its neighbours allow: with neither a double nor a long press
bound, at the edge down; with a long press bound, at the edge up; with a double press bound,
when the time for a second press is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .settings import Gestures


class Action(StrEnum):
    """What a gesture can mean."""

    NONE = "none"
    TALK = "talk"
    """Asleep: wake. While the answer plays: interrupt it. Otherwise: end the conversation."""
    PUSH_TO_TALK = "push_to_talk"
    """Talk for as long as the button is held, and be answered when it is let go."""
    STOP = "stop"
    """End the answer that plays; where none plays, end the conversation."""
    END = "end"
    """Silence, and back to sleep."""
    MUTE = "mute"
    """Close the microphone, or open it again."""
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"


class Phase(StrEnum):
    """How far a gesture is."""

    TOUCHED = "touched"
    """The finger is down; what it will be is not known yet."""
    DONE = "done"
    """It is complete."""
    BEGUN = "begun"
    """The button is held."""
    ENDED = "ended"
    """It was held, and is not any more."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a finger does."""

    action: Action
    """When `TOUCHED`: what it will be if it is short, or what the button is held for."""
    phase: Phase = Phase.DONE


@dataclass(frozen=True)
class Bindings:
    """What one button does."""

    press: Action = Action.TALK
    """A short press."""
    double: Action = Action.NONE
    """Two short presses."""
    long: Action = Action.MUTE
    """A press that is held; it counts at the moment it has been held long enough."""


@dataclass(slots=True)
class _Finger:
    """What is known of one button."""

    down: bool = False
    consumed: bool = True
    """The press under way has already been reported."""
    presses: int = 0
    """Short presses that wait for a second one."""
    deadline: float | None = None


@dataclass(slots=True)
class Recogniser:
    """Turns edges into actions; asks to be called again at `deadline()`."""

    bindings: Mapping[str, Bindings]
    times: Gestures
    _fingers: dict[str, _Finger] = field(default_factory=dict)

    def pressed(self, button: str, now: float) -> list[Action]:
        """The edge down; an edge down without an edge up between is a bounce."""
        bound = self.bindings.get(button, Bindings())
        finger = self._fingers.setdefault(button, _Finger())
        if finger.down:
            return []
        finger.down = True
        finger.consumed = False
        finger.deadline = None
        if bound.double is not Action.NONE and finger.presses:
            finger.presses = 0
            finger.consumed = True
            return [bound.double]
        if bound.long is not Action.NONE:
            finger.deadline = now + self.times.long_ms / 1000
            return []
        if bound.double is not Action.NONE:
            return []
        finger.consumed = True
        return _meant(bound.press)

    def released(self, button: str, now: float) -> list[Action]:
        """The edge up."""
        bound = self.bindings.get(button, Bindings())
        finger = self._fingers.get(button)
        if finger is None or not finger.down:
            return []
        finger.down = False
        finger.deadline = None
        if finger.consumed:
            return []
        finger.consumed = True
        if bound.double is not Action.NONE:
            finger.presses = 1
            finger.deadline = now + self.times.double_ms / 1000
            return []
        return _meant(bound.press)

    def tick(self, now: float) -> list[Action]:
        """What has become certain by the passing of time alone."""
        actions: list[Action] = []
        for button, finger in self._fingers.items():
            if finger.deadline is None or now < finger.deadline:
                continue
            bound = self.bindings.get(button, Bindings())
            finger.deadline = None
            if finger.down:
                finger.consumed = True
                actions += _meant(bound.long)
            elif finger.presses:
                finger.presses = 0
                actions += _meant(bound.press)
        return actions

    def deadline(self) -> float | None:
        """When `tick` may have something to say."""
        return min(
            (f.deadline for f in self._fingers.values() if f.deadline is not None), default=None
        )


def _meant(action: Action) -> list[Action]:
    return [] if action is Action.NONE else [action]
