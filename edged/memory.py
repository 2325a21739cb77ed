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
    """Saves the newest, in order; what was last told is saved before the process ends."""

    def __init__(self, store: Store, clerk: Clerk) -> None:
        self.store = store
        self.clerk = clerk
        """Who writes into it, beside the loop."""
        self._saved = store.read(_NAME, _Speaker, None)
        self._newest = self._saved

    def started(self) -> Started:
        """The first event of a core's life, with what is remembered now."""
        known = self._newest
        return Started() if known is None else Started(known.muted, known.volume_db)

    def remember(self, what: Remember) -> None:
        """Save it soon; the disk is spared what it has already."""
        self._newest = _Speaker(what.muted, what.volume_db)
        self.clerk.do(self._save)

    def _save(self) -> None:
        newest = self._newest
        if newest != self._saved and self.store.write(_NAME, newest):
            self._saved = newest
