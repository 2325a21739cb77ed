"""Every client event of the GA Realtime protocol, as strictly as the real server takes it."""

import json
from collections.abc import Mapping
from typing import Any

from .shapes import (
    Check,
    Refusal,
    anything,
    choice,
    either,
    flag,
    integer,
    listing,
    nullable,
    number,
    record,
    strings,
    table,
    tagged,
    text,
)

LONGEST_APPEND = 15 * 2**20
"""Bytes of sound that one `input_audio_buffer.append` may carry."""
LONGEST_TEXT = 256_000
"""Characters of one `input_text`."""

_LONGEST_EVENT_ID = 512
_MUCH = 2**53


def read(message: str | bytes) -> dict[str, Any]:
    """One client event, checked; raises `Refusal`.

    The identity of a refused event is found with `event_id`.
    """
    event = parse(message)
    CLIENT_EVENT(event, "")
    return event


def parse(message: str | bytes) -> dict[str, Any]:
    """The same, not yet checked by `CLIENT_EVENT`; raises `Refusal`."""
    if isinstance(message, bytes):
        raise Refusal("invalid_event", "Events must be sent as text frames.")
    try:
        event = json.loads(message)
    except ValueError as error:
        raise Refusal("invalid_event", f"Could not parse the event as JSON: {error}") from error
    if not isinstance(event, dict):
        raise Refusal("invalid_event", "An event must be a JSON object.")
    return event


def event_id(message: str | bytes) -> str | None:
    """The `event_id` of a client event that may be wrong in every other respect."""
    try:
        event = json.loads(message)
    except ValueError:
        return None
    told = event.get("event_id") if isinstance(event, dict) else None
    return told if isinstance(told, str) else None


def _kind(optional: Mapping[str, Check], required: Mapping[str, Check] | None = None) -> Check:
    return record({"type": anything, **optional}, required)


_STATUS = choice("completed", "incomplete", "in_progress")
_FORMAT = tagged(
    "type",
    {
        "audio/pcm": _kind({"rate": integer(24000, 24000)}),
        "audio/pcmu": _kind({}),
        "audio/pcma": _kind({}),
    },
)
_VOICE = either({str: text(), dict: record(required={"id": text()})}, "a string or an object")
_TOKENS = either(
    {int: integer(1, 4096), str: choice("inf")}, "an integer between 1 and 4096 or 'inf'"
)
_MODALITIES = listing(choice("audio", "text"), 1, 1)
_EFFORT = record({"effort": choice("minimal", "low", "medium", "high", "xhigh")})
_PROMPT = nullable(
    record({"version": nullable(text()), "variables": nullable(table)}, {"id": text()})
)

_FUNCTION = _kind({"description": text(), "parameters": table}, {"name": text(64)})
_MCP = _kind(
    {
        "server_url": text(),
        "connector_id": text(),
        "tunnel_id": text(),
        "authorization": text(),
        "headers": nullable(table),
        "allowed_tools": anything,
        "require_approval": anything,
        "server_description": text(),
        "defer_loading": flag,
        "allowed_callers": anything,
    },
    {"server_label": text()},
)
_TOOLS = listing(tagged("type", {"function": _FUNCTION, "mcp": _MCP}))
_TOOL_CHOICE = either(
    {
        str: choice("none", "auto", "required"),
        dict: tagged(
            "type",
            {
                "function": _kind({}, {"name": text()}),
                "mcp": _kind({"name": nullable(text())}, {"server_label": text()}),
            },
        ),
    },
    "a string or an object",
)
_TURN_DETECTION = nullable(
    tagged(
        "type",
        {
            "server_vad": _kind(
                {
                    "threshold": number(0, 1),
                    "prefix_padding_ms": integer(0, 10_000),
                    "silence_duration_ms": integer(0, 10_000),
                    "idle_timeout_ms": nullable(integer(5000, 30_000)),
                    "create_response": flag,
                    "interrupt_response": flag,
                }
            ),
            "semantic_vad": _kind(
                {
                    "eagerness": choice("low", "medium", "high", "auto"),
                    "create_response": flag,
                    "interrupt_response": flag,
                }
            ),
        },
    )
)
_TRANSCRIPTION = nullable(
    record(
        {
            "model": text(),
            "language": text(),
            "languages": listing(text()),
            "keywords": listing(text()),
            "prompt": text(),
            "delay": choice("minimal", "low", "medium", "high", "xhigh"),
        }
    )
)
_AUDIO_IN = record(
    {
        "format": _FORMAT,
        "noise_reduction": nullable(
            record({"type": choice("near_field", "far_field"), "strength": number(0, 1)})
        ),
        "transcription": _TRANSCRIPTION,
        "turn_detection": _TURN_DETECTION,
    }
)
_AUDIO_OUT = record({"format": _FORMAT, "voice": _VOICE, "speed": number(0.25, 1.5)})
_TRUNCATION = either(
    {
        str: choice("auto", "disabled"),
        dict: tagged(
            "type",
            {
                "retention_ratio": _kind(
                    {"token_limits": record({"post_instructions": integer(0, _MUCH)})},
                    {"retention_ratio": number(0, 1)},
                )
            },
        ),
    },
    "a string or an object",
)
_TRACING = either(
    {
        str: choice("auto"),
        dict: record({"workflow_name": text(), "group_id": text(), "metadata": table}),
    },
    "a string or an object",
)
_SESSION = record(
    {
        "model": text(),
        "output_modalities": _MODALITIES,
        "instructions": text(),
        "audio": record({"input": _AUDIO_IN, "output": _AUDIO_OUT}),
        "tools": _TOOLS,
        "tool_choice": _TOOL_CHOICE,
        "parallel_tool_calls": flag,
        "reasoning": _EFFORT,
        "max_output_tokens": _TOKENS,
        "truncation": _TRUNCATION,
        "prompt": _PROMPT,
        "tracing": nullable(_TRACING),
        "include": nullable(listing(choice("item.input_audio_transcription.logprobs"))),
    },
    {"type": choice("realtime")},
)

