"""How a provider is reached: its address, and how it is told who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

Authorization = Literal["bearer", "api-key"]
"""Where the key stands: in `Authorization: Bearer`, or in a header `api-key` as Azure has it."""


@dataclass(frozen=True)
class Way:
    """An address without its model."""

    base: str
    authorization: Authorization = "bearer"
    told: Mapping[str, str] = field(default_factory=dict)
    """Headers besides; those without a value are not sent."""

    def url(self, model: str) -> str:
        """Where to connect; `model` is left out where the address names one, or a deployment."""
        if not model or {"model", "deployment"} & parse_qs(urlsplit(self.base).query).keys():
            return self.base
        return f"{self.base}{'&' if '?' in self.base else '?'}model={quote(model, safe='')}"

    def headers(self, key: str) -> dict[str, str]:
        """What to send with the request to connect; no authorization without a key."""
        bearer = self.authorization == "bearer"
        proof = {"Authorization": f"Bearer {key}"} if bearer else {"api-key": key}
        return {
            name: text for name, text in ((proof if key else {}) | dict(self.told)).items() if text
        }
