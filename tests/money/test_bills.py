"""Bills as providers send them, read by the dialects, against sums done by hand."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from edged.core import events as ev
from edged.core.budget import Budget, Prices, Purse
from edged.core.settings import Session

HERE = Path(__file__).parent
OPENAI, XAI = (importlib.import_module(f"edged.dialects.{name}") for name in ("openai", "xai"))

MILLION = 1e6


def bills(name: str, dialect: ModuleType = OPENAI) -> list[ev.Usage]:
    """Each bill of a recording, as the core hears of it."""
    heard = dialect.open(Session(), dialect.Settings())
    events = [
        event
        for line in json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
        for event in heard.decode(json.dumps(line))
    ]
    assert not heard.malformed
    return [event.usage for event in events if isinstance(event, ev.ReplyDone | ev.UserText)]


def spent(name: str, model: str, scribe: str = "gpt-transcribe") -> list[float]:
    """What each bill of a recording costs."""
    purse = Purse(Prices(), Budget(), model, scribe)
    costs = [purse.spend(bill) for bill in bills(name)]
    assert purse.unpriced() == ""
    assert purse.day_usd == pytest.approx(sum(costs), abs=1e-9)
    return costs


FULL = [
    # 55 text x 4.00, 64 cached text x 0.40, 13 sound x 32.00; 30 text x 24.00, 91 sound x 64.00
    (220 + 25.6 + 416 + 720 + 5_824) / MILLION,
    # 100 text x 4.00, 512 cached x 0.40, 30 sound x 32.00, 128 cached x 0.40;
    # 44 text x 24.00, 203 sound x 64.00
    (400 + 204.8 + 960 + 51.2 + 1_056 + 12_992) / MILLION,
]


def test_the_full_model() -> None:
    assert spent("full", "gpt-realtime-2.1") == pytest.approx(FULL, abs=1e-9)
    assert spent("full", "gpt-realtime-2.1") == pytest.approx([0.0072056, 0.015664], abs=1e-9)


def test_the_one_before_it_writes_for_less() -> None:
    # The same with 16.00 for written text: 30 x 16.00 = 480, 44 x 16.00 = 704.
    dated = spent("full", "gpt-realtime-2025-08-28")
    assert dated == pytest.approx([0.0069656, 0.015312], abs=1e-9)
    assert spent("full", "gpt-realtime-1.5") == dated


def test_the_small_model() -> None:
    # 75 text x 0.60, 768 cached x 0.06, 48 sound x 10.00, 192 cached x 0.30; 61 x 2.40, 312 x 20.00
    by_hand = (45 + 46.08 + 480 + 57.6 + 146.4 + 6_240) / MILLION
    assert by_hand == pytest.approx(0.00701508, abs=1e-12)
    assert spent("mini", "gpt-realtime-2.1-mini") == [pytest.approx(by_hand, abs=1e-9)]


def test_cached_tokens_of_no_named_kind_are_text_as_far_as_there_is_text() -> None:
    # 900 cached: all 843 text x 0.06, then 57 of the sound x 0.30; 183 sound x 10.00; out as above
    by_hand = (50.58 + 17.1 + 1_830 + 146.4 + 6_240) / MILLION
    assert by_hand == pytest.approx(0.00828408, abs=1e-12)
    told = spent("mini_cached_without_details", "gpt-realtime-2.1-mini")
    assert told == [pytest.approx(by_hand, abs=1e-9)]


def test_nothing_is_cached_where_nobody_says_so() -> None:
    # 843 text x 0.60, 240 sound x 10.00; out as above
    by_hand = (505.8 + 2_400 + 146.4 + 6_240) / MILLION
    assert by_hand == pytest.approx(0.0092922, abs=1e-12)
    told = spent("mini_never_cached", "gpt-realtime-2.1-mini")
    assert told == [pytest.approx(by_hand, abs=1e-9)]


def test_an_answer_that_was_cut_short_costs_what_was_made_of_it_and_a_failed_one_nothing() -> None:
    # 20 text x 0.60, 30 sound x 10.00, 4 text x 2.40, 12 sound x 20.00
    by_hand = (12 + 300 + 9.6 + 240) / MILLION
    told = spent("cut_short", "gpt-realtime-2.1-mini")
    assert told == pytest.approx([by_hand, 0.0, 0.0], abs=1e-9)
    assert told[0] == pytest.approx(0.0005616, abs=1e-9)


def _billed(usage: object) -> tuple[float, Mapping[str, int]]:
    """What an answer with this bill costs, and what of it was not understood."""
    heard = OPENAI.open(Session(), OPENAI.Settings())
    response = {"id": "resp_1", "status": "completed", "usage": usage}
    (done,) = heard.decode(json.dumps({"type": "response.done", "response": response}))
    purse = Purse(Prices(), Budget(), "gpt-realtime-2.1-mini")
    return purse.spend(done.usage), heard.malformed


@pytest.mark.parametrize(
    ("usage", "by_hand"),
    [
        # Numbers in quotes are numbers: 119 x 0.60, 13 x 10.00.
        ({"input_token_details": {"text_tokens": "119", "audio_tokens": "13"}}, 0.0002014),
        # Of no kind: 500 x 10.00, 90 x 20.00.
        ({"input_tokens": 500, "output_tokens": 90}, 0.0068),
        ({"input_tokens": 500, "input_token_details": {"text_tokens": 500}}, 0.0003),
        # Nobody is paid for having been listened to, and nothing is more cached than read.
        ({"input_token_details": {"text_tokens": -500, "audio_tokens": 1}}, 0.00001),
        ({"input_token_details": {"audio_tokens": 1, "cached_tokens": 10**9}}, 0.0000003),
        ({"input_token_details": {"text_tokens": None}, "output_token_details": None}, 0.0),
        ({}, 0.0),
        (None, 0.0),
    ],
)
def test_odd_bills_are_reckoned_as_far_as_they_can_be(usage: object, by_hand: float) -> None:
    usd, odd = _billed(usage)
    assert usd == pytest.approx(by_hand, abs=1e-9)
    assert not odd


@pytest.mark.parametrize(
    "usage",
    ["much", [1], {"input_token_details": {"text_tokens": "many"}}, {"input_tokens": {}}],
)
def test_what_is_no_bill_is_told_of_and_the_answer_counts(usage: object) -> None:
    usd, odd = _billed(usage)
    assert usd == 0.0
    assert odd["usage"] == 1


@pytest.mark.parametrize(
    ("scribe", "by_hand"),
    [
        # 2.4 s and 11 s: of a minute 0.04 and 0.18333...
        ("gpt-transcribe", [0.00018, 0.000825]),
        ("gpt-realtime-whisper", [0.00068, 0.003116666667]),
        ("whisper-1", [0.00024, 0.0011]),
    ],
)
def test_what_is_said_is_written_down_by_the_minute(scribe: str, by_hand: list[float]) -> None:
    told = spent("transcribed_by_time", "gpt-realtime-2.1-mini", scribe)
    assert told == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize(
    ("scribe", "by_hand"),
    [
        # 24 x 6.00 + 7 x 10.00; 24 x 3.00 + 7 x 5.00
        ("gpt-4o-transcribe", 0.000214),
        ("gpt-4o-mini-transcribe-2025-12-15", 0.000107),
    ],
)
def test_or_by_tokens(scribe: str, by_hand: float) -> None:
    told = spent("transcribed_by_tokens", "gpt-realtime-2.1-mini", scribe)
    assert told == [pytest.approx(by_hand, abs=1e-9)]


def test_xai_is_paid_by_the_minute_whatever_its_bills_say() -> None:
    purse = Purse(Prices(), Budget(), "grok-voice-think-fast-2.0")
    assert [purse.spend(bill) for bill in bills("xai", XAI)] == [0.0, 0.0]
    # 92.5 s of 0.08 a minute, and two texts of 0.004
    assert purse.spend_minutes(92.5) == pytest.approx(0.123333333333, abs=1e-9)
    assert purse.spend_minutes(0, messages=2) == pytest.approx(0.008, abs=1e-9)
    assert purse.day_usd == pytest.approx(0.131333333333, abs=1e-9)
    assert purse.unpriced() == ""
    older = Purse(Prices(), Budget(), "grok-voice-think-fast-1.0")
    assert older.spend_minutes(92.5) == pytest.approx(0.077083333333, abs=1e-9)


def test_an_evening_is_the_sum_of_its_bills() -> None:
    purse = Purse(Prices(), Budget(), "gpt-realtime-2.1", "gpt-transcribe")
    for bill in bills("full") + bills("transcribed_by_time"):
        purse.spend(bill)
    assert purse.day_usd == pytest.approx(0.0072056 + 0.015664 + 0.00018 + 0.000825, abs=1e-9)
    assert purse.day_usd == purse.month_usd
