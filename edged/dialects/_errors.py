"""What a Realtime provider's complaint means: harmless, passing, or the end of the session.

Codes are often missing and differ between providers, so a code is looked up first and the
message after it. Tables follow what OpenAI, Azure, xAI and local servers were seen to send. What
no table names costs the turn and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.events import LinkDown, Trouble

_LONGEST_DETAIL = 300

BUSY = "conversation_already_has_active_response"
"""An answer was asked for while another was being made."""

_FATAL: Mapping[str, Trouble | None] = {
    "insufficient_quota": Trouble.CREDIT,
    "credit_balance_exhausted": Trouble.CREDIT,
    "billing_hard_limit_reached": Trouble.CREDIT,
    "invalid_api_key": Trouble.KEY,
    "account_deactivated": Trouble.KEY,
    "authentication_error": Trouble.KEY,
    "model_not_found": Trouble.PROVIDER,
    "beta_api_shape_disabled": Trouble.PROVIDER,
    "invalid_intent": Trouble.PROVIDER,
    "model_load_error": Trouble.PROVIDER,
    "invalid_pipeline": Trouble.PROVIDER,
    # The agreed end of a long session is nobody's fault.
    "session_expired": None,
}
"""Codes, and types that stand in for one, after which the same again would end the same."""

_OURS = (Trouble.KEY, Trouble.PROVIDER)
"""What of that only another configuration mends; an account is mended elsewhere."""

_FATAL_WORDS = {
    "incorrect api key": "invalid_api_key",
    "exceeded your current quota": "insufficient_quota",
    "maximum duration": "session_expired",
}

_BROKEN_OFF = ("server_error", "session_limit_reached")
"""Codes and types after which the session is of no use, and another may well be."""

_PASSING = frozenset({*_BROKEN_OFF, "rate_limit_exceeded", "inference_rate_limit_exceeded"})
"""Codes and types of what passes by itself: another try in a moment makes sense."""

_PASSING_WORDS = {
    "rate limit": "rate_limit_exceeded",
    "too many requests": "rate_limit_exceeded",
    "slots": "session_limit_reached",
}

_BENIGN = frozenset(
    {
        BUSY,
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "unsupported_content_type",
        "item_truncate_invalid_item_id",
        "item_delete_invalid_item_id",
        "item_retrieve_invalid_item_id",
        # Azure's and LocalAI's words for two of them.
        "audio_buffer_too_small",
        "invalid_item_id",
    }
)
"""Races between what the speaker asks and what the provider has already done."""

_BENIGN_WORDS = {
    "already has an active response": BUSY,
    "no active response": "response_cancel_not_active",
    "buffer too small": "input_audio_buffer_commit_empty",
    "only model output audio messages can be truncated": "unsupported_content_type",
    "already shorter than": "truncate_too_long",
    "error truncating item": "item_truncate_invalid_item_id",
    "error deleting item": "item_delete_invalid_item_id",
    "item with item_id": "invalid_item_id",
    # xAI cannot truncate and says so in words of its own.
    "truncat": "truncate_refused",
}

_KEY_WORDS = ("auth", "api key", "api_key", "credential", "token", "forbidden")

_BROKEN = {None, 1005, 1006, 1015}
"""Close codes of a line that broke (RFC 6455 7.4.1), as against a server that ended it."""

_GONE = _BROKEN | {1001, 1011, 1012, 1013}
"""The same, and those of a server that fails, restarts or is overloaded: it will be back."""

_LATER = {408, 425, 429, 500, 502, 503, 504}
"""HTTP status codes that are another one in a moment."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error object of the provider's, made of text whatever it was made of."""

    code: str = ""
    kind: str = ""
    message: str = ""
    event: str = ""
    """The identity of the event of ours that it answers."""

    @property
    def words(self) -> str:
        """Everything it says, in one line of at most 300 characters."""
        head = self.code or self.kind
        return brief(f"{head}: {self.message}" if head and self.message else head + self.message)


def brief(text: str) -> str:
    """`text` on one line, cut to what a journal entry bears."""
    return " ".join(text.split())[:_LONGEST_DETAIL]


