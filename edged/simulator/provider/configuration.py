"""The configuration of a simulated session, and how `session.update` changes it: all or nothing."""

import copy
from collections.abc import Mapping
from typing import Any

from .shapes import Refusal

_SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
_TURN_DETECTION = {"server_vad": _SERVER_VAD, "semantic_vad": _SEMANTIC_VAD}
_INSTRUCTIONS = (
    "Your knowledge cutoff is 2023-10. You are a helpful, witty, and friendly AI. Act like a "
    "human, but remember that you aren't a human and that you can't do human things in the real "
    "world. Your voice and personality should be warm and engaging."
)


def default(model: str) -> dict[str, Any]:
    """What a session is configured with before its first update."""
    pcm = {"type": "audio/pcm", "rate": 24000}
    return {
        "type": "realtime",
        "model": model,
        "output_modalities": ["audio"],
        "instructions": _INSTRUCTIONS,
        "audio": {
            "input": {
                "format": dict(pcm),
                "noise_reduction": None,
                "transcription": None,
                "turn_detection": dict(_SERVER_VAD),
            },
            "output": {"format": dict(pcm), "voice": "marin", "speed": 1.0},
        },
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "prompt": None,
        "tracing": None,
        "include": None,
    }


def updated(
    current: Mapping[str, Any], update: Mapping[str, Any], voice_locked: bool
) -> dict[str, Any]:
    """`current` with the fields that are present in `update`, which was checked for its shape.

    Raises `Refusal` when one of them cannot be changed, and then nothing is.
    """
    if update.get("model", current["model"]) != current["model"]:
        raise Refusal("invalid_value", "Cannot update a session's model.", "session.model")
    audio = update.get("audio", {})
    if voice_locked and "voice" in audio.get("output", {}):
        raise voice_refusal("session.audio.output.voice")
    if "reasoning" in update and not current["model"].startswith("gpt-realtime-2"):
        raise Refusal(
            "invalid_value", "This model does not support reasoning.", "session.reasoning"
        )
    result = copy.deepcopy(dict(current))
    result.update({name: value for name, value in update.items() if name != "audio"})
    result["audio"]["output"].update(audio.get("output", {}))
    sound_in = result["audio"]["input"]
    for name, value in audio.get("input", {}).items():
        sound_in[name] = _input(name, sound_in[name], value)
    for side in ("input", "output"):
        form = result["audio"][side]["format"]
        if form["type"] == "audio/pcm":
            form.setdefault("rate", 24000)
    return result


def voice_refusal(param: str) -> Refusal:
    """Why a voice cannot be changed after it was heard."""
    return Refusal(
        "cannot_update_voice",
        "Cannot update a conversation's voice if assistant audio is present.",
        param,
    )


def _input(name: str, old: Any, new: Any) -> Any:
    if new is None or name == "format":
        return copy.deepcopy(new)
    if name == "turn_detection":
        same = old is not None and old["type"] == new["type"]
        return {**(old if same else _TURN_DETECTION[new["type"]]), **new}
    if name == "noise_reduction":
        return {**(old or {"strength": 1.0}), **new}
    return {**(old or {}), **new}
