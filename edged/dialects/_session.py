"""What a Realtime session is configured with, in OpenAI's GA shape."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ..core.settings import RemoteTools, Session, ToolSpec
from ._sound import Format, Pcm


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


class PlainVad(msgspec.Struct, frozen=True, tag_field="type", tag="server_vad"):
    """Turn detection by loudness, as the provider likes it."""

    create_response: bool
    interrupt_response: bool


TurnDetection = ServerVad | SemanticVad | PlainVad


class AudioIn(msgspec.Struct, frozen=True):
    """How sound goes in; None switches a part off."""

    format: Format
    noise_reduction: NoiseReduction | None
    transcription: Transcription | None
    turn_detection: TurnDetection | None


class AudioOut(msgspec.Struct, frozen=True):
    """How sound comes out."""

    format: Format
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


class Remote(msgspec.Struct, frozen=True, tag_field="type", tag="mcp"):
    """A server of tools that the provider calls by itself."""

    server_label: str
    server_url: str
    allowed_tools: Sequence[str]
    require_approval: Literal["never", "always"]


Told = Sequence[ToolSpec | RemoteTools]
"""Tools of this box and of servers elsewhere."""


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

    turn_detection: TurnDetection | None
    """None leaves it to whoever holds the button."""


class TurnsAudio(msgspec.Struct, frozen=True):
    """Of the sound, only that."""

    input: TurnsIn


class TurnsConfig(msgspec.Struct, frozen=True, tag_field="type", tag="realtime"):
    """An update that leaves everything as it is but the turn detection.

    A voice in it would make the provider refuse the whole of it once the voice was heard.
    """

    audio: TurnsAudio


class BriefConfig(msgspec.Struct, frozen=True, tag_field="type", tag="realtime"):
    """An update of what changes from one conversation to the next, and of nothing else."""

    instructions: str
    tools: Sequence[Function | Remote]


class SessionConfig(msgspec.Struct, frozen=True, tag_field="type", tag="realtime"):
    """Everything a session is configured with."""

    output_modalities: Sequence[Literal["audio", "text"]]
    instructions: str
    audio: Audio
    tools: Sequence[Function | Remote]
    tool_choice: Literal["auto", "none", "required"]
    max_output_tokens: int
    truncation: RetentionRatio | Literal["auto"]


class LeastIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of how sound goes in, only what nothing works without."""

    turn_detection: PlainVad
    format: Format | None = None


class LeastOut(msgspec.Struct, frozen=True):
    """Of how sound comes out, the same."""

    format: Format


class LeastAudio(msgspec.Struct, frozen=True, omit_defaults=True):
    """Both directions."""

    input: LeastIn
    output: LeastOut | None = None


class LeastConfig(msgspec.Struct, frozen=True, tag_field="type", tag="realtime"):
    """What is asked of a provider that refused to be asked for everything."""

    instructions: str
    audio: LeastAudio
    tools: Sequence[Function | Remote]


def config(
    asked: Session,
    tools: Told,
    sound: Format,
    kept: RetentionRatio | None,
    found: TurnDetection,
) -> SessionConfig:
    """The whole configuration that `asked` stands for.

    `sound` is its form, `kept` how much of a long conversation stays (None for what the provider
    likes), `found` who finds the turns.
    """
    clean = asked.noise_reduction
    return SessionConfig(
        output_modalities=("audio",),
        instructions=asked.instructions,
        audio=Audio(
            AudioIn(
                format=sound,
                noise_reduction=None if clean == "off" else NoiseReduction(clean),
                transcription=Transcription(asked.transcription) if asked.transcription else None,
                turn_detection=found,
            ),
            AudioOut(sound, asked.voice, asked.speed),
        ),
        tools=everything(tools),
        tool_choice="auto",
        max_output_tokens=asked.max_output_tokens,
        truncation=kept or "auto",
    )


def least(asked: Session, tools: Told, sound: Format, found: PlainVad) -> LeastConfig:
    """Only what nothing works without; PCM is what every provider begins with."""
    if isinstance(sound, Pcm):
        audio = LeastAudio(LeastIn(found))
    else:
        audio = LeastAudio(LeastIn(found, sound), LeastOut(sound))
    return LeastConfig(asked.instructions, audio, functions(tools))


def turns(found: TurnDetection | None) -> TurnsConfig:
    """That alone; None for no turn detection."""
    return TurnsConfig(TurnsAudio(TurnsIn(found)))


def everything(tools: Told) -> Sequence[Function | Remote]:
    """The tools as the model is told of them, with the servers that the provider calls."""
    servers = [tool for tool in tools if isinstance(tool, RemoteTools)]
    return [
        *functions(tools),
        *(
            Remote(
                each.server_label,
                each.server_url,
                each.allowed_tools,
                "never" if each.require_approval == "never" else "always",
            )
            for each in servers
        ),
    ]


def functions(tools: Told) -> Sequence[Function]:
    """The tools of this box."""
    mine = [tool for tool in tools if isinstance(tool, ToolSpec)]
    return [Function(tool.name, tool.description, tool.parameters) for tool in mine]


def retention(ratio: float, post_instructions: int) -> RetentionRatio:
    """How much of a long conversation stays; 0 `post_instructions` is no limit."""
    return RetentionRatio(ratio, TokenLimits(post_instructions) if post_instructions else None)


def turn_detection(asked: Session, interrupts: bool) -> ServerVad | SemanticVad:
    """As `asked`; `interrupts`: the provider ends an answer by itself when it hears speech."""
    if asked.turn_detection == "semantic_vad":
        return SemanticVad(asked.eagerness, create_response=True, interrupt_response=interrupts)
    return server_vad(asked, interrupts)


def server_vad(asked: Session, interrupts: bool) -> ServerVad:
    """The kind that goes by loudness."""
    # Providers' defaults differ from their documentation, so every number is said.
    return ServerVad(
        threshold=asked.vad_threshold,
        prefix_padding_ms=asked.prefix_padding_ms,
        silence_duration_ms=asked.silence_duration_ms,
        create_response=True,
        interrupt_response=interrupts,
    )
