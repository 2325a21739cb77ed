"""The provider's language, as far as a line has to know it."""

from typing import Protocol

from ..core.commands import LinkCommand
from ..core.events import Event, LinkDown


class Dialect(Protocol):
    """What a line needs to know of the provider's language."""

    @property
    def wire_rate(self) -> int:
        """Samples per second of the sound, both ways."""

    @property
    def expires_at(self) -> float | None:
        """When the provider will end the session, in Unix seconds, if it said so."""

    def restart(self) -> None:
        """Forget the last session."""

    def url(self) -> str:
        """Where to connect."""

    def headers(self, key: str) -> dict[str, str]:
        """What to send with the request to connect."""

    def configure(self) -> str:
        """The text that configures the session; the least of it after `SessionLimited`."""

    def encode(self, command: LinkCommand) -> list[str]:
        """The texts that carry a command out."""

    def decode(self, text: bytes) -> list[Event]:
        """What a message means; never raises."""

    def oddities(self) -> str:
        """What was not understood since the last call; "" for nothing."""

    def ended(self, code: int | None, reason: str) -> LinkDown:
        """What it means that the line was closed."""

    def refused(self, status: int, body: bytes) -> LinkDown:
        """What it means that the request to connect got an HTTP status."""
