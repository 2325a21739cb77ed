"""Questions to somebody at a terminal, each with an answer that Enter gives."""

from collections.abc import Sequence
from getpass import getpass
from typing import NoReturn

from rich.console import Console
from rich.prompt import IntPrompt, Prompt
from rich.text import Text

from ..doctor._screen import Screen


class Questions(Screen):
    """A screen that also asks for more than yes or no; raises EOFError where nobody answers."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._gone = False

    def leave(self, *_: object) -> NoReturn:
        """Whoever was asked is gone, a signal says: end what is done, and ask nothing more.

        Raises KeyboardInterrupt, which is lost where a library has called back into Python.
        """
        self._gone = True
        raise KeyboardInterrupt

    def heading(self, text: str) -> None:
        """Begin something new."""
        self.console.print()
        self.console.print(Text(text, "bold cyan"))

    def say(self, text: str) -> None:
        """Tell them something."""
        self.console.print(Text(f"  {text}"), soft_wrap=True)

    def choose(self, question: str, options: Sequence[tuple[str, str]], default: str) -> str:
        """One of the options, which are values and what they are called."""
        values = [value for value, _ in options]
        for number, (value, label) in enumerate(options, 1):
            mark = "*" if value == default else " "
            self.console.print(f"  {mark}{number:>2}  {label}", soft_wrap=True)
        usual = values.index(default) + 1 if default in values else 1
        while True:
            number = self.number(question, 1, len(options), usual)
            return values[number - 1]

    def number(self, question: str, low: int, high: int, default: int) -> int:
        """A whole number of that range."""
        while True:
            self._must_be_there()
            given: int = IntPrompt.ask(
                Text(f"  {question}", "bold"), console=self.console, default=default
            )
            if low <= given <= high:
                return given
            self.say(f"a number from {low} to {high}, please")

    def text(self, question: str, default: str) -> str:
        """A line; empty for the default."""
        self._must_be_there()
        given: str = Prompt.ask(
            Text(f"  {question}", "bold"), console=self.console, default=default
        )
        return given.strip()

    def secret(self, question: str) -> str:
        """A line that is not shown while it is typed."""
        self._must_be_there()
        return getpass(f"  {question}: ").strip()

    def confirms(self, question: str) -> bool:
        """Ask the person for yes or no."""
        self._must_be_there()
        return super().confirms(question)

    def _must_be_there(self) -> None:
        if self._gone:
            raise EOFError
