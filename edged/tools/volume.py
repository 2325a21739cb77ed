"""How loud the speaker is, turned by voice."""

from dataclasses import dataclass
from typing import Annotated

from ..core.events import VolumeTurned
from ._reach import Reach
from ._tool import Kit, told


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


def open(settings: Settings, reach: Reach) -> Kit:
    """A tool that turns the volume; its percents go from the lowest volume to the loudest."""
    lowest_db = reach.volume.lowest_db

    async def volume(
        percent: Annotated[int, "0 to 100"] | None = None, steps: Annotated[int, "-20 to 20"] = 0
    ) -> str:
        """Turns the volume of this speaker, or tells it where both arguments are left out.

        Args:
            percent: How loud it is to be, when the user names a volume; 100 is the loudest.
            steps: How many steps louder, negative for quieter; 2 when the user does not say how
                much.

        """
        if percent is not None or steps:
            to_db = None if percent is None else lowest_db * (1 - percent / 100)
            reach.feed(VolumeTurned(steps, to_db))
        at_db = reach.status().get("volume_db")
        if not isinstance(at_db, int | float):
            return told(done=True)
        share = 1.0 if lowest_db == 0 else 1 - at_db / lowest_db
        return told(volume_percent=min(100, max(0, round(100 * share))))

    return Kit([volume])
