"""The machine's own voice, and what its child may know and do."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from edged import speech
from edged.speech import Settings, Speechless, Spoken, speak

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is a Debian package"
)


def said(text: str, settings: Settings | None = None) -> Spoken:
    return asyncio.run(speak(text, settings or Settings()))


def stranger(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """A program in espeak-ng's place, which nobody may start too."""
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o755)
    program = folder / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(speech, "_PROGRAM", str(program))


@needs_espeak
def test_a_longer_text_is_longer_sound() -> None:
    short, long = said("Dinner."), said("Dinner is ready, and the soup is getting cold.")
    assert short.rate == long.rate
    assert 0.2 < short.seconds < 2 < long.seconds < 5
    assert any(long.samples)


@needs_espeak
@pytest.mark.parametrize(
    "text", ["$(touch /tmp/x); `id` | -w /tmp/y", "--version", "-f /etc/hosts"]
)
def test_what_looks_like_a_command_is_read_out(text: str) -> None:
    assert said(text).seconds > 0.5


@needs_espeak
def test_a_voice_that_is_not_there_is_told_with_its_name() -> None:
    with pytest.raises(Speechless, match="does not exist") as mute:
        said("hello", Settings(voice="klingonese"))
    assert 'espeak-ng -v "klingonese"' in mute.value.hint


def test_without_the_program_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_PROGRAM", "espeak-of-nowhere")
    with pytest.raises(Speechless, match="cannot be started: No such file") as mute:
        said("hello")
    assert mute.value.hint == "sudo apt install espeak-ng"


def test_the_child_knows_nothing_of_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    user = "65534" if os.geteuid() == 0 else str(os.geteuid())
    stranger(monkeypatch, tmp_path, '[ -z "$OPENAI_API_KEY" ] && echo "user $(id -u)" >&2; exit 3')
    with pytest.raises(Speechless, match=f"user {user}$"):
        said("hello")


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("exit 0", "says nothing: status 0"),
        ("exit 4", "says nothing: status 4"),
        ("yes", "would take minutes"),
        ("cat; head -c 100 /dev/zero", "no sound that is known"),
    ],
)
def test_a_child_that_misbehaves_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, complaint: str
) -> None:
    stranger(monkeypatch, tmp_path, script)
    with pytest.raises(Speechless, match=complaint):
        said("hello")


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_PATIENCE_S", 0.3)
    stranger(monkeypatch, tmp_path, "echo $$ >&2; exec sleep 1000")
    with pytest.raises(Speechless, match="does not come to an end"):
        said("hello")


def test_a_child_that_reads_nothing_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger(monkeypatch, tmp_path, "exit 5")
    with pytest.raises(Speechless, match="status 5"):
        said("x" * 1_000_000)
