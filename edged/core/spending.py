"""Bills as they come: reckoned, booked, warned of, and the end of the money."""

from collections.abc import Callable
from dataclasses import replace

from .budget import Purse
from .commands import Book, Command, Fact, warn
from .events import DayTurned
from .said import ReplyAudio, ReplyDone, ReplyStarted, Said, Usage, UserText

_SPOKEN_TOKENS_PER_S = 20
"""OpenAI: a token of an answer's sound is 50 ms."""


class Spending:
    """The purse with what is told of it."""

    def __init__(
        self, purse: Purse, *, by_minute: bool, rate: int, do: Callable[[Command], None]
    ) -> None:
        """`by_minute`: the open line is what costs; `rate`: frames a second of answers' sound."""
        self._purse = purse
        self._by_minute = by_minute
        self._do = do
        self.session_usd = 0.0
        """What the session has cost so far."""
        self._rate = rate
        self._unbilled: dict[str, int] = {}
        """Answers whose bill is still to come, and how many frames of their sound have come."""
        self._last = Usage()
        """The last answer's bill."""

    @property
    def nothing_left(self) -> bool:
        """Whether all is spent that may be."""
        return self._purse.spent_out

    @property
    def state(self) -> str:
        """How much of which limit is spent, in words."""
        return self._purse.state

    def turned(self, event: DayTurned) -> None:
        """The books say what was spent on this day, and in its month."""
        self._purse.turned(event.day_usd, event.month_usd)
        self._warn()

    def cost(self, usage: Usage) -> float:
        """What a bill comes to, in US dollars."""
        return self._purse.cost(usage)

    def take(self, event: Said) -> None:
        """A bill may have come with it, of an answer or of what was written down."""
        match event:
            case ReplyStarted():
                self._unbilled[event.reply] = 0
            case ReplyAudio() if event.reply in self._unbilled:
                self._unbilled[event.reply] += len(event.samples) // 2
            case ReplyDone():
                self._unbilled.pop(event.reply, None)
                self._last = event.usage
        if isinstance(event, ReplyDone | UserText) and event.usage != Usage():
            answered = isinstance(event, ReplyDone)
            self._book(Book(self._purse.spend(event.usage), event.usage, answered=answered))

    def began(self) -> None:
        """A session is being opened: nothing is owed for it yet."""
        self.session_usd, self._last = 0.0, Usage()
        self._unbilled.clear()

    def ended(self) -> None:
        """The session is over: an answer whose bill did not come is reckoned.

        By its sound, and by what the answer before it had read; the provider charges for it.
        """
        for frames in self._unbilled.values() if not self._by_minute else ():
            spoken = -(-frames * _SPOKEN_TOKENS_PER_S // self._rate)
            usage = replace(self._last, text_out=0, audio_out=spoken)
            if usage != Usage():
                self._book(Book(self._purse.spend(usage), usage, answered=True))
        self._unbilled.clear()

    def told(self, messages: int) -> None:
        """So many texts were handed to a session."""
        if self._by_minute and messages:
            self._book(Book(self._purse.spend_minutes(0, messages)))

    def passed(self, seconds: float) -> None:
        """A line was open for so much longer."""
        if self._by_minute and seconds > 0:
            self._book(Book(self._purse.spend_minutes(seconds), session_s=seconds))

    def _book(self, what: Book) -> None:
        self.session_usd += what.usd
        self._do(what)
        self._warn()

    def _warn(self) -> None:
        if model := self._purse.unpriced():
            where = f'give it a table [prices.models."{model}"]'
            text = f'the price of "{model}" is not known: {where}'
            self._do(warn(Fact.PRICE_UNKNOWN, text, model=model))
        if self._purse.warn():
            share = round(self._purse.share, 3)
            self._do(warn(Fact.SPENDING_WARNED, self._purse.state, share=share))
