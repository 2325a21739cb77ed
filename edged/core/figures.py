"""The figures of one turn: what it took, what was heard of it, and what it spent."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .commands import Command, Fact, Note, note
from .events import Usage
from .playback import Playback


@dataclass(slots=True)
class Figures:
    """Times are those of the core's clock; None while they have not come."""

    number: int
    heard_before_ms: int = 0
    """What the loudspeaker's count was when the turn began."""
    speech_end: float | None = None
    first_audio: float | None = None
    first_sound: float | None = None
    heard_ms: int = 0
    interrupted: bool = False
    usage: Usage = field(default_factory=Usage)

    def heard(self, total_ms: int, *, interrupted: bool) -> None:
        """The loudspeaker's count is now `total_ms`."""
        self.heard_ms = total_ms - self.heard_before_ms
        self.interrupted |= interrupted

    def spent(self, usage: Usage) -> None:
        """Add the bill of one response."""
        names = Usage.__dataclass_fields__
        self.usage = Usage(*(getattr(self.usage, n) + getattr(usage, n) for n in names))

    def line(self) -> Note:
        """The turn's line in the journal."""
        known: dict[str, str | int | float] = {
            "turn": self.number,
            "heard_ms": self.heard_ms,
            "interrupted": int(self.interrupted),
            "audio_in_tokens": self.usage.audio_in,
            "audio_out_tokens": self.usage.audio_out,
        }
        if self.speech_end is not None and self.first_audio is not None:
            known["speech_end_to_first_audio_ms"] = _ms(self.first_audio - self.speech_end)
        if self.first_audio is not None and self.first_sound is not None:
            known["first_audio_to_sound_ms"] = _ms(self.first_sound - self.first_audio)
        return note(Fact.TURN_ENDED, "turn ended", **known)


class Turns:
    """The turns of a session, one after the other."""

    def __init__(self, playback: Playback, do: Callable[[Command], None]) -> None:
        self._playback = playback
        self._do = do
        self.clear()

    def clear(self) -> None:
        """The session is over."""
        self.current: Figures | None = None
        self._count = 0

    def open(self) -> Figures:
        """The turn under way, or a new one."""
        if self.current is None:
            self._count += 1
            self.current = Figures(self._count, self._playback.heard_ms)
        return self.current

    def heard(self, *, interrupted: bool) -> None:
        """What has sounded until now is what was heard of it."""
        if self.current is not None:
            self.current.heard(self._playback.heard_ms, interrupted=interrupted)

    def close(self) -> None:
        """It is over, and its line is written."""
        if self.current is not None:
            self._do(self.current.line())
            self.current = None


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
