"""The loudspeaker: there or gone, and how far it is with the answer."""

from collections.abc import Callable
from typing import assert_never

from . import events as ev
from .commands import Command, Fact, note, warn
from .dialogue import Dialogue
from .line import Line
from .machines import Turn
from .troubles import Troubles


class Mouth:
    """What the sound card says of the loudspeaker, and what follows."""

    def __init__(
        self,
        dialogue: Dialogue,
        line: Line,
        troubles: Troubles,
        do: Callable[[Command], None],
    ) -> None:
        self._dialogue = dialogue
        self._line = line
        self._troubles = troubles
        self._do = do

    def take(self, event: ev.Loudspeaker, now: float) -> None:
        """What the sound card says."""
        match event:
            case ev.SpeakerProgress():
                self._dialogue.progressed(event.heard, now)
                if self._dialogue.turn is Turn.SPEAKING:
                    self._line.answered()
            case ev.SpeakerHushed():
                self._dialogue.answers.hushed(event.heard)
            case ev.SpeakerUnderran():
                missing_ms = round(event.missing_ms, 2)
                self._do(note(Fact.GAP_HEARD, "a gap in the answer", missing_ms=missing_ms))
            case ev.SpeakerOpened():
                figures = {"rate": event.rate, "latency_ms": round(event.latency_ms, 1)}
                message = f"loudspeaker {event.device}"
                self._do(note(Fact.SPEAKER_OPENED, message, device=event.device, **figures))
                self._troubles.end(ev.Trouble.SPEAKER)
            case ev.SpeakerLost():
                self._do(warn(Fact.SPEAKER_LOST, event.detail))
                self._line.end("loudspeaker lost", now, chime=None)
                self._dialogue.answers.hushed(None)
                self._troubles.arise(ev.Trouble.SPEAKER, event.detail, now)
            case _:
                assert_never(event)
