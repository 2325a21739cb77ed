"""The older, flat shape of the protocol: speaches, Azure's preview, and other local servers.

OpenAI called it beta and has switched it off. Settings that are the protocol's defaults are not
sent, since speaches answers those it cannot change with an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from ..core.settings import Abilities, Session
from . import _events as wire
from . import _requests as request
from . import _session as config
from . import openai
from ._way import Authorization, Way

_PADDING_MS = 300
"""The protocol's own `prefix_padding_ms`."""


@dataclass(frozen=True)
class Settings:
    """Where the server is, and what it can do."""

    url: str = "ws://localhost:8000/v1/realtime"
    """The server's address; Azure's preview has its api-version and deployment in it."""
    authorization: Authorization = "bearer"
    """How the key is shown: Azure's preview wants it as api-key."""
    beta_header: bool = False
    """Whether to send the header OpenAI-Beta, which a few servers wait for."""
    truncates: bool = False
    """Whether it can be told how much of an answer was heard; Azure's preview can."""
    cancels: bool = False
    """Whether it can be told to stop making an answer; Azure's preview can."""
    detects_turns: bool = True
    """Whether it hears when somebody has finished; one that does not answers only who holds a
    button (`hold = "push_to_talk"`)."""


def open(session: Session, settings: Settings, tools: config.Told = ()) -> "Dialect":
    """The dialect that asks for `session` with these tools; `instructions` are text already."""
    told = {"OpenAI-Beta": "realtime=v1" if settings.beta_header else ""}
    able = Abilities(
        truncates=settings.truncates,
        cancels=settings.cancels,
        detects_turns=settings.detects_turns,
        announces=False,
        asks_leave=False,
    )
    return Dialect(session, Way(settings.url, settings.authorization, told), tools, able)


def objections(session: Session, settings: Settings) -> Mapping[tuple[str, ...], str]:
    """What cannot work, by its place in the configuration."""
    if session.turn_detection != "server_vad":
        return {("session", "turn_detection"): 'the older shape knows "server_vad" only'}
    return {}


# --- what it is told ----------------------------------------------------------------------


class FlatVad(msgspec.Struct, frozen=True, tag_field="type", tag="server_vad", omit_defaults=True):
    """Turn detection by loudness."""

    threshold: float | UnsetType = UNSET
    prefix_padding_ms: int | UnsetType = UNSET
    silence_duration_ms: int | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET


class FlatSession(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a session is configured with; what is not set is left as it is."""

    modalities: Sequence[str] | UnsetType = UNSET
    """Both words: some servers refuse the one that goes without saying."""
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    speed: float | UnsetType = UNSET
    input_audio_format: str | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    input_audio_noise_reduction: config.NoiseReduction | UnsetType = UNSET
    input_audio_transcription: config.Transcription | UnsetType = UNSET
    turn_detection: FlatVad | UnsetType | None = UNSET
    tools: Sequence[config.Function] | UnsetType = UNSET
    max_response_output_tokens: int | UnsetType = UNSET


# --- what it says -------------------------------------------------------------------------


class OldSoundDelta(wire.SoundDelta, frozen=True, tag="response.audio.delta"):
    """A piece of an answer's sound."""


class OldTranscriptDelta(wire.TranscriptDelta, frozen=True, tag="response.audio_transcript.delta"):
    """A piece of the words of an answer's sound."""


class OldTranscriptDone(wire.TranscriptDone, frozen=True, tag="response.audio_transcript.done"):
    """The words of an answer's sound."""


_OLD = {
    shape.__struct_config__.tag: msgspec.json.Decoder(shape)
    for shape in get_args(OldSoundDelta | OldTranscriptDelta | OldTranscriptDone)
}
_RENAMED = {
    "response.audio.done": "response.output_audio.done",
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
}


class Dialect(openai.Dialect):
    """Encodes commands and decodes events, both of the old names and of the new."""

    decoders: ClassVar = {**wire.DECODERS, **_OLD}
    ignored: ClassVar = {
        **wire.IGNORED,
        **{old: wire.IGNORED[new] for old, new in _RENAMED.items()},
    }

    def __init__(
        self, session: Session, way: Way, tools: config.Told, abilities: Abilities
    ) -> None:
        super().__init__(session, way, tools)
        self.abilities = abilities

    def _whole(self) -> msgspec.Struct:
        asked = self._asked()
        clean: Literal["near_field", "far_field", "off"] = asked.noise_reduction
        return FlatSession(
            modalities=("audio", "text"),
            instructions=asked.instructions,
            voice=asked.voice,
            speed=UNSET if asked.speed == 1 else asked.speed,
            input_audio_format=self._form(),
            output_audio_format=self._form(),
            input_audio_noise_reduction=UNSET if clean == "off" else config.NoiseReduction(clean),
            input_audio_transcription=config.Transcription(asked.transcription)
            if asked.transcription
            else UNSET,
            turn_detection=self._flat_vad(),
            tools=config.functions(self._tools),
            max_response_output_tokens=asked.max_output_tokens,
        )

    def _least(self) -> msgspec.Struct:
        return FlatSession(
            instructions=self._asked().instructions,
            input_audio_format=self._form(),
            output_audio_format=self._form(),
            turn_detection=self._least_vad(),
            tools=config.functions(self._tools),
        )

    def _briefed(self) -> msgspec.Struct:
        tools = config.functions(self._tools)
        return FlatSession(instructions=self._asked().instructions, tools=tools)

    def _turns(self, on: bool) -> msgspec.Struct:
        if not on:
            return FlatSession(turn_detection=None)
        return FlatSession(turn_detection=self._least_vad() if self._limited else self._flat_vad())

    def _form(self) -> str | UnsetType:
        return UNSET if self._session.audio == "pcm" else self._sound.flat

    def _least_vad(self) -> FlatVad | None:
        if not self.abilities.detects_turns:
            return None
        return FlatVad(create_response=True, interrupt_response=self.interrupts)

    def _flat_vad(self) -> FlatVad | None:
        if not self.abilities.detects_turns:
            return None
        asked = self._session
        padding = asked.prefix_padding_ms
        return FlatVad(
            threshold=asked.vad_threshold,
            prefix_padding_ms=UNSET if padding == _PADDING_MS else padding,
            silence_duration_ms=asked.silence_duration_ms,
            create_response=True,
            interrupt_response=self.interrupts,
        )

    def _part(self, who: str, text: str) -> request.Part:
        return request.OldText(text) if who == "assistant" else super()._part(who, text)
