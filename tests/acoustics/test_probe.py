"""A box that is known is measured, and the figures are those it was made with."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.acoustics.figures import TYPICAL_DBFS, Figures
from edged.acoustics.probe import RATE, Probe, ProbeFailed
from edged.echo import off

from .box import Box

SPOKEN_DBFS = -20.0


def measured(box: Box, volume_db: float = 0.0) -> Figures:
    echo = off.open(off.Settings(), RATE)

    async def story() -> Figures:
        probe = Probe(box.open, echo, volume_db, lambda what, seconds: None)
        prompt = None if box.person_dbfs is None else box.ask
        return await probe.measure("speex", prompt)

    return asyncio.run(story())


@settings(max_examples=6)
@given(
    echo_db=st.floats(-35, -2),
    path_ms=st.floats(-10, 300),
    told_ms=st.floats(20, 200),
    drift_ppm=st.sampled_from((-150.0, 0.0, 80.0)),
    volume_db=st.sampled_from((-12.0, -6.0, 0.0)),
)
def test_delay_level_and_drift_are_found(
    echo_db: float, path_ms: float, told_ms: float, drift_ppm: float, volume_db: float
) -> None:
    box = Box(echo_db=echo_db, path_ms=path_ms, told_ms=told_ms, drift_ppm=drift_ppm)
    figures = measured(box, volume_db)
    assert box.closed
    assert figures.heard
    assert not figures.silent
    assert figures.path_ms == pytest.approx(path_ms, abs=1)
    assert figures.delay_ms == pytest.approx(told_ms + path_ms, abs=25)
    assert figures.spread_ms is not None
    assert figures.spread_ms < 1
    assert figures.drift_ppm == pytest.approx(drift_ppm, abs=3)
    assert figures.echo_dbfs == pytest.approx(SPOKEN_DBFS + volume_db + echo_db, abs=1)
    assert figures.noise_dbfs == pytest.approx(-65, abs=0.5)
    assert figures.ser_db == pytest.approx(
        TYPICAL_DBFS - (SPOKEN_DBFS + volume_db + echo_db), abs=1
    )
    assert figures.clipped == 0


def test_a_person_is_measured_too() -> None:
    figures = measured(Box(echo_db=-6, person_dbfs=-38))
    assert figures.near_measured
    assert figures.near_dbfs == pytest.approx(-38, abs=1.5)
    assert figures.ser_db == pytest.approx(-38 + 26, abs=2)


def test_who_is_asked_and_says_nothing_is_taken_for_anybody() -> None:
    figures = measured(Box(person_dbfs=-90))
    assert not figures.near_measured
    assert figures.near_dbfs == TYPICAL_DBFS


def test_a_headset_is_not_heard() -> None:
    figures = measured(Box(echo_db=-200))
    assert not figures.heard
    assert not figures.silent
    assert figures.ser_db is None


def test_a_muted_microphone_is_silent_and_nobody_is_asked() -> None:
    figures = measured(Box(dead=True, person_dbfs=-30))
    assert figures.silent
    assert not figures.near_measured


def test_an_overdriven_microphone_is_noticed() -> None:
    figures = measured(Box(echo_db=0, gain=8))
    assert figures.clipped > 100
    assert figures.heard


def test_a_microphone_that_does_not_open_is_said_at_once() -> None:
    box = Box(broken=True)
    with pytest.raises(ProbeFailed, match="hw:9") as failed:
        measured(box)
    assert failed.value.hint
    assert box.closed
