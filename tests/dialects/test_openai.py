"""The GA dialect, told as a conversation and checked against the provider's own types."""

import json
import struct
from base64 import b64decode, b64encode
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

from edged.core import commands as cmd
from edged.core import events as ev
from edged.core.commands import LinkCommand
from edged.core.events import (
    ApprovalAsked,
    Event,
    LinkDown,
    LinkReady,
    ReplyDone,
    RequestRefused,
    Trouble,
)
from edged.core.settings import RemoteTools, Session, ToolSpec
from edged.dialects import openai
from edged.dialects._events import DECODERS, IGNORED

from .declared import Json, Style, instance, server_events, undeclared

CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
UNDECLARED = {".session[0].id", ".session[0].object", ".session[0].expires_at", ".obfuscation"}
CLOCK = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {}})
STYLES: tuple[Style, ...] = ("bare", "null", "full")


def _dialect(**asked: Any) -> openai.Dialect:
    return openai.open(Session(**asked), openai.Settings(), [CLOCK])


def _hear(dialect: openai.Dialect, kind: str, **fields: Any) -> list[Event]:
    return dialect.decode(json.dumps({"type": kind, **fields}))


def _done(dialect: openai.Dialect, **response: Any) -> ReplyDone:
    (event,) = _hear(dialect, "response.done", response=response)
    assert isinstance(event, ReplyDone)
    return event


def _error(dialect: openai.Dialect, **error: Any) -> Event:
    (event,) = _hear(dialect, "error", error=error)
    return event


# --- what edged sends ---------------------------------------------------------------------

COMMANDS: list[LinkCommand] = [
    cmd.SendAudio(bytes(960)),
    cmd.Brief(),
    cmd.DetectTurns(False),
    cmd.DetectTurns(True),
    cmd.CommitInput(),
    cmd.ClearInput(),
    cmd.AskReply(),
    cmd.AskReply("Dinner is ready."),
    cmd.CancelReply("r"),
    cmd.CancelReply(""),
    cmd.TruncateReply("i", 0, 1234),
    cmd.DeleteItem("i"),
    cmd.AnswerTool("c", '{"error": "“no”"}'),
    cmd.Approve("mcpr_1", allowed=True),
    cmd.Approve("mcpr_1", allowed=False),
    *(cmd.Recall(who, "so it was") for who in ("user", "assistant", "system")),
]


def _valid(text: str) -> Json:
    """The event in `text`, when the provider's own types take it and know all of its names."""
    assert undeclared(CLIENT.validate_json(text)) == []
    event: Json = json.loads(text)
    assert event.get("event_id") != ""
    return event


def test_what_is_to_be_said_is_said_as_it_is_given_and_calls_no_tool() -> None:
    (text,) = openai.open(Session(), openai.Settings()).encode(cmd.AskReply('Say "hi".'))
    asked = _valid(text)["response"]
    (given,) = asked["input"]
    assert given["role"] == "user"
    assert given["content"] == [{"type": "input_text", "text": 'Say "hi".'}]
    assert "word for word" in asked["instructions"]
    assert (asked["tools"], asked["tool_choice"]) == ([], "none")
    assert "conversation" not in asked, "it is part of the conversation"


def test_every_command_that_reaches_the_line_is_tried_here() -> None:
    reach_the_line = set(get_args(LinkCommand)) - {cmd.SendNoise}
    assert {type(command) for command in COMMANDS} == reach_the_line


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_the_provider_takes_every_command(command: LinkCommand) -> None:
    (text,) = _dialect().encode(command)
    _valid(text)


@given(st.builds(cmd.AnswerTool, st.text(), st.text()) | st.builds(cmd.DeleteItem, st.text()))
def test_any_text_survives_the_wire(command: cmd.AnswerTool | cmd.DeleteItem) -> None:
    (text,) = _dialect().encode(command)
    event = _valid(text)
    if isinstance(command, cmd.AnswerTool):
        assert event["item"]["output"] == command.output
    else:
        assert event["item_id"] == command.item


