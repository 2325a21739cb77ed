"""The tools that run or wait for leave, and which of them somebody still waits for."""

from collections.abc import Callable

from . import commands as do
from .commands import Chime, Command, Fact, note
from .events import ApprovalAsked, ToolCalled, ToolFinished
from .history import History

_CUT_OFF = "It was cut off, and may have been done: ask before you call it again."


class Calls:
    """Each call runs once; one that is forsaken still ends, and its output is told."""

    def __init__(self, history: History, do: Callable[[Command], None]) -> None:
        self._history = history
        self._do = do
        self._begun: set[str] = set()
        self._running: set[str] = set()
        self._forsaken: set[str] = set()
        self._asking: dict[str, str] = {}
        """What waits for leave, and the tool that each is for."""

    @property
    def awaited(self) -> bool:
        """Whether one runs or asks that somebody waits for."""
        return bool(self._running - self._forsaken or self._asking)

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

    def ask(self, event: ApprovalAsked) -> bool:
        """Ask somebody for leave; False for a request that is told again."""
        if event.request in self._begun:
            return False
        self._begun.add(event.request)
        self._asking[event.request] = event.tool
        self._do(do.Sound(Chime.ASKING))
        text = f"press a button to have {event.tool} called"
        self._do(note(Fact.APPROVAL_ASKED, text, tool=event.tool))
        return True

    def decide(self, *, allowed: bool) -> bool:
        """Give leave to all that ask for it, or to none; whether any did."""
        asking, self._asking = self._asking, {}
        verdict = "allowed" if allowed else "refused"
        for request, tool in asking.items():
            self._do(do.Approve(request, allowed=allowed))
            self._history.did(request, f"The tool {tool} was {verdict}.")
            told = note(Fact.APPROVAL_DECIDED, f"{tool} was {verdict}", tool=tool, verdict=verdict)
            self._do(told)
        return bool(asking)

    def forsake(self) -> None:
        """Nobody waits any more for those that run; those that ask are refused."""
        self._forsaken |= self._running
        self.decide(allowed=False)

    def clear(self) -> None:
        """The session is over; what runs is cut off."""
        for call in self._running:
            self._history.did(call, _CUT_OFF)
        self._begun.clear()
        self._running.clear()
        self._forsaken.clear()
        self._asking.clear()
