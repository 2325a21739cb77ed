"""A session in advance: nobody sees it, nothing leaves, and the first words need not wait."""

from itertools import pairwise
from typing import Literal

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.budget import Budget, Prices, Purse
from edged.core.commands import Chime, Fact
from edged.core.gestures import Action, Bindings
from edged.core.machines import Link
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import Evening, chimes, facts, notes, only, sent

ALWAYS = Conversation(warm="always")
SOON = Conversation(warm="soon")
BINDINGS = {
    "talk": Bindings(),
    "push": Bindings(press=Action.NONE, hold=Action.PUSH_TO_TALK),
    "louder": Bindings(press=Action.VOLUME_UP),
}
NEARLY = ev.WakeNearlyHeard("hey_jarvis", 0.4)
BROKEN = ev.LinkDown(ev.Trouble.NETWORK, "1006", "the line broke", transient=True)
NO_NETWORK = ev.LinkDown(ev.Trouble.NETWORK, "ENETUNREACH", "no way out", transient=True)
BAD_KEY = ev.LinkDown(ev.Trouble.KEY, "3000", "invalid_api_key", fatal=True)
IDLE = ev.LinkDown(None, "1000", "nobody spoke")


def link(evening: Evening) -> Link:
    return evening.speaker._line.link


def opened(evening: Evening) -> int:
    """How many sessions have been opened since the commands were forgotten."""
    return len(only(evening.commands, do.OpenLink))


def stands_by(policy: Conversation = ALWAYS) -> Evening:
    """A speaker that sleeps, with a session ready."""
    evening = Evening(policy, BINDINGS)
    evening.starts()
    if policy is SOON:
        evening.feed(NEARLY)
    evening.passes(1.0)
    evening.connects()
    assert link(evening) is Link.STANDBY
    evening.passes(2.0)
    return evening


def test_asleep_nothing_is_sent_seen_or_heard_of_it() -> None:
    evening = stands_by()
    evening.passes(60.0)
    assert only(evening.commands, do.SendAudio, do.SendNoise, do.Recall, do.Brief, do.Attend) == []
    assert {show.look.scene for show in only(evening.commands, do.Show)} == {Scene.ASLEEP}
    assert chimes(evening.commands) == []
    assert not {Fact.CONNECTED, Fact.SESSION_ENDED} & set(facts(evening.commands))


def test_at_the_wake_the_ring_leaves_at_once_and_it_listens() -> None:
    evening = stands_by()
    evening.forgets()
    commands = evening.wakes()
    assert sent(commands) == list(range(evening.frames - 25, evening.frames))
    assert [show.look.scene for show in only(commands, do.Show)] == [Scene.LISTENING]
    assert chimes(commands) == [Chime.WOKEN]
    assert not only(commands, do.OpenLink)
    order = only(commands, do.Attend, do.Brief, do.SendAudio)
    assert [type(each) for each in order[:3]] == [do.Attend, do.Brief, do.SendAudio]
    assert notes(commands, Fact.CONNECTED)[0].fields == {"session": "sess_1", "connect_ms": 0}
    evening.says()
    evening.answers()
    evening.passes(1.0)
    assert evening.shows(Scene.SPEAKING)


def test_held_to_talk_it_leaves_at_once_too() -> None:
    evening = stands_by()
    commands = evening.holds()
    assert evening.shows(Scene.HEARING)
    assert only(commands, do.DetectTurns) == [do.DetectTurns(False)]
    first = evening.frames - 15
    evening.passes(1.0)
    evening.lets_go()
    assert sent(evening.commands) == list(range(first, evening.frames))
    assert only(evening.commands, do.CommitInput, do.AskReply) == [do.CommitInput(), do.AskReply()]


def test_woken_while_it_is_being_opened_it_is_the_same_session() -> None:
    evening = Evening(ALWAYS)
    evening.starts()
    evening.passes(1.0)
    commands = evening.wakes()
    assert evening.shows(Scene.WAKING)
    assert not only(commands, do.OpenLink)
    evening.passes(0.5)
    assert sent(evening.connects()) == list(range(evening.frames - 50, evening.frames))
    assert notes(evening.commands, Fact.CONNECTED)[0].fields["connect_ms"] == 500


