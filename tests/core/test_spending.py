"""Money in a conversation: every bill is booked at once, and at the end of it nobody is cut off."""

import pytest

from edged.core import commands as do
from edged.core import events as ev
from edged.core.budget import Budget, Price, Prices, Purse
from edged.core.commands import Chime, Fact
from edged.core.scenes import Scene
from edged.core.settings import Conversation

from ..script import Evening, chimes, notes, only

PRICES = Prices(models={"m": Price(audio_in=10.0, audio_out=20.0), "t": Price(minute=0.06)})
ANSWER = ev.Usage(audio_in=10_000, audio_out=10_000)
"""Thirty cents."""


def spender(day_usd: float = 1.0, *, by_minute: bool = False, model: str = "m") -> Evening:
    purse = Purse(PRICES, Budget(day_usd=day_usd), model, "t")
    return Evening(Conversation(), purse=purse, by_minute=by_minute)


def turn(evening: Evening, number: int, usage: ev.Usage = ANSWER) -> list[do.Command]:
    """A question and its answer, billed and heard to the end."""
    commands = evening.says(item=f"user_{number}")
    commands += evening.answers(f"r{number}", item=f"i{number}", seconds=1.0, done=False)
    commands += evening.feed(ev.ReplyDone(f"r{number}", usage=usage))
    return commands + evening.passes(2.0)


def test_every_bill_is_booked_when_it_comes_and_told_in_the_turn_and_the_session() -> None:
    evening = spender(day_usd=0.0)
    evening.converses()
    turn(evening, 1)
    evening.feed(ev.UserText("user_1", "Hello?", ev.Usage(transcribed_s=30.0)))
    turn(evening, 2)
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    books = only(evening.commands, do.Book)
    assert [book.usd for book in books] == pytest.approx([0.3, 0.03, 0.3])
    assert [book.answered for book in books] == [True, False, True]
    turns = notes(evening.commands, Fact.TURN_ENDED)
    assert [told.fields["cost_usd"] for told in turns] == pytest.approx([0.3, 0.3])
    (ended,) = notes(evening.commands, Fact.SESSION_ENDED)
    assert ended.fields["cost_usd"] == pytest.approx(0.63)


def test_an_answer_that_was_cut_is_booked_too() -> None:
    evening = spender()
    evening.is_answered(4.0, heard_s=1.0, done=False)
    evening.wakes()
    evening.feed(ev.ReplyDone("resp_1", "cancelled", usage=ANSWER))
    assert [book.usd for book in only(evening.commands, do.Book)] == pytest.approx([0.3])


def test_an_answer_whose_bill_never_comes_is_reckoned_by_its_sound_and_the_bill_before() -> None:
    evening = spender(day_usd=0.0)
    evening.converses()
    turn(evening, 1)
    evening.says(item="user_2")
    evening.answers("r2", item="i2", seconds=10.0, done=False)
    evening.passes(1.0)
    evening.feed(ev.StopAsked())
    evening.hangs_up()
    first, second = only(evening.commands, do.Book)
    assert second.usage == ev.Usage(audio_in=ANSWER.audio_in, audio_out=200)
    assert second.usd == pytest.approx(0.1 + 200 * 20 / 1e6)
    (ended,) = notes(evening.commands, Fact.SESSION_ENDED)
    assert ended.fields["cost_usd"] == pytest.approx(first.usd + second.usd)


def test_whoever_stops_each_answer_before_its_bill_spends_no_more_than_allowed() -> None:
    evening = spender(day_usd=0.05)
    for number in range(40):
        evening.converses()
        evening.says(item=f"user_{number}")
        evening.answers(f"r{number}", item=f"i{number}", seconds=10.0, done=False)
        evening.passes(0.5)
        evening.feed(ev.StopAsked())
        evening.hangs_up()
        if evening.shows(Scene.TROUBLE):
            break
    else:
        pytest.fail("nothing held it up")
    assert sum(book.usd for book in only(evening.commands, do.Book)) < 0.06


def test_a_bill_that_comes_while_the_line_closes_is_a_bill() -> None:
    evening = spender()
    evening.is_answered(4.0, heard_s=1.0, done=False)
    evening.feed(ev.StopAsked())
    evening.feed(ev.ReplyDone("resp_1", "cancelled", usage=ANSWER))
    assert [book.usd for book in only(evening.commands, do.Book)] == pytest.approx([0.3])


