"""The earcons, synthesised: short, soft, and each unlike the others.

Two notes up say that the speaker has woken, two down that it sleeps, a tick that the volume was
turned, two soft ones that a tool works; low repeated patterns are trouble, each with its own
rhythm. The loudest moment of each is 15.5 dB below the voice, and softer where nobody asked for it;
what rings is nearly as loud.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..core.commands import Chime

VOICE_DBFS: Final = -20.0
"""The level of a provider's voice, by which the earcons are measured."""
_LOUDEST_DBFS: Final = VOICE_DBFS - 15.5
_SOFTER_DB: Final[Mapping[Chime, float]] = {
    Chime.SLEEPING: 4.0,
    Chime.WORKING: 4.0,
    Chime.ALARM: -13.0,
}
_WINDOW_S: Final = 0.02
_EDGE_S: Final = 0.008
"""Each note's rise; its fall takes the last half."""

_Notes = tuple[tuple[float, int], ...]
_MELODIES: Final[Mapping[Chime, _Notes]] = {
    # Each note: Hz (0 is a rest), milliseconds.
    Chime.WOKEN: ((784, 60), (1175, 80)),
    Chime.SLEEPING: ((659, 120), (440, 200)),
    Chime.MUTED: ((523, 60), (0, 30), (392, 110)),
    Chime.UNMUTED: ((392, 60), (0, 30), (523, 110)),
    Chime.VOLUME: ((988, 50),),
    Chime.WORKING: ((698, 40), (0, 90), (698, 40)),
    Chime.ALARM: ((1319, 100), (0, 30), (1047, 100), (0, 30), (1319, 100), (0, 30), (1047, 180)),
    Chime.ASKING: ((587, 70), (0, 30), (880, 70), (0, 30), (587, 70), (0, 30), (880, 110)),
    Chime.NETWORK: ((440, 80), (0, 60), (440, 80), (0, 60), (330, 200)),
    Chime.KEY: ((330, 80), (0, 40), (330, 80), (0, 40), (330, 80), (0, 40), (330, 80)),
    Chime.CREDIT: ((587, 90), (0, 40), (440, 90), (0, 40), (294, 240)),
    Chime.PROVIDER: ((440, 80), (0, 60), (330, 240)),
    Chime.MICROPHONE: ((330, 200), (0, 60), (440, 80), (0, 60), (440, 80)),
    Chime.SPEAKER: ((294, 200), (0, 60), (294, 200)),
    Chime.BUDGET: ((587, 60), (0, 40), (587, 60), (0, 40), (294, 180), (0, 40), (294, 120)),
    Chime.CLOCK: ((659, 40), (0, 110), (659, 40), (0, 110), (659, 40), (0, 110), (659, 40)),
}


@lru_cache(maxsize=32)
def chime(which: Chime, rate: int) -> bytes:
    """The earcon at `rate`, 16-bit mono."""
    sound = np.concatenate([_note(hz, ms, rate) for hz, ms in _MELODIES[which]])
    window = int(_WINDOW_S * rate)
    loudest = np.sqrt(np.max(np.convolve(sound**2, np.full(window, 1 / window), "same")))
    wanted = 32768 * 10 ** ((_LOUDEST_DBFS - _SOFTER_DB.get(which, 0.0)) / 20)
    scaled: NDArray[np.int16] = np.rint(sound * (wanted / loudest)).astype("<i2")
    return scaled.tobytes()


def _note(hz: float, ms: int, rate: int) -> NDArray[np.float64]:
    """A sine with a little of its octave, without a click at either end."""
    length = ms * rate // 1000
    time = np.arange(length) / rate
    tone = np.sin(2 * np.pi * hz * time) + 0.25 * np.sin(4 * np.pi * hz * time)
    rise = np.clip(time / _EDGE_S, 0, 1)
    fall = np.clip((time[-1] - time) / (ms / 2000), 0, 1)
    envelope: NDArray[np.float64] = np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall)
    return envelope * tone
