"""Conversations as they stand in the golden files, each line one message or one request.

A file begins with {"dialect": name, "session": {...}, "settings": {...}}. After that
{"theirs": event, "means": [[name, fields], ...]} is heard, and
{"does": "configure" | "restart" | [command, fields], "ours": [event, ...]} is done. Fields that
have their default are left out; sound is base64.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from edged import plugins
from edged.core import commands as cmd
from edged.core.settings import Session, ToolSpec
from edged.dialects import openai

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.jsonl"))
CLOCK = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {}})


def lines(file: Path) -> Iterator[Mapping[str, Any]]:
    """The file's lines, its head first."""
    for text in file.read_text(encoding="utf-8").splitlines():
        line: Mapping[str, Any] = json.loads(text)
        yield line


def dialect(head: Mapping[str, Any]) -> openai.Dialect:
    """The dialect that a file's head names, with one tool."""
    module = plugins.load("dialects", head["dialect"])
    settings = module.Settings(**head.get("settings", {}))
    opened: openai.Dialect = module.open(Session(**head.get("session", {})), settings, [CLOCK])
    opened.interrupts = head.get("interrupts", True)
    return opened


def told(speaker: openai.Dialect, line: Mapping[str, Any]) -> dict[str, Any]:
    """The line as it should be, by what the dialect makes of it."""
    if "theirs" in line:
        means = speaker.decode(json.dumps(line["theirs"]))
        return {"theirs": line["theirs"], "means": [plain(event) for event in means]}
    match line["does"]:
        case "restart":
            speaker.restart()
            return dict(line)
        case "configure":
            texts = [speaker.configure()]
        case name, given:
            sound = {key: b64decode(given[key]) for key in given if key == "samples"}
            texts = speaker.encode(getattr(cmd, name)(**given | sound))
    return {"does": line["does"], "ours": [json.loads(text) for text in texts]}


def plain(event: Any) -> list[Any]:
    """An event by its name and what is said in it."""
    assert is_dataclass(event)
    said = {}
    for field in fields(event):
        value = getattr(event, field.name)
        usual = field.default
        if field.default_factory is not MISSING:
            usual = field.default_factory()
        if value != usual:
            said[field.name] = _plain(value)
    return [type(event).__name__, said]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return plain(value)[1] if is_dataclass(value) else value
