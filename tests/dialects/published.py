"""What each provider has published that it can be told; anything else is a flaw."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from openai.types.beta import realtime as beta
from openai.types.realtime import RealtimeClientEvent
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .declared import undeclared

# --- xAI, as in its guide to voice agents -------------------------------------------------


class _Known(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Pcm(_Known):
    type: Literal["audio/pcm"]
    rate: Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000]


class _Telephone(_Known):
    type: Literal["audio/pcmu", "audio/pcma"]


class _Way(_Known):
    format: _Pcm | _Telephone


class _Ways(_Known):
    input: _Way
    output: _Way


class _Vad(_Known):
    type: Literal["server_vad"]
    threshold: float | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


class _Function(_Known):
    type: Literal["function"]
    name: str
    description: str
    parameters: dict[str, Any]


class _Session(_Known):
    voice: str | None = None
    instructions: str | None = None
    turn_detection: _Vad | None = None
    audio: _Ways | None = None
    tools: list[_Function] | None = None


class _Event(_Known):
    event_id: str | None = None


class _Update(_Event):
    type: Literal["session.update"]
    session: _Session


class _Append(_Event):
    type: Literal["input_audio_buffer.append"]
    audio: str


class _Bare(_Event):
    type: Literal[
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
        "response.create",
        "response.cancel",
    ]


class _Part(_Known):
    type: Literal["input_text", "output_text"]
    text: str


class _Message(_Known):
    type: Literal["message"]
    role: Literal["user", "assistant", "system"]
    content: list[_Part]


class _Output(_Known):
    type: Literal["function_call_output"]
    call_id: str
    output: str


class _Create(_Event):
    type: Literal["conversation.item.create"]
    item: _Message | _Output


_Xai = Annotated[_Update | _Append | _Bare | _Create, Field(discriminator="type")]

# ------------------------------------------------------------------------------------------

_GA: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
_EVENTS: Mapping[str, TypeAdapter[Any]] = {
    "openai": _GA,
    "azure": _GA,
    "legacy": TypeAdapter(beta.RealtimeClientEvent),
    "xai": TypeAdapter(_Xai),
}


def flaws(dialect: str, text: str | bytes) -> list[str]:
    """What of a message, as it is on the wire, the provider has never said that it knows."""
    try:
        return undeclared(_EVENTS[dialect].validate_json(text, strict=True))
    except ValidationError as no:
        return [f"{each['loc']}: {each['msg']}" for each in no.errors()]
