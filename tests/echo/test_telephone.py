"""The echo drivers on a wire of telephone sound, at 8 kHz."""

import pytest

from . import room
from .test_drivers import FAR_S, GATED, opened_driver

RATE = 8000


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RATE", RATE)
    monkeypatch.setattr(room, "FRAME", RATE // 50)


@pytest.mark.parametrize("name", GATED)
def test_the_speaker_does_not_take_itself_for_somebody(name: str) -> None:
    talk = room.Talk(opened_driver(name, RATE))
    far = room.voice(3, FAR_S + 4, -20)
    frames = talk.run(far, room.echo_of(far, -26) + room.hiss(4, FAR_S + 4))
    assert len([at for at in room.opened(frames) if at > 5]) < 0.02 * len(frames)


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("ser_db", [0, -10])
def test_somebody_who_speaks_over_it_is_heard(name: str, ser_db: int) -> None:
    talk = room.Talk(opened_driver(name, RATE))
    far = room.voice(3, FAR_S + 2, -20)
    mic = room.echo_of(far, -36 - ser_db) + room.hiss(4, FAR_S + 2)
    mic[round(FAR_S * RATE) :] += room.voice(7, 2, -36)
    frames = talk.run(far, mic)
    at = round(FAR_S * 50)
    heard = [number for number in room.opened(frames) if number >= at]
    assert heard
    assert (heard[0] - at) * 20 <= 300
