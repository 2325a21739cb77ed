"""Fingers on buttons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.core.gestures import REPEAT_S, Action, Bindings, Gesture, Phase, Recogniser
from edged.core.settings import Gestures

TALK, STOP, MUTE, NONE, END = Action.TALK, Action.STOP, Action.MUTE, Action.NONE, Action.END
HELD, LOUDER = Action.PUSH_TO_TALK, Action.VOLUME_UP
PLAIN = Bindings(TALK, NONE, NONE)
WITH_LONG = Bindings(TALK, NONE, MUTE)
WITH_DOUBLE = Bindings(TALK, STOP, NONE)
WITH_BOTH = Bindings(TALK, STOP, MUTE)
PUSH = Bindings(NONE, hold=HELD)
PRESS_OR_PUSH = Bindings(hold=HELD)
DOUBLE_OR_PUSH = Bindings(TALK, STOP, hold=HELD)
VOLUME = Bindings(LOUDER, hold=LOUDER)
TIMES = Gestures(double_ms=350, long_ms=800, hold_ms=250)

Told = list[tuple[float, Action, Phase]]


def recognised(bound: Bindings, *edges: float) -> Told:
    """What is recognised, and when, if the finger goes down, up, down ... at these times."""
    recogniser = Recogniser({"talk": bound}, TIMES)
    came: Told = []

    def take(at: float, gestures: list[Gesture]) -> None:
        came.extend((round(at, 3), gesture.action, gesture.phase) for gesture in gestures)

    def alarms(until: float) -> None:
        while (at := recogniser.deadline()) is not None and at <= until:
            take(at, recogniser.tick(at))

    for n, at in enumerate(edges):
        alarms(at)
        take(at, (recogniser.pressed if n % 2 == 0 else recogniser.released)("talk", at))
    alarms(edges[-1] + 5)
    return came


def done(bound: Bindings, *edges: float) -> list[tuple[float, Action]]:
    """The same, of what is complete."""
    return [(at, action) for at, action, how in recognised(bound, *edges) if how is Phase.DONE]


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
        (PRESS_OR_PUSH, (1.0, 1.2), [(1.2, TALK)]),
        (PRESS_OR_PUSH, (1.0, 3.0), []),
        (DOUBLE_OR_PUSH, (1.0, 1.1, 1.2, 9.0), [(1.2, STOP)]),
        (DOUBLE_OR_PUSH, (1.0, 1.1), [(1.45, TALK)]),
    ],
)
def test_presses(
    bound: Bindings, edges: tuple[float, ...], expected: list[tuple[float, Action]]
) -> None:
    assert done(bound, *edges) == expected


@pytest.mark.parametrize(
    ("bound", "edges", "expected"),
    [
        # Nothing but a hold: it begins with the finger, however short it is.
        (PUSH, (1.0, 1.05), [(1.0, Phase.BEGUN), (1.05, Phase.ENDED)]),
        (PUSH, (1.0, 4.0), [(1.0, Phase.BEGUN), (4.0, Phase.ENDED)]),
        # Beside a press it begins once the press is over.
        (PRESS_OR_PUSH, (1.0, 1.2), []),
        (PRESS_OR_PUSH, (1.0, 4.0), [(1.25, Phase.BEGUN), (4.0, Phase.ENDED)]),
        (DOUBLE_OR_PUSH, (1.0, 1.1, 1.5, 4.0), [(1.75, Phase.BEGUN), (4.0, Phase.ENDED)]),
        (Bindings(NONE, STOP, hold=HELD), (1.0, 1.2), []),
        # A press after it is a press again.
        (PRESS_OR_PUSH, (1.0, 2.0, 3.0, 3.1), [(1.25, Phase.BEGUN), (2.0, Phase.ENDED)]),
    ],
)
def test_push_to_talk_lasts_as_long_as_the_button_is_held(
    bound: Bindings, edges: tuple[float, ...], expected: list[tuple[float, Phase]]
) -> None:
    told = [(at, how) for at, what, how in recognised(bound, *edges) if what is HELD]
    assert [each for each in told if each[1] is not Phase.TOUCHED] == expected


def test_a_volume_button_that_is_held_goes_on_and_on() -> None:
    assert done(VOLUME, 1.0, 1.1) == [(1.1, LOUDER)]
    assert REPEAT_S == 0.3
    assert [at for at, _ in done(VOLUME, 1.0, 2.0)] == [1.25, 1.55, 1.85]
    assert [at for at, _ in done(Bindings(NONE, hold=LOUDER), 1.0, 1.7)] == [1.0, 1.3, 1.6]


def test_a_volume_button_looked_at_late_does_not_make_up_for_it() -> None:
    recogniser = Recogniser({"louder": Bindings(NONE, hold=LOUDER)}, TIMES)
    recogniser.pressed("louder", 1.0)
    assert recogniser.tick(4.0) == [Gesture(LOUDER)]
    assert recogniser.deadline() == 4.0 + REPEAT_S


def test_anything_else_that_is_held_happens_once() -> None:
    assert done(Bindings(TALK, hold=END), 1.0, 4.0) == [(1.25, END)]
    assert done(Bindings(NONE, hold=END), 1.0, 4.0) == [(1.0, END)]


@pytest.mark.parametrize(
    ("bound", "touch"),
    [
        (PLAIN, TALK),
        (WITH_BOTH, TALK),
        (PRESS_OR_PUSH, HELD),
        (PUSH, HELD),
        (VOLUME, LOUDER),
        (Bindings(NONE, STOP, MUTE), NONE),
    ],
)
def test_every_edge_down_is_answered_at_once(bound: Bindings, touch: Action) -> None:
    told = recognised(bound, 1.0, 1.1, 1.2, 1.3)
    touched = [(1.0, touch, Phase.TOUCHED), (1.2, touch, Phase.TOUCHED)]
    assert [each for each in told if each[2] is Phase.TOUCHED] == touched * (touch is not NONE)
    assert not told or told[0][2] is Phase.TOUCHED or touch is NONE


def test_a_hold_takes_the_place_of_the_default_long_press_and_of_no_other() -> None:
    assert WITH_LONG.long_press is MUTE
    assert PRESS_OR_PUSH.long_press is NONE
    with pytest.raises(ValueError, match="no long press"):
        Bindings(long=STOP, hold=HELD)


@pytest.mark.parametrize("gesture", ["press", "double", "long"])
def test_one_cannot_hold_a_button_by_pressing_it(gesture: str) -> None:
    with pytest.raises(ValueError, match=f"not `{gesture}`"):
        Bindings(**{gesture: HELD})


def test_a_bouncing_contact_is_one_press() -> None:
    recogniser = Recogniser({"talk": PLAIN}, Gestures())
    assert recogniser.pressed("talk", 1.0) == [Gesture(TALK, Phase.TOUCHED), Gesture(TALK)]
    assert recogniser.pressed("talk", 1.001) == []
    assert recogniser.released("talk", 1.1) == []
    assert recogniser.released("talk", 1.101) == []


def test_an_edge_up_that_never_went_down_is_nothing() -> None:
    assert Recogniser({}, Gestures()).released("talk", 1.0) == []


def test_two_buttons_do_not_mix() -> None:
    recogniser = Recogniser({"a": WITH_LONG, "b": PUSH}, Gestures())
    assert recogniser.pressed("a", 1.0) == [Gesture(TALK, Phase.TOUCHED)]
    assert recogniser.pressed("b", 1.1)[-1] == Gesture(HELD, Phase.BEGUN)
    assert recogniser.tick(1.8) == [Gesture(MUTE)]
    assert recogniser.released("b", 1.9) == [Gesture(HELD, Phase.ENDED)]
    assert recogniser.released("a", 2.0) == []


# --- whatever fingers do --------------------------------------------------------------------

SHORT = st.sampled_from([each for each in Action if each is not HELD])
BINDINGS = st.one_of(
    st.builds(Bindings, SHORT, SHORT, SHORT),
    st.builds(Bindings, SHORT, SHORT, st.sampled_from([NONE, MUTE]), st.sampled_from(Action)),
    st.sampled_from([PUSH, PRESS_OR_PUSH, DOUBLE_OR_PUSH, VOLUME]),
)
HOLD_MS = st.sampled_from([0, 250, 900])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["down", "up", "wait", "alarm"]),
        st.floats(0, 2).map(lambda seconds: round(seconds, 2)),
    ),
    max_size=30,
)


@given(bound=BINDINGS, hold_ms=HOLD_MS, steps=STEPS)
def test_what_begins_ends_once_and_with_the_finger(
    bound: Bindings, hold_ms: int, steps: list[tuple[str, float]]
) -> None:
    recogniser = Recogniser({"talk": bound}, Gestures(hold_ms=hold_ms))
    now, down, talking = 0.0, False, False
    for what, after in steps:
        alarm = recogniser.deadline()
        now = now + after if what != "alarm" or alarm is None else max(now, alarm)
        told = recogniser.tick(now)
        alarm = recogniser.deadline()
        assert alarm is None or alarm > now
        begun = Gesture(HELD, Phase.BEGUN) in told
        assert not begun or (down and not talking)
        talking |= begun
        assert {gesture.phase for gesture in told} <= {Phase.DONE, Phase.BEGUN}
        if what == "down":
            told = recogniser.pressed("talk", now)
            touched = [] if down or bound.touch is NONE else [Gesture(bound.touch, Phase.TOUCHED)]
            assert told[:1] == touched or not touched
            assert [each for each in told if each.phase is Phase.TOUCHED] == touched
            begun = Gesture(HELD, Phase.BEGUN) in told
            assert not begun or not (down or talking)
            down, talking = True, talking or begun
        elif what == "up":
            told = recogniser.released("talk", now)
            assert told.count(Gesture(HELD, Phase.ENDED)) == talking
            assert not talking or len(told) == 1
            down = talking = False
    if down:
        recogniser.released("talk", now)
    # Whatever it was, it is over with the second press that did not come.
    rest = recogniser.tick(now + 1)
    assert rest in ([], [Gesture(bound.press)])
    assert not rest or bound.double is not NONE
    assert recogniser.deadline() is None
    assert recogniser.tick(now + 100) == []


@given(bounds=st.tuples(BINDINGS, BINDINGS), steps=STEPS, others=STEPS)
def test_two_hands_do_what_each_would_do_alone(
    bounds: tuple[Bindings, Bindings],
    steps: list[tuple[str, float]],
    others: list[tuple[str, float]],
) -> None:
    def edges(button: str, moves: list[tuple[str, float]]) -> list[tuple[float, str, str]]:
        times = [sum(after for _, after in moves[: n + 1]) for n in range(len(moves))]
        return [(at, button, what) for at, (what, _) in zip(times, moves, strict=True)]

    def played(moves: list[tuple[float, str, str]]) -> list[tuple[float, Gesture]]:
        both = Recogniser(dict(zip("ab", bounds, strict=True)), TIMES)
        came: list[tuple[float, Gesture]] = []
        for at, button, what in [*sorted(moves), (1e3, "", "wait")]:
            while (alarm := both.deadline()) is not None and alarm <= min(at, 100):
                came += [(alarm, gesture) for gesture in both.tick(alarm)]
            if what == "down":
                came += [(at, gesture) for gesture in both.pressed(button, at)]
            elif what == "up":
                came += [(at, gesture) for gesture in both.released(button, at)]
        return sorted(came, key=lambda each: (each[0], each[1].action, each[1].phase))

    left, right = edges("a", steps), edges("b", others)
    alone = played(left) + played(right)
    alone.sort(key=lambda each: (each[0], each[1].action, each[1].phase))
    assert played(left + right) == alone