def test_at_four_fifths_it_warns_once_and_at_the_end_it_ends_politely() -> None:
    evening = spender()
    evening.converses()
    for number in (1, 2, 3):
        turn(evening, number)
    (warned,) = notes(evening.commands, Fact.SPENDING_WARNED)
    assert warned.warning
    assert warned.fields["share"] == pytest.approx(0.9)
    assert evening.shows(Scene.LISTENING)
    evening.says(item="user_4")
    evening.answers("r4", item="i4", seconds=3.0, done=False)
    evening.feed(ev.ReplyDone("r4", usage=ANSWER))
    evening.passes(2.0)
    assert evening.shows(Scene.SPEAKING), "the answer under way is heard to its end"
    commands = evening.passes(2.0)
    assert only(commands, do.CloseLink)
    assert Chime.BUDGET in chimes(commands)
    assert evening.shows(Scene.TROUBLE)
    evening.hangs_up()
    evening.passes(10.0)
    assert evening.shows(Scene.ASLEEP)


def test_without_money_nobody_is_woken_until_the_day_turns() -> None:
    evening = spender()
    evening.starts()
    evening.feed(ev.DayTurned("2026-11-21", 1.0, 5.0))
    evening.passes(1.0)
    commands = evening.wakes()
    assert not only(commands, do.OpenLink)
    assert chimes(commands) == [Chime.BUDGET]
    (told,) = notes(commands, Fact.TROUBLE)
    assert told.fields["trouble"] == "budget"
    evening.passes(10.0)
    evening.feed(ev.DayTurned("2026-11-22", 0.0, 5.0))
    assert only(evening.wakes(), do.OpenLink)


def test_the_shell_and_the_button_are_told_the_same() -> None:
    for asks in (ev.WakeAsked(), ev.ButtonPressed("push")):
        evening = spender()
        evening.starts()
        evening.feed(ev.DayTurned("2026-11-21", 2.0, 5.0))
        assert not only(evening.feed(asks), do.OpenLink)


def test_where_minutes_cost_the_line_is_booked_when_it_is_gone() -> None:
    prices = Prices(models={"m": Price(minute=0.6)})
    purse = Purse(prices, Budget(), "m")
    evening = Evening(purse=purse, by_minute=True)
    evening.converses()
    evening.passes(3.0)
    evening.feed(ev.StopAsked())
    evening.passes(0.5)
    evening.hangs_up()
    (book,) = only(evening.commands, do.Book)
    assert book.session_s == pytest.approx(3.5)
    assert book.usd == pytest.approx(0.035)


def test_where_texts_cost_what_a_session_is_told_is_booked() -> None:
    prices = Prices(models={"m": Price(message=0.004)})
    evening = Evening(purse=Purse(prices, Budget(), "m"), by_minute=True)
    evening.converses()
    turn(evening, 1)
    evening.feed(ev.UserText("user_1", "What time is it?"), ev.StopAsked())
    evening.hangs_up()
    evening.forgets()
    evening.wakes()
    evening.connects()
    told = only(evening.commands, do.Recall)
    assert told
    (book,) = only(evening.commands, do.Book)
    assert book.usd == pytest.approx(0.004 * len(told))


def test_a_long_one_is_booked_every_minute_as_a_power_cut_may_come() -> None:
    purse = Purse(Prices(models={"m": Price(minute=0.6)}), Budget(), "m")
    evening = Evening(purse=purse, by_minute=True)
    evening.converses()
    for number in range(20):
        turn(evening, number, ev.Usage())
        evening.passes(4.0)
    booked = [book.session_s for book in only(evening.commands, do.Book)]
    assert booked == pytest.approx([60.0] * len(booked), abs=0.1)
    assert len(booked) == 2


def test_a_model_without_a_price_is_told_once() -> None:
    evening = spender(model="unheard-of")
    evening.converses()
    turn(evening, 1)
    turn(evening, 2)
    (told,) = notes(evening.commands, Fact.PRICE_UNKNOWN)
    assert told.fields["model"] == "unheard-of"