_ITEM_HEAD = {"id": text(), "object": choice("realtime.item"), "status": _STATUS}
_INPUT_TEXT = _kind({}, {"text": text(LONGEST_TEXT)})


def _message(parts: Mapping[str, Check]) -> Check:
    return _kind({**_ITEM_HEAD, "role": anything}, {"content": listing(tagged("type", parts), 1)})


_MESSAGE = tagged(
    "role",
    {
        "system": _message({"input_text": _INPUT_TEXT}),
        "user": _message(
            {
                "input_text": _INPUT_TEXT,
                "input_audio": _kind({"transcript": nullable(text())}, {"audio": text()}),
                "input_image": _kind(
                    {"detail": choice("auto", "low", "high")}, {"image_url": text()}
                ),
            }
        ),
        # A client cannot put sound into the model's mouth.
        "assistant": _message({"output_text": _INPUT_TEXT}),
    },
)
_ITEMS: Mapping[str, Check] = {
    "message": _MESSAGE,
    "function_call": _kind(
        {**_ITEM_HEAD, "call_id": text()}, {"name": text(), "arguments": text()}
    ),
    "function_call_output": _kind(_ITEM_HEAD, {"call_id": text(), "output": text()}),
    "mcp_approval_response": _kind(
        {**_ITEM_HEAD, "reason": nullable(text())},
        {"approval_request_id": text(), "approve": flag},
    ),
}
_REFERENCE = {"item_reference": _kind({}, {"id": text()})}

_RESPONSE = record(
    {
        "audio": record({"output": record({"format": _FORMAT, "voice": _VOICE})}),
        "conversation": choice("auto", "none"),
        "input": listing(tagged("type", {**_ITEMS, **_REFERENCE})),
        "instructions": text(),
        "max_output_tokens": _TOKENS,
        "metadata": nullable(strings(16, 64, 512)),
        "output_modalities": _MODALITIES,
        "parallel_tool_calls": flag,
        "prompt": _PROMPT,
        "reasoning": _EFFORT,
        "tool_choice": _TOOL_CHOICE,
        "tools": _TOOLS,
    }
)


def _event(
    optional: Mapping[str, Check] | None = None, required: Mapping[str, Check] | None = None
) -> Check:
    return _kind({"event_id": text(_LONGEST_EVENT_ID), **(optional or {})}, required)


CLIENT_EVENT = tagged(
    "type",
    {
        "session.update": _event(required={"session": _SESSION}),
        "input_audio_buffer.append": _event(required={"audio": text()}),
        "input_audio_buffer.commit": _event(),
        "input_audio_buffer.clear": _event(),
        "conversation.item.create": _event(
            {"previous_item_id": nullable(text())}, {"item": tagged("type", _ITEMS)}
        ),
        "conversation.item.truncate": _event(
            required={
                "item_id": text(),
                "content_index": integer(0, 0),
                "audio_end_ms": integer(0, _MUCH),
            }
        ),
        "conversation.item.delete": _event(required={"item_id": text()}),
        "conversation.item.retrieve": _event(required={"item_id": text()}),
        "response.create": _event({"response": _RESPONSE}),
        "response.cancel": _event({"response_id": text()}),
    },
)
"""Checks one client event; `output_audio_buffer.clear` is for other transports and refused."""