@pytest.mark.parametrize("noise_reduction", ["near_field", "far_field", "off"])
@pytest.mark.parametrize("transcription", ["gpt-transcribe", ""])
@pytest.mark.parametrize("turn_detection", ["server_vad", "semantic_vad"])
def test_the_provider_takes_every_configuration(
    noise_reduction: str, transcription: str, turn_detection: str
) -> None:
    dialect = _dialect(
        noise_reduction=noise_reduction,
        transcription=transcription,
        turn_detection=turn_detection,
        eagerness="low",
    )
    session = _valid(dialect.configure())["session"]
    sound = session["audio"]["input"]
    reduced = None if noise_reduction == "off" else {"type": noise_reduction}
    assert sound["noise_reduction"] == reduced
    assert sound["transcription"] == ({"model": transcription} if transcription else None)
    assert sound["turn_detection"]["type"] == turn_detection
    assert sound["turn_detection"]["create_response"] is True
    assert sound["turn_detection"]["interrupt_response"] is True
    assert session["tools"] == [
        {
            "type": "function",
            "name": "clock",
            "description": "Tells the time.",
            "parameters": {"type": "object", "properties": {}},
        }
    ]


NUMBERS = {"vad_threshold": 0.7, "prefix_padding_ms": 123, "silence_duration_ms": 456}


@pytest.mark.parametrize("interrupts", [True, False])
@pytest.mark.parametrize("eagerness", ["low", "medium", "high", "auto"])
@pytest.mark.parametrize("turn_detection", ["server_vad", "semantic_vad"])
def test_turn_detection_is_switched_back_on_as_it_was_configured(
    turn_detection: str, eagerness: str, interrupts: bool
) -> None:
    dialect = _dialect(turn_detection=turn_detection, eagerness=eagerness, **NUMBERS)
    dialect.interrupts = interrupts
    first = _valid(dialect.configure())["session"]["audio"]["input"]["turn_detection"]
    told = {"type": turn_detection, "create_response": True, "interrupt_response": interrupts}
    if turn_detection == "server_vad":
        told |= {"threshold": 0.7, "prefix_padding_ms": 123, "silence_duration_ms": 456}
    else:
        told |= {"eagerness": eagerness}
    assert first == told
    for on in (False, True, False, True):
        (text,) = dialect.encode(cmd.DetectTurns(on))
        update = _valid(text)
        # The voice above all stays away: it cannot be named once it was heard.
        turns = {"turn_detection": first if on else None}
        assert update["session"] == {"type": "realtime", "audio": {"input": turns}}


def test_a_conversation_may_be_kept_whole() -> None:
    dialect = openai.open(Session(), openai.Settings(post_instructions_tokens=0))
    session = _valid(dialect.configure())["session"]
    assert session["truncation"] == {"type": "retention_ratio", "retention_ratio": 0.8}
    assert session["tools"] == []


def test_what_there_is_to_add_is_asked_for_anew_in_each_session() -> None:
    notes = ["", "Anna's birthday is in May."]
    dialect = _dialect(instructions="Be brief.")
    dialect.addendum = lambda: notes.pop(0)
    told = [_valid(dialect.configure())["session"]["instructions"] for _ in range(2)]
    assert told == ["Be brief.", "Be brief.\n\nAnna's birthday is in May."]


def test_a_session_that_stood_by_is_told_what_is_new_and_nothing_else() -> None:
    notes = ""
    dialect = _dialect(instructions="Be brief.")
    dialect.addendum = lambda: notes
    dialect.configure()
    assert dialect.encode(cmd.Brief()) == []
    notes = "Anna's birthday is in May."
    (text,) = dialect.encode(cmd.Brief())
    assert _valid(text)["session"] == {
        "type": "realtime",
        "instructions": "Be brief.\n\nAnna's birthday is in May.",
        "tools": _valid(dialect.configure())["session"]["tools"],
    }
    assert dialect.encode(cmd.Brief()) == []


