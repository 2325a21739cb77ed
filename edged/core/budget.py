"""What a conversation costs, and how much of what the owner allows is spent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from .said import Usage

_MOST = 10_000_000
"""Of anything on one bill: more is a bill that went wrong, and no number to reckon with."""


@dataclass(frozen=True)
class Price:
    """What one model costs, in US dollars: for a million tokens, or for time."""

    audio_in: Annotated[float, "at least 0"] = 0.0
    """Sound that it hears, per million tokens."""
    cached_audio: Annotated[float, "at least -1"] = -1.0
    """Sound that it had heard before; -1: as much as `audio_in`."""
    audio_out: Annotated[float, "at least 0"] = 0.0
    """Sound that it speaks."""
    text_in: Annotated[float, "at least 0"] = 0.0
    """Text that it reads."""
    cached_text: Annotated[float, "at least -1"] = -1.0
    """Text that it had read before; -1: as much as `text_in`."""
    text_out: Annotated[float, "at least 0"] = 0.0
    """Text that it writes."""
    minute: Annotated[float, "at least 0"] = 0.0
    """A minute of the session, or of what is transcribed, where time is what costs."""
    message: Annotated[float, "at least 0"] = 0.0
    """A text that is handed to one that is paid by time."""
    same_as: str = ""
    """The name of a model with prices of its own, which these are too: for a deployment."""

    def fits(self, *, minutes: bool) -> bool:
        """Whether it says something where minutes are billed, or tokens; what is free always."""
        tokens = self.audio_in, self.audio_out, self.text_in, self.text_out
        return self == Price() or (self.minute > 0 if minutes else any(tokens))


_FULL = Price(32.0, 0.4, 64.0, 4.0, 0.4, 16.0)
_MINI = Price(10.0, 0.3, 20.0, 0.6, 0.06, 2.4)
_KNOWN: Mapping[str, Price] = {
    "gpt-realtime-2.1": replace(_FULL, text_out=24.0),
    "gpt-realtime-2.1-mini": _MINI,
    "gpt-realtime-2": replace(_FULL, text_out=24.0),
    "gpt-realtime-1.5": _FULL,
    "gpt-realtime": _FULL,
    "gpt-realtime-mini": _MINI,
    "gpt-4o-mini-realtime-preview": replace(_MINI, cached_text=0.3),
    "gpt-transcribe": Price(minute=0.0045),
    "gpt-live-transcribe": Price(minute=0.017),
    "gpt-realtime-whisper": Price(minute=0.017),
    "whisper-1": Price(minute=0.006),
    "gpt-4o-transcribe": Price(audio_in=6.0, text_in=2.5, text_out=10.0),
    "gpt-4o-mini-transcribe": Price(audio_in=3.0, text_in=1.25, text_out=5.0),
    "grok-voice-think-fast-2.0": Price(minute=0.08, message=0.004),
    "grok-voice-think-fast-1.0": Price(minute=0.05, message=0.004),
    "grok-voice-latest": Price(minute=0.08, message=0.004),
}


@dataclass(frozen=True)
class Prices:
    """What the models cost, by their names; a model added here leaves all others as they are."""

    as_of: str = "2026-11-20"
    """When the prices were looked up; see what the provider charges now."""
    free: bool = False
    """Whether nothing costs anything, as with a server of your own."""
    models: Mapping[str, Price] = field(default_factory=lambda: _KNOWN)
    """Each model's prices; an empty table for another one that costs nothing."""

    def of(self, model: str) -> Price | None:
        """What it costs; None where nobody knows. A dated name has the price of the undated one."""
        if self.free:
            return Price()
        found, date = self._named(model), model[-11:]
        if date.startswith("-20") and date.replace("-", "").isdigit():
            found = found or self._named(model[:-11])
        found = self._named(found.same_as) if found and found.same_as else found
        return None if found and found.same_as else found

    def _named(self, model: str) -> Price | None:
        return self.models.get(model) or _KNOWN.get(model)


@dataclass(frozen=True)
class Budget:
    """What may be spent; at the whole of it no session is opened until the day or month turns."""

    day_usd: Annotated[float, "at least 0"] = 0.0
    """The most for one day, in US dollars; 0 for no limit."""
    month_usd: Annotated[float, "at least 0"] = 0.0
    """The most for one month; 0 for no limit."""
    warn_share: Annotated[float, "0.1 to 1"] = 0.8
    """The share of either at which the journal warns."""


