"""What answers sound like: speech where espeak-ng is, a melody that says so where it is not."""

import asyncio

import numpy as np
import pytest

from edged.simulator.provider.voice import LEVEL_DBFS, Speech, Voice, melody


def level(speech: Speech) -> float:
    sound = speech.samples.astype(float) / 32768
    return float(20 * np.log10(np.sqrt(np.mean(sound**2))))


def test_a_melody_is_audible_and_says_why_it_is_one() -> None:
    tune = melody("one two three four five six")
    assert level(tune) == pytest.approx(LEVEL_DBFS, abs=0.2)
    assert "espeak-ng is not installed" in tune.transcript
    assert "one two three four five six" in tune.transcript
    assert len(tune.samples) / 24_000 == pytest.approx(6 * 0.3, abs=0.01)


def test_a_machine_without_the_program_plays_melodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    voice = Voice()
    assert voice.program is None
    assert asyncio.run(voice.say("Hello")).transcript.startswith("(a melody")


def test_speech_is_rendered_once_at_the_level_and_pace_asked_for() -> None:
    voice = Voice("espeak-ng")
    if voice.program is None:
        pytest.skip("needs espeak-ng")

    async def story() -> None:
        text = "Good evening, everybody; -q --help is not an option."
        speech = await voice.say(text)
        assert speech.transcript == text
        assert level(speech) == pytest.approx(LEVEL_DBFS, abs=0.5)
        assert 2 < len(speech.samples) / 24_000 < 8
        assert await voice.say(text) is speech
        slow = await voice.say(text, 0.5)
        assert len(slow.samples) > 1.4 * len(speech.samples)

    asyncio.run(story())