def test_after_a_conversation_a_fresh_one_stands_by() -> None:
    evening = stands_by()
    evening.wakes()
    evening.says()
    evening.answers()
    evening.passes(20.0)
    evening.forgets()
    evening.hangs_up()
    assert opened(evening) == 1
    assert link(evening) is Link.WARMING
    assert evening.shows(Scene.ASLEEP)
    ended = notes(evening.commands, Fact.SESSION_ENDED)[0].fields
    assert 20_000 < int(ended["session_ms"]) < 22_500, "without the time in which nobody was there"


def test_what_was_said_is_told_at_the_wake_unless_it_has_grown_old() -> None:
    for minutes, remembered in ((4, True), (6, False)):
        evening = stands_by()
        evening.wakes()
        evening.says()
        evening.answers()
        evening.feed(ev.ReplyText("resp_1", "item_1", "Nine."), ev.UserText("user_1", "The time?"))
        evening.passes(3.0)
        evening.feed(ev.StopAsked())
        evening.hangs_up()
        # One that ends unused does not keep alive what was said.
        evening.connects()
        evening.passes(120.0)
        evening.feed(IDLE)
        evening.passes(10.0)
        evening.connects()
        evening.passes(60.0 * minutes - 130.0)
        assert not only(evening.commands, do.Recall)
        told = [recalled.text for recalled in only(evening.wakes(), do.Recall)]
        assert told[:-1] == (["The time?", "Nine."] if remembered else [])


def test_one_that_grows_old_is_replaced_and_nobody_notices() -> None:
    evening = stands_by(Conversation(warm="always", rotate_minutes=10.0))
    evening.forgets()
    evening.passes(600.0)
    assert only(evening.commands, do.CloseLink, do.OpenLink) == [do.CloseLink()]
    assert notes(evening.commands, Fact.STOOD_BY) == []
    evening.hangs_up()
    (told,) = notes(evening.commands, Fact.STOOD_BY)
    assert told.fields["reason"] == "grown old"
    evening.passes(6.0)
    assert opened(evening) == 1
    assert not only(evening.commands, do.Show, do.Sound)


def test_a_provider_that_ends_it_unused_is_asked_again_ever_more_seldom() -> None:
    evening = stands_by()
    waits = []
    for _ in range(9):
        evening.feed(IDLE)
        evening.forgets()
        since = evening.now
        while not opened(evening):
            evening.passes(1.0)
        waits.append(round(evening.now - since))
        evening.connects()
    assert waits == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300, 300], abs=1)
    assert not only(evening.commands, do.Sound)
    assert Fact.TROUBLE not in facts(evening.commands)


@pytest.mark.parametrize("down", [NO_NETWORK, BROKEN, IDLE])
def test_without_a_network_it_tries_quietly_until_there_is_one(down: ev.LinkDown) -> None:
    evening = Evening(ALWAYS)
    evening.starts()
    for _ in range(4):
        evening.feed(down)
        while link(evening) is Link.DOWN:
            evening.passes(1.0)
    assert opened(evening) == 5
    assert only(evening.commands, do.Sound) == []
    assert {show.look.scene for show in only(evening.commands, do.Show)} == {Scene.ASLEEP}
    evening.connects()
    assert link(evening) is Link.STANDBY


def test_somebody_who_wakes_it_without_a_network_is_told() -> None:
    evening = Evening(ALWAYS)
    evening.starts()
    evening.feed(NO_NETWORK)
    evening.forgets()
    evening.wakes()
    assert opened(evening) == 1, "at once"
    evening.feed(NO_NETWORK)
    assert evening.shows(Scene.TROUBLE)
    assert link(evening) is Link.DOWN


def test_nobody_who_answers_is_waited_for_no_longer_than_for_a_wake() -> None:
    evening = Evening(ALWAYS)
    evening.starts()
    commands = evening.passes(10.1)
    assert only(commands, do.CloseLink) == [do.CloseLink()]
    evening.hangs_up()
    evening.passes(4.0)
    assert link(evening) is Link.DOWN
    assert Fact.TROUBLE not in facts(evening.commands)
    evening.passes(2.0)
    assert link(evening) is Link.WARMING


