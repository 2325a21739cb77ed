"""A box that was calibrated knows its own voice from the first word after a restart."""

from typing import Any

import pytest

from edged.echo import gate
from edged.echo._bands import Guess

from .room import FRAMES_S, RATE, Sound, Talk, echo_of, hiss, opened, voice
from .test_drivers import opened_driver

ONSET_S = 1.2
"""A person speaks over the first answer, as soon as anything may be believed."""


def learned(echo_dbfs: float = -26) -> Guess:
    """What a calibration leaves behind."""
    driver: Any = gate.open(gate.Settings(), RATE)
    far = voice(20, 6, -20)
    Talk(driver).run(far, echo_of(far, echo_dbfs) + hiss(21, 6))
    guess: Guess = driver.guess
    return guess


def interrupted(name: str, guess: Guess | None) -> list[int]:
    """The frames with a voice in them, from when a person speaks over the first answer."""
    far = voice(22, ONSET_S + 1, -20)
    mic = echo_of(far, -26) + hiss(23, ONSET_S + 1)
    mic[round(ONSET_S * RATE) :] += voice(24, 1, -32)
    return [at for at in heard(name, guess, far, mic) if at >= ONSET_S * FRAMES_S]


def heard(name: str, guess: Guess | None, far: Sound, mic: Sound) -> list[int]:
    driver: Any = opened_driver(name)
    if guess is not None:
        driver.recall(guess)
    # The sound card opens its devices before anything sounds.
    driver.notify("reopened")
    return opened(Talk(driver).run(far, mic))


@pytest.mark.parametrize("name", ["gate", "speex", "dual"])
def test_an_interruption_of_the_first_answer_is_heard_sooner(name: str) -> None:
    warm, cold = interrupted(name, learned()), interrupted(name, None)
    assert len(warm) > 2 * len(cold)
    # A gate opens for two in a row.
    assert any(at + 1 in warm for at in warm)


@pytest.mark.parametrize("name", ["gate", "speex", "dual"])
@pytest.mark.parametrize("then_dbfs", [-36, -26, -16])
def test_it_does_not_interrupt_itself_though_the_box_was_changed_since(
    name: str, then_dbfs: float
) -> None:
    far = voice(25, 4, -20)
    assert not [
        at for at in heard(name, learned(then_dbfs), far, echo_of(far, -26) + hiss(26, 4)) if at > 5
    ]


@pytest.mark.parametrize("guess", [[], [[1.0]], [[float("nan")] * 18] * 8])
def test_what_is_no_guess_is_refused(guess: Guess) -> None:
    driver: Any = opened_driver("gate")
    with pytest.raises(ValueError, match="guess"):
        driver.recall(guess)
