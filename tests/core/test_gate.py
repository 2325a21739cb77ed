"""The gate between the room and the provider."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from edged.core.gate import Gate
from edged.core.settings import BargeIn

SCORES = st.sampled_from((inf, 0.0, 0.5, 0.99, 1.0, 3.0))


def gate(**policy: int) -> Gate:
    """One whose driver is believed at once, unless the story says otherwise."""
    return Gate(BargeIn(**{"cold_ms": 0, **policy}))  # type: ignore[arg-type]


def hears(gate: Gate, *scores: float, answering: bool = True) -> str:
    """What it does about each frame: `-` shut, `o` open, `P` open for a person."""
    done = ""
    for score in scores:
        gate.hear(score, answering)
        done += "P" if gate.person else "o" if gate.open else "-"
    return done


def test_it_is_open_while_nothing_of_ours_is_in_the_room() -> None:
    assert gate().open
    assert hears(gate(), inf, inf, answering=False) == "oo"
    assert hears(gate(), inf, answering=True) == "o", "the answer has not reached the room yet"


def test_our_own_sound_shuts_it_at_once() -> None:
    assert hears(gate(), inf, 0.3, 0.2) == "o--"


def test_it_opens_for_a_voice_that_lasts_and_hangs_on_behind_it() -> None:
    ours = gate(opens_ms=40, hang_ms=60)
    assert hears(ours, 0.1, 1.0, 0.9, 1.2, 1.0, 1.5) == "----PP", "twice in a row"
    assert hears(ours, 0.9, 0.1, 0.9, 0.9, 0.9) == "PPP--", "three frames of a pause are bridged"


def test_a_part_of_a_frame_is_a_frame() -> None:
    assert hears(gate(opens_ms=50), 2, 2, 2) == "--P"


def test_one_frame_is_enough_to_go_on() -> None:
    ours = gate(opens_ms=40, hang_ms=60)
    assert hears(ours, 1, 1, 0, 0, 1, 0, 0, 0, 0) == "-PPPPPPP-"


def test_a_voice_that_pauses_for_longer_must_be_sure_again() -> None:
    ours = gate(opens_ms=40, hang_ms=20)
    assert hears(ours, 1, 1, 0, 0, 1, 1) == "-PP--P"


def test_our_next_word_does_not_slip_out_behind_a_silence() -> None:
    ours = gate(hang_ms=300)
    hears(ours, 2, 2, 2)
    assert hears(ours, inf, 0.2) == "o-", "no hang follows what was not held back"


def test_a_cold_driver_is_not_believed_and_earcons_do_not_shut_it() -> None:
    ours = gate(cold_ms=100)
    first_words = hears(ours, *[0.0] * 50, answering=False)
    assert first_words == "o" * 50, "a quiet room rings on for long, and nothing is learned of it"
    assert hears(ours, 2.0, 2.0, 2.0) == "---", "an answer might be anything"
    assert hears(ours, 0.5, 2.0, 2.0, 2.0) == "---P", "now it has heard enough of us"


def test_a_cold_gate_waits_for_the_rooms_ring_behind_an_answer() -> None:
    ours = gate(cold_ms=10_000)
    hears(ours, *[0.5] * 10)
    assert hears(ours, *[0.5] * 17, answering=False) == "-" * 14 + "ooo"


def test_silence_does_not_warm_it() -> None:
    ours = gate(cold_ms=100)
    hears(ours, *[inf] * 50)
    assert hears(ours, *[2.0] * 8) == "-----" + "-PP"


def test_whom_we_stopped_for_is_heard_though_the_room_still_rings() -> None:
    ours = gate()
    hears(ours, 0.2, 0.2)
    ours.invite()
    assert hears(ours, 0.2, 0.1, 0.1, answering=False) == "ooo"
    assert hears(ours, inf, answering=False) == "o"
    assert hears(ours, 0.2, answering=False) == "-", "it was for once"


def test_the_next_answer_ends_the_invitation() -> None:
    ours = gate()
    ours.invite()
    assert hears(ours, 0.2, answering=True) == "-"


@given(st.lists(st.tuples(SCORES, st.booleans()), max_size=200), st.integers(0, 400))
def test_it_is_open_for_a_reason(course: list[tuple[float, bool]], cold_ms: int) -> None:
    ours = gate(cold_ms=cold_ms)
    for at, (score, answering) in enumerate(course):
        ours.hear(score, answering)
        before = [each for each, _ in course[: at + 1]]
        if score == inf:
            assert ours.open
            assert not ours.person
        if ours.person:
            since = before[-1 - ours._hang - 2 :]
            assert any(1 <= each < inf for each in since), "for a person who was heard lately"
        assert not (answering and ours.open and not ours.person and score < inf)
