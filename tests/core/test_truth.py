"""Whole evenings with a provider and a loudspeaker at a distance: what it believes was heard.

Messages travel for a while both ways, the loudspeaker sounds on for a moment after it is told to
be silent, and people speak and press as they like. Whenever all is quiet, every item of the
conversation is as long for the provider as it was for the room.
"""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import get_args

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.gestures import Action, Bindings
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import WIRE_RATE, Echo, Evening
from .laws import number

STEP_S = 0.02
PIECE_MS = 100
BINDINGS = {
    "talk": Bindings(long=Action.NONE),
    "push": Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK),
    "both": Bindings(press=Action.TALK, hold=Action.PUSH_TO_TALK),
    "stop": Bindings(press=Action.STOP, long=Action.NONE),
}
ON_THE_LINE = do.LinkCommand.__args__


@dataclass
class Item:
    """What the provider believes was said."""

    ms: int = 0
    cut_ms: int | None = None
    deleted: bool = False

    @property
    def believed_ms(self) -> int:
        if self.deleted:
            return 0
        return self.ms if self.cut_ms is None else self.cut_ms


@dataclass
class Utterance:
    """What the provider heard somebody say."""

    ghost: bool
    """Nobody did."""
    faint: bool
    """Hardly anything of it went out."""
    deleted: bool = False


@dataclass
class Reply:
    """An answer that is being made."""

    name: str
    items: list[list[int]]
    """Number and milliseconds still to come of each."""
    pace: float
    """Faster than real time by this."""
    budget_ms: float = 0.0


