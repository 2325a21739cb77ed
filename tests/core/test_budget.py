"""The purse: what is spent of what the owner allows, and what nobody knows the price of."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core.budget import Budget, Price, Prices, Purse
from edged.core.said import Usage
from edged.core.settings import Session

MODELS = sorted(Prices().models)
DIME = Usage(audio_in=10_000)
"""0.10 USD for the small model."""


def purse(budget: Budget | None = None, model: str = "gpt-realtime-2.1-mini") -> Purse:
    return Purse(Prices(), budget or Budget(), model, "gpt-transcribe")


# --- what is left -------------------------------------------------------------------------


def test_without_limits_there_is_always_more() -> None:
    ours = purse()
    for _ in range(1000):
        ours.spend(replace(DIME, audio_in=9_000_000))
    assert ours.day_usd == pytest.approx(90_000)
    assert (ours.share, ours.spent_out, ours.warn(), ours.state) == (0.0, False, False, "")


def test_the_nearer_limit_counts() -> None:
    ours = purse(Budget(day_usd=1.0, month_usd=20.0))
    ours.turned(0.25, 4.0)
    assert ours.share == 0.25
    ours.turned(0.25, 15.0)
    assert ours.share == 0.75
    ours.spend(DIME)
    assert ours.share == pytest.approx(0.755)
    assert ours.state == "15.10 of 20.00 USD for this month are spent"
    ours.turned(0.9, 15.0)
    assert ours.state == "0.90 of 1.00 USD for this day are spent"


def test_it_is_spent_out_at_the_whole_and_not_a_cent_before() -> None:
    ours = purse(Budget(day_usd=1.0))
    told = []
    for day_usd in (0.99, 1.0, 0.0):
        ours.turned(day_usd, 1.0)
        told.append(ours.spent_out)
    assert told == [False, True, False], "at last the day has turned"


def test_a_server_of_ones_own_costs_nothing_whatever_its_models_are_called() -> None:
    free = Purse(Prices(free=True), Budget(day_usd=0.01), "gpt-realtime", "nobody-knows-this")
    assert free.spend(replace(DIME, transcribed_s=3600)) == 0.0
    assert free.spend_minutes(3600) == 0.0
    assert (free.unpriced(), free.spent_out) == ("", False)


def test_a_month_that_is_spent_outlives_the_day() -> None:
    ours = purse(Budget(day_usd=1.0, month_usd=2.0))
    ours.turned(0.0, 2.0)
    assert ours.spent_out
    assert "month" in ours.state


def test_it_warns_once_when_most_is_spent() -> None:
    ours = purse(Budget(day_usd=1.0))
    told = []
    for _ in range(12):
        ours.spend(replace(DIME, audio_in=12_000))
        told.append(ours.warn())
    assert told == [False] * 6 + [True] + [False] * 5
    ours.turned(0.0, 1.2)
    assert not ours.warn()
    ours.turned(0.85, 2.0)
    assert ours.warn(), "another day"
    assert not ours.warn()


def test_a_month_near_its_end_is_not_told_anew_every_morning() -> None:
    ours = purse(Budget(month_usd=10.0))
    ours.turned(1.0, 7.0)
    ours.turned(1.0, 9.0)
    assert ours.warn()
    ours.turned(0.0, 9.0)
    assert not ours.warn()
    ours.turned(0.0, 0.0)
    ours.turned(8.0, 8.0)
    assert ours.warn()


def test_when_to_warn_can_be_set() -> None:
    ours = purse(Budget(day_usd=1.0, warn_share=0.5))
    ours.turned(0.49, 0.49)
    assert not ours.warn()
    ours.turned(0.5, 0.5)
    assert ours.warn()


def test_a_restart_warns_of_nothing_that_was_warned_of() -> None:
    ours = purse(Budget(day_usd=1.0))
    ours.turned(0.85, 0.85)
    assert not ours.warn()
    ours.spend(replace(DIME, audio_in=2_000))
    assert not ours.warn()
    ours.turned(0.0, 0.9)
    ours.turned(0.81, 1.7)
    assert ours.warn(), "another day"


# --- what has no price --------------------------------------------------------------------


def test_a_model_without_a_price_is_told_of_once() -> None:
    ours = purse(model="my-deployment")
    assert ours.unpriced() == "", "nobody has used it"
    assert ours.spend(Usage()) == 0.0
    assert ours.unpriced() == ""
    assert ours.spend(DIME) == 0.0
    assert ours.unpriced() == "my-deployment"
    ours.spend(DIME)
    assert ours.unpriced() == ""


def test_so_is_one_that_writes_down_and_both_may_be_unknown() -> None:
    ours = Purse(Prices(), Budget(), "one", "other")
    ours.spend(replace(DIME, transcribed_in=5))
    assert {ours.unpriced(), ours.unpriced()} == {"one", "other"}
    assert ours.unpriced() == ""
    ours.spend(Usage(transcribed_s=1.0))
    assert ours.unpriced() == ""


def test_a_line_that_is_paid_by_time_needs_a_price_for_time() -> None:
    ours = purse()
    assert ours.spend_minutes(60) == 0.0
    assert ours.unpriced() == "gpt-realtime-2.1-mini"
    unknown = purse(model="grok-voice-of-next-year")
    assert unknown.spend_minutes(60) == 0.0
    assert unknown.unpriced() == "grok-voice-of-next-year"


def test_what_costs_nothing_is_known_to() -> None:
    local = Purse(Prices(models={"llama": Price()}), Budget(day_usd=1.0), "llama", "")
    assert local.spend(DIME) == local.spend_minutes(60) == 0.0
    assert local.unpriced() == ""


def test_the_models_of_the_defaults_have_prices() -> None:
    assert Prices().of(Session().model)
    assert Prices().of(Session().transcription)


def test_whoever_adds_a_model_keeps_the_others() -> None:
    prices = Prices(models={"mine": Price(minute=1.0), "gpt-realtime": Price(text_in=1.0)})
    assert prices.of("mine") == Price(minute=1.0)
    assert prices.of("gpt-realtime") == Price(text_in=1.0)
    assert prices.of("gpt-realtime-2025-08-28") == Price(text_in=1.0)
    assert prices.of("gpt-realtime-mini") == Prices().of("gpt-realtime-mini")


def test_dates_and_other_names() -> None:
    models = {
        "ours": Price(same_as="gpt-realtime-2.1"),
        "theirs": Price(same_as="ours"),
        "lost": Price(same_as="nobody"),
        "dated-2026-01-31": Price(minute=1.0),
    }
    prices = Prices(models=models)
    assert prices.of("ours") == Prices().of("gpt-realtime-2.1")
    assert prices.of("theirs") is None, "one step, no chain, and no circle"
    assert prices.of("lost") is None
    assert prices.of("dated-2026-01-31") == Price(minute=1.0)
    assert prices.of("dated") is None
    assert prices.of("gpt-realtime-mini-2025-12-15") == prices.of("gpt-realtime-mini")
    for name in (
        "",
        "-2025-08-28",
        "gpt-realtime-2025-08",
        "gpt-realtime-preview",
        "gpt-realtime-",
    ):
        assert prices.of(name) is None


# --- for every bill -----------------------------------------------------------------------

tokens = st.integers(0, 1_000_000)
seconds = st.floats(0, 86_400)
bills = st.builds(
    Usage, *([tokens] * 6), transcribed_s=seconds, transcribed_in=tokens, transcribed_out=tokens
)
wild = st.builds(
    Usage,
    *([st.integers()] * 6),
    transcribed_s=st.floats(),
    transcribed_in=st.integers(),
    transcribed_out=st.integers(),
)
models = st.sampled_from([*MODELS, "nobody knows it"])


def honest(bill: Usage) -> Usage:
    """What is cached is a part of what was read."""
    return replace(
        bill,
        cached_text=min(bill.cached_text, bill.text_in),
        cached_audio=min(bill.cached_audio, bill.audio_in),
    )


def both(one: Usage, other: Usage) -> Usage:
    names = [each.name for each in fields(Usage)]
    return Usage(**{name: getattr(one, name) + getattr(other, name) for name in names})


@given(wild, models, models)
def test_no_bill_gives_money_back_or_breaks_the_purse(bill: Usage, model: str, scribe: str) -> None:
    ours = Purse(Prices(), Budget(day_usd=1.0), model, scribe)
    assert 0 <= ours.spend(bill) < 20_000
    assert 0 <= ours.spend_minutes(bill.transcribed_s, bill.text_in) < 10**8
    assert ours.share >= 0


@given(bills, bills, models, models)
def test_two_bills_cost_as_much_as_one_over_both(
    one: Usage, other: Usage, model: str, scribe: str
) -> None:
    one, other = honest(one), honest(other)
    ours = Purse(Prices(), Budget(), model, scribe)
    apart = ours.cost(one) + ours.cost(other)
    assert ours.cost(both(one, other)) == pytest.approx(apart, abs=1e-9)


@given(bills, tokens, tokens, models)
def test_what_was_cached_never_makes_it_dearer(
    bill: Usage, text: int, audio: int, model: str
) -> None:
    ours = Purse(Prices(), Budget(), model, "gpt-transcribe")
    uncached = replace(bill, cached_text=0, cached_audio=0)
    cached = replace(bill, cached_text=text, cached_audio=audio)
    assert ours.cost(cached) <= ours.cost(uncached) + 1e-12
    more = replace(bill, cached_text=text + 1, cached_audio=audio + 1)
    assert ours.cost(more) <= ours.cost(cached) + 1e-12


@given(
    st.lists(bills, max_size=8).flatmap(
        lambda all_: st.tuples(st.just(all_), st.permutations(all_))
    )
)
def test_the_order_of_the_bills_does_not_matter(orders: tuple[list[Usage], list[Usage]]) -> None:
    sums = []
    for order in orders:
        ours = purse(Budget(day_usd=1.0))
        told = sum(ours.spend(bill) for bill in order)
        assert ours.day_usd == ours.month_usd == pytest.approx(told, abs=1e-9)
        sums.append(ours.share)
    assert sums[0] == pytest.approx(sums[1], abs=1e-9)


@given(bills)
def test_a_price_without_one_for_what_is_cached_has_no_discount(bill: Usage) -> None:
    bill = honest(bill)
    plain = Prices(models={"mine": Price(audio_in=10.0, text_in=1.0)})
    ours = Purse(plain, Budget(), "mine")
    assert ours.cost(bill) == pytest.approx((bill.text_in + 10 * bill.audio_in) / 1e6, abs=1e-9)
