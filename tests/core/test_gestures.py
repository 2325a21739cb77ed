"""Fingers on buttons."""

import pytest

from edged.core.gestures import Action, Bindings, Recogniser
from edged.core.settings import Gestures

TALK, STOP, MUTE, NONE = Action.TALK, Action.STOP, Action.MUTE, Action.NONE
PLAIN = Bindings(TALK, NONE, NONE)
WITH_LONG = Bindings(TALK, NONE, MUTE)
WITH_DOUBLE = Bindings(TALK, STOP, NONE)
WITH_BOTH = Bindings(TALK, STOP, MUTE)


def recognised(bound: Bindings, *edges: float) -> list[tuple[float, Action]]:
    """What is recognised, and when, if the finger goes down, up, down ... at these times."""
    recogniser = Recogniser({"talk": bound}, Gestures(double_ms=350, long_ms=800))
    came: list[tuple[float, Action]] = []

    def alarms(until: float) -> None:
        while (at := recogniser.deadline()) is not None and at <= until:
            came.extend((round(at, 3), action) for action in recogniser.tick(at))

    for n, at in enumerate(edges):
        alarms(at)
        edge = recogniser.pressed if n % 2 == 0 else recogniser.released
        came.extend((at, action) for action in edge("talk", at))
    alarms(1e9)
    assert recogniser.deadline() is None
    return came


@pytest.mark.parametrize(
    ("bound", "edges", "expected"),
    [
        (PLAIN, (1.0, 1.1), [(1.0, TALK)]),
        (PLAIN, (1.0, 9.0), [(1.0, TALK)]),
        (PLAIN, (1.0, 1.1, 1.2, 1.3), [(1.0, TALK), (1.2, TALK)]),
        (WITH_LONG, (1.0, 1.1), [(1.1, TALK)]),
        (WITH_LONG, (1.0, 1.79), [(1.79, TALK)]),
        (WITH_LONG, (1.0, 5.0), [(1.8, MUTE)]),
        (WITH_LONG, (1.0,), [(1.8, MUTE)]),
        (WITH_DOUBLE, (1.0, 1.1), [(1.45, TALK)]),
        (WITH_DOUBLE, (1.0, 1.1, 1.4, 1.5), [(1.4, STOP)]),
        (WITH_DOUBLE, (1.0, 1.1, 1.5, 1.6), [(1.45, TALK), (1.95, TALK)]),
        (WITH_DOUBLE, (1.0, 1.1, 1.2, 1.3, 1.4, 1.5), [(1.2, STOP), (1.85, TALK)]),
        (WITH_DOUBLE, (1.0, 5.0), [(5.35, TALK)]),
        (WITH_BOTH, (1.0, 1.1), [(1.45, TALK)]),
        (WITH_BOTH, (1.0, 2.0), [(1.8, MUTE)]),
        (WITH_BOTH, (1.0, 1.1, 1.2, 9.0), [(1.2, STOP)]),
        (WITH_BOTH, (1.0, 1.1, 1.5, 9.0), [(1.45, TALK), (2.3, MUTE)]),
        (Bindings(NONE, NONE, NONE), (1.0, 1.1), []),
    ],
)
def test_gestures(
    bound: Bindings, edges: tuple[float, ...], expected: list[tuple[float, Action]]
) -> None:
    assert recognised(bound, *edges) == expected


def test_a_bouncing_contact_is_one_press() -> None:
    recogniser = Recogniser({"talk": PLAIN}, Gestures())
    assert recogniser.pressed("talk", 1.0) == [TALK]
    assert recogniser.pressed("talk", 1.001) == []
    assert recogniser.released("talk", 1.1) == []
    assert recogniser.released("talk", 1.101) == []


def test_an_edge_up_that_never_went_down_is_nothing() -> None:
    assert Recogniser({}, Gestures()).released("talk", 1.0) == []


def test_two_buttons_do_not_mix() -> None:
    recogniser = Recogniser({"a": WITH_LONG, "b": PLAIN}, Gestures())
    assert recogniser.pressed("a", 1.0) == []
    assert recogniser.pressed("b", 1.1) == [TALK]
    assert recogniser.tick(1.8) == [MUTE]
    assert recogniser.released("b", 1.9) == []
    assert recogniser.released("a", 2.0) == []
