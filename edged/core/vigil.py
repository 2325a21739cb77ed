"""What must go on for the watchdog to be fed: that depends on what the speaker is doing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .scenes import Scene

WATCH: Final = "the watch over the sound card"
MICROPHONE: Final = "the microphone"
WAKE: Final = "the wake engine"
LOUDSPEAKER: Final = "the loudspeaker"

_NOBODY_ON_THE_LINE: Final = (Scene.ASLEEP, Scene.TROUBLE)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a sound card has done so far."""

    watched: int
    """How often it has looked after its streams; it stands still when a device that is lost is
    not looked for."""
    sounded: int
    """Blocks that the loudspeaker has taken."""
    playing: bool
    """Whether something is queued for a loudspeaker that is there."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What can be told of the speaker at one moment; numbers only grow."""

    scene: Scene
    card: Pulse
    captured: int | None
    """Frames that have come from the microphone; None while none is open."""
    examined: int | None
    """Frames that the wake engine is done with; None where there is no engine."""

    @property
    def numbers(self) -> Mapping[str, int | None]:
        """What each part has done so far."""
        return {
            WATCH: self.card.watched,
            MICROPHONE: self.captured,
            WAKE: self.examined,
            LOUDSPEAKER: self.card.sounded,
        }

    @property
    def owed(self) -> tuple[str, ...]:
        """The parts that must have gone on since the last keep-alive, causes first."""
        if self.scene is Scene.MUTED or self.captured is None:
            return (WATCH,)
        if self.scene in _NOBODY_ON_THE_LINE:
            return (MICROPHONE, WAKE)
        return (MICROPHONE, LOUDSPEAKER) if self.card.playing else (MICROPHONE,)


@dataclass(frozen=True, slots=True)
class Finding:
    """What follows from one look."""

    alive: bool
    """Feed the watchdog."""
    stuck: str
    """The part to be told of now, once: it stands still, and the process is about to be ended;
    else ""."""
    again_s: float
    """When to look next."""


class Vigil:
    """Feeds the watchdog about every third of its time, as long as everything owed goes on.

    Where something stands still it looks more often: a slow machine is fed as soon as it has got
    ahead, and what does not move until shortly before the end is told of.
    """

    def __init__(self, watchdog_s: float) -> None:
        """The process is ended `watchdog_s` after the last keep-alive."""
        self._period_s = watchdog_s / 3
        self._glance_s = watchdog_s / 12
        self._patience_s = watchdog_s * 5 / 6
        self._fed: Signs | None = None
        self._fed_at = 0.0
        self._told = False

    def look(self, signs: Signs, now: float) -> Finding:
        """What to do about `signs`, seen at `now` (monotonic seconds)."""
        still = self._still(signs)
        if not still:
            self._fed, self._fed_at, self._told = signs, now, False
            return Finding(True, "", self._period_s)
        late = now - self._fed_at >= self._patience_s and not self._told
        self._told = self._told or late
        return Finding(False, still if late else "", self._glance_s)

    def _still(self, signs: Signs) -> str:
        """The first part that is owed and stands still; "" where all go on."""
        if self._fed is None:
            return ""
        before, numbers = self._fed.numbers, signs.numbers
        return next((part for part in signs.owed if numbers[part] == before[part] is not None), "")
