"""The laws of the house, tried from every state a short evening can reach.

`reachable` walks breadth first through everything that can happen and keeps one evening for each
distinguishable state of the speaker; Hypothesis then goes on from any of them with any events in
any order. `Laws` judges after every event; the tests here add what needs more than one moment.
"""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.core import commands as do
from edged.core import events as ev
from edged.core.budget import Budget, Prices, Purse
from edged.core.gestures import Action, Bindings
from edged.core.machines import Health, Hearing, Link, Turn
from edged.core.scenes import Scene
from edged.core.settings import Conversation
from edged.core.timers import Timer

from ..script import WIRE_RATE, Echo, Evening, only

# A thousand states are looked for before the first law is tried.
pytestmark = pytest.mark.timeout(300)

POLICY = Conversation(
    asleep_ring_s=0.5,
    connecting_ring_s=3.0,
    preroll_ms=200,
    longest_s=120.0,
    rotate_minutes=1.0,
    stop_words=("stop",),
)
BINDINGS = {
    "talk": Bindings(),
    "quick": Bindings(Action.TALK, Action.STOP, Action.NONE),
    "push": Bindings(Action.NONE, Action.NONE, Action.NONE, Action.PUSH_TO_TALK),
}

Happening = Callable[[Evening], object]


def event(one: ev.Event) -> Happening:
    return lambda evening: evening.feed(one)


def alarm(evening: Evening) -> None:
    """The next deadline comes."""
    deadline = evening.speaker.deadline()
    if deadline is not None:
        evening.now = max(evening.now, deadline)
    evening.feed(ev.Tick())


def machine_sleeps(evening: Evening) -> None:
    """An hour passes in which nobody looked."""
    evening.now += 3600.0
    evening.feed(ev.Tick())


def progress(evening: Evening) -> None:
    """Half of what is queued is heard."""
    evening.plays((evening.queued - evening.heard) / 2 / WIRE_RATE)


def speaks_over_us(evening: Evening) -> None:
    """For as long as the gate needs."""
    evening.over_us = True
    evening.passes(0.06)


def falls_silent(evening: Evening) -> None:
    """For longer than the gate hangs."""
    evening.over_us = False
    evening.passes(0.4)