def test_a_server_that_needs_a_press_is_asked_for_leave_each_time() -> None:
    server = RemoteTools("house", "https://house.example/mcp", ("lamp",), "button")
    dialect = openai.open(Session(), openai.Settings(), [server])
    (told,) = _valid(dialect.configure())["session"]["tools"]
    assert told["require_approval"] == "always"
    item = {
        "id": "mcpr_1",
        "type": "mcp_approval_request",
        "server_label": "house",
        "name": "lamp",
        "arguments": "{}",
    }
    (asked,) = _hear(dialect, "response.output_item.done", response_id="r", item=item)
    assert asked == ApprovalAsked("r", "mcpr_1", "house.lamp")
    (text,) = dialect.encode(cmd.Approve("mcpr_1", allowed=True))
    sent = _valid(text)
    assert sent["previous_item_id"] == "mcpr_1"
    assert sent["item"]["type"] == "mcp_approval_response"
    assert sent["item"]["approval_request_id"] == "mcpr_1"
    assert sent["item"]["approve"] is True


def test_servers_of_tools_are_the_providers_to_call() -> None:
    server = RemoteTools("house", "https://house.example/mcp", ("lamp", "blind"))
    dialect = openai.open(Session(), openai.Settings(), [CLOCK, server])
    tools = _valid(dialect.configure())["session"]["tools"]
    assert [tool["type"] for tool in tools] == ["function", "mcp"]
    assert tools[1] == {
        "type": "mcp",
        "server_label": "house",
        "server_url": "https://house.example/mcp",
        "allowed_tools": ["lamp", "blind"],
        "require_approval": "never",
    }


def test_sound_of_no_length_is_not_sent() -> None:
    assert _dialect().encode(cmd.SendAudio(b"")) == []


def test_address_and_headers() -> None:
    dialect = openai.open(
        Session(model="my/model é"),
        openai.Settings(url="wss://h/v1?a=b", organization="org", project="proj"),
    )
    assert dialect.url() == "wss://h/v1?a=b&model=my%2Fmodel%20%C3%A9"
    assert dialect.headers("sk-1") == {
        "Authorization": "Bearer sk-1",
        "OpenAI-Organization": "org",
        "OpenAI-Project": "proj",
    }
    assert _dialect().headers("") == {}


# --- what edged hears ---------------------------------------------------------------------


def test_the_tables_name_exactly_the_events_that_the_provider_declares() -> None:
    assert set(DECODERS) | set(IGNORED) == set(server_events())
    assert not set(DECODERS) & set(IGNORED)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", sorted(server_events()))
def test_every_declared_event_is_understood(kind: str, style: Style) -> None:
    dialect = _dialect()
    event = instance(server_events()[kind], style)
    server_events()[kind].model_validate(event)
    heard = dialect.decode(json.dumps(event))
    assert not dialect.unknown
    assert not dialect.malformed
    if kind in IGNORED:
        assert heard == []
    # What says nothing by itself: a confirmation nobody waits for, an item that is no call.
    elif kind not in ("session.updated", "response.output_item.done"):
        assert heard


def test_every_event_of_the_line_can_be_heard() -> None:
    heard: set[type] = set()
    dialect = _dialect()
    for kind, model in server_events().items():
        if kind == "session.updated":
            dialect.configure()
        for event in dialect.decode(json.dumps(instance(model, "full"))):
            heard.add(type(event))
    call = {
        "type": "function_call",
        "status": "completed",
        "call_id": "c",
        "name": "n",
        "arguments": "{}",
    }
    heard |= set(map(type, _hear(dialect, "response.output_item.done", response_id="r", item=call)))
    leave = {"type": "mcp_approval_request", "id": "m", "server_label": "s", "name": "n"}
    heard |= set(
        map(type, _hear(dialect, "response.output_item.done", response_id="r", item=leave))
    )
    heard.add(type(_error(dialect, code="insufficient_quota")))
    dialect.configure()
    heard.add(type(_error(dialect, code="unknown_parameter")))
    of_the_line = {ev.LinkAccepted, ev.SessionLimited, ev.LinkReady, ev.LinkDown}
    assert heard == set(get_args(ev.Said)) | of_the_line


