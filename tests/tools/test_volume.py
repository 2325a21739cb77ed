"""The volume and the microphone, by voice."""

from pathlib import Path

import pytest

from edged.core.events import MuteAsked, VolumeTurned
from edged.tools import mute, volume

from .stand import Stand, asked


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


@pytest.mark.parametrize(
    ("given", "event", "percent"),
    [
        ({"percent": 50}, VolumeTurned(0, -21.0), 50),
        ({"percent": 100}, VolumeTurned(0, 0.0), 100),
        ({"percent": 0}, VolumeTurned(0, -42.0), 0),
        ({"steps": 1}, VolumeTurned(1, None), 93),
        ({"steps": -2}, VolumeTurned(-2, None), 71),
        ({"percent": 50, "steps": 1}, VolumeTurned(1, -21.0), 57),
    ],
)
def test_it_is_turned_as_by_a_knob(
    stand: Stand, given: dict[str, object], event: VolumeTurned, percent: int
) -> None:
    kit = volume.open(volume.Settings(), stand.reach())
    assert asked(kit, "volume", **given) == {"volume_percent": percent}
    assert stand.events == [event]


def test_it_is_told_without_being_turned(stand: Stand) -> None:
    kit = volume.open(volume.Settings(), stand.reach())
    assert asked(kit, "volume") == {"volume_percent": 86}
    assert stand.events == []


@pytest.mark.parametrize("given", [{"percent": 101}, {"percent": -1}, {"steps": 21}])
def test_what_is_no_volume_is_said_so(stand: Stand, given: dict[str, object]) -> None:
    kit = volume.open(volume.Settings(), stand.reach())
    assert "error" in asked(kit, "volume", **given)
    assert stand.events == []


def test_mute_closes_the_microphone_and_says_that_all_is_over(stand: Stand) -> None:
    kit = mute.open(mute.Settings(), stand.reach())
    assert "the conversation has ended" in asked(kit, "mute")
    assert stand.events == [MuteAsked(muted=True)]
