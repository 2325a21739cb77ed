"""The microphone closed by voice; a button or the shell opens it again."""

from dataclasses import dataclass

from ..core.events import MuteAsked
from ._reach import Reach
from ._tool import Kit


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


def open(settings: Settings, reach: Reach) -> Kit:
    """A tool that closes the microphone at once."""

    async def mute() -> str:
        """Closes this speaker's microphone at once and ends the conversation.

        Call it only when the user asks to be no longer listened to. Nothing can be said after it,
        and no voice undoes it, only the mute button: say so before the call.
        """
        reach.feed(MuteAsked(muted=True))
        return "The microphone is closed and the conversation has ended. Say nothing more."

    return Kit([mute])
