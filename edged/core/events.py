"""Everything that can happen to a speaker, as frozen facts in the past tense.

An event carries no time of its own: the core is handed the time beside it. Samples and
identities are opaque; positions count capture samples since the microphone was opened.
"""

from dataclasses import dataclass

from .frames import MicFrame as MicFrame
from .said import Answered as Answered
from .said import ApprovalAsked as ApprovalAsked
from .said import Heard as Heard
from .said import ReplyAudio as ReplyAudio
from .said import ReplyDone as ReplyDone
from .said import ReplyStarted as ReplyStarted
from .said import ReplyText as ReplyText
from .said import ReplyWords as ReplyWords
from .said import RequestRefused as RequestRefused
from .said import Said as Said
from .said import SpeechStarted as SpeechStarted
from .said import SpeechStopped as SpeechStopped
from .said import ToolCalled as ToolCalled
from .said import Usage as Usage
from .said import UserItemCommitted as UserItemCommitted
from .said import UserText as UserText
from .scenes import Trouble as Trouble


@dataclass(frozen=True, slots=True)
class Started:
    """The process is up; nothing has been opened yet."""

    muted: bool = False
    """As remembered from the last run."""
    volume_db: float | None = None
    """As remembered from the last run; None when nothing is."""
    keyless: str = ""
    """Why there is no key for the provider, and what to do; "" where there is one."""


# --- the microphone and the wake engine ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class MicOpened:
    """The capture stream runs; positions start anew at 0."""

    device: str
    rate: int
    """Samples per second of the capture stream."""


@dataclass(frozen=True, slots=True)
class MicLost:
    """The capture stream failed or its device vanished; the driver goes on looking for it."""

    detail: str


@dataclass(frozen=True, slots=True)
class EchoMeasured:
    """What the echo driver found out in a conversation in which something was played."""

    driver: str
    erle_db: float
    drift_ppm: float
    """How much faster the loudspeaker's clock runs than the microphone's; 0 until known."""


@dataclass(frozen=True, slots=True)
class WakeHeard:
    """A wake word crossed its threshold."""

    word: str
    score: float
    position: int
    """Capture samples heard when it was recognised."""


@dataclass(frozen=True, slots=True)
class WakeNearlyHeard:
    """A near miss: at least half the threshold and never above it."""

    word: str
    score: float


# --- people: buttons, the shell -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """The edge down of a named button."""

    button: str


@dataclass(frozen=True, slots=True)
class ButtonReleased:
    """The edge up of a named button."""

    button: str


@dataclass(frozen=True, slots=True)
class WakeAsked:
    """Somebody typed `edged wake`."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody typed `edged stop`: silence, and back to sleep."""


@dataclass(frozen=True, slots=True)
class SayAsked:
    """Somebody typed `edged say`; answered by one `Announced`, before the next."""

    words: str


@dataclass(frozen=True, slots=True)
class MuteAsked:
    """Somebody typed `edged mute`, or moved a switch, which outranks all else while it mutes."""

    muted: bool
    switch: bool = False


@dataclass(frozen=True, slots=True)
class VolumeTurned:
    """Somebody turned the knob, or typed `edged volume`."""

    steps: int = 0
    """Clicks clockwise (louder); negative for the other way."""
    to_db: float | None = None
    """The volume that was named, to which the steps are added; None where none was."""


# --- the line to the provider -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkAccepted:
    """The provider opened a session; its configuration is not confirmed yet."""

    session: str
    model: str = ""
    lasts_s: float | None = None
    """How long the provider lets it last, from now on; None where it did not say so, or where
    this machine's clock is not set."""


@dataclass(frozen=True, slots=True)
class SessionLimited:
    """The provider refused what was asked of the session; a smaller one is being asked for."""

    detail: str


@dataclass(frozen=True, slots=True)
class LinkReady:
    """The provider confirmed the configuration: sound may go out."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The line is gone. Exactly one follows every `OpenLink`."""

    trouble: Trouble | None = None
    """None after an orderly end."""
    code: str = ""
    """Close code, HTTP status or error code, as text."""
    detail: str = ""
    """The other side's reason or the system's error text."""
    dropped_samples: int = 0
    """Sound that fell out because the line was too slow, at the wire's rate."""
    oddities: str = ""
    """What the provider said that was not understood, by kind and count."""
    jitter: float = 0.0
    """A random number from 0 to 1, drawn outside for a later retry."""
    transient: bool = False
    """Whether another try in a moment may well succeed: the network dropped, or the provider is
    overloaded or restarts."""
    fatal: bool = False
    """Whether none will before the configuration is another one."""


# --- the loudspeaker ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeakerOpened:
    """The playback stream runs."""

    device: str
    rate: int
    latency_ms: float


@dataclass(frozen=True, slots=True)
class SpeakerProgress:
    """Reply sound that has left the loudspeaker since the last `Hush`."""

    heard: int
    """Frames at the wire's rate: taken by the device less its latency; never decreases
    between two `Hush`, and reaches everything queued once the last sample has sounded."""


@dataclass(frozen=True, slots=True)
class SpeakerHushed:
    """A `Hush` has been obeyed; exactly one follows each, in order, within two device periods."""

    heard: int
    """Frames at the wire's rate that will have sounded in all, counted as `SpeakerProgress`
    did before that `Hush`: the middle of the fade is the end."""


@dataclass(frozen=True, slots=True)
class SpeakerUnderran:
    """A gap was heard: the spool was empty while an answer was still coming, or not emptied."""

    missing_ms: float


@dataclass(frozen=True, slots=True)
class SpeakerLost:
    """The playback stream failed or its device vanished; the driver goes on looking for it."""

    detail: str


# --- the rest -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool returned; a failure is text for the model too."""

    call: str
    output: str
    farewell: bool = False
    """The conversation shall end once the answer under way has been heard."""


@dataclass(frozen=True, slots=True)
class Rang:
    """A timer or an alarm has run out."""

    name: str
    """What its owner calls it; "" for nothing."""


@dataclass(frozen=True, slots=True)
class DayTurned:
    """The clock has been set, or midnight has come, or the books were read at the start."""

    day: str
    """ISO date, in local time."""
    day_usd: float
    """Spent on that day so far, and in its month."""
    month_usd: float


@dataclass(frozen=True, slots=True)
class Retiring:
    """The process, or a new configuration, has no more use for this speaker once it is asleep."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The moment `deadline()` named has come."""


Room = MicOpened | MicFrame | MicLost | EchoMeasured | WakeHeard | WakeNearlyHeard
Asked = WakeAsked | StopAsked | SayAsked | MuteAsked
People = ButtonPressed | ButtonReleased | Asked | VolumeTurned
Line = LinkAccepted | SessionLimited | LinkReady | LinkDown | Said
Loudspeaker = SpeakerOpened | SpeakerProgress | SpeakerHushed | SpeakerUnderran | SpeakerLost
Rest = ToolFinished | Rang | DayTurned | Retiring | Tick
Event = Started | Room | People | Line | Loudspeaker | Rest
