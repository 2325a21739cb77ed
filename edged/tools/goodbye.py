"""The end of a conversation, when the user takes leave."""

from collections.abc import Mapping
from typing import Any

NAME = "goodbye"
DESCRIPTION = (
    "Ends the conversation. Call it when the user takes leave or wants nothing more, such as "
    "goodbye, good night, thank you, that is all. Say a short farewell in the same answer, "
    "before the call: nothing can be said after it."
)
PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
FAREWELL = True
"""The conversation ends once the answer that called this has been heard."""


async def call(arguments: Mapping[str, object]) -> str:
    """Nothing is done here; the core hangs up."""
    return "The conversation ends as soon as your farewell has been heard. Say nothing more."
