"""What a person is told to do about a box, and that it would help."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.acoustics.advice import advice, recommended
from edged.acoustics.figures import Figures

LOWEST_DB = -42.0
WELL = Figures(
    at="2026-11-21T05:00:00+00:00",
    microphone="a microphone",
    speaker="a loudspeaker",
    volume_db=-6.0,
    mode="speex",
    noise_dbfs=-65.0,
    silent=False,
    heard=True,
    echo_dbfs=-36.0,
    echo_peak_dbfs=-20.0,
    near_dbfs=-36.0,
    near_measured=True,
    ser_db=0.0,
    delay_ms=80.0,
    path_ms=5.0,
    spread_ms=0.2,
    drift_ppm=1.0,
    drift_within_ppm=2.0,
    clipped=0,
)


def words(figures: Figures) -> str:
    return "\n".join(each.text for each in advice(figures, LOWEST_DB))


def must(figures: Figures) -> bool:
    return any(each.must for each in advice(figures, LOWEST_DB))


def test_a_box_that_is_well_is_left_alone() -> None:
    assert words(WELL) == "people can speak over the answer at any volume"
    best = recommended(WELL, LOWEST_DB)
    assert (best.volume_db, best.gain_db, best.mode, best.tail_ms) == (0, 0, "auto", 120)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"silent": True}, "digital silence"),
        ({"heard": False, "ser_db": None, "echo_dbfs": None}, "headset"),
        ({"clipped": 80, "echo_peak_dbfs": 0.0}, "at least 9 dB"),
    ],
)
def test_what_must_be_done_before_anything_works(change: dict[str, float], said: str) -> None:
    figures = replace(WELL, **change)  # type: ignore[arg-type]
    assert must(figures)
    assert said in words(figures)


def test_a_headset_that_is_configured_is_right() -> None:
    figures = replace(WELL, heard=False, ser_db=None, echo_dbfs=None, mode="off")
    assert not must(figures)
    assert recommended(figures, LOWEST_DB).mode == "off"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ser_db": -18.0}, "keep the volume at -12 dB or less"),
        ({"ser_db": -8.0}, "speak over the answer up to -2 dB"),
        ({"echo_peak_dbfs": -5.0}, "down by 4 dB"),
        ({"near_dbfs": -50.0}, "up by 11 dB"),
        ({"path_ms": 90.0}, "tail_ms = 180"),
        ({"path_ms": -20.0}, 'mode = "gate"'),
        ({"path_ms": 480.0}, 'mode = "gate"'),
        ({"spread_ms": 30.0}, "jumped by 30 ms"),
        ({"drift_ppm": -80.0}, "-80 ppm"),
        ({"noise_dbfs": -45.0}, "what hums nearby?"),
        ({"volume_db": -40.0, "ser_db": -45.0}, '"half_duplex"'),
    ],
)
def test_each_mishap_has_its_sentence(change: dict[str, float], said: str) -> None:
    figures = replace(WELL, **change)  # type: ignore[arg-type]
    assert said in words(figures)
    assert not must(figures)


@given(
    ser_db=st.floats(-45, 20),
    volume_db=st.floats(-42, 0),
    peak_dbfs=st.floats(-60, -0.1),
    near_dbfs=st.floats(-70, -10),
    path_ms=st.floats(-50, 600),
)
def test_what_is_recommended_would_do(
    ser_db: float, volume_db: float, peak_dbfs: float, near_dbfs: float, path_ms: float
) -> None:
    figures = replace(
        WELL,
        ser_db=ser_db,
        volume_db=volume_db,
        echo_peak_dbfs=peak_dbfs,
        near_dbfs=near_dbfs,
        path_ms=path_ms,
    )
    best = recommended(figures, LOWEST_DB)
    assert LOWEST_DB <= best.volume_db <= 0
    assert best.volume_db == LOWEST_DB or ser_db + volume_db - best.volume_db >= -12
    assert peak_dbfs - volume_db + best.gain_db <= -3
    assert best.gain_db <= 0 or near_dbfs + best.gain_db <= -30
    if best.mode == "auto":
        assert -15 < path_ms <= best.tail_ms - 35
    assert list(advice(figures, LOWEST_DB))
