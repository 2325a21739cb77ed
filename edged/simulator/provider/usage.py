"""What a simulated answer would have cost, at the published token rates.

User audio is 1 token per 100 ms, assistant audio 1 per 50 ms, text about 1 per 4 characters. The
whole conversation is input again for every answer; what the previous answer already had as
input, up to the first change, is cached.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

USER_TOKEN_MS = 100
ASSISTANT_TOKEN_MS = 50

_CHARACTERS = 4


@dataclass(frozen=True)
class Tokens:
    """Tokens of one piece of input."""

    key: str
    """Says when two pieces are the same."""
    text: int = 0
    audio: int = 0


def text_tokens(text: str) -> int:
    """About how many tokens `text` is."""
    return math.ceil(len(text) / _CHARACTERS)


def audio_tokens(ms: float, token_ms: int) -> int:
    """How many tokens `ms` of sound are, every beginning one counted."""
    return math.ceil(ms / token_ms)


def preamble(instructions: str, tools: Sequence[Any]) -> Tokens:
    """What stands before the conversation."""
    told = instructions + (json.dumps(tools) if tools else "")
    return Tokens("preamble:" + told, text_tokens(told))


def cached(before: Sequence[Tokens], now: Sequence[Tokens]) -> Tokens:
    """The part of `now` that both have at their beginning."""
    text = audio = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        text, audio = text + new.text, audio + new.audio
    return Tokens("cached", text, audio)


def usage(before: Sequence[Tokens], now: Sequence[Tokens], out: Tokens) -> dict[str, Any]:
    """The `usage` of a response with input `now`, after one that had `before`."""
    kept = cached(before, now)
    text, audio = sum(one.text for one in now), sum(one.audio for one in now)
    return {
        "total_tokens": text + audio + out.text + out.audio,
        "input_tokens": text + audio,
        "output_tokens": out.text + out.audio,
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": audio,
            "image_tokens": 0,
            "cached_tokens": kept.text + kept.audio,
            "cached_tokens_details": {
                "text_tokens": kept.text,
                "audio_tokens": kept.audio,
                "image_tokens": 0,
            },
        },
        "output_token_details": {"text_tokens": out.text, "audio_tokens": out.audio},
    }


def transcription(model: str, seconds: float, transcript: str) -> dict[str, Any]:
    """The `usage` of a transcription: newer models are billed by time, 4o ones by tokens."""
    if not model.startswith("gpt-4o"):
        return {"type": "duration", "seconds": round(seconds, 3)}
    heard = audio_tokens(seconds * 1000, USER_TOKEN_MS)
    written = text_tokens(transcript)
    details: Mapping[str, int] = {"audio_tokens": heard, "text_tokens": 0}
    return {
        "type": "tokens",
        "input_tokens": heard,
        "output_tokens": written,
        "total_tokens": heard + written,
        "input_token_details": details,
    }