def test_only_the_answer_to_our_configuration_makes_the_line_ready() -> None:
    dialect = _dialect()
    assert _hear(dialect, "session.updated", session={}) == []
    dialect.configure()
    assert _hear(dialect, "session.updated", session={}) == [LinkReady()]
    assert _hear(dialect, "session.updated", session={}) == []
    dialect.configure()
    dialect.restart()
    assert _hear(dialect, "session.updated", session={}) == []


@given(st.lists(st.booleans(), max_size=6), st.data())
def test_switching_turn_detection_makes_no_line_ready_however_quick_the_fingers(
    wishes: list[bool], data: st.DataObject
) -> None:
    dialect = _dialect()
    dialect.configure()
    assert _hear(dialect, "session.updated", session={}) == [LinkReady()]
    names = []
    for on in wishes:
        names += [json.loads(text)["event_id"] for text in dialect.encode(cmd.DetectTurns(on))]
    assert len(set(names)) == len(wishes)
    for name in names:
        if data.draw(st.booleans()):
            assert _hear(dialect, "session.updated", session={}) == []
            continue
        told = data.draw(st.sampled_from([name, None]))
        refused = _error(dialect, code="invalid_value", message="no", event_id=told)
        assert isinstance(refused, RequestRefused)
        assert (refused.code, refused.benign) == ("invalid_value", False)


def test_a_session_is_accepted_once() -> None:
    dialect = _dialect()
    assert len(_hear(dialect, "session.created", session={})) == 1
    assert _hear(dialect, "session.created", session={}) == []
    dialect.restart()
    assert len(_hear(dialect, "session.created", session={})) == 1


@pytest.mark.parametrize("named", [True, False])
def test_a_configuration_that_is_refused_is_asked_for_in_its_least_form(named: bool) -> None:
    dialect = _dialect(instructions="Be brief.")
    first = _valid(dialect.configure())["event_id"]
    error = {"code": "unknown_parameter", "message": "Unknown: x"}
    limited = _error(dialect, **error, event_id=first if named else None)
    assert limited == ev.SessionLimited("unknown_parameter: Unknown: x")
    least = _valid(dialect.configure())
    assert least["session"] == {
        "type": "realtime",
        "instructions": "Be brief.",
        "audio": {
            "input": {
                "turn_detection": {
                    "type": "server_vad",
                    "create_response": True,
                    "interrupt_response": True,
                }
            }
        },
        "tools": _valid(_dialect().configure())["session"]["tools"],
    }
    # A second word about the first is not about this one.
    late = _error(dialect, **error, event_id=first)
    assert isinstance(late, RequestRefused)
    assert _hear(dialect, "session.updated", session={}) == [LinkReady()]
    # Nor is what was refused asked for again later.
    (turns,) = dialect.encode(cmd.DetectTurns(True))
    found = _valid(turns)["session"]["audio"]["input"]
    assert found == least["session"]["audio"]["input"]


@pytest.mark.parametrize("named", [True, False])
def test_where_even_that_is_refused_the_session_ends(named: bool) -> None:
    dialect = _dialect()
    dialect.configure()
    _error(dialect, code="unknown_parameter", message="Unknown: x")
    name = _valid(dialect.configure())["event_id"]
    error = {"code": "unknown_parameter", "message": "Unknown: y"}
    down = _error(dialect, **error, event_id=name if named else None)
    assert isinstance(down, LinkDown)
    assert (down.trouble, down.code, down.transient) == (
        Trouble.PROVIDER,
        "unknown_parameter",
        False,
    )
    assert "Unknown: y" in down.detail
    dialect.restart()
    whole = _valid(dialect.configure())["session"]
    assert whole["audio"]["output"]["voice"] == "marin"


def test_what_passes_by_itself_says_nothing_about_the_configuration() -> None:
    for error in ({"code": "rate_limit_exceeded"}, {"type": "server_error"}):
        dialect = _dialect()
        dialect.configure()
        down = _error(dialect, **error)
        assert isinstance(down, LinkDown)
        assert down.transient


