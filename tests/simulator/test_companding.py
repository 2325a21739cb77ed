"""Wire formats: G.711 as everybody else does it, and rates that keep pitch and level."""

import numpy as np
import pytest

from edged.simulator.provider.companding import WireFormat, resample
from tests.simulator.caller import hum

# Taken from ITU-T G.711: code, mu-law value, A-law value (16-bit scale).
KNOWN = [
    (0x00, -32124, -5504),
    (0x7F, 0, -848),
    (0x80, 32124, 5504),
    (0xFF, 0, 848),
    (0x2A, -5372, -32256),
    (0xAA, 5372, 32256),
    (0x55, -716, -8),
    (0xD5, 716, 8),
]


@pytest.mark.parametrize(("code", "mu", "a"), KNOWN)
def test_known_codes_have_their_standard_values(code: int, mu: int, a: int) -> None:
    assert WireFormat({"type": "audio/pcmu"}).decode(bytes([code]))[0] == mu
    assert WireFormat({"type": "audio/pcma"}).decode(bytes([code]))[0] == a


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
def test_every_code_survives_a_round_trip_in_value(name: str) -> None:
    form = WireFormat({"type": name})
    values = form.decode(bytes(range(256)))
    assert np.array_equal(form.decode(form.encode(values)), values)


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
def test_encoding_errs_by_a_few_percent_at_most(name: str) -> None:
    form = WireFormat({"type": name})
    sound = np.arange(-32000, 32000, 7).astype(np.int16)
    error = np.abs(form.decode(form.encode(sound)).astype(int) - sound)
    assert np.all(error <= np.maximum(16, np.abs(sound.astype(int)) / 28))


@pytest.mark.parametrize(("rate", "wanted"), [(22_050, 24_000), (24_000, 8_000), (16_000, 24_000)])
def test_a_tone_keeps_pitch_and_level_at_another_rate(rate: int, wanted: int) -> None:
    time = np.arange(rate) / rate
    tone = (np.sin(2 * np.pi * 440 * time) * 8000).astype(np.int16)
    other = resample(tone, rate, wanted)
    assert len(other) == wanted
    expected = np.sin(2 * np.pi * 440 * np.arange(wanted) / wanted) * 8000
    # The ends ring, as a spectrum is periodic; the middle is exact.
    middle = slice(wanted // 10, -wanted // 10)
    assert np.max(np.abs(other[middle] - expected[middle])) < 40


def test_what_has_the_rate_already_is_left_alone() -> None:
    assert np.array_equal(resample(hum(0.1), 24_000, 24_000), hum(0.1))
