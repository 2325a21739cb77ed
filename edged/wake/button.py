"""No wake word: the speaker is woken by a button or from the shell."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..ports import Feed, Wake


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


def open(settings: Settings, feed: Feed) -> Wake:
    """An engine that never hears anything; `feed` is not called."""
    return _Nobody()


class _Nobody:
    """Keeps the promises of `ports.Wake` by doing nothing."""

    examined = None

    def offer(self, samples: bytes, position: int) -> None:
        """Let the sound go."""

    def reset(self) -> None:
        """Nothing was heard, so nothing is forgotten."""

    def scores(self) -> Mapping[str, float]:
        """Nobody listens for words."""
        return {}

    def status(self) -> Mapping[str, str | int]:
        """That no engine runs."""
        return {"engine": "button", "words": ""}

    async def close(self) -> None:
        """Nothing is open."""
