"""xAI's Grok Voice: OpenAI's events, with a session of another shape, paid by the minute.

Where its words were seen: its guide, and what pipecat, LiveKit and pydantic-ai work around. Its
answers may lack their transcript at the end, its calls come as an event of their own, and there
is no word for how much of an answer was heard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, get_args

import msgspec

from ..core import commands as cmd
from ..core import events as ev
from ..core.settings import Abilities, Session
from . import _events as wire
from . import _session as config
from . import openai
from ._sound import Format, Pcm
from ._way import Way


@dataclass(frozen=True)
class Settings:
    """Where xAI is."""

    url: str = "wss://api.x.ai/v1/realtime"
    """The address of the service."""


def open(session: Session, settings: Settings, tools: config.Told = ()) -> "Dialect":
    """The dialect that asks for `session` with these tools; `instructions` are text already."""
    return Dialect(session, Way(settings.url), tools)


def objections(session: Session, settings: Settings) -> Mapping[tuple[str, ...], str]:
    """What cannot work, by its place in the configuration."""
    found: dict[tuple[str, ...], str] = {}
    if session.turn_detection != "server_vad":
        found["session", "turn_detection"] = 'xAI knows "server_vad" only'
    if session.model.startswith("gpt-"):
        found["session", "model"] = (
            "is OpenAI's: name one of xAI's, as \"grok-voice-think-fast-2.0\""
        )
    if session.voice == Session.voice:
        found["session", "voice"] = "is OpenAI's: xAI has ara, eve, leo, rex and sal"
    return found


# --- what it is told ----------------------------------------------------------------------


class FormatOnly(msgspec.Struct, frozen=True):
    """The form of the sound in one direction."""

    format: Format


class Audio(msgspec.Struct, frozen=True):
    """Both directions."""

    input: FormatOnly
    output: FormatOnly


class SessionConfig(msgspec.Struct, frozen=True):
    """Everything a session is configured with: voice and turn detection stand at the top."""

    voice: str
    instructions: str
    turn_detection: config.ServerVad
    audio: Audio
    tools: Sequence[config.Function | config.Remote]


class BareVad(msgspec.Struct, frozen=True, tag_field="type", tag="server_vad"):
    """Turn detection as xAI likes it."""


class LeastConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is asked for when that is refused."""

    instructions: str
    turn_detection: BareVad
    tools: Sequence[config.Function | config.Remote]
    audio: Audio | None = None


class TurnsConfig(msgspec.Struct, frozen=True):
    """The turn detection alone."""

    turn_detection: config.ServerVad | BareVad | None


class BriefConfig(msgspec.Struct, frozen=True):
    """What changes from one conversation to the next."""

    instructions: str
    tools: Sequence[config.Function | config.Remote]


# --- what it says -------------------------------------------------------------------------


class ConversationShape(msgspec.Struct, frozen=True):
    """What edged reads of a conversation."""

    id: str | None = None


class ConversationCreated(wire.Server, frozen=True, tag="conversation.created"):
    """Often the first thing that xAI says; a session.created may follow or not."""

    conversation: ConversationShape = ConversationShape()


class TranscriptDelta(wire.Server, frozen=True, tag="response.output_audio_transcript.delta"):
    """A piece of the words of an answer's sound."""

    item_id: str
    delta: str
    response_id: str | None = None


class TranscriptDone(wire.Server, frozen=True, tag="response.output_audio_transcript.done"):
    """Their end; the words may have come in pieces only."""

    item_id: str
    response_id: str | None = None
    transcript: str | None = None


class CallDone(wire.Server, frozen=True, tag="response.function_call_arguments.done"):
    """The call of a tool, complete."""

    call_id: str
    name: str
    arguments: str = "{}"
    response_id: str | None = None


Mine = ConversationCreated | TranscriptDelta | TranscriptDone | CallDone

_MINE = {shape.__struct_config__.tag: msgspec.json.Decoder(shape) for shape in get_args(Mine)}
_TEXT = "edged asks for sound only"


class Dialect(openai.Dialect):
    """Encodes commands and decodes events of one session after the other."""

    decoders: ClassVar = {**wire.DECODERS, **_MINE}
    ignored: ClassVar = {
        **{kind: why for kind, why in wire.IGNORED.items() if kind not in _MINE},
        "ping": "the line has pings of its own",
        "conversation.item.input_audio_transcription.updated": "a piece of what comes whole later",
        "response.text.delta": _TEXT,
        "response.text.done": _TEXT,
    }

    def __init__(self, session: Session, way: Way, tools: config.Told) -> None:
        super().__init__(session, way, tools)
        self.abilities = Abilities(
            truncates=False,
            deletes=False,
            announces=False,
            asks_leave=False,
            bills_minutes=True,
        )

    def restart(self) -> None:
        """Forget the last session; the counters go on."""
        super().restart()
        self._words: dict[str, str] = {}
        """What each item has said so far."""
        self._called_for: set[str] = set()
        """The calls that were told: some come twice."""

    # --- ours -------------------------------------------------------------------------

    def _event(self, command: cmd.LinkCommand) -> msgspec.Struct:
        if isinstance(command, cmd.CancelReply):
            # xAI is told to stop what it says, not which of it.
            command = replace(command, reply="")
        return super()._event(command)

    def _whole(self) -> msgspec.Struct:
        sound = FormatOnly(self._sound.format)
        return SessionConfig(
            self._session.voice,
            self._asked().instructions,
            self._server_vad(),
            Audio(sound, sound),
            config.everything(self._tools),
        )

    def _least(self) -> msgspec.Struct:
        sound = FormatOnly(self._sound.format)
        audio = None if isinstance(self._sound.format, Pcm) else Audio(sound, sound)
        tools = config.everything(self._tools)
        return LeastConfig(self._asked().instructions, BareVad(), tools, audio)

    def _turns(self, on: bool) -> msgspec.Struct:
        found = BareVad() if self._limited else self._server_vad()
        return TurnsConfig(found if on else None)

    def _briefed(self) -> msgspec.Struct:
        return BriefConfig(self._asked().instructions, config.everything(self._tools))

    def _server_vad(self) -> config.ServerVad:
        return config.server_vad(self._session, self.interrupts)

    # --- theirs -----------------------------------------------------------------------

    def _understand(self, event: wire.ServerEvent | Mine) -> list[ev.Event]:
        match event:
            case ConversationCreated(conversation):
                return self._created(wire.SessionShape(conversation.id))
            case TranscriptDelta(item, piece, reply):
                self._words[item] = self._words.get(item, "") + piece
                return [ev.ReplyWords(reply or self._reply, item, piece)] if piece else []
            case TranscriptDone(item, reply, transcript):
                words = self._words.pop(item, "")
                text = transcript or words
                return [ev.ReplyText(reply or self._reply, item, text)] if text else []
            case CallDone(call, name, arguments, reply):
                if not name:
                    # The item that follows has it.
                    return []
                shape = wire.ItemShape("function_call", "completed", call, name, arguments)
                return self._called(reply or self._reply, shape)
            case _:
                return super()._understand(event)

    def _called(self, reply: str, item: wire.ItemShape) -> list[ev.Event]:
        if item.call_id in self._called_for:
            return []
        told = super()._called(reply, item)
        if told and item.call_id:
            self._called_for.add(item.call_id)
        return told