def test_a_key_that_is_refused_is_told_to_whoever_wakes_it_and_to_nobody_else() -> None:
    evening = Evening(ALWAYS, BINDINGS)
    evening.starts()
    evening.feed(BAD_KEY)
    evening.forgets()
    evening.passes(1800.0)
    evening.feed(NEARLY, ev.ButtonPressed("talk"))
    evening.passes(0.1)
    assert not opened(evening)
    assert chimes(evening.commands) == []
    evening.feed(ev.ButtonReleased("talk"))
    evening.passes(0.5)
    assert chimes(evening.commands) == [Chime.KEY]
    assert not opened(evening)
    evening.passes(1800.0)
    assert opened(evening) == 1, "it may be another one now"


def test_a_line_that_died_while_it_stood_by_is_opened_anew_with_what_was_said() -> None:
    evening = stands_by()
    evening.passes(60.0)
    evening.wakes()
    first = sent(evening.commands)[0]
    evening.passes(1.0)
    evening.forgets()
    evening.feed(BROKEN)
    assert not chimes(evening.commands)
    evening.passes(1.0)
    assert opened(evening) == 1
    assert sent(evening.connects()) == list(range(first, evening.frames))


def test_woken_on_a_line_that_cannot_be_opened_it_is_tried_once_more() -> None:
    evening = Evening(ALWAYS)
    evening.starts()
    evening.passes(5.0)
    evening.wakes()
    first = evening.frames - 25
    evening.passes(1.0)
    evening.forgets()
    evening.feed(NO_NETWORK)
    evening.passes(1.0)
    assert opened(evening) == 1
    assert sent(evening.connects()) == list(range(first, evening.frames))


def test_muted_nobody_is_on_the_line_and_unmuted_one_stands_by_again() -> None:
    evening = stands_by()
    evening.forgets()
    assert only(evening.feed(ev.MuteAsked(True)), do.CloseLink)
    evening.hangs_up()
    evening.passes(600.0, room=False)
    assert not opened(evening)
    evening.feed(ev.MuteAsked(False))
    evening.microphone_opens()
    assert opened(evening) == 1


@pytest.mark.parametrize("lost", [ev.MicLost("gone"), ev.SpeakerLost("gone")])
def test_a_speaker_that_nobody_can_wake_has_nobody_on_the_line(lost: ev.Event) -> None:
    evening = stands_by()
    assert only(evening.feed(lost), do.CloseLink)
    evening.hangs_up()
    evening.forgets()
    evening.passes(60.0, room=False)
    assert not opened(evening)


def test_without_money_none_stands_by_until_there_is_some_again() -> None:
    purse = Purse(Prices(), Budget(day_usd=5.0), "gpt-realtime-2.1-mini")
    evening = Evening(ALWAYS, purse=purse)
    evening.starts()
    evening.connects()
    assert only(evening.feed(ev.DayTurned("2026-11-21", 6.0, 6.0)), do.CloseLink)
    evening.hangs_up()
    evening.forgets()
    evening.passes(600.0)
    assert not opened(evening)
    evening.feed(ev.DayTurned("2026-11-22", 0.0, 6.0))
    assert opened(evening) == 1


@pytest.mark.parametrize("warm", ["soon", "always"])
def test_where_minutes_cost_there_is_none(warm: Literal["soon", "always"]) -> None:
    evening = Evening(Conversation(warm=warm), BINDINGS, by_minute=True)
    evening.starts()
    evening.feed(NEARLY, ev.ButtonPressed("talk"))
    assert not opened(evening)


def test_told_to_stop_it_stands_by_on() -> None:
    evening = stands_by()
    commands = evening.feed(ev.StopAsked())
    assert not only(commands, do.CloseLink, do.Sound)
    assert link(evening) is Link.STANDBY


