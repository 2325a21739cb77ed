"""As speex, but WebRTC's canceller must hear the voice too: fewer false alarms for more work."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

try:
    from pywebrtc_audio import AudioProcessor
except ImportError as missing:
    raise ImportError("dual needs a package more: pip install 'edged[aec]'") from missing

from ..ports import Echo
from ._chain import Chain, Detector


@dataclass(frozen=True)
class Settings:
    """Section [echo.dual]."""

    tail_ms: Annotated[int, "40 to 500"] = 120
    """How much of the room's ring is taken away, in milliseconds; more costs more."""
    caution: Annotated[float, "0.3 to 5"] = 1.0
    """How much evidence of a voice it takes: more misses soft voices, less hears our own."""


def open(settings: Settings, wire_rate: int) -> Echo:
    """Raises OSError where libspeexdsp is not installed."""
    return Chain(wire_rate, settings.tail_ms, settings.caution, _detector(wire_rate))


def _detector(rate: int) -> Detector:
    """WebRTC's third canceller; it resamples 24 kHz inside and finds the delay by itself."""
    canceller = AudioProcessor(rate, echo_cancellation=True, high_pass_filter=True)

    def residual(near: bytes, far: bytes) -> bytes:
        heard, played = np.frombuffer(near, np.int16), np.frombuffer(far, np.int16)
        left: NDArray[np.int16] = canceller.process(heard, played)
        return left.tobytes()

    return residual
