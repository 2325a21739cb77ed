"""What a Realtime session is configured with, in OpenAI's GA shape."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ..core.settings import Session, ToolSpec

WIRE_RATE = 24000
"""Samples per second on the wire, both ways; the only rate of PCM that OpenAI takes."""


class Pcm(msgspec.Struct, frozen=True, tag_field="type", tag="audio/pcm"):
    """Signed 16-bit little-endian mono."""

    rate: int


class NoiseReduction(msgspec.Struct, frozen=True):
    """The provider's own clean-up before turn detection."""

    type: Literal["near_field", "far_field"]


class Transcription(msgspec.Struct, frozen=True):
    """Who writes down what the user says."""

    model: str


class ServerVad(msgspec.Struct, frozen=True, tag_field="type", tag="server_vad"):
    """Turn detection by loudness."""

    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    create_response: bool
    interrupt_response: bool


class SemanticVad(msgspec.Struct, frozen=True, tag_field="type", tag="semantic_vad"):
    """Turn detection by the words."""

    eagerness: Literal["low", "medium", "high", "auto"]
    create_response: bool
    interrupt_response: bool


class AudioIn(msgspec.Struct, frozen=True):
    """How sound goes in; None switches a part off."""

    format: Pcm
    noise_reduction: NoiseReduction | None
    transcription: Transcription | None
    turn_detection: ServerVad | SemanticVad | None


class AudioOut(msgspec.Struct, frozen=True):
    """How sound comes out."""

    format: Pcm
    voice: str
    speed: float


class Audio(msgspec.Struct, frozen=True):
    """Both directions of the sound."""

    input: AudioIn
    output: AudioOut


class Function(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool as the model is told of it."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class TokenLimits(msgspec.Struct, frozen=True):
    """How much conversation is kept after the instructions."""

    post_instructions: int


class RetentionRatio(
    msgspec.Struct, frozen=True, tag_field="type", tag="retention_ratio", omit_defaults=True
):
    """When the context is full, this share of it is kept."""

    retention_ratio: float
    token_limits: TokenLimits | None = None


class TurnsIn(msgspec.Struct, frozen=True):
    """Of how sound goes in, only who finds the turns in it."""

    turn_detection: ServerVad | SemanticVad | None
    """None leaves it to whoever holds the button."""


class TurnsAudio(msgspec.Struct, frozen=True):
    """Of the sound, only that."""

    input: TurnsIn


class TurnsConfig(msgspec.Struct, frozen=True, tag_field="type", tag="realtime"):
    """An update that leaves everything as it is but the turn detection.

    A voice in it would make the provider refuse the whole of it once the voice was heard.
    """

    audio: TurnsAudio


class SessionConfig(msgspec.Struct, frozen=True, tag_field="type", tag="realtime"):
    """Everything a session is configured with."""

    output_modalities: Sequence[Literal["audio", "text"]]
    instructions: str
    audio: Audio
    tools: Sequence[Function]
    tool_choice: Literal["auto", "none", "required"]
    max_output_tokens: int
    truncation: RetentionRatio


def config(
    asked: Session,
    tools: Sequence[ToolSpec],
    retention_ratio: float,
    post_instructions: int,
    *,
    interrupts: bool,
) -> SessionConfig:
    """The whole configuration that `asked` stands for; 0 `post_instructions` is no limit.

    `interrupts`: the provider ends an answer by itself when it hears speech.
    """
    pcm = Pcm(WIRE_RATE)
    clean = asked.noise_reduction
    limits = TokenLimits(post_instructions) if post_instructions else None
    return SessionConfig(
        output_modalities=("audio",),
        instructions=asked.instructions,
        audio=Audio(
            AudioIn(
                format=pcm,
                noise_reduction=None if clean == "off" else NoiseReduction(clean),
                transcription=Transcription(asked.transcription) if asked.transcription else None,
                turn_detection=_turn_detection(asked, interrupts),
            ),
            AudioOut(pcm, asked.voice, asked.speed),
        ),
        tools=[Function(tool.name, tool.description, tool.parameters) for tool in tools],
        tool_choice="auto",
        max_output_tokens=asked.max_output_tokens,
        truncation=RetentionRatio(retention_ratio, limits),
    )


def turns(asked: Session, *, on: bool, interrupts: bool) -> TurnsConfig:
    """Turn detection as `asked`, or none."""
    found = _turn_detection(asked, interrupts) if on else None
    return TurnsConfig(TurnsAudio(TurnsIn(found)))


def _turn_detection(asked: Session, interrupts: bool) -> ServerVad | SemanticVad:
    # Providers' defaults differ from their documentation, so every number is said.
    if asked.turn_detection == "semantic_vad":
        return SemanticVad(asked.eagerness, create_response=True, interrupt_response=interrupts)
    return ServerVad(
        threshold=asked.vad_threshold,
        prefix_padding_ms=asked.prefix_padding_ms,
        silence_duration_ms=asked.silence_duration_ms,
        create_response=True,
        interrupt_response=interrupts,
    )
