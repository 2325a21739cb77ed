"""The figures of one turn: what it took, what was heard of it, and what it spent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from .commands import Command, Fact, Note, note
from .events import Usage
from .playback import Playback

_STAGES = ("wake", "connected", "speech_end", "first_audio", "sound")


@dataclass(slots=True)
class Figures:
    """Times are those of the core's clock; None while they have not come."""

    number: int
    cost: Callable[[Usage], float]
    """What a bill comes to, in US dollars."""
    heard_before_ms: int = 0
    """What the loudspeaker's count was when the turn began."""
    woken: float | None = None
    connected: float | None = None
    """Of the first turn of a session only, as is `woken`."""
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

    def came(self, now: float) -> None:
        """Sound of the answer has come."""
        self.first_audio = now if self.first_audio is None else self.first_audio

    def sounded(self, now: float) -> None:
        """It has been heard."""
        self.first_sound = now if self.first_sound is None else self.first_sound

    def spent(self, usage: Usage) -> None:
        """Add the bill of one response."""
        names = Usage.__dataclass_fields__
        self.usage = Usage(*(getattr(self.usage, n) + getattr(usage, n) for n in names))

    def line(self) -> Note:
        """The turn's line in the journal, with what each stage took as far as there was one."""
        times = (self.woken, self.connected, self.speech_end, self.first_audio, self.first_sound)
        budget: dict[str, int] = {}
        story = ""
        for (first, begun), (last, done) in pairwise(zip(_STAGES, times, strict=True)):
            if begun is not None and done is not None:
                took_ms = budget[f"{first}_to_{last}_ms"] = round((done - begun) * 1000)
                story += "" if story.endswith(first) else f" {first}"
                story += f" +{took_ms} ms {last}"
        story += "," if story else ""
        return note(
            Fact.TURN_ENDED,
            f"turn {self.number}:{story.replace('_', ' ')} {self.heard_ms} ms heard",
            turn=self.number,
            **budget,
            heard_ms=self.heard_ms,
            interrupted=int(self.interrupted),
            audio_in_tokens=self.usage.audio_in,
            audio_out_tokens=self.usage.audio_out,
            cost_usd=round(self.cost(self.usage), 6),
        )


class Turns:
    """The turns of a session, one after the other."""

    def __init__(
        self,
        playback: Playback,
        cost: Callable[[Usage], float],
        do: Callable[[Command], None],
    ) -> None:
        self._playback = playback
        self._cost = cost
        self._do = do
        self.clear()

    def clear(self) -> None:
        """The session is over."""
        self.current: Figures | None = None
        self._count = 0
        self._came: tuple[float, float] | None = None

    def connected(self, woken: float, now: float) -> None:
        """The line is up: what that took counts for the first turn."""
        self._came = woken, now

    def open(self) -> Figures:
        """The turn under way, or a new one."""
        if self.current is None:
            self._count += 1
            heard_ms = self._playback.heard_ms
            self.current = Figures(self._count, self._cost, heard_ms, *(self._came or ()))
            self._came = None
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
