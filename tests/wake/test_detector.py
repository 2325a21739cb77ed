"""When a score is a wake word."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as some

from edged.core.events import WakeHeard, WakeNearlyHeard
from edged.wake._detector import RATE, Detector, Word

FRAME = 1280


def hear(
    detector: Detector, scores: Sequence[float], start: int = 0
) -> list[WakeHeard | WakeNearlyHeard]:
    events = []
    for number, score in enumerate(scores, 1):
        events += detector.hear((start + number) * FRAME, {"hey": score})
    return events


def frames(seconds: float) -> int:
    return round(seconds * RATE / FRAME)


def test_a_phrase_above_the_threshold_for_many_frames_wakes_once() -> None:
    phrase = [0.1, 0.3, 0.6, 0.9, 0.99, 0.8, 0.5, 0.3, *[0.0] * 50]
    assert hear(Detector({"hey": Word()}), phrase) == [WakeHeard("hey", 0.6, 3 * FRAME)]


def test_the_rest_is_counted_from_the_last_frame_above_the_threshold() -> None:
    slow = [0.9, *[0.0] * frames(1.8), 0.9, *[0.0] * frames(1.8), 0.9]
    assert len(hear(Detector({"hey": Word()}), slow)) == 1
    assert len(hear(Detector({"hey": Word()}), [*slow, *[0.0] * frames(2.0), 0.9])) == 2


def test_with_three_frames_asked_for_two_do_not_wake() -> None:
    detector = Detector({"hey": Word(min_frames=3)})
    assert hear(detector, [0.9, 0.9, 0.1, 0.9, 0.9, 0.1, *[0.0] * 40]) == []
    assert hear(detector, [0.9, 0.9, 0.9], start=46) == [WakeHeard("hey", 0.9, 49 * FRAME)]


def test_a_near_miss_is_told_once_when_it_is_over() -> None:
    detector = Detector({"hey": Word(threshold=0.6)})
    flicker = [0.0, 0.3, 0.1, 0.5, 0.2, 0.3]
    assert hear(detector, flicker) == []
    assert hear(detector, [0.0] * frames(2), start=6) == [WakeNearlyHeard("hey", 0.5)]
    assert detector.near_misses == 1


def test_the_slopes_of_a_wake_are_no_near_misses() -> None:
    slopes = [0.3, 0.4, 0.9, 0.4, 0.3, 0.0, 0.3, *[0.0] * 60]
    detector = Detector({"hey": Word(refractory_s=0.5)})
    assert [type(event) for event in hear(detector, slopes)] == [WakeHeard]
    assert detector.near_misses == 0


def test_what_follows_a_wake_is_no_near_miss_before_the_rest_is_over() -> None:
    detector = Detector({"hey": Word()})
    murmur = [0.3, *[0.0] * frames(1.2)]
    assert len(hear(detector, [0.9, *[0.0] * frames(1.6), *murmur])) == 1
    assert hear(detector, murmur, start=40) == [WakeNearlyHeard("hey", 0.3)]


def test_each_word_has_a_threshold_and_a_rest_of_its_own() -> None:
    detector = Detector({"hey": Word(threshold=0.4), "you": Word(threshold=0.8)})
    assert detector.hear(FRAME, {"hey": 0.5, "you": 0.5}) == [WakeHeard("hey", 0.5, FRAME)]
    assert detector.hear(2 * FRAME, {"hey": 0.5, "you": 0.9}) == [WakeHeard("you", 0.9, 2 * FRAME)]


def test_a_reset_forgets_the_rest_and_keeps_the_count() -> None:
    detector = Detector({"hey": Word()})
    hear(detector, [0.3, *[0.0] * 20, 0.9])
    detector.reset()
    assert detector.near_misses == 1
    assert hear(detector, [0.9]) == [WakeHeard("hey", 0.9, FRAME)]


scores = some.lists(
    some.sampled_from([0.0, 0.1, 0.24, 0.25, 0.3, 0.49, 0.5, 0.51, 0.7, 0.99, 1.0]), max_size=200
)
rules = some.builds(
    Word,
    threshold=some.sampled_from([0.2, 0.5, 0.98]),
    min_frames=some.integers(1, 4),
    refractory_s=some.sampled_from([0.5, 1.0, 2.0]),
)


@given(scores, rules)
def test_every_wake_ends_a_streak_and_a_rest(scores: list[float], rule: Word) -> None:
    above = [score >= rule.threshold for score in scores]
    expected: list[int] = []
    last_above: int | None = None
    for number in range(len(scores)):
        if not above[number]:
            continue
        resting = last_above is not None and (
            (number - last_above) * FRAME < rule.refractory_s * RATE
        )
        streak = number + 1 >= rule.min_frames and all(
            above[number + 1 - rule.min_frames : number + 1]
        )
        if streak and not resting:
            expected.append((number + 1) * FRAME)
        if expected:
            last_above = number if resting or expected[-1] == (number + 1) * FRAME else last_above
    wakes = [e for e in hear(Detector({"hey": rule}), scores) if isinstance(e, WakeHeard)]
    assert [wake.position for wake in wakes] == expected
    assert all(wake.score == scores[wake.position // FRAME - 1] for wake in wakes)


@given(scores, rules)
def test_a_near_miss_is_between_half_the_threshold_and_the_threshold(
    scores: list[float], rule: Word
) -> None:
    detector = Detector({"hey": rule})
    events = hear(detector, [*scores, *[0.0] * frames(2)])
    near = [event.score for event in events if isinstance(event, WakeNearlyHeard)]
    assert all(rule.threshold / 2 <= score < rule.threshold for score in near)
    assert detector.near_misses == len(near)
    if scores and max(scores) < rule.threshold:
        assert len(events) == len(near)
        assert bool(near) == (max(scores) >= rule.threshold / 2)


@given(scores, scores, rules)
def test_words_do_not_disturb_each_other(one: list[float], two: list[float], rule: Word) -> None:
    together = Detector({"hey": rule, "you": Word()})
    mixed = []
    for number, (hey, you) in enumerate(zip(one, two, strict=False), 1):
        mixed += together.hear(number * FRAME, {"hey": hey, "you": you})
    alone = hear(Detector({"hey": rule}), one[: len(two)])
    assert [event for event in mixed if event.word == "hey"] == alone
