"""What was said, and really heard, in the last minutes: a new session is told of it."""

from dataclasses import dataclass
from math import inf
from typing import Literal

from . import said as ev
from .commands import Recall
from .settings import History as Policy

_CUT = "\u2026"
_LONGEST_OUTPUT = 600
"""Characters of what a tool did."""
_GOES_ON = (
    "The conversation so far is given above as text; what ends in an ellipsis was cut short there. "
    "It goes on now, in the same language. Do not greet again."
)


@dataclass(slots=True)
class _Said:
    """One item of the conversation."""

    who: Literal["user", "assistant", "system"]
    item: str
    text: str = ""
    received: int = 0
    """Frames of its sound, as far as it has any."""
    heard: float = inf
    """Frames of it that were heard, where it was cut."""
    question: int = 0
    """Which question of this conversation it belongs to."""

    def words(self) -> str:
        """What of its text was heard: as large a share as of its sound, cut at a word."""
        if not self.text or self.heard >= self.received:
            return self.text.strip()
        heard = self.text[: int(len(self.text) * self.heard / self.received)]
        parts = heard.rsplit(None, 1)
        within = not (heard[-1:].isspace() or self.text[len(heard)].isspace())
        if within and len(parts) == 2:
            heard = parts[0]
        return heard.rstrip() + _CUT if heard.strip() else ""


class History:
    """The newest items of a conversation over all its sessions, in their order."""

    def __init__(self, policy: Policy, rate: int) -> None:
        """`rate`: frames a second of the answers' sound."""
        self._policy = policy
        self._rate = rate
        self._said: list[_Said] = []
        self._gone: set[str] = set()
        """Items that were never said, whatever more comes of them."""
        self._fresh_until = -inf
        self._question = 1

    @property
    def asks(self) -> bool:
        """Whether the last word is the user's, or a tool's."""
        return any(said.who != "assistant" and said.text for said in self._said[-1:])

    def take(self, event: ev.Said) -> None:
        """What the provider says."""
        match event:
            case ev.SpeechStopped() | ev.UserItemCommitted() if event.item:
                # The words come later, if at all; not every server tells of both.
                self._find("user", event.item)
            case ev.UserText():
                self._wrote("user", event.item, event.text)
            case ev.ReplyWords():
                self._find("assistant", event.item).text += event.text
            case ev.ReplyText():
                self._wrote("assistant", event.item, event.text)
            case ev.ReplyAudio():
                # Whether it will be heard or not.
                self._find("assistant", event.item).received += len(event.samples) // 2
            case _:
                pass

    def did(self, call: str, what: str) -> None:
        """A tool was called, or has returned."""
        said = self._find("system", call)
        said.text = f"{said.text} {what}".strip()[:_LONGEST_OUTPUT]

    def cut(self, item: str, heard_ms: int) -> None:
        """No more of that item than this was heard; with 0 it was never said."""
        for said in self._said:
            if said.item == item:
                said.heard = heard_ms * self._rate / 1000
        if not heard_ms:
            self._gone.add(item)
            self._said = [said for said in self._said if said.item != item]

    def begin_question(self) -> None:
        """What the user says from now on is said once, or else taken back."""
        self._question += 1

    def take_back_question(self) -> None:
        """What the user has said since the last beginning will be heard once more."""
        last = "user", self._question
        self._said = [said for said in self._said if (said.who, said.question) != last]

    def ended(self, now: float) -> None:
        """The session is over; what was said in it is fresh for a while."""
        self._fresh_until = now + self._policy.minutes * 60

    def fresh(self, now: float) -> bool:
        """Whether a session that begins now is told anything."""
        return now <= self._fresh_until and any(said.words() for said in self._said)

    def recall(self, now: float) -> list[Recall]:
        """What to tell a session that begins now; [] where nothing fresh is known.

        Bounded in items and characters, the newest first. Old things are forgotten for good, and
        so is what item they were: their names are void in a new session.
        """
        told: list[Recall] = []
        left = self._policy.characters
        for said in reversed(self._said if now <= self._fresh_until else []):
            words = said.words()
            left -= len(words)
            if left < 0 or len(told) == self._policy.items:
                break
            if words:
                told.append(Recall(said.who, words))
        told.reverse()
        self._gone.clear()
        self._said = [_Said(each.who, "", each.text) for each in told]
        return [*told, Recall("system", _GOES_ON)] if told else []

    def _wrote(self, who: Literal["user", "assistant"], item: str, text: str) -> None:
        self._find(who, item).text = text.strip()

    def _find(self, who: Literal["user", "assistant", "system"], item: str) -> _Said:
        for said in reversed(self._said):
            if (said.who, said.item) == (who, item):
                return said
        if item in self._gone:
            return _Said(who, item)
        self._said.append(_Said(who, item, question=self._question))
        del self._said[: max(0, len(self._said) - 2 * self._policy.items - 2)]
        return self._said[-1]
