"""Azure OpenAI's GA service: OpenAI's language at an address, and with a key, of Azure's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from ..core.settings import Session
from . import _session as config
from . import openai
from ._way import Authorization, Way

_SHAPE = "wss://RESOURCE.openai.azure.com/openai/v1/realtime"


@dataclass(frozen=True)
class Settings:
    """Where the resource is, and how much of a long conversation is kept."""

    url: str = ""
    """The resource's address: wss://RESOURCE.openai.azure.com/openai/v1/realtime; the deployment
    is `model` in [session]."""
    authorization: Authorization = "api-key"
    """How the key is shown: a resource's key is an api-key, a token of Entra ID a bearer's."""
    retention_ratio: Annotated[float, "0 to 1"] = 0.8
    """The share of a full context that is kept; below 1 it is cut seldom, which keeps it cached."""
    post_instructions_tokens: Annotated[int, "0 to 100000"] = 8000
    """The context counts as full at this many tokens after the instructions; 0 for the model's
    own limit."""


def open(session: Session, settings: Settings, tools: config.Told = ()) -> openai.Dialect:
    """The dialect that asks for `session` with these tools; `instructions` are text already."""
    kept = config.retention(settings.retention_ratio, settings.post_instructions_tokens)
    return openai.Dialect(session, Way(settings.url, settings.authorization), tools, kept)


def objections(session: Session, settings: Settings) -> Mapping[tuple[str, ...], str]:
    """What cannot work, by its place in the configuration."""
    if not settings.url:
        return {("provider", "azure", "url"): f"is missing: write the resource's, {_SHAPE}"}
    # With it Azure takes the request for one of its preview's, and answers 401.
    if "api-version" in parse_qs(urlsplit(settings.url).query):
        return {
            ("provider", "azure", "url"): f"is {_SHAPE} without api-version; for the preview's "
            'choose driver = "legacy"'
        }
    return {}
