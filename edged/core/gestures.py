"""Presses, double, long and held ones, recognised from edges and time.

The edge down is always reported, so that somebody can answer at once. What it becomes is reported
as early as its neighbours allow: a press alone at the edge down; beside a long press or a hold, at
the edge up; beside a double press, when the time for a second one is over; a hold alone at the
edge down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .settings import Gestures

REPEAT_S: Final = 0.3
"""A volume button that is held goes on by a step each: 3 dB steps cross the range in 4 s."""

EXCLUSIVE: Final = (
    "a button that does something while it is held has no long press:"
    ' set `long` or `hold` to "none"'
)
"""Why `long` and `hold` cannot both be bound."""


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
    """A press held for gestures.long_ms. A button that does something while it is held has none:
    this default gives way to `hold`."""
    hold: Action = Action.NONE
    """While it is held: push_to_talk lasts until it is let go, the volume goes on and on, anything
    else happens once. It begins after gestures.hold_ms; at once where a short press means nothing.
    """

    def __post_init__(self) -> None:
        """Refuse what no finger can do.

        Raises:
            ValueError: `push_to_talk` is not on `hold`, or `long` and `hold` are both bound.

        """
        for name in ("press", "double", "long"):
            if getattr(self, name) is Action.PUSH_TO_TALK:
                raise ValueError(
                    f'push_to_talk lasts while a button is held: set `hold = "push_to_talk"`,'
                    f" not `{name}`"
                )
        if self.long_press is not Action.NONE and self.hold is not Action.NONE:
            raise ValueError(EXCLUSIVE)

    @property
    def long_press(self) -> Action:
        """What a long press means; the default of `long` gives way to `hold`."""
        gives_way = self.hold is not Action.NONE and self.long is Action.MUTE
        return Action.NONE if gives_way else self.long

    @property
    def talks(self) -> bool:
        """Whether it is a button to talk with."""
        return self.press is Action.TALK or self.hold is Action.PUSH_TO_TALK

    @property
    def touch(self) -> Action:
        """What an edge down may become: what it is held for, or else a press."""
        return self.press if self.hold is Action.NONE else self.hold

    @property
    def held_at_once(self) -> bool:
        """Whether an edge down can be nothing but a hold."""
        return self.press is self.double is Action.NONE


@dataclass(slots=True)
class _Finger:
    """What is known of one button."""

    down: bool = False
    consumed: bool = True
    """The press under way has already been reported."""
    talking: bool = False
    """A hold has begun whose end is to be reported."""
    presses: int = 0
    """Short presses that wait for a second one."""
    deadline: float | None = None


@dataclass(slots=True)
class Recogniser:
    """Turns edges into gestures; asks to be called again at `deadline()`.

    A button without bindings has the default ones.
    """

    bindings: Mapping[str, Bindings]
    times: Gestures
    _fingers: dict[str, _Finger] = field(default_factory=dict)

    def pressed(self, button: str, now: float) -> list[Gesture]:
        """The edge down, `TOUCHED` first; one without an edge up between is a bounce."""
        bound = self.bindings.get(button, Bindings())
        finger = self._fingers.setdefault(button, _Finger())
        if finger.down:
            return []
        finger.down = True
        finger.consumed = False
        finger.deadline = None
        return _meant(bound.touch, Phase.TOUCHED) + self._begin(bound, finger, now)

    def released(self, button: str, now: float) -> list[Gesture]:
        """The edge up."""
        bound = self.bindings.get(button, Bindings())
        finger = self._fingers.get(button)
        if finger is None or not finger.down:
            return []
        finger.down = False
        finger.deadline = None
        if finger.talking:
            finger.talking = False
            return [Gesture(bound.hold, Phase.ENDED)]
        if finger.consumed:
            return []
        finger.consumed = True
        if bound.double is not Action.NONE:
            finger.presses = 1
            finger.deadline = now + self.times.double_ms / 1000
            return []
        return _meant(bound.press)

    def tick(self, now: float) -> list[Gesture]:
        """What has become certain by the passing of time alone."""
        gestures: list[Gesture] = []
        for button, finger in self._fingers.items():
            if finger.deadline is None or now < finger.deadline:
                continue
            bound = self.bindings.get(button, Bindings())
            finger.deadline = None
            if finger.down and bound.hold is not Action.NONE:
                gestures += self._hold(bound, finger, now)
            elif finger.down:
                finger.consumed = True
                gestures += _meant(bound.long_press)
            elif finger.presses:
                finger.presses = 0
                gestures += _meant(bound.press)
        return gestures

    def deadline(self) -> float | None:
        """When `tick` may have something to say; after a `tick` that is later than its `now`."""
        return min(
            (f.deadline for f in self._fingers.values() if f.deadline is not None), default=None
        )

    def _begin(self, bound: Bindings, finger: _Finger, now: float) -> list[Gesture]:
        """What an edge down is beyond a touch, as far as it is certain."""
        if finger.presses:
            finger.presses = 0
            finger.consumed = True
            return _meant(bound.double)
        if bound.hold is not Action.NONE:
            if bound.held_at_once:
                return self._hold(bound, finger, now)
            finger.deadline = now + self.times.hold_ms / 1000
            return []
        if bound.long_press is not Action.NONE:
            finger.deadline = now + self.times.long_ms / 1000
            return []
        if bound.double is not Action.NONE:
            return []
        finger.consumed = True
        return _meant(bound.press)

    def _hold(self, bound: Bindings, finger: _Finger, now: float) -> list[Gesture]:
        """The press is a hold, or still is."""
        finger.consumed = True
        if bound.hold is Action.PUSH_TO_TALK:
            finger.talking = True
            return [Gesture(bound.hold, Phase.BEGUN)]
        if bound.hold in (Action.VOLUME_UP, Action.VOLUME_DOWN):
            finger.deadline = now + REPEAT_S
        return [Gesture(bound.hold)]


def _meant(action: Action, phase: Phase = Phase.DONE) -> list[Gesture]:
    return [] if action is Action.NONE else [Gesture(action, phase)]