@pytest.mark.parametrize("audio", ["pcmu", "pcma"])
@pytest.mark.parametrize("limited", [False, True])
def test_telephone_sound(audio: str, limited: bool) -> None:
    dialect = _dialect(audio=audio)
    assert dialect.wire_rate == 8000
    told = _valid(dialect.configure())["session"]["audio"]
    if limited:
        _error(dialect, code="unknown_parameter")
        told = _valid(dialect.configure())["session"]["audio"]
    assert told["input"]["format"] == told["output"]["format"] == {"type": f"audio/{audio}"}
    samples = struct.pack("<4h", 0, 1000, -20000, 32767)
    (text,) = dialect.encode(cmd.SendAudio(samples))
    sound = b64decode(_valid(text)["audio"])
    assert len(sound) == 4
    fields = {"response_id": "r", "item_id": "i", "delta": b64encode(sound).decode()}
    (audio_back,) = _hear(dialect, "response.output_audio.delta", **fields)
    assert isinstance(audio_back, ev.ReplyAudio)
    for sent, back in zip(
        struct.unpack("<4h", samples), struct.unpack("<4h", audio_back.samples), strict=True
    ):
        assert abs(sent - back) <= max(16, abs(sent) / 30)


@pytest.mark.parametrize("told", [1795222400, 1795222400.0])
def test_when_the_provider_will_end_it(told: float) -> None:
    dialect = _dialect()
    ends = [dialect.expires_at]
    _hear(dialect, "session.created", session={"expires_at": told})
    ends.append(dialect.expires_at)
    dialect.restart()
    assert [*ends, dialect.expires_at] == [None, 1795222400, None]


@pytest.mark.parametrize("told", [None, "soon", True, [1], 1e300, 10**400, -(10**400)])
def test_an_end_that_cannot_be_read_is_none(told: Any) -> None:
    dialect = _dialect()
    assert len(_hear(dialect, "session.created", session={"expires_at": told})) == 1
    assert dialect.expires_at is None


@pytest.mark.parametrize(
    ("usage", "expected", "malformed"),
    [
        (None, ev.Usage(), 0),
        ({"type": "duration", "seconds": 2.4}, ev.Usage(transcribed_s=2.4), 0),
        (
            {
                "type": "tokens",
                "input_tokens": 24,
                "output_tokens": 7,
                "total_tokens": 31,
                "input_token_details": {"audio_tokens": 24, "text_tokens": 0},
            },
            ev.Usage(transcribed_in=24, transcribed_out=7),
            0,
        ),
        ({}, ev.Usage(), 0),
        ({"seconds": "many"}, ev.Usage(), 1),
        ("free", ev.Usage(), 1),
    ],
)
def test_what_a_transcription_costs(usage: Any, expected: ev.Usage, malformed: int) -> None:
    dialect = _dialect()
    kind = "conversation.item.input_audio_transcription.completed"
    told = _hear(dialect, kind, item_id="i", transcript="hello", usage=usage)
    assert told == [ev.UserText("i", "hello", expected)]
    assert dialect.malformed["usage"] == malformed


def test_errors_after_the_configuration_leave_the_session_open() -> None:
    dialect = _dialect()
    dialect.configure()
    _hear(dialect, "session.updated", session={})
    refused = _error(dialect, type="odd_error", code=None, message="oops\n" * 200)
    assert isinstance(refused, RequestRefused)
    assert (refused.code, refused.benign) == ("odd_error", False)
    assert len(refused.message) <= 300


