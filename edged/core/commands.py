"""Everything the core can ask of the world, in the imperative."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from .events import Usage
from .scenes import Look


class Chime(StrEnum):
    """The earcons: short sounds of the speaker's own, quieter than its voice."""

    WOKEN = "woken"
    SLEEPING = "sleeping"
    MUTED = "muted"
    UNMUTED = "unmuted"
    VOLUME = "volume"
    WORKING = "working"
    ALARM = "alarm"
    ASKING = "asking"
    NETWORK = "network"
    KEY = "key"
    CREDIT = "credit"
    PROVIDER = "provider"
    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    CLOCK = "clock"
    BUDGET = "budget"


class Fact(StrEnum):
    """The kinds of journal entry; each has one MESSAGE_ID for ever."""

    STARTED = "started"
    NOT_STARTED = "not_started"
    RELOADED = "reloaded"
    RELOAD_REFUSED = "reload_refused"
    STOPPED = "stopped"
    BROKEN = "broken"
    HEARTBEAT = "heartbeat"
    KEY_EXPOSED = "key_exposed"
    PART_MISSING = "part_missing"
    PART_FOUND = "part_found"
    PART_STUCK = "part_stuck"
    WOKEN = "woken"
    FALSE_WAKE = "false_wake"
    WAKE_NEARLY_HEARD = "wake_nearly_heard"
    CONNECTED = "connected"
    SESSION_ENDED = "session_ended"
    TURN_ENDED = "turn_ended"
    INTERRUPTED = "interrupted"
    TROUBLE = "trouble"
    REQUEST_REFUSED = "request_refused"
    MUTED = "muted"
    UNMUTED = "unmuted"
    VOLUME_CHANGED = "volume_changed"
    MICROPHONE_OPENED = "microphone_opened"
    MICROPHONE_LOST = "microphone_lost"
    SPEAKER_OPENED = "speaker_opened"
    SPEAKER_LOST = "speaker_lost"
    NOT_UNDERSTOOD = "not_understood"
    NOT_SAVED = "not_saved"
    SOUND_DROPPED = "sound_dropped"
    GAP_HEARD = "gap_heard"
    ECHO_CHOSEN = "echo_chosen"
    ECHO_MEASURED = "echo_measured"
    SPEECH_DOUBTED = "speech_doubted"
    SESSION_LIMITED = "session_limited"
    RECONNECTING = "reconnecting"
    ROTATED = "rotated"
    STOOD_BY = "stood_by"
    RECALLED = "recalled"
    SPENDING_WARNED = "spending_warned"
    PRICE_UNKNOWN = "price_unknown"
    RANG = "rang"
    ANNOUNCED = "announced"
    TOOL_CALLED = "tool_called"
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_DECIDED = "approval_decided"
    TOOLS_OFFERED = "tools_offered"
    TOOLS_LOST = "tools_lost"
    STATE_CHANGED = "state_changed"
    TRANSCRIPT = "transcript"


# --- the line -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenLink:
    """Open a session; exactly one `LinkDown` must follow, whatever happens."""


@dataclass(frozen=True, slots=True)
class Attend:
    """The session is used, until it ends: room sound is wanted at its best."""

    somebody: bool
    """Whether somebody is there to be told things; else something is only to be said."""


@dataclass(frozen=True, slots=True)
class CloseLink:
    """End the session in an orderly way, within a bounded time."""


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Send room sound; dropped and counted when the line cannot take it."""

    samples: bytes
    clean: bool = False
    """Whether they are at the wire's rate, out of the echo driver; else at the microphone's."""


@dataclass(frozen=True, slots=True)
class SendNoise:
    """Send low noise in the place of a frame that must not go out."""

    samples: bytes
    """At the wire's rate."""


@dataclass(frozen=True, slots=True)
class Brief:
    """Tell what changes from one conversation to the next, if the session was not told yet."""


@dataclass(frozen=True, slots=True)
class DetectTurns:
    """Turn the provider's turn detection on, as configured, or off; a session begins with it on."""

    on: bool


@dataclass(frozen=True, slots=True)
class CommitInput:
    """The utterance is complete (only without turn detection)."""


@dataclass(frozen=True, slots=True)
class ClearInput:
    """Forget the sound sent since the last commit."""


