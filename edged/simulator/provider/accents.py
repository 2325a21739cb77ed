"""Other shapes of the protocol, translated from and to OpenAI's GA, which the session speaks.

As strictly as those who speak them: what one of them does not know is refused in its own name.
The log keeps everything in the GA's words.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import validation
from .shapes import Check, Refusal, anything, choice, nullable, record, tagged

Event = dict[str, Any]
Name = Literal["openai", "azure", "legacy", "xai"]


@dataclass(frozen=True)
class Accent:
    """How one kind of server speaks."""

    path: str = "/v1/realtime"
    """Where its sessions are."""
    key_header: str = "Authorization"
    """Where it looks for the key."""
    beta: bool = False
    """Whether the header OpenAI-Beta is right."""
    understand: Callable[[Event], Event] = lambda event: event
    """A client's event in the GA's words, which are checked after it; raises `Refusal`."""
    say: Callable[[Event], Iterator[Event]] = lambda event: iter((event,))
    """What a server's event becomes."""

    def read(self, message: str | bytes) -> Event:
        """One client event, checked; raises `Refusal`."""
        event = self.understand(validation.parse(message))
        validation.CLIENT_EVENT(event, "")
        return event


# --- the older, flat shape ----------------------------------------------------------------

_RENAMED = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "conversation.item.added": "conversation.item.created",
}
_FORMS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_FORM = choice(*_FORMS)
_FLAT = record(
    {
        "modalities": anything,
        "instructions": anything,
        "voice": anything,
        "speed": anything,
        "input_audio_format": _FORM,
        "output_audio_format": _FORM,
        "input_audio_transcription": anything,
        "input_audio_noise_reduction": anything,
        "turn_detection": nullable(tagged("type", {"server_vad": lambda value, at: None})),
        "tools": anything,
        "tool_choice": anything,
        "temperature": anything,
        "max_response_output_tokens": anything,
    }
)
_IN = {
    "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction",
    "turn_detection": "turn_detection",
}
_OUT = {"voice": "voice", "speed": "speed"}
_TOP = {
    "instructions": "instructions",
    "tools": "tools",
    "tool_choice": "tool_choice",
    "max_response_output_tokens": "max_output_tokens",
}
_UNSUPPORTED = ("conversation.item.truncate", "response.cancel")
"""What speaches cannot do."""


def _from_flat(event: Event) -> Event:
    match event.get("type"):
        case "session.update":
            session = _configuration(event, _FLAT)
            if sorted(session.get("modalities", ("audio", "text"))) != ["audio", "text"]:
                raise Refusal("invalid_value", "Both modalities are needed.", "session.modalities")
            sides = {"input": _moved(session, _IN), "output": _moved(session, _OUT)}
            for side, given in sides.items():
                if (form := session.get(f"{side}_audio_format")) is not None:
                    given["format"] = {"type": _FORMS[form]}
            config = {"type": "realtime", **_moved(session, _TOP), "audio": sides}
            return event | {"session": config}
        case "conversation.item.create":
            return event | {"item": _parts(event.get("item"), {"text": "output_text"}, "text")}
        case kind if kind in _UNSUPPORTED:
            raise Refusal(None, f"Event type `{kind}` is not supported.")
    return event


def _to_flat(event: Event) -> Iterator[Event]:
    kind = event["type"]
    if kind == "conversation.item.done":
        return
    told = event | {"type": _RENAMED.get(kind, kind)}
    if kind in ("session.created", "session.updated"):
        told["session"] = _flat(event["session"])
    if "item" in event:
        told["item"] = _parts(event["item"], {"output_audio": "audio", "output_text": "text"})
    yield told


def _flat(session: Mapping[str, Any]) -> Event:
    sound_in, sound_out = session["audio"]["input"], session["audio"]["output"]
    old = {new: name for name, new in _FORMS.items()}
    return {
        **{name: session[name] for name in ("id", "object", "expires_at", "model")},
        "modalities": ["audio", "text"],
        "input_audio_format": old[sound_in["format"]["type"]],
        "output_audio_format": old[sound_out["format"]["type"]],
        **{name: sound_in[new] for name, new in _IN.items()},
        **{name: sound_out[new] for name, new in _OUT.items()},
        **{name: session[new] for name, new in _TOP.items()},
    }


