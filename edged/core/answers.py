"""The answers of a session: which one counts, what sounds, what an interruption takes back."""

from collections.abc import Callable
from itertools import chain

from . import commands as do
from . import events as ev
from .commands import Command, Fact, note, warn
from .figures import Figures
from .history import History
from .playback import Playback
from .timers import Timer, Timers

_HUSH_S = 0.2
"""A loudspeaker answers a `Hush` within a period or two of 10 ms; one that does not is not waited
for: what it told last counts."""


class Answers:
    """One answer counts at a time; sound of any other is dropped, whenever it comes."""

    def __init__(
        self, playback: Playback, history: History, timers: Timers, do: Callable[[Command], None]
    ) -> None:
        self.playback = playback
        self._history = history
        self._timers = timers
        self._do = do
        self._hushes = 0
        """Those that the loudspeaker has not answered yet."""
        self._cut: Figures | None = None
        """Of the turn that was cut while it is not known yet where."""
        self._current: str | None = None
        self._open: set[str] = set()
        """Those that have begun and are not done, also the unwanted ones."""
        self._begun: set[str] = set()
        """Every one of this session: none begins twice."""
        self._items: set[str] = set()
        """Every item of which sound was queued in this session."""
        self._late: dict[str, list[str]] = {}
        """Of each unwanted one that is not done the items that were not queued."""
        self._cut_reply = ""
        """The answer that was cut last."""
        self._unpaid: dict[str, Figures] = {}
        """Of each answer that was cut and is not done its turn, whose bill comes with its end."""

    @property
    def generating(self) -> bool:
        """Whether more may come of the one that counts."""
        return self._current in self._open

    @property
    def under_way(self) -> bool:
        """Whether the one that counts is being made, or heard."""
        return self.generating or self.playback.audible

    @property
    def unfinished(self) -> bool:
        """Whether any is being made, wanted or not: until then none can be asked for."""
        return bool(self._open)

    def counts(self, reply: str) -> bool:
        """Whether `reply` is the one that counts."""
        return reply == self._current

    def begin(self, reply: str, *, wanted: bool) -> bool:
        """An answer is being made, and cancelled unless it is `wanted`; False: it is known."""
        if reply in self._begun:
            return False
        self._begun.add(reply)
        self._open.add(reply)
        if wanted:
            self._current = reply
            self.playback.start(reply)
        else:
            self._late[reply] = []
            self._do(do.CancelReply(reply))
        return True

    def take(self, event: ev.ReplyAudio) -> bool:
        """Queue sound; whether it was of the answer that counts."""
        late = self._late.get(event.reply)
        if late is not None and event.item not in (*self._items, *late):
            late.append(event.item)
        if event.reply != self._current or not self.generating or not event.samples:
            return False
        self._items.add(event.item)
        self.playback.queue(event.reply, event.item, event.index, event.samples)
        self._do(do.Play(event.samples))
        return True

    def finish(self, event: ev.ReplyDone) -> bool:
        """Generation is over; whether of the one that counts, which may play on for long."""
        reply = event.reply
        if bill := self._unpaid.pop(reply, None):
            bill.spent(event.usage)
            self._do(bill.line())
        elif self._cut is not None and reply == self._cut_reply:
            self._cut.spent(event.usage)
        if reply not in self._open:
            return False
        self._open.discard(reply)
        for item in self._late.pop(reply, ()):
            # It came after the cut, and nobody has heard it.
            self.never_said(item)
        if reply != self._current:
            return False
        if event.status == "failed" and event.trouble is None:
            message = f"the answer failed: {event.detail}"
            self._do(warn(Fact.REQUEST_REFUSED, message, code=event.reason))
        self.playback.finish()
        if self.playback.received(reply):
            self._do(do.FinishPlay())
        return True

    def never_said(self, item: str) -> None:
        """Take an item out of the conversation."""
        self._history.cut(item, 0)
        self._do(do.DeleteItem(item))

    def give_up(self) -> None:
        """The unwanted ones do not end: they are as good as done."""
        for reply in tuple(self._late):
            self.finish(ev.ReplyDone(reply))

    def cut(self, figures: Figures, now: float, *, cancel: bool) -> None:
        """Stop the answer; the record is set straight once it is known what was heard of it."""
        self.settle()
        self._cut = figures
        if self._current is not None and self.generating:
            self._late[self._current] = []
            if cancel:
                self._do(do.CancelReply(self._current))
        self._cut_reply, self._current = self._current or "", None
        if self.playback.queued:
            self._hush()
            self._timers.start(Timer.HUSHED, now + _HUSH_S)
        else:
            self.playback.cut()
            self.settle()

    def hushed(self, heard: int | None) -> None:
        """The loudspeaker tells where it stopped; None: it is not waited for."""
        if heard is not None:
            self._hushes = max(0, self._hushes - 1)
        if heard is None or not self._hushes:
            self.settle(heard)

    def settle(self, heard: int | None = None) -> None:
        """Set the record straight about the answer that was cut, if one was."""
        self._timers.stop(Timer.HUSHED)
        figures, self._cut = self._cut, None
        if figures is None:
            return
        for item in self.playback.settle(heard):
            if item.heard_ms:
                self._history.cut(item.item, item.heard_ms)
                self._do(do.TruncateReply(item.item, item.index, item.heard_ms))
            else:
                self.never_said(item.item)
        figures.heard(self.playback.settled_ms, interrupted=True)
        told = {"turn": figures.number, "heard_ms": figures.heard_ms}
        self._do(note(Fact.INTERRUPTED, "answer interrupted", **told))
        if self._cut_reply in self._open:
            self._unpaid[self._cut_reply] = figures
        else:
            self._do(figures.line())

    def end(self, *, speaking: bool) -> None:
        """The session is over: silence, and nobody is left to be told."""
        if self._cut is not None:
            self._cut.heard(self.playback.settled_ms, interrupted=True)
            self._do(self._cut.line())
            self._cut = None
        for bill in self._unpaid.values():
            self._do(bill.line())
        self._timers.stop(Timer.HUSHED)
        if speaking or self.playback.queued:
            self._hush()
        for item in self.playback.settle():
            self._history.cut(item.item, item.heard_ms)
        for unheard in chain.from_iterable(self._late.values()):
            self._history.cut(unheard, 0)
        self._hushes = 0
        self._current = None
        for known in (self._open, self._begun, self._items, self._late, self._unpaid):
            known.clear()

    def _hush(self) -> None:
        # Also when all of it was heard: the counts begin anew on both sides.
        self._do(do.Hush())
        self._hushes += 1
        self.playback.cut()
