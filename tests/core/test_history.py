"""What was said, and how much of it was heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core.history import History
from edged.core.said import (
    ReplyAudio,
    ReplyText,
    ReplyWords,
    SpeechStopped,
    UserItemCommitted,
    UserText,
)
from edged.core.settings import History as Policy

RATE = 24_000
WORDS = st.text(st.sampled_from("ab c\u4f60\u00e9 \n"), max_size=60)


def told(text: str, received_ms: int, heard_ms: int) -> list[str]:
    history = History(Policy(), RATE)
    history.take(ReplyAudio("r", "a", 0, bytes(2 * RATE * received_ms // 1000)))
    history.take(ReplyText("r", "a", text))
    history.cut("a", heard_ms)
    history.ended(0.0)
    return [item.text for item in history.recall(1.0)[:-1]]


def test_half_of_the_sound_is_half_of_the_text_cut_at_a_word() -> None:
    assert told("One two three four.", 4000, 2000) == ["One two\u2026"]
    assert told("One two three four.", 4000, 4000) == ["One two three four."]
    assert told("One two three four.", 4000, 100) == []
    assert told("One two three four.", 4000, 0) == []


def test_a_script_without_spaces_is_cut_anywhere() -> None:
    assert told("\u4f60\u597d\u5417\u671f", 4000, 2000) == ["\u4f60\u597d\u2026"]


def test_a_word_that_was_hardly_begun_is_cut_in_the_word_only_if_it_is_the_first() -> None:
    assert told("Donaudampfschiff fahrt", 2000, 400) == ["Dona\u2026"]


@given(WORDS, st.integers(1, 5000), st.integers(0, 6000))
def test_never_more_is_told_than_was_heard(text: str, received_ms: int, heard_ms: int) -> None:
    words = told(text, received_ms, heard_ms)
    assert len(words) <= 1
    for said in words:
        whole = said == text.strip()
        assert whole or said.endswith("\u2026")
        assert text.strip().startswith(said.removesuffix("\u2026"))
        share = min(1.0, heard_ms / received_ms)
        assert len(said.removesuffix("\u2026")) <= len(text.strip()) * share + 1e-9


def test_the_words_may_come_before_or_after_the_cut_and_more_sound_too() -> None:
    history = History(Policy(), RATE)
    history.take(ReplyAudio("r", "a", 0, bytes(2 * RATE * 2)))
    history.cut("a", 1000)
    history.take(ReplyText("r", "a", "One two three four."))
    history.take(ReplyAudio("r", "a", 0, bytes(2 * RATE * 2)))
    history.ended(0.0)
    assert [item.text for item in history.recall(1.0)[:-1]] == ["One\u2026"]


def test_what_was_never_said_stays_so_whatever_more_comes_of_it() -> None:
    history = History(Policy(), RATE)
    history.take(ReplyAudio("r", "a", 0, bytes(100)))
    history.cut("a", 0)
    history.take(ReplyAudio("r", "a", 0, bytes(100)))
    history.take(ReplyText("r", "a", "Nobody heard this."))
    history.ended(0.0)
    assert history.recall(1.0) == []


def test_an_utterance_comes_before_its_answer_though_its_words_come_later() -> None:
    history = History(Policy(), RATE)
    history.take(UserItemCommitted("u"))
    history.take(ReplyAudio("r", "a", 0, bytes(100)))
    history.take(ReplyText("r", "a", "Nine."))
    history.take(UserText("u", "What is the time?"))
    history.ended(0.0)
    said = [(item.who, item.text) for item in history.recall(1.0)]
    assert said[:2] == [("user", "What is the time?"), ("assistant", "Nine.")]


def test_told_twice_it_is_the_same_under_new_names() -> None:
    history = History(Policy(), RATE)
    history.take(UserItemCommitted("u"))
    history.take(UserText("u", "Hello?"))
    history.ended(0.0)
    first = history.recall(1.0)
    history.take(UserText("u", "Something else."))
    history.ended(2.0)
    again = history.recall(3.0)
    assert [item.text for item in again[:-1]] == ["Hello?", "Something else."]
    assert first[-1] == again[-1]


def test_it_does_not_grow_without_end() -> None:
    history = History(Policy(items=3), RATE)
    for number in range(1000):
        history.take(UserItemCommitted(f"u{number}"))
        history.take(UserText(f"u{number}", "Hello?"))
    assert len(history._said) <= 8


@pytest.mark.parametrize("policy", [Policy(items=0), Policy(characters=0), Policy(characters=4)])
def test_where_nothing_may_be_told_nothing_is_kept(policy: Policy) -> None:
    history = History(policy, RATE)
    for number in range(5):
        history.take(UserItemCommitted(f"u{number}"))
        history.take(UserText(f"u{number}", "Hello?"))
        history.take(ReplyAudio("r", f"a{number}", 0, bytes(2 * RATE)))
        history.take(ReplyText("r", f"a{number}", "Hello yourself."))
        history.cut(f"a{number}", 500)
    history.ended(0.0)
    assert history.recall(1.0) == []
    assert history._said == []


def test_words_that_came_in_pieces_do_where_the_whole_never_came() -> None:
    history = History(Policy(), RATE)
    history.take(ReplyAudio("r", "a", 0, bytes(2 * RATE * 4)))
    for piece in ("One two ", "three ", "four."):
        history.take(ReplyWords("r", "a", piece))
    history.cut("a", 2000)
    history.ended(0.0)
    assert [item.text for item in history.recall(1.0)[:-1]] == ["One two\u2026"]
    history.take(ReplyWords("r", "b", "All "))
    history.take(ReplyText("r", "b", "All of it."))
    history.ended(0.0)
    assert [item.text for item in history.recall(1.0)[:-1]] == ["One two\u2026", "All of it."]


def test_a_server_that_tells_of_no_utterance_until_it_is_written_down_keeps_the_order() -> None:
    history = History(Policy(), RATE)
    history.take(SpeechStopped("u"))
    history.take(ReplyWords("r", "a", "Nine."))
    history.take(UserText("u", "What is the time?"))
    history.ended(0.0)
    assert [item.text for item in history.recall(1.0)[:-1]] == ["What is the time?", "Nine."]
