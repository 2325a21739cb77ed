"""The tools that run, and which of them somebody still waits for."""

from collections.abc import Callable

from . import commands as do
from .commands import Command, Fact, note
from .events import ToolCalled, ToolFinished
from .history import History


class Calls:
    """Each call runs once; one that is forsaken still ends, and its output is told."""

    def __init__(self, history: History, do: Callable[[Command], None]) -> None:
        self._history = history
        self._do = do
        self._begun: set[str] = set()
        self._running: set[str] = set()
        self._forsaken: set[str] = set()

    @property
    def awaited(self) -> bool:
        """Whether one runs that somebody waits for."""
        return bool(self._running - self._forsaken)

    def knows(self, call: str) -> bool:
        """Whether that call runs."""
        return call in self._running

    def begin(self, event: ToolCalled) -> bool:
        """Run a tool; False for a call that is told again."""
        if event.call in self._begun:
            return False
        self._begun.add(event.call)
        self._running.add(event.call)
        self._history.did(event.call, f"The tool {event.name} was called: {event.arguments}")
        self._do(do.RunTool(event.call, event.name, event.arguments))
        self._do(note(Fact.TOOL_CALLED, f"tool {event.name} called", tool=event.name))
        return True

    def finish(self, event: ToolFinished) -> bool:
        """A call that is known is done; whether somebody has waited for it."""
        self._running.discard(event.call)
        self._history.did(event.call, f"It returned: {event.output}")
        self._do(do.AnswerTool(event.call, event.output))
        return event.call not in self._forsaken

    def forsake(self) -> None:
        """Nobody waits any more for those that run."""
        self._forsaken |= self._running

    def clear(self) -> None:
        """The session is over."""
        self._begun.clear()
        self._running.clear()
        self._forsaken.clear()
