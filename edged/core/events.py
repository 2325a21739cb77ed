"""Everything that can happen to a speaker, as frozen facts in the past tense.

An event carries no time of its own: the core is handed the time beside it. Samples and
identities are opaque; positions count capture samples since the microphone was opened.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from .frames import MicFrame as MicFrame

_QUESTION_MARKS = ("?", "\uff1f", "\u061f", "\u037e")  # full-width, Arabic, Greek
_CLOSING = " \t\n\"'\u201d\u2019\u00bb\u300d)"


class Trouble(StrEnum):
    """What can be wrong with the speaker, as shown, sounded and journalled."""

    NETWORK = "network"
    KEY = "key"
    CREDIT = "credit"
    PROVIDER = "provider"
    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Started:
    """The process is up; nothing has been opened yet."""

    muted: bool = False
    """As remembered from the last run."""
    volume_db: float | None = None
    """As remembered from the last run; None when nothing is."""


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


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The provider's turn detection heard somebody begin."""

    item: str
    audio_start_ms: int = 0
    """Milliseconds of sound sent in this session before the speech, padding included."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The provider's turn detection heard the end of the utterance."""

    item: str
    audio_end_ms: int = 0


@dataclass(frozen=True, slots=True)
class UserItemCommitted:
    """The provider took the utterance into the conversation."""

    item: str


@dataclass(frozen=True, slots=True)
class UserText:
    """What the user said, as transcribed; may come after the answer, and may be wrong."""

    item: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The provider began to answer."""

    reply: str


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """A piece of the answer's sound, at the wire's rate."""

    reply: str
    item: str
    index: int
    """Content index of the sound inside its item."""
    samples: bytes
    """Signed 16-bit little-endian mono at the wire's rate."""


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The whole transcript of one item of the answer, as generated."""

    reply: str
    item: str
    text: str

    @property
    def is_question(self) -> bool:
        """Whether it ends in a question mark of any script."""
        return self.text.rstrip(_CLOSING).endswith(_QUESTION_MARKS)


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The provider asks for a tool; the arguments are complete JSON."""

    reply: str
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one response; cached tokens are a subset of the input's."""

    text_in: int = 0
    audio_in: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    text_out: int = 0
    audio_out: int = 0


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """Generation ended; playback usually has not."""

    reply: str
    status: str = "completed"
    """completed, cancelled, incomplete or failed."""
    reason: str = ""
    trouble: Trouble | None = None
    """Set when the failure is one the owner must act on."""
    detail: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The provider answered a request with an error and the session goes on."""

    code: str
    message: str
    benign: bool
    """A known race that needs no action."""
    asked: bool = False
    busy: bool = False
    """Whether an answer was asked for, and that while another was being made."""


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
class Tick:
    """The moment `deadline()` named has come."""


Heard = SpeechStarted | SpeechStopped | UserItemCommitted | UserText
Answered = ReplyStarted | ReplyAudio | ReplyText | ToolCalled | ReplyDone
Said = Heard | Answered | RequestRefused
"""What the provider says about the conversation."""

Room = MicOpened | MicFrame | MicLost | EchoMeasured | WakeHeard | WakeNearlyHeard
People = ButtonPressed | ButtonReleased | WakeAsked | StopAsked | MuteAsked | VolumeTurned
Line = LinkAccepted | LinkReady | LinkDown | Said
Loudspeaker = SpeakerOpened | SpeakerProgress | SpeakerHushed | SpeakerUnderran | SpeakerLost
Event = Started | Room | People | Line | Loudspeaker | ToolFinished | Tick
