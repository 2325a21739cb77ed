"""What fingers mean: the touch silences who speaks, and the gesture decides the rest."""

from collections.abc import Callable, Mapping
from typing import assert_never

from .dialogue import Dialogue
from .gestures import Action, Bindings, Gesture, Phase, Recogniser
from .line import Line
from .settings import Gestures
from .warmth import Warmth

_SPEECH = (Action.TALK, Action.PUSH_TO_TALK, Action.STOP, Action.END, Action.MUTE)
"""A finger that is about to do one of these wants the answer to be silent."""


class Hands:
    """Buttons, from the touch to what it asks for."""

    def __init__(
        self,
        bindings: Mapping[str, Bindings],
        gestures: Gestures,
        line: Line,
        dialogue: Dialogue,
        warmth: Warmth,
        *,
        ask: Callable[[Action, int, float], None],
    ) -> None:
        """`ask` is told what is wanted, and where room sound was at the touch."""
        self._fingers = Recogniser(bindings, gestures)
        self._line = line
        self._dialogue = dialogue
        self._warmth = warmth
        self._ask = ask
        self.touching = False
        """A finger is down, and it is not known yet what it means."""
        self._at = 0
        """Where room sound was when it came down."""
        self._silenced = False
        """Whether the gesture under way has cut the answer with its first touch."""

    def deadline(self) -> float | None:
        """When a gesture is decided by time alone."""
        return self._fingers.deadline()

    def tick(self, now: float) -> None:
        """Time has passed."""
        self._act(self._fingers.tick(now), now)

    def allows(self, button: str, now: float) -> bool:
        """Whether this press gives a tool the leave it waits for: of a button that talks."""
        talks = self._fingers.bindings.get(button, Bindings()).talks
        return talks and self._dialogue.due.decide(now, allowed=True)

    def pressed(self, button: str, now: float) -> None:
        """A finger came down."""
        self._at = self._line.ring.end
        if self._fingers.deadline() is None:
            self._silenced = False
        self._act(self._fingers.pressed(button, now), now)

    def released(self, button: str, now: float) -> None:
        """It went up."""
        self._act(self._fingers.released(button, now), now)
        self.touching = False

    def _act(self, gestures: list[Gesture], now: float) -> None:
        for gesture in gestures:
            match gesture.phase:
                case Phase.TOUCHED:
                    self._touch(gesture.action, now)
                case Phase.BEGUN:
                    self.touching = False
                    self._ask(Action.PUSH_TO_TALK, self._at, now)
                case Phase.ENDED:
                    self._line.release(now)
                case Phase.DONE:
                    self.touching = False
                    self._obey(gesture.action, now)
                case _:
                    assert_never(gesture.phase)

    def _touch(self, action: Action, now: float) -> None:
        """A finger is down: the answer is silent at once, whatever the gesture will be."""
        if action not in _SPEECH:
            return
        self.touching = True
        if action in (Action.TALK, Action.PUSH_TO_TALK):
            self._warmth.hinted(now)
        if self._dialogue.answering:
            self._silenced = True
            self._dialogue.stop(now)

    def _obey(self, action: Action, now: float) -> None:
        match action:
            case Action.TALK if self._wakes():
                self._ask(Action.TALK, self._at, now)
            case Action.TALK:
                self._line.end("pressed", now)
            case Action.STOP if self._silenced or self._dialogue.stop(now):
                pass
            case Action.STOP | Action.END:
                self._line.end("stopped", now)
            case Action.PUSH_TO_TALK | Action.NONE:
                pass
            case _:
                self._ask(action, self._at, now)

    def _wakes(self) -> bool:
        """Whether a press to talk begins to listen; it ends a conversation that does already."""
        asleep = self._line.asleep or not self._dialogue.detecting
        return asleep or self._silenced or self._dialogue.answering
