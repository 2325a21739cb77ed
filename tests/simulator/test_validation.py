"""The simulated server takes everything that the speaker itself says."""

from typing import Literal

import pytest

from edged.core import commands as cmd
from edged.core.settings import Session, ToolSpec
from edged.dialects import openai
from edged.simulator.provider import configuration, validation

TOOLS = [ToolSpec("get_time", "The time.", {"type": "object", "properties": {}})]
TURNS: tuple[Literal["server_vad", "semantic_vad"], ...] = ("server_vad", "semantic_vad")
NOISE: tuple[Literal["near_field", "far_field", "off"], ...] = ("near_field", "far_field", "off")
SESSIONS = [
    Session(turn_detection=turns, noise_reduction=noise, transcription=transcription)
    for turns in TURNS
    for noise in NOISE
    for transcription in ("", "gpt-transcribe")
]
COMMANDS: list[cmd.LinkCommand] = [
    cmd.SendAudio(bytes(960)),
    cmd.DetectTurns(False),
    cmd.DetectTurns(True),
    cmd.CommitInput(),
    cmd.ClearInput(),
    cmd.AskReply(),
    cmd.AskReply("Dinner is ready."),
    cmd.CancelReply(""),
    cmd.CancelReply("resp_1"),
    cmd.TruncateReply("item_1", 0, 250),
    cmd.DeleteItem("item_1"),
    cmd.Approve("mcpr_1", allowed=False),
    cmd.AnswerTool("call_1", '{"time": "nine"}'),
]


@pytest.mark.parametrize("session", SESSIONS, ids=str)
@pytest.mark.parametrize("limit", [0, 8000])
def test_every_configuration_is_taken(session: Session, limit: int) -> None:
    settings = openai.Settings(post_instructions_tokens=limit)
    event = validation.read(openai.open(session, settings, TOOLS).configure())
    asked = event["session"]
    config = configuration.updated(configuration.default(session.model), asked, False)
    assert config["audio"]["input"]["turn_detection"]["type"] == session.turn_detection
    assert config["tools"][0]["name"] == "get_time"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_every_command_is_taken(command: cmd.LinkCommand) -> None:
    texts = openai.open(Session(), openai.Settings()).encode(command)
    assert texts
    for text in texts:
        assert validation.read(text)["type"]