def test_it_makes_room_for_a_new_configuration_at_once() -> None:
    evening = stands_by()
    assert only(evening.feed(ev.Retiring()), do.CloseLink)
    evening.hangs_up()
    evening.forgets()
    evening.passes(600.0)
    assert not opened(evening)


def test_a_conversation_goes_on_whatever_makes_room() -> None:
    evening = stands_by()
    evening.wakes()
    assert not only(evening.feed(ev.Retiring()), do.CloseLink)
    assert evening.shows(Scene.LISTENING)


# --- opened on a guess ----------------------------------------------------------------------


def test_never_is_the_default() -> None:
    evening = Evening(bindings=BINDINGS)
    evening.starts()
    evening.feed(NEARLY, ev.ButtonPressed("talk"))
    evening.passes(60.0)
    assert not opened(evening) or evening.shows(Scene.CONNECTING)
    assert link(evening) not in (Link.WARMING, Link.STANDBY)


def test_soon_opens_none_before_there_is_a_reason() -> None:
    evening = Evening(SOON)
    evening.starts()
    evening.passes(600.0)
    assert not opened(evening)


def test_a_near_miss_that_a_wake_follows_has_saved_the_time() -> None:
    evening = stands_by(SOON)
    evening.passes(2.0)
    commands = evening.wakes()
    assert sent(commands)[-1] == evening.frames - 1
    assert evening.shows(Scene.LISTENING)


def test_a_near_miss_that_nothing_follows_is_forgotten_silently() -> None:
    evening = Evening(SOON)
    evening.starts()
    evening.forgets()
    evening.feed(NEARLY)
    assert opened(evening) == 1
    evening.passes(0.5)
    evening.connects()
    evening.passes(8.0)
    assert only(evening.commands, do.CloseLink) == [do.CloseLink()]
    evening.hangs_up()
    evening.passes(600.0)
    assert opened(evening) == 1
    assert not only(evening.commands, do.Sound, do.Show, do.SendAudio, do.Attend)


def test_a_television_that_chatters_opens_ever_fewer_sessions() -> None:
    evening = Evening(SOON)
    evening.starts()
    opened_at = []
    while evening.now < 1000.0 + 3600.0:
        before = opened(evening)
        evening.feed(NEARLY)
        if opened(evening) > before:
            opened_at.append(evening.now)
            evening.connects()
        evening.dozes(0.5)
        evening.frame()
        evening.dozes(0.5)
        evening.frame()
        if evening.laws.line == "closing":
            evening.hangs_up()
    gaps = [round(b - a) for a, b in pairwise(opened_at)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 300
    assert len(opened_at) < 18


def test_a_finger_on_the_button_to_talk_opens_the_line_before_it_is_known_what_it_means() -> None:
    evening = Evening(SOON, BINDINGS)
    evening.starts()
    evening.feed(ev.ButtonPressed("talk"))
    assert opened(evening) == 1
    assert chimes(evening.commands) == []
    evening.passes(0.2)
    evening.feed(ev.ButtonReleased("talk"))
    evening.passes(0.5)
    assert opened(evening) == 1
    assert chimes(evening.commands) == [Chime.WOKEN]


def test_a_touch_that_turns_out_to_be_something_else_is_forgotten_silently() -> None:
    evening = Evening(SOON, {"talk": Bindings(double=Action.VOLUME_DOWN)})
    evening.starts()
    evening.forgets()
    evening.presses()
    evening.presses()
    assert opened(evening) == 1
    evening.connects()
    evening.passes(9.0)
    assert only(evening.commands, do.CloseLink)
    assert chimes(evening.commands) == [Chime.VOLUME]
    evening.hangs_up()
    assert evening.shows(Scene.ASLEEP)


def test_other_buttons_have_nothing_to_do_with_it() -> None:
    evening = Evening(SOON, BINDINGS)
    evening.starts()
    evening.presses("louder")
    assert not opened(evening)


def test_a_near_miss_in_a_conversation_is_nothing() -> None:
    evening = Evening(SOON)
    evening.converses()
    evening.feed(NEARLY)
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    assert opened(evening) == 1