class Purse:
    """Reckons what is spent, and against what is allowed; a model without a price is told of."""

    def __init__(
        self, prices: Prices, budget: Budget, model: str, transcription_model: str = ""
    ) -> None:
        """`model` answers, `transcription_model` writes down what is said to it."""
        self._budget = budget
        self._model = model
        self._scribe = transcription_model
        self._price, self._scribes_price = prices.of(model), prices.of(transcription_model)
        self._warned: bool | None = None
        """None before the books say anything: what they begin with was warned of in its time."""
        self._unpriced: dict[str, bool] = {}
        """Models in use without a price, and whether that has been told."""
        self.day_usd = self.month_usd = 0.0
        """Spent on this day so far, and in its month; as the books say, and since."""

    def cost(self, usage: Usage) -> float:
        """US dollars; cached tokens are a subset of the input's. What has no price adds nothing."""
        price, scribe = self._price or Price(), self._scribes_price or Price()
        tokens = (
            _input(usage.text_in, usage.cached_text, price.text_in, price.cached_text)
            + _input(usage.audio_in, usage.cached_audio, price.audio_in, price.cached_audio)
            + _sane(usage.text_out) * price.text_out
            + _sane(usage.audio_out) * price.audio_out
            + _sane(usage.transcribed_in) * scribe.audio_in
            + _sane(usage.transcribed_out) * scribe.text_out
        )
        return tokens / 1e6 + _sane(usage.transcribed_s) / 60 * scribe.minute

    def spend(self, usage: Usage) -> float:
        """Reckon a bill in; what it costs."""
        answer = replace(usage, transcribed_s=0, transcribed_in=0, transcribed_out=0)
        if answer != usage and self._scribes_price is None:
            self._unpriced.setdefault(self._scribe, False)
        if answer != Usage() and self._price is None:
            self._unpriced.setdefault(self._model, False)
        return self._spent(self.cost(usage))

    def spend_minutes(self, seconds: float, messages: int = 0) -> float:
        """Reckon in so much time of a session that is paid by it, and texts handed to it."""
        price = self._price or Price()
        if self._price is None or not (price.minute or price == Price()):
            self._unpriced.setdefault(self._model, False)
        return self._spent(_sane(seconds) / 60 * price.minute + _sane(messages) * price.message)

    def turned(self, day_usd: float, month_usd: float) -> None:
        """The books say what is spent on the day that it is now, and in its month."""
        self.day_usd, self.month_usd = day_usd, month_usd
        self._warned = self._warned is not False and self.share >= self._budget.warn_share

    @property
    def share(self) -> float:
        """How much of the limits is spent, of the one that is nearer; 0 where there are none."""
        day, month = self._budget.day_usd, self._budget.month_usd
        return max(self.day_usd / day if day else 0.0, self.month_usd / month if month else 0.0)

    @property
    def spent_out(self) -> bool:
        """Whether nothing is left."""
        return self.share >= 1

    @property
    def state(self) -> str:
        """How much of which limit is spent, in words; "" where there is none."""
        usd, most, name = self.day_usd, self._budget.day_usd, "day"
        if not most or usd / most < self.share:
            usd, most, name = self.month_usd, self._budget.month_usd, "month"
        return f"{usd:.2f} of {most:.2f} USD for this {name} are spent" if most else ""

    def warn(self) -> bool:
        """Whether to warn now: once when the share is crossed, and again after it was below."""
        due = self.share >= self._budget.warn_share and not self._warned
        self._warned = bool(self._warned) or due
        return due

    def unpriced(self) -> str:
        """The name of a model in use whose price nobody knows, each told once; else ""."""
        model = next((model for model, told in self._unpriced.items() if not told), "")
        self._unpriced |= {model: True} if model else {}
        return model

    def _spent(self, usd: float) -> float:
        self.day_usd += usd
        self.month_usd += usd
        return usd


def _input(tokens: int, cached: int, full: float, again: float) -> float:
    """Millionths of a dollar for what was read, of which a part had been read before."""
    known = min(_sane(cached), _sane(tokens))
    return (_sane(tokens) - known) * full + known * (again if again >= 0 else full)


def _sane(number: float) -> float:
    """A count that can be reckoned with, whatever a bill says."""
    return min(max(0, number), _MOST)
