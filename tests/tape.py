"""An evening with a recorder: what was recorded, and what the speaker did at each moment."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from edged.core import commands as do
from edged.core import events as ev
from edged.core.gestures import Bindings
from edged.core.scenes import Scene
from edged.core.settings import BargeIn, Conversation, Gestures, Volume
from edged.flight import Flight
from edged.record import LENGTH_ONLY, Header, decode, encode

from .script import WIRE_RATE, Evening


class Recorded(Evening):
    """Every event is recorded before the speaker hears of it."""

    def __init__(
        self,
        policy: Conversation | None = None,
        bindings: Mapping[str, Bindings] | None = None,
        **limits: float,
    ) -> None:
        super().__init__(policy, bindings)
        self.header = header(self.policy, bindings or {})
        self.remembered = ev.Started()
        self.flight = Flight(
            self.speaker.rests,
            lambda: self.remembered,
            self.policy.asleep_ring_s,
            **limits,  # type: ignore[arg-type]
        )
        self.lines: list[bytes] = []
        self.begun: list[int] = []
        """How many commands there had been when each event happened."""
        self.words: dict[str, str] = {}
        """What was said, and what a replay says in its place."""

    def feed(self, *events: ev.Event) -> list[do.Command]:
        commands: list[do.Command] = []
        for event in events:
            line = encode(event, self.now)
            self.lines.append(line)
            self.begun.append(len(self.commands))
            self.flight.took(event, line, self.now)
            self._listen(event, line)
            done = super().feed(event)
            for command in done:
                if isinstance(command, do.Remember):
                    self.remembered = ev.Started(command.muted, command.volume_db)
            commands += done
        return commands

    def naps(self, seconds: float = 24.0) -> None:
        """It is sent to sleep, and left alone."""
        self.feed(ev.StopAsked())
        if self.laws.line == "closing":
            self.hangs_up()
        self.passes(seconds)

    def is_troubled(self) -> None:
        """A conversation that ends badly."""
        self.wakes()
        self.connects()
        self.says()
        self.answers(seconds=1.0)
        self.passes(0.5)
        self.hangs_up(ev.Trouble.NETWORK, "1006")
        assert self.shows(Scene.TROUBLE)

    def converses_for_ever(self) -> None:
        """A minute and a half, which is a lot to remember."""
        self.wakes()
        self.connects()
        for turn in range(15):
            self.says(2.0)
            self.answers(f"resp_{turn}", item=f"item_{turn}", seconds=2.0)
            self.passes(4.0)

    def decided(self, since: int = 0) -> list[Any]:
        """The commands from the event number `since` on, as a replay would have them."""
        first = self.begun[since] if since < len(self.begun) else len(self.commands)
        return [bare(command, self.words) for command in self.commands[first:]]

    def _listen(self, event: ev.Event, line: bytes) -> None:
        hidden = LENGTH_ONLY.get(type(event))
        if hidden and hidden != "samples":
            said = getattr(event, hidden)
            self.words[said] = getattr(decode(line)[1], hidden)


def header(policy: Conversation, bindings: Mapping[str, Bindings]) -> Header:
    barge_in = BargeIn(cold_ms=0)
    return Header(policy, Volume(), Gestures(), bindings, WIRE_RATE, "0.1.0", barge_in)


def bare(thing: Any, words: Mapping[str, str]) -> Any:
    """`thing` with the lengths of its samples, and `words` in the place of what was said."""
    if is_dataclass(thing):
        inside = [(each.name, bare(getattr(thing, each.name), words)) for each in fields(thing)]
        return type(thing).__name__, inside
    if isinstance(thing, bytes):
        return len(thing)
    if isinstance(thing, Mapping):
        return {name: bare(value, words) for name, value in thing.items()}
    if isinstance(thing, str):
        for said, shown in words.items():
            thing = thing.replace(said, shown) if said else thing
    return thing


def replayed(played: Sequence[Any]) -> list[Any]:
    """The commands of what `app.replay` gave."""
    return [bare(command, {}) for _, _, commands in played for command in commands]