# --- xAI ----------------------------------------------------------------------------------

_XAI = record(
    {
        "voice": anything,
        "instructions": anything,
        "turn_detection": nullable(tagged("type", {"server_vad": lambda value, at: None})),
        "audio": record(
            {"input": record({"format": anything}), "output": record({"format": anything})}
        ),
        "tools": anything,
    }
)
_UNKNOWN = ("conversation.item.truncate", "conversation.item.delete")
"""What its guide has no word for."""


def _from_xai(event: Event) -> Event:
    match event.get("type"):
        case "session.update":
            session = _configuration(event, _XAI)
            sound = session.get("audio", {})
            sides = {
                "input": sound.get("input", {})
                | _moved(session, {"turn_detection": "turn_detection"}),
                "output": sound.get("output", {}) | _moved(session, {"voice": "voice"}),
            }
            top = _moved(session, {"instructions": "instructions", "tools": "tools"})
            return event | {"session": {"type": "realtime", **top, "audio": sides}}
        case "response.cancel" if "response_id" in event:
            raise Refusal("invalid_argument", "response.cancel takes no response_id")
        case kind if kind in _UNKNOWN:
            raise Refusal("invalid_argument", f"unknown event: {kind}")
    return event


def _to_xai(event: Event) -> Iterator[Event]:
    told = dict(event)
    match event["type"]:
        case "session.created":
            at = {"event_id": event["event_id"]}
            conversation = {
                "id": f"conv_{event['session']['id']}",
                "object": "realtime.conversation",
            }
            yield {"type": "conversation.created", **at, "conversation": conversation}
            yield {"type": "ping", **at, "timestamp": 0}
            told["session"] = _flat_top(event["session"])
        case "session.updated":
            told["session"] = _flat_top(event["session"])
        case "response.output_audio_transcript.done":
            # Its words have come in pieces.
            del told["transcript"]
        case "response.done":
            told["response"] = event["response"] | {"usage": {}}
        case "error":
            told["error"] = event["error"] | {"code": "invalid_argument"}
    yield told


def _flat_top(session: Mapping[str, Any]) -> Event:
    sound = session["audio"]
    return {
        "id": session["id"],
        "model": session["model"],
        "instructions": session["instructions"],
        "voice": sound["output"]["voice"],
        "turn_detection": sound["input"]["turn_detection"],
        "audio": {side: {"format": sound[side]["format"]} for side in ("input", "output")},
        "tools": session["tools"],
    }


# --- both ---------------------------------------------------------------------------------


def _configuration(event: Event, shape: Check) -> Event:
    session = event.get("session")
    shape(session, "session")
    assert isinstance(session, dict)
    return session


def _moved(given: Mapping[str, Any], names: Mapping[str, str]) -> Event:
    return {new: given[name] for name, new in names.items() if name in given}


def _parts(item: Any, names: Mapping[str, str], *only: str) -> Any:
    """An item whose parts have other names; those not in `only`, if any, are refused."""
    if not isinstance(item, dict) or not isinstance(item.get("content"), list):
        return item
    content = []
    for part in item["content"]:
        kind = str(part.get("type")) if isinstance(part, dict) else ""
        if only and item.get("role") == "assistant" and kind not in only:
            raise Refusal("invalid_value", f"Invalid value: '{kind}'.", "item.content")
        content.append(part | {"type": names[kind]} if kind in names else part)
    return item | {"content": content}


ACCENTS: Mapping[Name, Accent] = {
    "openai": Accent(),
    "azure": Accent(path="/openai/v1/realtime", key_header="api-key"),
    "legacy": Accent(beta=True, understand=_from_flat, say=_to_flat),
    "xai": Accent(understand=_from_xai, say=_to_xai),
}
"""By the name of edged's dialect that speaks to it."""
