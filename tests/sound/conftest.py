"""The software room and its guests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edged.simulator import room

from .visit import Guests, Visit


@pytest.fixture
def guests(tmp_path: Path) -> Iterator[Guests]:
    """Lets guests into a room, with these settings of their card."""
    visits: list[Visit] = []

    def come(place: room.Room, **settings: Any) -> Visit:
        visits.append(Visit(place, tmp_path, **settings))
        return visits[-1]

    yield come
    for visit in visits:
        visit.end()


@pytest.fixture
def place() -> Iterator[room.Room]:
    with room.Room() as opened:
        yield opened
