"""The ear of the simulated server's turn detection, and what it takes for speech."""

import asyncio

import numpy as np
import numpy.typing as npt
import pytest

from edged.simulator.provider.detection import Started, Stopped, TurnDetector, loudness
from edged.simulator.provider.voice import Voice
from tests.simulator.caller import hum, silence

Samples = npt.NDArray[np.int16]
SETTINGS = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
}


def heard(rate: int, sound: Samples) -> Samples:
    """What the scorer is given of `sound`, at 16 kHz."""
    chunks: list[Samples] = []

    def keep(chunk: Samples) -> float:
        chunks.append(chunk)
        return 0.0

    assert not list(TurnDetector(rate, keep, SETTINGS).hear(sound))
    return np.concatenate(chunks)


def tone(rate: int, hertz: float) -> Samples:
    return (np.sin(2 * np.pi * hertz * np.arange(rate) / rate) * 8000).astype(np.int16)


def gain_db(rate: int, hertz: float) -> float:
    """How loud a tone is after the way to 16 kHz."""
    settled = heard(rate, tone(rate, hertz))[512:].astype(float)
    return float(20 * np.log10(np.sqrt(np.mean(settled**2)) * np.sqrt(2) / 8000))


@pytest.mark.parametrize("rate", [24_000, 8_000])
@pytest.mark.parametrize("hertz", [200, 1000, 3000])
def test_a_voice_reaches_the_scorer_as_loud_as_it_is(rate: int, hertz: float) -> None:
    assert gain_db(rate, hertz) == pytest.approx(0, abs=0.3)


def test_what_16_khz_cannot_hold_does_not_fold_into_the_voice() -> None:
    assert gain_db(24_000, 10_000) < -40


@pytest.mark.parametrize("rate", [24_000, 8_000])
def test_every_32_ms_make_one_chunk_however_they_come(rate: int) -> None:
    sound = tone(rate, 440)[: rate // 10]
    whole = heard(rate, sound)
    assert len(whole) == 3 * 512
    pieces: list[Samples] = []

    def keep(chunk: Samples) -> float:
        pieces.append(chunk)
        return 0.0

    detector = TurnDetector(rate, keep, SETTINGS)
    for start in range(0, len(sound), 77):
        assert not list(detector.hear(sound[start : start + 77]))
    assert np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize(("level", "score"), [(0.0, 0), (-60.0, 0), (-40.0, 0.5), (-20.0, 1)])
def test_loudness_is_a_score(level: float, score: float) -> None:
    size = 10 ** (level / 20) * 32768 * np.sqrt(2) if level else 0
    chunk = np.rint(np.sin(np.arange(512) * 2 * np.pi / 32) * size).astype(np.int16)
    assert loudness(chunk) == pytest.approx(score, abs=0.01)


def test_a_click_is_not_speech_and_a_short_pause_does_not_end_it() -> None:
    detector = TurnDetector(24_000, loudness, SETTINGS)
    click = np.concatenate([silence(0.32), hum(0.02), silence(0.5)])
    assert not list(detector.hear(click))
    sentence = np.concatenate([hum(0.5), silence(0.3), hum(0.5), silence(1)])
    started, stopped = detector.hear(sentence)
    assert isinstance(started, Started)
    assert started.at_ms == pytest.approx(840 - 300, abs=32)
    assert isinstance(stopped, Stopped)
    assert stopped.at_ms == pytest.approx(840 + 1300 + 500, abs=64)


def test_a_detector_that_begins_late_counts_from_where_the_buffer_is() -> None:
    detector = TurnDetector(24_000, loudness, SETTINGS, began_ms=5000)
    (started,) = detector.hear(np.concatenate([silence(0.5), hum(0.5)]))
    assert started.at_ms == pytest.approx(5500 - 300, abs=32)


SEMANTIC = {"type": "semantic_vad", "eagerness": "auto"}


def test_somebody_who_goes_on_after_a_hesitation_is_not_cut_off() -> None:
    detector = TurnDetector(24_000, loudness, SEMANTIC)
    sentence = np.concatenate([silence(0.5), hum(0.8), silence(3), hum(0.3, 0.05), silence(1)])
    started, stopped = detector.hear(sentence)
    assert isinstance(started, Started)
    assert isinstance(stopped, Stopped)
    assert stopped.at_ms == pytest.approx(4600 + 700, abs=64)


def test_a_sentence_sounds_finished_to_the_semantic_kind() -> None:
    person = Voice("espeak-ng")
    if person.program is None:
        pytest.skip("needs espeak-ng to speak")
    for sentence in ("What time is it?", "Turn on the light.", "And tomorrow?"):
        voice = asyncio.run(person.say(sentence)).samples
        detector = TurnDetector(24_000, loudness, SEMANTIC)
        *_, stopped = detector.hear(np.concatenate([silence(0.5), voice, silence(5)]))
        assert isinstance(stopped, Stopped)
        assert stopped.at_ms < 500 + len(voice) / 24 + 700 + 64
