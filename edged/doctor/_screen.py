"""The terminal as the doctor uses it: what is being done, what came of it, and who sits there."""

from types import TracebackType

from rich.console import Console
from rich.prompt import Confirm
from rich.status import Status
from rich.text import Text

from ._finding import Finding, Verdict
from ._round import Outcome

_MARKS: dict[Verdict, tuple[str, str]] = {
    "ok": ("✔", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✘", "bold red"),
    "skipped": ("-", "dim"),
}
_NAME = 12


class Screen:
    """Shows progress on the last line while it is entered; plain lines where nobody looks."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._status = Status("", console=console)
        self._shown = False

    def __enter__(self) -> "Screen":
        self._shown = self.console.is_terminal
        if self._shown:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shown = False
        self._status.stop()

    def tell(self, what: str, seconds: float) -> None:
        """What is being done, and for how long; 0 where nobody knows."""
        words = f"{what} ({seconds:.0f} s)" if seconds else what
        self._status.update(Text(words, "dim"))

    def told(self, text: str) -> None:
        """Ask the person to do something."""
        self.console.print(Text(f"  {text}", "bold"))

    def confirms(self, question: str) -> bool:
        """Ask the person for yes or no."""
        self._status.stop()
        try:
            return Confirm.ask(Text(f"  {question}", "bold"), console=self.console)
        finally:
            if self._shown:
                self._status.start()

    def show(self, outcome: Outcome) -> None:
        """One check's verdict, what was seen, and the fix under it."""
        self.finding(outcome.name, outcome.finding)

    def finding(self, name: str, finding: Finding) -> None:
        """The same of a check by its name."""
        mark, style = _MARKS[finding.verdict]
        line = Text.assemble((mark, style), f" {name.replace('_', ' '):<{_NAME}} {finding.seen}")
        self.console.print(line, soft_wrap=True)
        if finding.fix:
            self.console.print(Text(f"{'':{_NAME + 2}} → {finding.fix}", style), soft_wrap=True)


def terminal(*, stderr: bool = False) -> Console:
    """One in which brackets are just brackets."""
    return Console(stderr=stderr, highlight=False, markup=False)
