"""Whole conversations, word for word, in each dialect and through each kind of failure."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

from edged import plugins

from .declared import undeclared
from .golden import FILES, dialect, lines, told

CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
UNDECLARED = {".session[0].id", ".session[0].object", ".session[0].expires_at", ".obfuscation"}
FLAT = [file for file in FILES if next(lines(file))["dialect"] == "legacy"]
GA = [file for file in FILES if next(lines(file))["dialect"] in ("openai", "azure")]

files = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
ga = pytest.mark.parametrize("file", GA, ids=lambda file: file.stem)


@files
def test_word_for_word(file: Path) -> None:
    head, *rest = lines(file)
    speaker = dialect(head)
    for number, line in enumerate(rest, 2):
        assert told(speaker, line) == line, f"line {number}"
    assert speaker.unknown == Counter(head.get("unknown", {}))
    assert not speaker.malformed


@ga
def test_those_of_the_published_protocol_are_its_own_language(file: Path) -> None:
    _, *rest = lines(file)
    for number, line in enumerate(rest, 2):
        for ours in line.get("ours", ()):
            assert undeclared(CLIENT.validate_python(ours)) == [], f"line {number}"
        if "theirs" in line:
            event = SERVER.validate_python(line["theirs"])
            assert type(event).model_fields["type"].annotation is not None, f"line {number}"
            assert set(undeclared(event)) <= UNDECLARED, f"line {number}"


@pytest.mark.parametrize("file", FLAT, ids=lambda file: file.stem)
def test_those_of_the_older_shape_are_what_it_was_published_as(file: Path) -> None:
    beta = pytest.importorskip("openai.types.beta.realtime")
    client: TypeAdapter[Any] = TypeAdapter(beta.RealtimeClientEvent)
    _, *rest = lines(file)
    for number, line in enumerate(rest, 2):
        for ours in line.get("ours", ()):
            assert undeclared(client.validate_python(ours)) == [], f"line {number}"


def test_there_is_one_for_every_dialect() -> None:
    assert {next(lines(file))["dialect"] for file in FILES} == set(plugins.drivers("dialects"))
    assert set(plugins.drivers("dialects")) <= {file.stem for file in FILES}
