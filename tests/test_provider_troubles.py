"""Every way in which a provider was seen to fail: what is shown, sounded, told, and tried again.

Each row walks through the dialect and the core. The codes are those that providers and servers
of the protocol were seen to send; what is in no row behaves as `?` does.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

import pytest
from websockets.exceptions import InvalidHandshake, InvalidMessage

from edged.core import commands as do
from edged.core import events as ev
from edged.core.commands import Chime, Fact
from edged.core.events import Trouble
from edged.core.scenes import Scene
from edged.core.settings import Conversation, Session
from edged.core.troubles import ADVICE
from edged.dialects import openai
from edged.link import websocket

from .script import Evening, chimes, facts, notes, only

KEY, CREDIT, PROVIDER, NETWORK = Trouble.KEY, Trouble.CREDIT, Trouble.PROVIDER, Trouble.NETWORK
CLOCK = Trouble.CLOCK


class Course(NamedTuple):
    """What a user notices, and what the speaker does about it."""

    trouble: Trouble | None
    """The light, the sound and the journal entry with what to do; None for none of them."""
    tries: str
    """What it does by itself: "asks again", "opens again" or ""."""
    then: str
    """Where that leaves it, once the trouble was shown: "in talk" or "asleep"."""
    wake: str = ""
    """What the next wake word does to a speaker that is asleep: "opens" a session or "tells" of
    the trouble again, at once, with no line opened."""


GOES_ON = Course(None, "", "in talk")
"""A race: nobody notices, and the answer goes on."""
LOST = Course(PROVIDER, "", "in talk")
"""This turn is lost, and told of; the talk goes on."""
ASKS = Course(None, "asks again", "in talk")
"""It passes: the answer is asked for once more."""
REOPENS = Course(None, "opens again", "in talk")
"""It passes: a new session goes on with the talk."""
ENDED = Course(None, "", "asleep", "opens")
"""The agreed end."""


def sleeps(trouble: Trouble) -> Course:
    """Told of; the next wake tries again."""
    return Course(trouble, "", "asleep", "opens")


def stops(trouble: Trouble) -> Course:
    """Told of; nothing but another configuration helps, and nothing is tried before."""
    return Course(trouble, "", "asleep", "tells")


#   what is told, by code, type or words           as an error    inside an answer
ERRORS: list[tuple[Mapping[str, str | None], Course, Course]] = [
    ({"code": "response_cancel_not_active"}, GOES_ON, LOST),
    ({"message": "Cancellation failed: no active response found"}, GOES_ON, LOST),
    ({"code": "input_audio_buffer_commit_empty"}, GOES_ON, LOST),
    ({"code": None, "message": "Audio content of 9ms is already shorter than"}, GOES_ON, LOST),
    ({"code": "invalid_value", "message": "is already shorter than 9ms"}, GOES_ON, LOST),
    ({"code": "unsupported_content_type"}, GOES_ON, LOST),
    ({"message": "Only model output audio messages can be truncated"}, GOES_ON, LOST),
    ({"code": "item_truncate_invalid_item_id"}, GOES_ON, LOST),
    ({"code": "item_delete_invalid_item_id"}, GOES_ON, LOST),
    ({"code": "item_retrieve_invalid_item_id"}, GOES_ON, LOST),
    ({"code": "invalid_item_id"}, GOES_ON, LOST),
    ({"code": "cannot_update_voice"}, LOST, LOST),
    ({"code": "missing_required_parameter"}, LOST, LOST),
    ({"code": "invalid_value"}, LOST, LOST),
    ({"code": "unknown_parameter"}, LOST, LOST),
    ({"code": "invalid_type"}, LOST, LOST),
    ({"code": "invalid_event"}, LOST, LOST),
    ({"code": "string_above_max_length"}, LOST, LOST),
    ({"code": "not_implemented"}, LOST, LOST),
    ({"code": "transcription_failed"}, LOST, LOST),
    ({"code": "tts_error"}, LOST, LOST),
    ({"code": "speaker_not_authorized"}, LOST, LOST),
    ({"code": "buffer_size_exceeded"}, LOST, LOST),
    ({"code": "unknown_or_invalid_event"}, LOST, LOST),
    ({"code": "invalid_session_type"}, LOST, LOST),
    ({"code": "?"}, LOST, LOST),
    ({"code": "rate_limit_exceeded"}, ASKS, ASKS),
    ({"code": None, "message": "Rate limit reached for gpt-realtime"}, ASKS, ASKS),
    ({"code": "inference_rate_limit_exceeded"}, ASKS, ASKS),
    ({"type": "server_error", "code": None}, REOPENS, ASKS),
    ({"code": "session_limit_reached"}, REOPENS, ASKS),
    ({"code": "session_expired"}, REOPENS, LOST),
    ({"message": "Your session hit the maximum duration of 60 minutes."}, REOPENS, LOST),
    ({"code": "insufficient_quota"}, sleeps(CREDIT), sleeps(CREDIT)),
    (
        {"code": "credit_balance_exhausted", "type": "insufficient_quota"},
        sleeps(CREDIT),
        sleeps(CREDIT),
    ),
    ({"code": "billing_hard_limit_reached"}, sleeps(CREDIT), sleeps(CREDIT)),
    ({"code": "invalid_api_key"}, stops(KEY), stops(KEY)),
    ({"code": "account_deactivated"}, stops(KEY), stops(KEY)),
    ({"code": "model_not_found"}, stops(PROVIDER), stops(PROVIDER)),
    ({"code": "beta_api_shape_disabled"}, stops(PROVIDER), stops(PROVIDER)),
    ({"code": "invalid_intent"}, stops(PROVIDER), stops(PROVIDER)),
    ({"code": "model_load_error"}, stops(PROVIDER), stops(PROVIDER)),
    ({"code": "invalid_pipeline"}, stops(PROVIDER), stops(PROVIDER)),
]

EXPIRY = "Your session hit the maximum duration of 60 minutes."

#   close code, reason                             in talk
CLOSES: list[tuple[int | None, str, Course]] = [
    (None, "reset by peer", REOPENS),
    (1000, "", ENDED),
    (1001, "", REOPENS),
    (1001, EXPIRY, REOPENS),
    (1005, "", REOPENS),
    (1006, "", REOPENS),
    (1007, "malformed frame", sleeps(PROVIDER)),
    (1008, "wrong region", sleeps(PROVIDER)),
    (1008, "authentication failed", stops(KEY)),
    (1008, "all slots in use", REOPENS),
    (1011, "", REOPENS),
    (1012, "", REOPENS),
    (1013, "", REOPENS),
    (1015, "", REOPENS),
    (3000, "invalid_request_error.invalid_api_key", stops(KEY)),
    (3003, "", stops(KEY)),
    (4000, "invalid_request_error.beta_api_shape_disabled", stops(PROVIDER)),
    (4000, "invalid_request_error.invalid_intent", stops(PROVIDER)),
    (4000, "invalid_request_error.model_not_found", stops(PROVIDER)),
    (4000, "insufficient_quota.insufficient_quota", sleeps(CREDIT)),
    (4999, "?", sleeps(PROVIDER)),
]

#   HTTP status, body                              when woken
REFUSALS: list[tuple[int, str, Course]] = [
    (200, "<html>please log in</html>", sleeps(NETWORK)),
    (302, "", sleeps(NETWORK)),
    (400, "", stops(PROVIDER)),
    (401, "", stops(KEY)),
    (402, "", sleeps(CREDIT)),
    (403, "", stops(KEY)),
    (403, '{"error": {"code": "model_not_found"}}', stops(PROVIDER)),
    (404, "", stops(PROVIDER)),
    (407, "", sleeps(NETWORK)),
    (408, "", sleeps(PROVIDER)),
    (429, "", sleeps(PROVIDER)),
    (429, '{"error": {"type": "insufficient_quota"}}', sleeps(CREDIT)),
    (500, "", sleeps(PROVIDER)),
    (502, "", sleeps(PROVIDER)),
    (503, "", sleeps(PROVIDER)),
    (504, "", sleeps(PROVIDER)),
    (511, "", sleeps(NETWORK)),
]


def doubted(code: int, words: str) -> ssl.SSLCertVerificationError:
    """What OpenSSL thinks of a certificate."""
    doubt = ssl.SSLCertVerificationError(1, f"certificate verify failed: {words}")
    doubt.verify_code, doubt.verify_message = code, words
    return doubt


#   on the way there                               when woken
OBSTACLES: list[tuple[Exception, Course]] = [
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), sleeps(NETWORK)),
    (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), sleeps(NETWORK)),
    (ConnectionRefusedError(111, "Connection refused"), sleeps(NETWORK)),
    (ConnectionResetError(104, "Connection reset by peer"), sleeps(NETWORK)),
    (OSError(101, "Network is unreachable"), sleeps(NETWORK)),
    (TimeoutError(110, "Connection timed out"), sleeps(NETWORK)),
    (doubted(18, "self-signed certificate"), sleeps(NETWORK)),
    (doubted(10, "certificate has expired"), sleeps(NETWORK)),
    (doubted(9, "certificate is not yet valid"), sleeps(CLOCK)),
    (ssl.SSLError(1, "wrong version number"), sleeps(NETWORK)),
    (InvalidMessage("did not receive a valid HTTP response"), sleeps(NETWORK)),
    (InvalidHandshake("not a WebSocket"), sleeps(NETWORK)),
    (EOFError("connection closed while reading HTTP status line"), sleeps(NETWORK)),
    (ImportError("a SOCKS proxy needs python-socks"), sleeps(NETWORK)),
]

POLICY = Conversation(follow_up_s=60.0, false_wake_s=60.0, silent_microphone_s=30.0)


def dialect() -> openai.Dialect:
    """One whose session has been configured."""
    made = openai.open(Session(), openai.Settings())
    made.configure()
    made.decode('{"type": "session.updated", "session": {}}')
    return made


def asked() -> Evening:
    """Somebody has asked something, in a session that has held for a while."""
    evening = Evening(POLICY)
    evening.converses()
    for _ in range(2):
        evening.dozes(20.0)
        evening.frame()
    evening.says()
    evening.forgets()
    return evening


def woken() -> Evening:
    """Somebody has said the wake word."""
    evening = Evening(POLICY)
    evening.starts()
    evening.passes(1.0)
    evening.wakes()
    evening.passes(0.2)
    evening.forgets()
    return evening


def course(evening: Evening) -> Course:
    """What has come of it, and what comes of it in the next seconds."""
    trouble = evening.speaker._troubles.passing
    told = notes(evening.commands, Fact.TROUBLE)
    if trouble is None:
        assert not told
        assert chimes(evening.commands) in ([], [Chime.SLEEPING])
        assert not evening.shows(Scene.TROUBLE)
    else:
        assert chimes(evening.commands) == [Chime(trouble.value)], "its own sound, once"
        assert [(entry.warning, entry.fields["advice"]) for entry in told] == [
            (True, ADVICE[trouble])
        ], "one entry, with what to do"
        assert evening.shows(Scene.TROUBLE)
        assert only(evening.commands, do.Show)[-1].look.trouble is trouble
    if evening.laws.line == "closing":
        evening.hangs_up()
    evening.passes(2.5)
    tries = []
    if only(evening.commands, do.AskReply):
        tries.append("asks again")
        assert evening.shows(Scene.THINKING)
        evening.answers("resp_9")
    if only(evening.commands, do.OpenLink):
        tries.append("opens again")
        assert evening.shows(Scene.CONNECTING)
        evening.connects()
    evening.passes(POLICY.trouble_s)
    then = "in talk" if evening.laws.line == "up" else "asleep"
    if then == "asleep":
        assert evening.shows(Scene.ASLEEP)
    return Course(trouble, " and ".join(tries), then, wake(evening) if then == "asleep" else "")


def wake(evening: Evening) -> str:
    """What the next wake word does."""
    evening.forgets()
    evening.wakes()
    if only(evening.commands, do.OpenLink):
        return "opens"
    (told,) = notes(evening.commands, Fact.TROUBLE)
    assert evening.shows(Scene.TROUBLE)
    assert chimes(evening.commands) == [Chime(str(told.fields["trouble"]))]
    return "tells"


def heard(evening: Evening, spoken: openai.Dialect, **event: Any) -> None:
    """The provider says it; what ends a session is the last thing that a line hears."""
    for what in spoken.decode(json.dumps(event)):
        evening.feed(what)


@pytest.mark.parametrize(("error", "expected"), [(row[0], row[1]) for row in ERRORS])
def test_an_error(error: Mapping[str, str | None], expected: Course) -> None:
    evening = asked()
    if expected is GOES_ON:
        evening.answers(seconds=9.0)
        evening.passes(1.0)
    heard(evening, dialect(), type="error", error=error)
    assert Fact.REQUEST_REFUSED in facts(evening.commands) or evening.laws.line != "up"
    assert course(evening) == expected
    if expected is GOES_ON:
        assert evening.shows(Scene.SPEAKING), "and is heard"


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        *[({"type": "failed", "error": error}, expected) for error, _, expected in ERRORS],
        # Some servers tell it in plain words.
        *[(row[0]["message"], row[2]) for row in ERRORS if "message" in row[0]],
        ("You exceeded your current quota", sleeps(CREDIT)),
        ("Incorrect API key provided: sk-1", stops(KEY)),
        ("Too many requests", ASKS),
        ("boom", LOST),
        (None, LOST),
    ],
)
def test_an_answer_that_fails(details: object, expected: Course) -> None:
    evening, spoken = asked(), dialect()
    heard(evening, spoken, type="response.created", response={"id": "resp_1"})
    failed = {"id": "resp_1", "status": "failed", "status_details": details}
    heard(evening, spoken, type="response.done", response=failed)
    assert course(evening) == expected


@pytest.mark.parametrize(("code", "reason", "expected"), CLOSES)
def test_a_line_that_is_closed(code: int | None, reason: str, expected: Course) -> None:
    evening = asked()
    evening.feed(dialect().ended(code, reason))
    (ended,) = notes(evening.commands, Fact.SESSION_ENDED)
    assert (ended.fields["code"], ended.fields["detail"]) == (str(code or ""), reason)
    assert course(evening) == expected


@pytest.mark.parametrize(("status", "body", "expected"), REFUSALS)
def test_a_session_that_is_refused(status: int, body: str, expected: Course) -> None:
    evening = woken()
    evening.feed(dialect().refused(status, body.encode()))
    assert course(evening) == expected


@pytest.mark.parametrize(("obstacle", "expected"), OBSTACLES, ids=lambda it: str(it)[:60])
def test_nobody_is_reached(obstacle: Exception, expected: Course) -> None:
    async def stumble() -> NoReturn:
        raise obstacle

    async def story() -> ev.LinkDown:
        line: Any = stumble
        session = websocket.Session(websocket.Settings(), dialect(), line, "sk-test-of-troubles")
        return await session.run(lambda event: None)

    evening = woken()
    evening.feed(asyncio.run(story()))
    assert course(evening) == expected


@pytest.mark.parametrize(
    "passing", [row[0] for row in ERRORS if row[1] is REOPENS and "message" not in row[0]]
)
def test_what_passes_and_comes_back_is_told(passing: Mapping[str, str | None]) -> None:
    evening = asked()
    heard(evening, dialect(), type="error", error=passing)
    evening.passes(1.0)
    evening.connects()
    evening.says(item="user_2")
    evening.forgets()
    heard(evening, dialect(), type="error", error=passing)
    assert course(evening) == (ENDED if passing["code"] == "session_expired" else sleeps(PROVIDER))


@pytest.mark.parametrize(("code", "reason", "expected"), CLOSES)
def test_before_a_session_is_there_nothing_is_tried_again_by_itself(
    code: int | None, reason: str, expected: Course
) -> None:
    evening = woken()
    evening.feed(dialect().ended(code, reason))
    assert course(evening)[1:3] == ("", "asleep")


# --- what nothing but another configuration mends -----------------------------------------


def test_a_refused_key_is_tried_no_more() -> None:
    evening = woken()
    evening.feed(dialect().refused(401, b""))
    evening.passes(1.0)
    evening.forgets()
    for _ in range(5):
        evening.wakes()
        evening.passes(1.0)
    assert chimes(evening.commands) == [Chime.KEY] * 5
    assert not only(evening.commands, do.OpenLink)


def test_a_button_and_the_shell_are_told_as_well() -> None:
    evening = woken()
    evening.feed(dialect().refused(401, b""))
    evening.passes(5.0)
    evening.forgets()
    evening.feed(ev.WakeAsked())
    assert chimes(evening.commands) == [Chime.KEY]
    assert not only(evening.commands, do.OpenLink)


def test_a_provider_that_refused_everybody_for_a_while_is_tried_once_an_hour() -> None:
    evening = woken()
    evening.feed(dialect().refused(401, b""))
    evening.passes(5.0)
    assert wake(evening) == "tells"
    evening.feed(ev.MicLost("asleep for an hour"))
    evening.dozes(3590.0)
    evening.microphone_opens()
    evening.passes(6.0)
    assert wake(evening) == "opens"
    evening.connects()
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    assert wake(evening) == "opens", "it is over"