HAPPENINGS: dict[str, Happening] = {
    "frame": Evening.frame,
    "time passes": lambda evening: evening.passes(0.1),
    "microphone stalls": lambda evening: evening.passes(3.1, room=False),
    "alarm": alarm,
    "the machine sleeps": machine_sleeps,
    "wake word": Evening.wakes,
    "stale wake word": event(ev.WakeHeard("hey_jarvis", 0.9, 10**9)),
    "near miss": event(ev.WakeNearlyHeard("hey_jarvis", 0.4)),
    "talk down": event(ev.ButtonPressed("talk")),
    "talk up": event(ev.ButtonReleased("talk")),
    "quick down": event(ev.ButtonPressed("quick")),
    "quick up": event(ev.ButtonReleased("quick")),
    "push down": event(ev.ButtonPressed("push")),
    "push up": event(ev.ButtonReleased("push")),
    "stop word": event(ev.WakeHeard("stop", 0.9, 0)),
    "louder": event(ev.VolumeTurned(1)),
    "much softer": event(ev.VolumeTurned(-99)),
    "so loud": event(ev.VolumeTurned(to_db=-20.0)),
    "louder than it goes": event(ev.VolumeTurned(to_db=99.0)),
    "hushed": Evening.hushed,
    "hushed late": lambda evening: evening.hushed(10.0),
    "hushed out of the blue": event(ev.SpeakerHushed(10**9)),
    "wake asked": event(ev.WakeAsked()),
    "stop asked": event(ev.StopAsked()),
    "something is to be said": event(ev.SayAsked("dinner")),
    "mute": event(ev.MuteAsked(True)),
    "unmute": event(ev.MuteAsked(False)),
    "switched off": event(ev.MuteAsked(True, switch=True)),
    "switched on": event(ev.MuteAsked(False, switch=True)),
    "microphone opens": Evening.microphone_opens,
    "microphone lost": event(ev.MicLost("gone")),
    "speaker opens": event(ev.SpeakerOpened("speaker", 48_000, 20.0)),
    "speaker lost": event(ev.SpeakerLost("gone")),
    "underrun": event(ev.SpeakerUnderran(12.0)),
    "accepted": event(ev.LinkAccepted("sess_1")),
    "ready": event(ev.LinkReady()),
    "line ends": event(ev.LinkDown()),
    "network fails": event(ev.LinkDown(ev.Trouble.NETWORK, "1006")),
    "network breaks": event(ev.LinkDown(ev.Trouble.NETWORK, "1006", transient=True)),
    "provider's time is up": event(ev.LinkDown(None, "1001", "maximum duration")),
    "key refused": event(ev.LinkDown(ev.Trouble.KEY, "3000", fatal=True)),
    "timer rings": event(ev.Rang("pizza")),
    "money is spent": event(ev.DayTurned("2026-11-21", 9.0, 9.0)),
    "a new day": event(ev.DayTurned("2026-11-22", 0.0, 0.0)),
    "makes room": event(ev.Retiring()),
    "less than asked": event(ev.SessionLimited("no voice of that name")),
    "speech starts": event(ev.SpeechStarted("user_1")),
    "speech stops": event(ev.SpeechStopped("user_1")),
    "committed": event(ev.UserItemCommitted("user_1")),
    "words": event(ev.UserText("user_1", "hello")),
    "refused": event(ev.RequestRefused("bad", "what?", False)),
    "not asked": event(ev.RequestRefused("bad", "not now", False, True, transient=True)),
    "too busy": event(ev.RequestRefused("busy", "not now", True, asked=True, busy=True)),
    "half is heard": progress,
    "all is heard": lambda evening: evening.plays(600.0),
    "somebody speaks over us": speaks_over_us,
    "nobody does any more": falls_silent,
    "too much is heard": event(ev.SpeakerProgress(10**9)),
}
for _reply in ("resp_1", "resp_2"):
    HAPPENINGS |= {
        f"{_reply} starts": event(ev.ReplyStarted(_reply)),
        f"{_reply} sounds": event(ev.ReplyAudio(_reply, f"{_reply}_a", 0, bytes(9600))),
        f"{_reply} goes on": event(ev.ReplyAudio(_reply, f"{_reply}_b", 0, bytes(4800))),
        f"{_reply} is empty": event(ev.ReplyAudio(_reply, f"{_reply}_a", 0, b"")),
        f"{_reply} calls": event(ev.ToolCalled(_reply, f"{_reply}_call", "clock", "{}")),
        f"{_reply} needs leave": event(ev.ApprovalAsked(_reply, f"{_reply}_leave", "house.lamp")),
        f"{_reply} is told": event(ev.ToolFinished(f"{_reply}_call", "noon")),
        f"{_reply} takes leave": event(ev.ToolFinished(f"{_reply}_call", "bye", farewell=True)),
        f"{_reply} speaks": event(ev.ReplyWords(_reply, f"{_reply}_a", "Shall ")),
        f"{_reply} asks": event(ev.ReplyText(_reply, f"{_reply}_a", "Shall I?")),
        f"{_reply} done": event(ev.ReplyDone(_reply)),
        f"{_reply} cancelled": event(ev.ReplyDone(_reply, "cancelled", "turn_detected")),
        f"{_reply} fails": event(ev.ReplyDone(_reply, "failed", "server_error", transient=True)),
        f"{_reply} without credit": event(
            ev.ReplyDone(_reply, "failed", "quota", ev.Trouble.CREDIT, "no credit")
        ),
    }


Warm = Literal["never", "soon", "always"]


def begin(echo: Echo, warm: Warm) -> Evening:
    purse = Purse(Prices(), Budget(day_usd=5.0), "gpt-realtime-2.1-mini")
    evening = Evening(replace(POLICY, warm=warm), BINDINGS, purse=purse, echo=echo)
    evening.slow_to_hush = True
    evening.starts()
    return evening


BEGINNINGS: tuple[tuple[Echo, Warm], ...] = (
    ("off", "never"),
    ("half_duplex", "never"),
    ("canceller", "never"),
    ("half_duplex", "soon"),
    ("canceller", "always"),
)


BESIDES = {Timer.RING, Timer.PAY, Timer.ROTATE, Timer.HINTED, Timer.PAUSE, Timer.REFUSED}
"""Alarms that go on beside every state."""