@pytest.mark.parametrize(
    ("error", "code", "benign"),
    [
        ({"code": "response_cancel_not_active"}, "response_cancel_not_active", True),
        (
            {"code": "odd", "message": "Cancellation failed: no active response found"},
            "response_cancel_not_active",
            True,
        ),
        (
            {"message": "Conversation already has an active response in progress"},
            "conversation_already_has_active_response",
            True,
        ),
        (
            {"code": None, "message": "Audio content of 9ms is already shorter than 10ms"},
            "truncate_too_long",
            True,
        ),
        (
            {"code": "invalid_value", "message": "Audio content of 9ms is already shorter than 10"},
            "truncate_too_long",
            True,
        ),
        ({"code": "unsupported_content_type"}, "unsupported_content_type", True),
        (
            {"message": "Only model output audio messages can be truncated."},
            "unsupported_content_type",
            True,
        ),
        ({"code": "x", "message": "Could not truncate: not supported"}, "truncate_refused", True),
        ({"code": "item_truncate_invalid_item_id"}, "item_truncate_invalid_item_id", True),
        ({"code": "item_delete_invalid_item_id"}, "item_delete_invalid_item_id", True),
        (
            {"message": "Error deleting item: the item with id 'i' does not exist."},
            "item_delete_invalid_item_id",
            True,
        ),
        ({"code": "x", "message": "Item with item_id not found: i"}, "invalid_item_id", True),
        ({"code": "input_audio_buffer_commit_empty"}, "input_audio_buffer_commit_empty", True),
        (
            {"code": "x", "message": "Error committing input audio buffer: buffer too small."},
            "input_audio_buffer_commit_empty",
            True,
        ),
        (
            {"code": "conversation_already_has_active_response"},
            "conversation_already_has_active_response",
            True,
        ),
        ({"code": "rate_limit_exceeded"}, "rate_limit_exceeded", False),
        ({"code": 42, "message": ["odd"]}, "42", False),
    ],
)
def test_races_are_told_from_refusals(error: Json, code: str, benign: bool) -> None:
    refused = _error(_dialect(), **error)
    assert isinstance(refused, RequestRefused)
    assert (refused.code, refused.benign) == (code, benign)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        ({"code": "invalid_api_key"}, Trouble.KEY),
        ({"code": None, "message": "Incorrect API key provided: sk-1"}, Trouble.KEY),
        ({"code": "x", "type": "insufficient_quota"}, Trouble.CREDIT),
        ({"code": "billing_hard_limit_reached"}, Trouble.CREDIT),
        ({"code": "model_not_found"}, Trouble.PROVIDER),
        ({"code": "session_expired"}, None),
    ],
)
def test_errors_that_end_the_session(error: Json, trouble: Trouble | None) -> None:
    down = _error(_dialect(), **error)
    assert isinstance(down, LinkDown)
    assert down.trouble == trouble
    assert down.code


def test_an_error_that_is_a_bare_sentence() -> None:
    (refused,) = _hear(_dialect(), "error", error="no active response")
    assert refused == RequestRefused("response_cancel_not_active", "no active response", True)


# --- answers ------------------------------------------------------------------------------


def test_several_items_of_one_answer_keep_apart() -> None:
    dialect = _dialect()
    heard = [
        _hear(
            dialect,
            "response.output_audio.delta",
            response_id="r",
            item_id=item,
            content_index=index,
            delta="AAA=",
        )
        for item, index in (("a", 0), ("b", 1), ("a", 0))
    ]
    assert heard == [
        [ev.ReplyAudio("r", item, index, b"\0\0")] for item, index in (("a", 0), ("b", 1), ("a", 0))
    ]


@pytest.mark.parametrize(
    ("conversation", "metadata", "heard"),
    [
        (None, {openai.ASIDE: "1"}, False),
        (None, {}, True),
        (None, None, True),
        ("conv", {openai.ASIDE: "1"}, True),
    ],
)
def test_side_work_is_not_heard(conversation: str | None, metadata: Any, heard: bool) -> None:
    dialect = _dialect()
    response = {"id": "r", "conversation_id": conversation, "metadata": metadata}
    sound = {"response_id": "r", "item_id": "i", "delta": "AAA="}
    assert bool(_hear(dialect, "response.created", response=response)) is heard
    assert bool(_hear(dialect, "response.output_audio.delta", **sound)) is heard
    assert bool(_hear(dialect, "response.done", response=response)) is heard


