"""Notices that what counts up stands still."""

from typing import Final

_WELL_AFTER: Final = 6
"""Looks at which it had moved, after which all is well."""


class Watch:
    """Looks at a number from time to time."""

    def __init__(self, patience: int) -> None:
        """`patience`: looks at which it stands still that are too many; may be changed."""
        self.patience = patience
        self.longest = 0
        """Looks at which it has ever stood still."""
        self._seen = -1
        self._still = 0
        self._moved = -1
        """The first look tells nothing."""

    @property
    def well(self) -> bool:
        """Whether it has moved for a while."""
        return self._moved >= _WELL_AFTER

    def stalled(self, number: int) -> bool:
        """Look: whether it has stood still for too long."""
        still = number == self._seen
        self._still = self._still + 1 if still else 0
        self.longest = max(self.longest, self._still)
        self._moved += not still
        self._seen = number
        return self._still >= self.patience
