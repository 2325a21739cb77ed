"""Every complaint that was ever seen: its class, its trouble, whether to try again."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from edged.core.events import Event, LinkDown, ReplyDone, RequestRefused, SessionLimited, Trouble
from edged.core.settings import Session
from edged.dialects import openai

Class = Literal["benign", "turn", "over"]
"""Harmless; costs this turn; ends the session."""

KEY, CREDIT, PROVIDER, NETWORK = Trouble.KEY, Trouble.CREDIT, Trouble.PROVIDER, Trouble.NETWORK
_NO_CREDIT = {"code": "credit_balance_exhausted", "type": "insufficient_quota"}

COMPLAINTS: list[tuple[Mapping[str, Any], Class, Trouble | None, bool]] = [
    # Races, by code and by message.
    ({"code": "conversation_already_has_active_response"}, "benign", None, False),
    ({"message": "Conversation already has an active response"}, "benign", None, False),
    ({"code": "response_cancel_not_active"}, "benign", None, False),
    ({"code": "x", "message": "no active response found"}, "benign", None, False),
    ({"code": "input_audio_buffer_commit_empty"}, "benign", None, False),
    ({"message": "buffer too small. Expected at least 100ms"}, "benign", None, False),
    ({"message": "Audio content of 9ms is already shorter than 10ms"}, "benign", None, False),
    ({"code": "invalid_value", "message": "is already shorter than 9ms"}, "benign", None, False),
    ({"code": "unsupported_content_type"}, "benign", None, False),
    ({"message": "Only model output audio messages can be truncated"}, "benign", None, False),
    ({"code": "item_truncate_invalid_item_id"}, "benign", None, False),
    ({"code": "item_delete_invalid_item_id"}, "benign", None, False),
    ({"code": "item_retrieve_invalid_item_id"}, "benign", None, False),
    ({"code": "invalid_item_id"}, "benign", None, False),
    ({"code": "y", "message": "truncation is not supported"}, "benign", None, False),
    ({"type": "server_error", "message": "no active response found"}, "benign", None, False),
    # Ours to mend, or the server's shortcomings: the turn is lost, the session is not.
    ({"code": "cannot_update_voice"}, "turn", None, False),
    ({"code": "missing_required_parameter"}, "turn", None, False),
    ({"code": "invalid_value"}, "turn", None, False),
    ({"code": "unknown_parameter"}, "turn", None, False),
    ({"code": "invalid_type"}, "turn", None, False),
    ({"code": "invalid_event"}, "turn", None, False),
    ({"code": "string_above_max_length"}, "turn", None, False),
    ({"code": "not_implemented"}, "turn", None, False),
    ({"code": "transcription_failed"}, "turn", None, False),
    ({"code": "tts_error"}, "turn", None, False),
    ({"code": "speaker_not_authorized"}, "turn", None, False),
    ({"code": "buffer_size_exceeded"}, "turn", None, False),
    ({"code": "unknown_or_invalid_event"}, "turn", None, False),
    ({"code": "invalid_session_type"}, "turn", None, False),
    ({}, "turn", None, False),
    # It passes by itself.
    ({"code": "rate_limit_exceeded"}, "turn", None, True),
    ({"code": None, "message": "Rate limit reached for gpt-realtime"}, "turn", None, True),
    ({"code": "inference_rate_limit_exceeded"}, "turn", None, True),
    ({"type": "server_error", "code": None}, "over", PROVIDER, True),
    ({"code": "session_limit_reached"}, "over", PROVIDER, True),
    # It does not.
    ({"code": "session_expired"}, "over", None, False),
    ({"message": "Your session hit the maximum duration of 60 minutes."}, "over", None, False),
    ({"code": "insufficient_quota"}, "over", CREDIT, False),
    (_NO_CREDIT, "over", CREDIT, False),
    ({"code": "billing_hard_limit_reached"}, "over", CREDIT, False),
    ({"message": "You exceeded your current quota"}, "over", CREDIT, False),
    ({"code": "invalid_api_key"}, "over", KEY, False),
    ({"message": "Incorrect API key provided: sk-1"}, "over", KEY, False),
    ({"code": "account_deactivated"}, "over", KEY, False),
    ({"type": "authentication_error"}, "over", KEY, False),
    ({"code": "model_not_found"}, "over", PROVIDER, False),
    ({"code": "beta_api_shape_disabled"}, "over", PROVIDER, False),
    ({"code": "invalid_intent"}, "over", PROVIDER, False),
    ({"code": "model_load_error"}, "over", PROVIDER, False),
    ({"code": "invalid_pipeline"}, "over", PROVIDER, False),
]
complaints = pytest.mark.parametrize(("error", "what", "trouble", "again"), COMPLAINTS)


def _dialect() -> openai.Dialect:
    return openai.open(Session(), openai.Settings())


def _hear(dialect: openai.Dialect, kind: str, **fields: Any) -> Event:
    (event,) = dialect.decode(json.dumps({"type": kind, **fields}))
    return event


@complaints
def test_an_error_in_a_conversation(
    error: Mapping[str, Any], what: Class, trouble: Trouble | None, again: bool
) -> None:
    dialect = _dialect()
    dialect.configure()
    _hear(dialect, "session.updated", session={})
    heard = _hear(dialect, "error", error=error)
    if what == "over":
        assert isinstance(heard, LinkDown)
        assert (heard.trouble, heard.transient) == (trouble, again)
        assert heard.code
    else:
        assert isinstance(heard, RequestRefused)
        assert (heard.benign, heard.transient) == (what == "benign", again)


def test_an_error_that_stands_at_the_top_of_its_event_is_the_same() -> None:
    dialect = _dialect()
    dialect.configure()
    _hear(dialect, "session.updated", session={})
    heard = _hear(dialect, "error", code="insufficient_quota", message="You exceeded your quota")
    assert isinstance(heard, LinkDown)
    assert heard.trouble is CREDIT


@complaints
def test_an_error_in_the_place_of_a_configuration(
    error: Mapping[str, Any], what: Class, trouble: Trouble | None, again: bool
) -> None:
    dialect = _dialect()
    dialect.configure()
    heard = _hear(dialect, "error", error=error)
    if what == "over" or again:
        assert isinstance(heard, LinkDown)
        assert (heard.trouble, heard.transient) == (trouble if what == "over" else PROVIDER, again)
    else:
        assert isinstance(heard, SessionLimited)


@complaints
def test_an_error_inside_an_answer(
    error: Mapping[str, Any], what: Class, trouble: Trouble | None, again: bool
) -> None:
    details = {"status": "failed", "status_details": {"type": "failed", "error": error}}
    done = _hear(_dialect(), "response.done", response={"id": "r", **details})
    assert isinstance(done, ReplyDone)
    # What passes, and what costs no more than the turn, is nothing for the owner to see to.
    assert (done.status, done.trouble) == ("failed", None if again else trouble)
    assert done.transient is again


@pytest.mark.parametrize(
    ("code", "reason", "trouble", "again"),
    [
        (1000, "", None, False),
        (1001, "Your session hit the maximum duration of 60 minutes.", None, False),
        (1001, "", PROVIDER, True),
        (1005, "", NETWORK, True),
        (1006, "", NETWORK, True),
        (None, "reset", NETWORK, True),
        (1007, "malformed frame", PROVIDER, False),
        (1008, "Invalid API key", KEY, False),
        (1008, "all slots in use", PROVIDER, True),
        (1008, "policy", PROVIDER, False),
        (1008, "token expired", KEY, False),
        (1008, "rate limit exceeded: too many tokens per minute", PROVIDER, True),
        (1008, "maximum context length of 32000 tokens exceeded", PROVIDER, False),
        (1000, "insufficient_quota.insufficient_quota", CREDIT, False),
        (1000, "invalid_request_error.session_expired", None, False),
        (1011, "keepalive ping timeout", PROVIDER, True),
        (1011, "insufficient_quota.insufficient_quota", CREDIT, False),
        (1012, "", PROVIDER, True),
        (1013, "try again later", PROVIDER, True),
        (1015, "", NETWORK, True),
        (3000, "invalid_request_error.invalid_api_key", KEY, False),
        (3000, "", KEY, False),
        (3003, "", KEY, False),
        (4000, "invalid_request_error.beta_api_shape_disabled", PROVIDER, False),
        (4000, "invalid_request_error.invalid_intent", PROVIDER, False),
        (4000, "invalid_request_error.model_not_found", PROVIDER, False),
        (4000, "insufficient_quota.insufficient_quota", CREDIT, False),
        (4000, "requests.rate_limit_exceeded", PROVIDER, True),
        (4000, "server_error.server_error", PROVIDER, True),
        (4999, "?", PROVIDER, False),
    ],
)
def test_a_close_code(code: int | None, reason: str, trouble: Trouble | None, again: bool) -> None:
    down = _dialect().ended(code, reason)
    assert (down.trouble, down.transient) == (trouble, again)
    assert (down.code, down.detail) == ("" if code is None else str(code), reason)
    assert not (down.transient and down.fatal)


@pytest.mark.parametrize(
    ("status", "body", "trouble", "again"),
    [
        (200, "<html>please log in</html>", NETWORK, False),
        (302, "", NETWORK, False),
        (400, "", PROVIDER, False),
        (401, "", KEY, False),
        (402, "", CREDIT, False),
        (403, "", KEY, False),
        (403, '{"error": {"code": "model_not_found"}}', PROVIDER, False),
        (404, "", PROVIDER, False),
        (407, "", NETWORK, False),
        (408, "", PROVIDER, True),
        (429, "", PROVIDER, True),
        (429, '{"error": {"type": "insufficient_quota"}}', CREDIT, False),
        (500, "", PROVIDER, True),
        (502, "", PROVIDER, True),
        (503, "", PROVIDER, True),
        (504, "", PROVIDER, True),
        (511, "", NETWORK, False),
    ],
)
def test_an_http_status(status: int, body: str, trouble: Trouble, again: bool) -> None:
    down = _dialect().refused(status, body.encode())
    assert (down.trouble, down.code, down.transient) == (trouble, str(status), again)


def test_a_refused_transcription_harms_nothing() -> None:
    kind = "conversation.item.input_audio_transcription.failed"
    heard = _hear(_dialect(), kind, item_id="i", error={"code": "audio_unintelligible"})
    assert isinstance(heard, RequestRefused)
    assert heard.benign