def signature(evening: Evening) -> tuple[Any, ...]:
    """What distinguishes this speaker from another for whatever happens next."""
    speaker, dialogue = evening.speaker, evening.speaker._dialogue
    return (
        speaker.state,
        speaker._line.link,
        dialogue.turn,
        speaker._ears.hearing,
        speaker._troubles.health,
        speaker._ears.rate is None,
        speaker._troubles.passing,
        frozenset(speaker._troubles.lost),
        frozenset(speaker._timers._at.keys() - BESIDES),
        dialogue.answers.generating,
        dialogue.answers.unfinished,
        dialogue.answers._cut is None,
        dialogue.held,
        dialogue.detecting,
        dialogue._leaving,
        speaker._hands.touching,
        dialogue.playback.audible,
        len(dialogue._calls._running),
        dialogue.due.awaited,
        dialogue.due.dismissed,
        dialogue.due.owed,
        dialogue._evidence.guarded,
        dialogue._evidence.doubted is None,
        dialogue._evidence.complete,
        dialogue.gate.open,
        dialogue.gate.person,
    )


Course = tuple[str, ...]
"""The echo driver, when a session is opened in advance, and names of happenings, in order."""


@cache
def reachable() -> dict[Course, Evening]:
    """A short course to every state that is found, and the evening so far; copy to go on."""
    found: dict[Course, Evening] = {each: begin(*each) for each in BEGINNINGS}
    seen = {signature(first) for first in found.values()}
    frontier: deque[Course] = deque(found)
    while frontier and len(found) < 1500:
        course = frontier.popleft()
        for name, happening in HAPPENINGS.items():
            evening = deepcopy(found[course])
            evening.forgets()
            happening(evening)
            state = signature(evening)
            if state not in seen and not evening.laws.failed:
                seen.add(state)
                found[*course, name] = evening
                frontier.append((*course, name))
    return found


def goes_on(start: Course, names: list[str]) -> Evening:
    """The evening at the end of `start`, continued; nothing follows a `Fail`."""
    evening = deepcopy(reachable()[start])
    for name in names:
        HAPPENINGS[name](evening)
        if evening.laws.failed:
            break
    return evening


starts = st.deferred(lambda: st.sampled_from(list(reachable())))
courses = st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=60)
patiently = settings(
    max_examples=800,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_every_state_is_found() -> None:
    speakers = [evening.speaker for evening in reachable().values()]
    assert {speaker.state for speaker in speakers} == set(Scene)
    assert {speaker._line.link for speaker in speakers} == set(Link)
    assert {speaker._dialogue.turn for speaker in speakers} == set(Turn)
    assert {speaker._ears.hearing for speaker in speakers} == set(Hearing)
    assert {speaker._troubles.health for speaker in speakers} == set(Health)


@patiently
@given(starts, courses)
def test_the_laws_hold_whatever_happens(start: Course, course: list[str]) -> None:
    goes_on(start, course)


@settings(patiently, max_examples=200)
@given(starts, courses)
def test_the_same_evening_twice_gives_the_same_commands(start: Course, course: list[str]) -> None:
    assert goes_on(start, course).commands == goes_on(start, course).commands


def left_alone(evening: Evening) -> bool:
    """Whether the speaker finds its way to sleep, or asks for a new start, with nobody's help.

    The devices keep their promises, the provider says nothing more, and tools run for ever.
    """
    for name in ("talk up", "quick up", "push up", "switched on", "speaker opens", "a new day"):
        HAPPENINGS[name](evening)
    if evening.speaker._ears.rate is None:
        evening.microphone_opens()
    end = evening.now + POLICY.longest_s + POLICY.trouble_s + 20.0
    while evening.now < end and not evening.laws.failed:
        evening.frame()
        deadline = evening.speaker.deadline()
        evening.now = min(evening.now + 1.0, deadline or end)
        evening.feed(ev.Tick())
        evening.plays(1.0)
        if evening.laws.line == "closing":
            evening.hangs_up()
    return evening.laws.failed or evening.shows(Scene.ASLEEP)


def test_left_alone_it_falls_asleep_from_every_state() -> None:
    for course in reachable():
        evening = goes_on(course, [])
        assert left_alone(evening), f"after {course} it stays {evening.speaker.state}"
        if not evening.laws.failed:
            evening.frame()
            may = not evening.speaker._troubles.refused
            assert len(only(evening.wakes(), do.Attend)) == may, "and wakes again"
