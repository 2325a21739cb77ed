"""Pins for the lights' tests."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero import Device

from edged.simulator.pins import RoomFactory


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The socket of the room's pins, which gpiozero uses for this test."""
    with contextlib.closing(RoomFactory(tmp_path / "pins")) as factory:
        monkeypatch.setattr(Device, "pin_factory", factory)
        yield tmp_path / "pins"
