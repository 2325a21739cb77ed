"""The events that a Realtime provider sends, in OpenAI's GA shape.

Fields that edged does not read are left out: the decoders skip them. Sound is base64 on the
wire and bytes here.
"""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from ..core.events import Usage


class Server(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """An event of the provider's."""


class SessionShape(msgspec.Struct, frozen=True):
    """What edged reads of a session."""

    id: str | None = None
    model: str | None = None
    expires_at: Any = None
    """Unix seconds."""


class SessionCreated(Server, frozen=True, tag="session.created"):
    """A session exists, with the provider's defaults."""

    session: SessionShape = SessionShape()


class SessionUpdated(Server, frozen=True, tag="session.updated"):
    """The configuration was taken."""


class Failed(Server, frozen=True, tag="error"):
    """A request was refused, or the session is in trouble."""

    error: Any = None
    # Of servers that put all of it at the top.
    code: Any = None
    message: Any = None


class HeardSpeech(Server, frozen=True, tag="input_audio_buffer.speech_started"):
    """Turn detection heard a beginning."""

    item_id: str = ""
    audio_start_ms: float = 0


class HeardSilence(Server, frozen=True, tag="input_audio_buffer.speech_stopped"):
    """Turn detection heard an end."""

    item_id: str = ""
    audio_end_ms: float = 0


class Committed(Server, frozen=True, tag="input_audio_buffer.committed"):
    """The utterance became an item."""

    item_id: str


class Transcribed(Server, frozen=True, tag="conversation.item.input_audio_transcription.completed"):
    """What the user said."""

    item_id: str
    transcript: str
    usage: msgspec.Raw = msgspec.Raw(b"null")


class NotTranscribed(Server, frozen=True, tag="conversation.item.input_audio_transcription.failed"):
    """What the user said could not be written down."""

    error: Any = None


class Cached(msgspec.Struct, frozen=True):
    """Which of the input's tokens were cached."""

    text_tokens: int | None = None
    audio_tokens: int | None = None


class SpentIn(msgspec.Struct, frozen=True):
    """Tokens of the input, cached ones included."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    cached_tokens: int | None = None
    cached_tokens_details: Cached | None = None


class SpentOut(msgspec.Struct, frozen=True):
    """Tokens of the answer."""

    text_tokens: int | None = None
    audio_tokens: int | None = None


class Spent(msgspec.Struct, frozen=True):
    """The bill of a response; every field may be missing."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: SpentIn | None = None
    output_token_details: SpentOut | None = None

    def usage(self) -> Usage:
        """The bill as the core knows it.

        Cached tokens of no named kind count as text as far as there is text, the rest as sound.
        Where no kind at all is named all of it is sound, which costs the most.
        """
        taken = self.input_token_details or SpentIn(audio_tokens=self.input_tokens)
        given = self.output_token_details or SpentOut(audio_tokens=self.output_tokens)
        text, cached = max(0, taken.text_tokens or 0), taken.cached_tokens_details
        total = taken.cached_tokens or 0
        if cached is None:
            cached = Cached(min(total, text), max(total - text, 0))
        return Usage(
            text_in=text,
            audio_in=taken.audio_tokens or 0,
            cached_text=cached.text_tokens or 0,
            cached_audio=cached.audio_tokens or 0,
            text_out=given.text_tokens or 0,
            audio_out=given.audio_tokens or 0,
        )


class Written(msgspec.Struct, frozen=True):
    """The bill of a transcription, in seconds or in tokens; every field may be missing."""

    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    def usage(self) -> Usage:
        """The bill as the core knows it."""
        return Usage(
            transcribed_s=self.seconds or 0.0,
            transcribed_in=self.input_tokens or 0,
            transcribed_out=self.output_tokens or 0,
        )


class ResponseShape(msgspec.Struct, frozen=True):
    """What edged reads of a response; every field may be missing."""

    id: str | None = None
    conversation_id: str | None = None
    metadata: Any = None
    status: str | None = None
    status_details: Any = None
    usage: msgspec.Raw = msgspec.Raw(b"null")


class ResponseCreated(Server, frozen=True, tag="response.created"):
    """An answer begins."""

    response: ResponseShape


class ResponseDone(Server, frozen=True, tag="response.done"):
    """An answer was generated, cancelled, or failed."""

    response: ResponseShape


class ItemShape(msgspec.Struct, frozen=True):
    """What edged reads of an item: a call of a tool, or leave that is asked for one."""

    type: str
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    id: str | None = None
    server_label: str | None = None


class ItemDone(Server, frozen=True, tag="response.output_item.done"):
    """An item of an answer is complete, or was cut off."""

    response_id: str
    item: ItemShape


class SoundDelta(Server, frozen=True, tag="response.output_audio.delta"):
    """A piece of an answer's sound."""

    response_id: str
    item_id: str
    delta: bytes
    content_index: int = 0


class TranscriptDelta(Server, frozen=True, tag="response.output_audio_transcript.delta"):
    """A piece of the words of an answer's sound."""

    response_id: str
    item_id: str
    delta: str


class TranscriptDone(Server, frozen=True, tag="response.output_audio_transcript.done"):
    """The words of an answer's sound."""

    response_id: str
    item_id: str
    transcript: str


ServerEvent = (
    SessionCreated
    | SessionUpdated
    | Failed
    | HeardSpeech
    | HeardSilence
    | Committed
    | Transcribed
    | NotTranscribed
    | ResponseCreated
    | ResponseDone
    | ItemDone
    | SoundDelta
    | TranscriptDelta
    | TranscriptDone
)

DECODERS: Mapping[str, msgspec.json.Decoder[ServerEvent]] = {
    shape.__struct_config__.tag: msgspec.json.Decoder(shape) for shape in get_args(ServerEvent)
}
"""The events that mean something to edged, each with its decoder."""

_SIP = "of telephone and WebRTC sessions only"
_ACK = "acknowledges what edged asked for and need not wait for"
_PIECE = "a piece of what comes whole later"
_MCP = "runs at the provider's, which goes on by itself"
_TEXT = "edged asks for sound only"
IGNORED: Mapping[str, str] = {
    "conversation.created": "sessions are told by session.created",
    "conversation.item.added": "items are known by the events that carry their content",
    "conversation.item.done": "items are known by the events that carry their content",
    "conversation.item.created": "an older name of conversation.item.added",
    "conversation.item.deleted": _ACK,
    "conversation.item.retrieved": "edged never retrieves",
    "conversation.item.truncated": _ACK,
    "conversation.item.input_audio_transcription.delta": _PIECE,
    "conversation.item.input_audio_transcription.segment": "of diarizing models only",
    "input_audio_buffer.cleared": _ACK,
    "input_audio_buffer.timeout_triggered": "edged has its own idle timer",
    "input_audio_buffer.dtmf_event_received": _SIP,
    "output_audio_buffer.started": _SIP,
    "output_audio_buffer.stopped": _SIP,
    "output_audio_buffer.cleared": _SIP,
    "rate_limits.updated": "an exceeded limit is told by the response that fails",
    "response.output_item.added": "what is in it comes with its own events",
    "response.content_part.added": "what is in it comes with its own events",
    "response.content_part.done": "repeats what came with its own events",
    "response.output_text.delta": _TEXT,
    "response.output_text.done": _TEXT,
    "response.output_audio.done": "the end of an answer is response.done",
    "response.function_call_arguments.delta": _PIECE,
    "response.function_call_arguments.done": "sent for interrupted calls too; the item tells",
    "mcp_list_tools.in_progress": _MCP,
    "mcp_list_tools.completed": _MCP,
    "mcp_list_tools.failed": _MCP,
    "response.mcp_call_arguments.delta": _MCP,
    "response.mcp_call_arguments.done": _MCP,
    "response.mcp_call.in_progress": _MCP,
    "response.mcp_call.completed": _MCP,
    "response.mcp_call.failed": _MCP,
}
"""The events that edged knows and has no use for, each with the reason."""