@dataclass(frozen=True, slots=True)
class AskReply:
    """Ask for an answer to what is in the conversation, or have something said as it is given."""

    words: str = ""
    """What is to be said; "" for an answer."""


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop generating this answer."""

    reply: str


@dataclass(frozen=True, slots=True)
class TruncateReply:
    """Tell the provider how much of an item was really heard."""

    item: str
    index: int
    heard_ms: int


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """Take an item of which nothing was heard out of the conversation."""

    item: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Put into the conversation what was said before this session, or what it should know."""

    who: Literal["user", "assistant", "system"]
    text: str


@dataclass(frozen=True, slots=True)
class AnswerTool:
    """Hand a tool's output to the provider."""

    call: str
    output: str


@dataclass(frozen=True, slots=True)
class Approve:
    """Tell the provider whether it may have the tool called for which it asked."""

    request: str
    allowed: bool


# --- what can be heard and seen -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Play:
    """Queue a piece of the answer."""

    samples: bytes
    """Signed 16-bit little-endian mono at the wire's rate."""


@dataclass(frozen=True, slots=True)
class FinishPlay:
    """No more sound of this answer will come: an empty spool is its end, not a gap."""


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop the answer's sound at once, with a short fade, and forget what is queued.

    Answered by one `SpeakerHushed`.
    """


@dataclass(frozen=True, slots=True)
class Sound:
    """Play an earcon over whatever plays."""

    chime: Chime


@dataclass(frozen=True, slots=True)
class Duck:
    """Make what sounds quieter for a moment, to hear better who speaks over it."""

    by_db: float
    """0 ends it."""


@dataclass(frozen=True, slots=True)
class SetVolume:
    """Make everything that sounds so loud, from now on."""

    volume_db: float
    """0 is as loud as it goes."""


@dataclass(frozen=True, slots=True)
class Show:
    """Show a look on every light."""

    look: Look


@dataclass(frozen=True, slots=True)
class OpenMicrophone:
    """Start capturing; answered by `MicOpened` or `MicLost`."""


@dataclass(frozen=True, slots=True)
class CloseMicrophone:
    """Stop capturing and let the device go: nobody may hear us."""


@dataclass(frozen=True, slots=True)
class ResetWake:
    """Make the wake engine forget what it heard."""


# --- the rest -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run a tool; answered by `ToolFinished`."""

    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Announced:
    """What somebody wanted said is over."""

    whole: bool
    """Whether it was said to its end."""
    begun: bool
    """Whether any of it was heard; else the box itself may say it."""


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep this over a restart; `Started` brings it back."""

    muted: bool
    volume_db: float


@dataclass(frozen=True, slots=True)
class Book:
    """Write down at once what was spent; the next `DayTurned` counts it in."""

    usd: float
    usage: Usage = field(default_factory=Usage)
    """What was bought, where it was billed by tokens or was a transcription."""
    session_s: float = 0.0
    """And where time on the line is what costs."""
    answered: bool = False
    """Whether it is the bill of an answer."""


@dataclass(frozen=True, slots=True)
class Note:
    """Tell the journal."""

    fact: Fact
    message: str
    fields: Mapping[str, str | int | float] = field(default_factory=dict)
    """Lower-case names without the prefix, units in the name: `first_audio_ms`."""
    warning: bool = False


def note(fact: Fact, message: str, **fields: str | int | float) -> Note:
    """A `Note` with its fields as keywords."""
    return Note(fact, message, fields)


def warn(fact: Fact, message: str, **fields: str | int | float) -> Note:
    """The same as a warning."""
    return Note(fact, message, fields, warning=True)


@dataclass(frozen=True, slots=True)
class Fail:
    """End the process with status 1 so that it is started again: a part is beyond repair."""

    reason: str


Requests = Brief | DetectTurns | CommitInput | ClearInput | AskReply
Repairs = CancelReply | TruncateReply | DeleteItem | Recall | AnswerTool | Approve
LinkCommand = SendAudio | SendNoise | Requests | Repairs
Loudspeaker = Play | FinishPlay | Hush | Sound | Duck | SetVolume
Ears = OpenMicrophone | CloseMicrophone | ResetWake
Rest = Show | RunTool | Announced | Remember | Book | Note | Fail
Command = OpenLink | Attend | CloseLink | LinkCommand | Loudspeaker | Ears | Rest
