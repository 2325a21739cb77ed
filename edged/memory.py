"""What the speaker itself remembers over a restart: whether it is muted, and how loud it is."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from .core.commands import Remember
from .core.events import Started
from .store import Clerk, Store

_NAME = "speaker"


@dataclass(frozen=True)
class _Speaker:
    """The file's shape; what does not fit it is not believed."""

    muted: bool
    volume_db: Annotated[float, msgspec.Meta(ge=-60, le=0)]


class Memory:
    """Saves the newest, in order; what was last told is saved before the process ends.

    What the disk refuses is the store's to try again.
    """

    def __init__(self, store: Store, clerk: Clerk) -> None:
        self.store = store
        self.clerk = clerk
        """Who writes into it, beside the loop."""
        self._newest = self._written = store.read(_NAME, _Speaker, None)

    def started(self) -> Started:
        """The first event of a core's life, with what is remembered now."""
        known = self._newest
        return Started() if known is None else Started(known.muted, known.volume_db)

    def remember(self, what: Remember) -> None:
        """Save it soon; the disk is spared what it has already."""
        self._newest = _Speaker(what.muted, what.volume_db)
        self.clerk.do(self._save)

    def save_again(self) -> None:
        """Have what the disk has refused saved, whoever's it is, if it takes it now."""
        if self.store.owed:
            self.clerk.do(self.store.again)

    def _save(self) -> None:
        newest = self._newest
        if newest != self._written:
            self.store.write(_NAME, newest)
            self._written = newest