def test_half_a_sample_is_cut_off_and_counted() -> None:
    dialect = _dialect()
    fields = {"response_id": "r", "item_id": "i"}
    (audio,) = _hear(dialect, "response.output_audio.delta", delta="AAAA", **fields)
    assert isinstance(audio, ev.ReplyAudio)
    assert audio.samples == b"\0\0"
    assert _hear(dialect, "response.output_audio.delta", delta="", **fields) == []
    assert dialect.malformed["response.output_audio.delta"] == 1


@pytest.mark.parametrize("status", ["in_progress", "incomplete", None])
def test_a_call_that_was_cut_off_is_not_made(status: str | None) -> None:
    item = {"type": "function_call", "status": status, "call_id": "c", "name": "n"}
    assert _hear(_dialect(), "response.output_item.done", response_id="r", item=item) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"call_id": "c", "arguments": "{}"},
        {"name": "n", "arguments": "{}"},
    ],
)
def test_a_call_that_nobody_can_answer_is_told(fields: Json) -> None:
    item = {"type": "function_call", "status": "completed"} | fields
    (event,) = _hear(_dialect(), "response.output_item.done", response_id="r", item=item)
    assert isinstance(event, RequestRefused)
    assert (event.code, event.benign) == ("malformed_call", False)


@pytest.mark.parametrize("arguments", ['{"minutes": 1', "[1]", "of course!"])
def test_arguments_that_cannot_be_read_are_for_the_tools_to_answer(arguments: str) -> None:
    fields = {"call_id": "c", "name": "n", "arguments": arguments}
    item = {"type": "function_call", "status": "completed"} | fields
    (event,) = _hear(_dialect(), "response.output_item.done", response_id="r", item=item)
    assert event == ev.ToolCalled("r", "c", "n", arguments)


@pytest.mark.parametrize(
    ("details", "trouble", "detail"),
    [
        (
            {"error": {"code": "insufficient_quota", "message": "pay"}},
            Trouble.CREDIT,
            "insufficient_quota: pay",
        ),
        ({"error": {"code": "invalid_api_key"}}, Trouble.KEY, "invalid_api_key"),
        (
            {"error": {"code": "inference_rate_limit_exceeded", "message": "later"}},
            None,
            "inference_rate_limit_exceeded: later",
        ),
        ({"error": "boom"}, None, "boom"),
        ("You exceeded your current quota", Trouble.CREDIT, "You exceeded your current quota"),
        (None, None, ""),
        ([1], None, "[1]"),
    ],
)
def test_why_an_answer_failed(details: Any, trouble: Trouble | None, detail: str) -> None:
    done = _done(_dialect(), id="r", status="failed", status_details=details)
    assert (done.status, done.trouble, done.detail) == ("failed", trouble, detail)


def test_an_answer_that_was_cut_short_is_nobodys_trouble() -> None:
    dialect = _dialect()
    done = _done(
        dialect, id="r", status="incomplete", status_details={"reason": "max_output_tokens"}
    )
    assert (done.status, done.reason, done.trouble) == ("incomplete", "max_output_tokens", None)
    assert _done(dialect, id="r", status="exploded").status == "failed"
    assert _done(dialect, id="r").status == "completed"


def test_the_end_of_an_answer_that_does_not_name_it() -> None:
    dialect = _dialect()
    _hear(dialect, "response.created", response={"id": "r"})
    assert _done(dialect).reply == "r"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, ev.Usage()),
        ({}, ev.Usage()),
        ({"input_token_details": {"text_tokens": 5}}, ev.Usage(text_in=5)),
        (
            {"input_token_details": {"text_tokens": 5, "audio_tokens": 9, "cached_tokens": 8}},
            ev.Usage(text_in=5, audio_in=9, cached_text=5, cached_audio=3),
        ),
        ({"output_token_details": {"audio_tokens": 7}}, ev.Usage(audio_out=7)),
    ],
)
def test_bills_with_holes(usage: Any, expected: ev.Usage) -> None:
    dialect = _dialect()
    assert _done(dialect, id="r", usage=usage).usage == expected
    assert not dialect.malformed


def test_an_answer_counts_even_when_its_bill_is_rubbish() -> None:
    dialect = _dialect()
    assert _done(dialect, id="r", usage={"input_token_details": "many"}).usage == ev.Usage()
    assert dialect.malformed["usage"] == 1


