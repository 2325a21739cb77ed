"""The gate between the room and the provider."""

from edged.core.gate import Gate


def test_it_is_open_until_something_sounds() -> None:
    assert Gate(0.3).open(False, 0.0)


def test_it_is_shut_while_an_answer_is_audible_and_for_the_rooms_ring() -> None:
    gate = Gate(0.3)
    assert not gate.open(True, 10.0)
    gate.sounded(10.0)
    assert not gate.open(False, 10.29)
    assert gate.open(False, 10.3)
    gate.sounded(11.0)
    gate.sounded(11.5)
    assert not gate.open(False, 11.6), "the last sound counts"


def test_an_interruption_opens_it() -> None:
    gate = Gate(0.3)
    gate.sounded(10.0)
    gate.interrupted()
    assert gate.open(False, 10.0)


def test_without_a_tail_it_opens_with_the_last_sample() -> None:
    gate = Gate(0.0)
    gate.sounded(10.0)
    assert gate.open(False, 10.0)


def test_where_nobody_hears_our_echo_it_never_shuts() -> None:
    gate = Gate(None)
    gate.sounded(10.0)
    assert gate.open(True, 10.0)
    assert gate.open(False, 10.0)
