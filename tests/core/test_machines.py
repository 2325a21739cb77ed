"""The tables: total, real, and reachable."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from edged.core.machines import (
    HEALTH,
    HEARING,
    LINK,
    TURN,
    Health,
    Hearing,
    Link,
    Move,
    Turn,
    scene,
    step,
)
from edged.core.scenes import Scene

MACHINES: list[tuple[Mapping[Any, Any], StrEnum]] = [
    (LINK, Link.DOWN),
    (TURN, Turn.QUIET),
    (HEARING, Hearing.OPEN),
    (HEALTH, Health.WELL),
]


@pytest.mark.parametrize(("table", "first"), MACHINES)
def test_rows_name_real_states_and_moves(table: Mapping[Any, Any], first: StrEnum) -> None:
    kind = type(first)
    for (source, move), target in table.items():
        assert isinstance(source, kind)
        assert isinstance(target, kind)
        assert isinstance(move, Move)
        assert source is not target, "a move that changes nothing needs no row"


@pytest.mark.parametrize(("table", "first"), MACHINES)
def test_every_state_takes_every_move(table: Mapping[Any, Any], first: StrEnum) -> None:
    kind = type(first)
    for state, move in product(kind, Move):
        assert step(table, state, move) is table.get((state, move), state)


@pytest.mark.parametrize(("table", "first"), MACHINES)
def test_every_state_is_reached_and_left(table: Mapping[Any, Any], first: StrEnum) -> None:
    for start in type(first):
        reached = {start}
        while True:
            more = {target for (source, _), target in table.items() if source in reached}
            if more <= reached:
                break
            reached |= more
        assert reached == set(type(first)), f"from {start} only {reached}"


def test_every_move_moves_something() -> None:
    used = {move for table, _ in MACHINES for _, move in table}
    assert used == set(Move)


def test_the_end_of_the_line_takes_the_turn_from_everybody() -> None:
    for turn, move in product(Turn, (Move.ENDED, Move.LOST)):
        assert step(TURN, turn, move) is Turn.QUIET


def test_a_lost_line_is_never_left_half_open() -> None:
    for link in set(Link) - {Link.BROKEN}:  # which is lost already
        after = step(LINK, link, Move.LOST)
        assert after is (Link.OPENING if link is Link.REOPENING else Link.DOWN)


def test_the_state_has_a_name_for_every_combination() -> None:
    named = set()
    for link, turn, hearing, health in product(Link, Turn, Hearing, Health):
        for waking, working, attentive in product((False, True), repeat=3):
            name = scene(
                link,
                turn,
                hearing,
                health,
                waking=waking,
                working=working,
                attentive=attentive,
            )
            named.add(name)
            assert (name is Scene.MUTED) == (hearing is Hearing.MUTED)
            if hearing is Hearing.OPEN:
                assert (name is Scene.TROUBLE) == (health is Health.TROUBLED)
    assert named == set(Scene)


def on_the_line(
    turn: Turn, *, waking: bool = False, working: bool = False, attentive: bool = True
) -> Scene:
    return scene(
        Link.UP,
        turn,
        Hearing.OPEN,
        Health.WELL,
        waking=waking,
        working=working,
        attentive=attentive,
    )


def test_speaking_outranks_working() -> None:
    def name(turn: Turn) -> Scene:
        return on_the_line(turn, working=True)

    assert name(Turn.SPEAKING) is Scene.SPEAKING
    assert {name(turn) for turn in Turn if turn is not Turn.SPEAKING} == {Scene.WORKING}


def test_between_presses_to_talk_it_listens_to_nobody_and_says_so() -> None:
    assert on_the_line(Turn.QUIET, attentive=False) is Scene.ASLEEP
    assert on_the_line(Turn.QUIET, attentive=False, waking=True) is Scene.WAKING
    for turn in (Turn.HEARING, Turn.THINKING, Turn.SPEAKING):
        assert on_the_line(turn, attentive=False) is on_the_line(turn)