# --- nonsense -----------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "id", "error", "item", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def _mutated(draw: st.DrawFn) -> Json:
    """A declared event with one part, somewhere, replaced by anything."""
    kind = draw(st.sampled_from(sorted(DECODERS)))
    event = instance(server_events()[kind], draw(st.sampled_from(STYLES)))
    part: Any = event
    while True:
        name = draw(st.sampled_from(sorted(set(part) - {"type"} or {"type"})))
        deeper = part.get(name)
        if not isinstance(deeper, dict) or not deeper or draw(st.booleans()):
            part[name] = draw(_JSON)
            return event
        part = deeper


@given(_mutated() | _JSON)
def test_nothing_that_is_json_makes_the_dialect_stumble(event: Any) -> None:
    dialect = _dialect()
    text = json.dumps(event)
    for word in dialect.decode(text):
        assert isinstance(word, ev.Said | ev.Line)
    dialect.configure()
    dialect.decode(text.encode())


@given(st.binary() | st.text())
def test_nothing_at_all_makes_the_dialect_stumble(text: bytes | str) -> None:
    assert _dialect().decode(text) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b'{"type":"\xff"}',
        "[" * 100_000,
        '{"type":"error","error":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"type":"input_audio_buffer.speech_started","item_id":"i","audio_start_ms":1e999}',
        '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"A"}',
        '{"type": 7}',
    ],
    ids=["nothing", "noise", "bad utf-8", "brackets", "deep", "infinite", "bad base64", "no name"],
)
def test_rubbish_is_counted(text: str | bytes) -> None:
    dialect = _dialect()
    assert dialect.decode(text) == []
    assert dialect.malformed.total() == 1


def test_unknown_events_are_counted_within_bounds() -> None:
    dialect = _dialect()
    for number in range(1000):
        assert _hear(dialect, f"{'x' * 500}{number}") == []
        assert _hear(dialect, f"new.{number}") == []
    assert dialect.unknown.total() == 2000
    assert len(dialect.unknown) <= 65
    assert max(map(len, dialect.unknown)) <= 80
    assert not dialect.malformed


def test_an_enormous_event_is_heard_like_any_other() -> None:
    sound = b64encode(bytes(10_000_000)).decode()
    (audio,) = _hear(
        _dialect(),
        "response.output_audio.delta",
        response_id="r",
        item_id="i",
        delta=sound,
        obfuscation="x" * 1_000_000,
    )
    assert isinstance(audio, ev.ReplyAudio)
    assert len(audio.samples) == 10_000_000


# --- ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "trouble", "detail"),
    [
        (401, b"", Trouble.KEY, ""),
        (403, b'{"error":{"code":"model_not_found","message":"no"}}', Trouble.PROVIDER, "no"),
        (404, b"<html>\xff not\n\nfound</html>", Trouble.PROVIDER, "not found"),
        (402, b"", Trouble.CREDIT, ""),
        (407, b"", Trouble.NETWORK, ""),
        (200, b"<html>please log in</html>", Trouble.NETWORK, "please log in"),
        (429, b'{"error":"slow down"}', Trouble.PROVIDER, "slow down"),
        (429, b'{"error":{"type":"insufficient_quota"}}', Trouble.CREDIT, "insufficient_quota"),
        (500, b"[" * 100_000, Trouble.PROVIDER, "[[["),
    ],
)
def test_what_an_http_status_means(status: int, body: bytes, trouble: Trouble, detail: str) -> None:
    down = _dialect().refused(status, body)
    assert (down.trouble, down.code) == (trouble, str(status))
    assert detail in down.detail
    assert len(down.detail) <= 300


def test_what_is_not_understood_is_told_once_by_kind_and_count() -> None:
    dialect = _dialect()
    for text in ('{"type": "ping"}', '{"type": "ping"}', "not JSON"):
        assert dialect.decode(text) == []
    assert dialect.oddities() == "ping x2, malformed message x1"
    assert dialect.oddities() == ""
