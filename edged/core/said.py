"""What the provider says about the conversation."""

from dataclasses import dataclass, field

from .scenes import Trouble

_QUESTION_MARKS = ("?", "\uff1f", "\u061f", "\u037e")  # full-width, Arabic, Greek
_CLOSING = " \t\n\"'\u201d\u2019\u00bb\u300d)"


@dataclass(frozen=True, slots=True)
class Usage:
    """The bill of one response or transcription; cached tokens are a subset of the input's."""

    text_in: int = 0
    audio_in: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    text_out: int = 0
    audio_out: int = 0
    transcribed_s: float = 0.0
    """Sound that was written down by a model that is paid by time."""
    transcribed_in: int = 0
    transcribed_out: int = 0
    """Tokens of a model for that which is paid by them."""


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
    usage: Usage = field(default_factory=Usage)


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
class ReplyWords:
    """The next words of an item of the answer; `ReplyText` brings all of them once more."""

    reply: str
    item: str
    text: str


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
    """The provider asks for a tool; the arguments are as the model wrote them."""

    reply: str
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """The provider would call a tool of a server in the internet, and waits for leave."""

    reply: str
    request: str
    tool: str
    """Its server and its name, as "calendar.add"."""


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
    transient: bool = False
    """Whether the failure passes by itself: asking again in a moment makes sense."""
    jitter: float = 0.0
    """A random number from 0 to 1, drawn outside for that."""


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The provider answered a request with an error and the session goes on."""

    code: str
    message: str
    benign: bool
    """A known race that needs no action."""
    asked: bool = False
    busy: bool = False
    """Whether an answer was asked for, or may have been; and that while another was being made."""
    transient: bool = False
    """Whether the reason passes by itself: asking again in a moment makes sense."""
    jitter: float = 0.0
    """A random number from 0 to 1, drawn outside for that."""


Heard = SpeechStarted | SpeechStopped | UserItemCommitted | UserText
Asked = ToolCalled | ApprovalAsked
Answered = ReplyStarted | ReplyAudio | ReplyWords | ReplyText | Asked | ReplyDone
Said = Heard | Answered | RequestRefused
