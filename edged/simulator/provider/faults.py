"""What can be made to go wrong at the simulated server, while it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """Switches; the defaults are a healthy server. A running server reads them at each use."""

    refuse: bool = False
    """Break every TCP connection as soon as it is made."""
    http_status: int = 0
    """Answer the upgrade with this HTTP status, such as 429 or 503; 0 accepts it."""
    connect_delay_s: float = 0.0
    """Accept the upgrade this late."""
    created_delay_s: float = 0.0
    """Send `session.created` this late."""
    updated_delay_s: float = 0.0
    """Obey `session.update`, and everything after it, this late."""
    bad_key: bool = False
    """Refuse every key: close with 3000 after the upgrade, as the real server does."""
    no_model: bool = False
    """Know no model: close with 4000 `invalid_request_error.model_not_found`."""
    modest: bool = False
    """Know nothing of voices: refuse every `session.update` with one in it."""
    quota: bool = False
    """Every answer fails with `insufficient_quota` in `response.done`; the line stays healthy."""
    busy: bool = False
    """Every answer fails with `inference_rate_limit_exceeded`, in the same way."""
    drop_after_ms: int | None = None
    """Break the TCP connection when so much sound of an answer was sent."""
    breaks_at: str = ""
    """Break the TCP connection in the place of our first event of this type, or as soon as the
    client's first one of it has come; `close` is its farewell."""
    mute: bool = False
    """Accept everything and never answer."""
    malformed: bool = False
    """Send frames that are no JSON, no object or no event after `session.updated`."""
    unknown: bool = False
    """Send events that nobody has heard of after `session.updated` and before each answer."""


MALFORMED = ("{this is not JSON", "[1, 2, 3]", '"session.updated"', '{"event_id": "event_1"}', "")
"""Frames that are no event."""
