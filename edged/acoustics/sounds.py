"""What is played to a box to measure it: a sweep, and sound that moves like speech."""

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]
"""Full scale is 1."""

SWEEP_S = 0.5
_SWEEP_HZ = (200.0, 8000.0)
_SWEEP_DBFS = -22.0
SPEECH_DBFS = -20.0
"""While it speaks, as a provider's voice."""
_FADE_S = 0.01
_FRAMES_S = 50


def sweep(rate: int) -> Sound:
    """A chirp that rises by the same number of octaves every moment (Farina, 2000).

    Half a second of it stands 36 dB higher in its correlation than noise as loud.
    """
    low, high = _SWEEP_HZ[0], min(_SWEEP_HZ[1], 0.45 * rate)
    at = np.arange(round(SWEEP_S * rate)) / rate
    octaves = np.log(high / low)
    sound = np.sin(2 * np.pi * low * SWEEP_S / octaves * np.expm1(at / SWEEP_S * octaves))
    fade = round(_FADE_S * rate)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
    sound[:fade] *= ramp
    sound[-fade:] *= ramp[::-1]
    return _scaled(sound, _SWEEP_DBFS)


def speech(rate: int, seconds: float) -> Sound:
    """Syllables without a language: a gliding pitch through two formants, breath and pauses.

    What an echo's level depends on is as in speech: spectrum, rhythm and peaks. It needs no
    network, no recording with a licence, and is the same every time.
    """
    chance = np.random.default_rng(20)
    count = round(seconds * rate)
    sound = np.zeros(count)
    at = 0
    while at < count:
        piece = _syllable(chance, rate)[: count - at]
        sound[at : at + len(piece)] = piece
        pause_s = chance.choice((0.0, 0.02, 0.25), p=(0.6, 0.25, 0.15))
        at += len(piece) + round(pause_s * rate)
    return np.clip(_scaled(sound, SPEECH_DBFS), -1, 1)


def sixteen(sound: Sound) -> bytes:
    """As 16-bit samples."""
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2").tobytes()


def active(sound: NDArray[np.floating], rate: int) -> NDArray[np.bool_]:
    """For each whole 20 ms whether there is sound in it, and not a pause."""
    power = frame_powers(sound, rate)
    return np.asarray(power > 1e-3 * power.max(initial=1e-12))


def frame_powers(sound: NDArray[np.floating], rate: int) -> Sound:
    """The mean square of each whole 20 ms."""
    frame = rate // _FRAMES_S
    whole = sound[: len(sound) // frame * frame].reshape(-1, frame)
    return np.asarray(np.mean(whole**2, axis=1))


def _syllable(chance: np.random.Generator, rate: int) -> Sound:
    length = round(chance.uniform(0.09, 0.24) * rate)
    pitch = np.linspace(chance.uniform(105, 160), chance.uniform(90, 140), length)
    buzz = 2 * (np.cumsum(pitch) / rate % 1) - 1
    breath = chance.normal(size=length) * (0.8 if chance.random() < 0.25 else 0.05)
    hertz = np.fft.rfftfreq(length, 1 / rate)
    first, second = chance.uniform((280, 900), (800, 2600))
    shape = sum(np.exp(-(((hertz - f) / (0.15 * f + 60)) ** 2)) for f in (first, second)) + 0.03
    voiced = np.fft.irfft(np.fft.rfft(buzz) * shape, length)
    whole = (voiced / voiced.std() + breath) * np.hanning(length) ** 0.5
    return np.asarray(whole * chance.uniform(0.5, 1))


def _scaled(sound: Sound, dbfs: float) -> Sound:
    """As loud as that while it is not silent."""
    frames = frame_powers(sound, 50 * 480)
    loud = frames[frames > 1e-3 * frames.max()]
    return np.asarray(sound * (10 ** (dbfs / 20) / np.sqrt(loud.mean())))
