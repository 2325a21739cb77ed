"""What the simulated provider answers: a list in turn, or else what it heard and a short story."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .conversation import Item
from .voice import Speech

STORY = (
    "Here is a short story. A small speaker stood on a shelf and listened to the rain. "
    "When the rain stopped, it said good night."
)
"""Ends the answers of a server without a list."""


@dataclass(frozen=True)
class Call:
    """An answer that calls a tool, if the session has one of that name."""

    name: str
    arguments: str = "{}"
    """A JSON object as text."""


Part = str | Call | Speech
"""A text to be spoken, a call of a tool, or a finished recording."""


@dataclass(frozen=True)
class Items:
    """An answer of several items, one after another in one response."""

    parts: Sequence[Part]
    """Sounds before calls, as the real server orders them; several calls are parallel ones."""


Answer = Part | Items
"""One item, or several."""


class Script:
    """Answers and transcriptions of one server; each list starts again after its last."""

    def __init__(self, answers: Sequence[Answer] = (), heard: Sequence[str] = ()) -> None:
        """`heard` is what a transcription says of the user's turns, which nobody recognises."""
        self._answers = answers
        self._heard = heard
        self._answered = 0
        self._listened = 0

    def hear(self, seconds: float) -> str:
        """What was said in the user's next turn."""
        if not self._heard:
            return f"({seconds:.1f} s of speech)"
        self._listened += 1
        return self._heard[(self._listened - 1) % len(self._heard)]

    def answer(self, question: Item | None, tools: Collection[str]) -> Answer:
        """The next answer in the conversation; `tools` are the names that may be called."""
        if not self._answers:
            return f"{_understood(question)} {STORY}"
        self._answered += 1
        told = self._answers[(self._answered - 1) % len(self._answers)]
        if isinstance(told, Items):
            return Items([_possible(part, tools) for part in told.parts])
        return _possible(told, tools)


def _possible(part: Part, tools: Collection[str]) -> Part:
    if isinstance(part, Call) and part.name not in tools:
        return f"I would call {part.name}, but this session has no such tool."
    return part


def _understood(question: Item | None) -> str:
    if question is None:
        return "Hello."
    if question.body["type"] == "function_call_output":
        return f"The tool says: {question.body['output']}."
    if question.audio:
        what = "you" if question.hint.startswith("(") else f"“{question.hint}”"
        return f"I heard {what} for {question.ms / 1000:.1f} seconds."
    return f"You wrote: {question.text}."
