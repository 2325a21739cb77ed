"""What fails in a session: told, and outlived; a session that goes astray is replaced, once."""

from collections import deque
from collections.abc import Callable
from math import inf

from .commands import Command, Fact, note, warn
from .dialogue import Dialogue
from .events import ReplyDone, RequestRefused, Trouble
from .line import Line
from .settings import Conversation
from .troubles import Troubles

_MANY = 3
_WITHIN_S = 30.0
"""So much that fails within so long is a session that has gone astray, not bad luck."""
_ONE_CAUSE_S = 1.0
"""What fails sooner after the last has the same cause, and counts once: a server that takes no
recalled items refuses each of them."""


class Mishaps:
    """Says what becomes of an answer, a session and a conversation in which something fails."""

    def __init__(
        self,
        policy: Conversation,
        dialogue: Dialogue,
        line: Line,
        troubles: Troubles,
        do: Callable[[Command], None],
    ) -> None:
        self._policy = policy
        self._dialogue = dialogue
        self._line = line
        self._troubles = troubles
        self._do = do
        self._at: deque[float] = deque(maxlen=_MANY)
        """When something failed."""
        self._replaced_at = -inf

    def take(self, event: ReplyDone | RequestRefused, now: float) -> None:
        """An answer is done, well or not, or something was asked for in vain."""
        if isinstance(event, RequestRefused):
            lost = event.asked and self._dialogue.refused(event, now)
            tell = note if event.benign else warn
            message = f"request refused: {event.message}"
            self._do(tell(Fact.REQUEST_REFUSED, message, code=event.code))
            if not event.benign:
                self._outlive(event.message or event.code, now, lost=lost)
            return
        lost = self._dialogue.reply_done(event, now)
        if event.trouble is not None:
            self._line.end("trouble", now, chime=None)
            # Whoever has paid need not change the configuration.
            fatal = event.trouble is not Trouble.CREDIT
            self._troubles.arise(event.trouble, event.detail, now, fatal=fatal)
        elif event.status == "failed" or lost:
            self._outlive(event.detail or event.reason, now, lost=lost)

    def _outlive(self, what: str, now: float, *, lost: bool) -> None:
        """The talk goes on; the user is told of an answer that is `lost`."""
        if lost:
            self._troubles.arise(Trouble.PROVIDER, what, now)
        if self._at and now - self._at[-1] < _ONE_CAUSE_S:
            return
        self._at.append(now)
        if len(self._at) < _MANY or now - self._at[0] > _WITHIN_S:
            return
        self._at.clear()
        lately = now - self._replaced_at <= self._policy.longest_s
        if lately or not self._policy.reconnect_s:
            self._line.end("too much fails", now, chime=None)
            self._troubles.arise(Trouble.PROVIDER, what, now)
            return
        self._replaced_at = now
        text = "too much fails in this session, and another is opened"
        self._do(warn(Fact.REQUEST_REFUSED, text))
        self._line.rotate(now)