def fault(told: object) -> Fault:
    """Read an `error` object defensively: a table, a bare string, or anything else."""
    if not isinstance(told, Mapping):
        return Fault(message=_text(told))
    return Fault(
        code=_text(told.get("code")),
        kind=_text(told.get("type")),
        message=_text(told.get("message")),
        event=_text(told.get("event_id")),
    )


def ending(error: Fault) -> LinkDown | None:
    """How the session ends because of `error`; None when it goes on."""
    code = _fatal_code(error)
    if code:
        what = _FATAL[code]
        return LinkDown(what, error.code or code, brief(error.message), fatal=what in _OURS)
    code = "" if benign(error) else _passing_code(error)
    if code not in _BROKEN_OFF:
        return None
    return LinkDown(Trouble.PROVIDER, error.code or code, brief(error.message), transient=True)


def benign(error: Fault) -> str:
    """The usual code of the race that `error` tells of; "" when it is not a known one."""
    return error.code if error.code in _BENIGN else _match(_BENIGN_WORDS, error.message)


def transient(error: Fault) -> bool:
    """Whether it passes by itself, so that another try in a moment makes sense."""
    return not _fatal_code(error) and not benign(error) and bool(_passing_code(error))


def fatal(error: Fault) -> Trouble | None:
    """What the owner has to see to before anything is answered again; None for nothing."""
    return _FATAL.get(_fatal_code(error))


def closed(code: int | None, reason: str) -> LinkDown:
    """How a session ended whose line was closed with `code` and `reason`.

    OpenAI's reasons have the form `<type>.<code>`; 3000 and 3003 are registered with IANA as
    Unauthorized and Forbidden.
    """
    error = Fault(code=reason.rsplit(".", 1)[-1], message=reason)
    known = _fatal_code(error)
    what: Trouble | None
    if known:
        what = _FATAL[known]
    elif code == 1000:
        what = None
    elif code in _BROKEN:
        what = Trouble.NETWORK
    elif code in (3000, 3003) or (code == 1008 and _speaks_of_key(reason)):
        what = Trouble.KEY
    else:
        what = Trouble.PROVIDER
    again = (code in _GONE or (what is Trouble.PROVIDER and transient(error))) and not known
    fatal = what is Trouble.KEY or (bool(known) and what in _OURS)
    return LinkDown(what, str(code or ""), brief(reason), transient=again, fatal=fatal)


def refused(status: int, told: object, text: str) -> LinkDown:
    """How an attempt ended that was answered with an HTTP status instead of a session.

    `told` is the answer's body as JSON, or None; `text` the body as it came.
    """
    error = fault(told.get("error") if isinstance(told, Mapping) else None)
    known = _fatal_code(error)
    what: Trouble | None
    if known:
        what = _FATAL[known]
    elif status in (401, 403):
        what = Trouble.KEY
    elif status == 402:
        what = Trouble.CREDIT
    elif status < 400 or status in (407, 511):
        # A hotel's log-in page or a proxy answered, not the provider.
        what = Trouble.NETWORK
    else:
        what = Trouble.PROVIDER
    again = status in _LATER and not known
    fatal = what in _OURS and not again
    detail = error.words or brief(text)
    return LinkDown(what, str(status), detail, transient=again, fatal=fatal)


def _fatal_code(error: Fault) -> str:
    for name in (error.code, error.kind):
        if name in _FATAL:
            return name
    return "" if error.code in _BENIGN else _match(_FATAL_WORDS, error.message)


def _passing_code(error: Fault) -> str:
    for name in (error.code, error.kind):
        if name in _PASSING:
            return name
    return _match(_PASSING_WORDS, error.message)


def _match(table: Mapping[str, str], message: str) -> str:
    lower = message.lower()
    return next((code for words, code in table.items() if words in lower), "")


def _speaks_of_key(reason: str) -> bool:
    # Of tokens there may be too many; one alone is a key.
    lower = reason.lower().replace("tokens", "")
    return any(word in lower for word in _KEY_WORDS)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