@dataclass
class Provider:
    """Answers as the protocol says, and objects to what the protocol forbids."""

    chance: random.Random
    interrupts: bool = True
    """Whether it ends an answer by itself when it hears speech; if not, it may hear ghosts."""
    detecting: bool = True
    hearing: bool = False
    ghost: bool = False
    """Whether what it hears is nobody."""
    loud: int = 0
    quiet: int = 0
    sound_ms: int = 0
    committed: int = 10**9
    """Frames since it found the end of an utterance by itself."""
    reply: Reply | None = None
    items: dict[str, Item] = field(default_factory=dict)
    users: dict[str, Utterance] = field(default_factory=dict)
    made: int = 0
    said: deque[ev.Event] = field(default_factory=deque)

    def takes(self, command: do.Command, talking: set[int]) -> None:
        match command:
            case do.SendAudio():
                self._hears(loud=number(command.samples) in talking)
            case do.SendNoise():
                if not self.interrupts and self.detecting and not self.hearing:
                    self.ghost = self.chance.random() < 0.02
                self._hears(loud=False)
            case do.DetectTurns():
                self.detecting, self.hearing, self.loud = command.on, False, 0
            case do.ClearInput():
                self.sound_ms, self.hearing, self.loud = 0, False, 0
                self.ghost = False
            case do.CommitInput():
                assert not self.detecting
                assert self.sound_ms >= 100 or self.committed < 30, "nothing to commit"
                self.sound_ms = 0
            case do.AskReply() if self.reply is None:
                self._answers()
            case do.AskReply():
                # Only its own answer to an utterance may have come first.
                assert self.committed < 30, "conversation_already_has_active_response"
            case do.CancelReply() if self.reply and self.reply.name == command.reply:
                self._ends("cancelled")
            case do.TruncateReply():
                item = self.items[command.item]
                assert item.cut_ms is None
                assert not item.deleted
                assert 0 < command.heard_ms <= item.ms, "already shorter than that"
                item.cut_ms = command.heard_ms
            case do.DeleteItem() if command.item in self.users:
                user = self.users[command.item]
                assert user.ghost or user.faint, "somebody said that"
                assert not user.deleted
                user.deleted = True
            case do.DeleteItem():
                assert not self.items[command.item].deleted
                self.items[command.item].deleted = True
            case _:
                pass

    def lives(self) -> None:
        """A moment passes."""
        self.committed += 1
        reply = self.reply
        if reply is None or self.chance.random() < 0.1:
            return
        reply.budget_ms += STEP_S * 1000 * reply.pace
        while reply.items and reply.budget_ms >= PIECE_MS:
            which, left_ms = reply.items[0]
            piece_ms = min(left_ms, PIECE_MS)
            reply.budget_ms -= piece_ms
            reply.items[0][1] -= piece_ms
            name = f"{reply.name}_{which}"
            self.items.setdefault(name, Item()).ms += piece_ms
            sound = bytes(2 * WIRE_RATE * piece_ms // 1000)
            self.said.append(ev.ReplyAudio(reply.name, name, 0, sound))
            if left_ms == piece_ms:
                del reply.items[0]
        if not reply.items:
            if self.made > 1 and self.chance.random() < 0.25:
                tool = self.chance.choice(("clock", "clock", "goodbye"))
                self.said.append(ev.ToolCalled(reply.name, f"{reply.name}_call", tool, "{}"))
            self._ends("completed")

    def _hears(self, *, loud: bool) -> None:
        self.sound_ms += 20
        if not self.detecting:
            return
        self.loud = self.loud + loud if loud or self.hearing else 0
        self.quiet = 0 if loud else self.quiet + 1
        user = f"user_{len(self.users)}"
        if not self.hearing and (self.loud >= 3 or self.ghost):
            self.hearing, self.quiet = True, 0
            self.said.append(ev.SpeechStarted(user))
            if self.reply and self.interrupts:
                self._ends("cancelled")
        elif self.hearing and self.quiet >= 25:
            self.users[user] = Utterance(self.ghost and not self.loud, self.loud < 10)
            self.hearing, self.loud, self.sound_ms, self.committed = False, 0, 0, 0
            self.ghost = False
            self.said += [ev.SpeechStopped(user), ev.UserItemCommitted(user)]
            if self.reply is None:
                self._answers()

    def _answers(self) -> None:
        self.made += 1
        lengths = [self.chance.choice((20, 200, 1000, 3000, 6000)) for _ in range(3)]
        kept = self.chance.choice((0, 1, 1, 1, 2, 3)) if self.made > 1 else 2
        items = [[which, length] for which, length in enumerate(lengths[:kept])]
        self.reply = Reply(f"resp_{self.made}", items, self.chance.choice((0.8, 2.0, 20.0)))
        self.said.append(ev.ReplyStarted(self.reply.name))

    def _ends(self, status: str) -> None:
        assert self.reply is not None
        self.said.append(ev.ReplyDone(self.reply.name, status))
        self.reply = None


class Distance(Evening):
    """A room far away from its provider, with a loudspeaker that cannot forget what it holds."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        policy = Conversation(stop_words=("stop",))
        super().__init__(policy, BINDINGS, echo=chance.choice(get_args(Echo)))
        self.slow_to_hush = True
        self.delay_s = chance.uniform(0.005, 0.15)
        self.provider = self.connection()
        self.up: deque[tuple[float, do.Command]] = deque()
        self.down: deque[tuple[float, ev.Event]] = deque()
        self.ends: deque[tuple[float, ev.Event]] = deque()
        self.tools: list[tuple[float, ev.Event]] = []
        self.spool: list[tuple[str, int]] = []
        self.really: dict[str, int] = {}
        """Frames of each item that the room has heard, before the last `Hush`."""
        self.talking: set[int] = set()
        self.talks_until = 0.0
        self.judged = 0

    def connection(self) -> Provider:
        return Provider(self.chance, interrupts=self.echo != "canceller")

    def feed(self, *events: ev.Event) -> list[do.Command]:
        commands: list[do.Command] = []
        for event in events:
            heard = self.heard
            done = super().feed(event)
            for command in done:
                self._does(command, event, heard)
            commands += done
        return commands

    def _does(self, command: do.Command, event: ev.Event, heard: int) -> None:
        soon = self.now + self.chance.uniform(0.0, 0.05)
        match command:
            case do.Play():
                assert isinstance(event, ev.ReplyAudio)
                self.spool.append((event.item, len(command.samples) // 2))
            case do.Hush():
                held = self.chance.randint(0, WIRE_RATE * 40 // 1000)
                end = min(heard + held, sum(frames for _, frames in self.spool))
                self._hears(end)
                self.spool.clear()
                self.ends.append((soon, ev.SpeakerHushed(end)))
            case do.OpenLink():
                self._hangs_up()
                self.down += [(soon, ev.LinkAccepted("sess_1")), (soon, ev.LinkReady())]
            case do.CloseLink():
                self._hangs_up()
                self.down.append((soon, ev.LinkDown()))
            case do.RunTool():
                done = ev.ToolFinished(command.call, "so", farewell=command.name == "goodbye")
                self.tools.append((self.now + self.chance.choice((0.02, 0.5, 4.0)), done))
            case _ if isinstance(command, ON_THE_LINE):
                self.up.append((self.now + self.delay_s * self.chance.uniform(0.5, 1), command))

    def _hangs_up(self) -> None:
        self.provider = self.connection()
        self.up.clear()
        self.down.clear()
        self.really.clear()

    def _hears(self, left: int) -> None:
        for item, frames in self.spool:
            self.really[item] = self.really.get(item, 0) + min(left, frames)
            left -= min(left, frames)

    def moment(self) -> None:
        """Two hundredths of a second pass, everywhere."""
        talks = self.now < self.talks_until
        if talks:
            self.talking.add(self.frames)
        self.over_us = talks and self.chance.random() < 0.9
        self.passes(STEP_S)
        while self.ends and self.ends[0][0] <= self.now:
            self.hushes.clear()
            self.feed(self.ends.popleft()[1])
        while self.up and self.up[0][0] <= self.now:
            self.provider.takes(self.up.popleft()[1], self.talking)
        self.provider.lives()
        for told in self.provider.said:
            arrives = self.now + self.delay_s * self.chance.uniform(0.5, 1)
            self.down.append((max(arrives, self.down[-1][0]) if self.down else arrives, told))
        self.provider.said.clear()
        while self.down and self.down[0][0] <= self.now:
            self.feed(self.down.popleft()[1])
        for due in [due for due in self.tools if due[0] <= self.now]:
            self.tools.remove(due)
            self.feed(due[1])
        self.judge()

    def moments(self, count: int) -> None:
        """So many of them."""
        for _ in range(count):
            self.moment()

    def judge(self) -> None:
        """When nothing is under way, everybody believes the same."""
        asked = any(not isinstance(c, do.SendAudio | do.SendNoise) for _, c in self.up)
        if asked or self.down or self.ends or self.provider.reply or self.heard < self.queued:
            return
        before = dict(self.really)
        self._hears(self.heard)
        heard, self.really = self.really, before
        for name, item in self.provider.items.items():
            heard_ms = heard.get(name, 0) * 1000 // WIRE_RATE
            assert item.believed_ms == heard_ms, f"{name}: {item}, and {heard_ms} ms were heard"
            self.judged += 1

    def people(self) -> None:
        """Somebody does something."""
        button = self.chance.choice(list(BINDINGS))
        match self.chance.choice(("talk", "talk", "talk", "word", "stop", "down", "down", "up")):
            case "talk":
                self.talks_until = self.now + self.chance.uniform(0.3, 3.0)
            case "word":
                self.wakes()
            case "stop":
                self.says_stop()
            case "down":
                self.holds(button)
            case _:
                self.lets_go(button)


@pytest.mark.parametrize("seed", range(36))
def test_the_provider_believes_what_the_room_has_heard(seed: int) -> None:
    evening = Distance(seed)
    evening.starts()
    evening.wakes()
    evening.moments(10)
    evening.talks_until = evening.now + 1.0
    evening.moments(1000)
    assert evening.judged, "somebody spoke and was answered"
    for _ in range(40):
        evening.people()
        evening.moments(evening.chance.choice((1, 5, 15, 50, 100, 200)))
    for button in BINDINGS:
        evening.lets_go(button)
    evening.moments(3000)
    assert evening.shows(Scene.ASLEEP)
