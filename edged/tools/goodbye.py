"""The end of a conversation, when the user takes leave."""

from dataclasses import dataclass

from ._reach import Reach
from ._tool import Kit


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


def open(settings: Settings, reach: Reach) -> Kit:
    """A tool that does nothing: the core hangs up."""
    return Kit([goodbye], farewell=True)


async def goodbye() -> str:
    """Ends the conversation.

    Call it when the user takes leave or wants nothing more, such as goodbye, good night, thank you,
    that is all. Say a short farewell in the same answer, before the call: nothing can be said after
    it.
    """
    return "The conversation ends as soon as your farewell has been heard. Say nothing more."
