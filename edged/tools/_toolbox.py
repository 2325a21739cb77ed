"""What the model may call: tool files, their arguments read and their failures turned to text."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import ModuleType

from ..core.settings import ToolSpec

TIMEOUT_S = 10.0
"""A tool that has not answered after this has failed: somebody is waiting in silence."""


class Toolbox:
    """Calls tools by name; every failure that can be expected comes back as {"error": ...}.

    A tool is a module with NAME, DESCRIPTION, PARAMETERS (a JSON Schema, an object) and
    `async def call(arguments: Mapping[str, object]) -> str`; FAREWELL = True says goodbye.
    """

    def __init__(self, tools: Sequence[ModuleType], timeout_s: float = TIMEOUT_S) -> None:
        self._tools = {str(tool.NAME): tool for tool in tools}
        self._timeout_s = timeout_s

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools as the model is told of them, in the order of the configuration."""
        return tuple(
            ToolSpec(name, tool.DESCRIPTION, tool.PARAMETERS) for name, tool in self._tools.items()
        )

    def farewell(self, name: str) -> bool:
        """Whether that tool says goodbye: the conversation ends once the answer was heard."""
        return bool(getattr(self._tools.get(name), "FAREWELL", False))

    async def call(self, name: str, arguments: str) -> str:
        """The tool's output, or its failure, as text for the model."""
        tool = self._tools.get(name)
        if tool is None:
            there = ", ".join(self._tools) or "none"
            return _failure(f'there is no tool "{name}"; there are: {there}')
        try:
            given = _read(arguments)
        except ValueError as error:
            return _failure(f"the arguments cannot be read: {error}")
        try:
            async with asyncio.timeout(self._timeout_s):
                return str(await tool.call(given))
        except TimeoutError:
            return _failure(f"{name} did not answer within {self._timeout_s:g} seconds")
        except KeyError as error:
            return _failure(f"{name} needs the argument {error}")
        except (ValueError, TypeError, OSError) as error:
            return _failure(f"{name}: {error}")


def _read(arguments: str) -> Mapping[str, object]:
    """The arguments; some models send nothing at all for none."""
    try:
        given = json.loads(arguments or "{}")
    except RecursionError as error:
        raise ValueError("they are nested too deeply") from error
    if not isinstance(given, dict):
        raise ValueError("one JSON object is expected")  # noqa: TRY004
    return given


def _failure(problem: str) -> str:
    return json.dumps({"error": problem}, ensure_ascii=False)
