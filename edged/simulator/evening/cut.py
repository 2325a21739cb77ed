"""Where an answer that was cut ended at the loudspeaker, as far as its sound tells."""

from dataclasses import dataclass

import numpy as np

from .comparison import Floats, Samples, place

_BLOCK_S = 0.002
_LEARNT_S = 1.0
_LOUD_DBFS = -45.0
_HEARD = 0.5
"""Of its loudness at last: a fade has passed its middle below that."""
_FAINT = 0.1
"""Of its loudness at first: more is heard of an answer that was made quieter before its end."""
_LAST_S = 0.012
"""The end of what is heard tells how loud it was at last; no fade fills all of this."""


@dataclass(frozen=True)
class Cut:
    """It ended after `heard` and before `unheard`: what lies between was too soft to tell."""

    start: float
    """Where the answer begins in the recording, in samples."""
    heard: int
    """The samples of it that surely sounded."""
    unheard: int
    """The first sample that surely did not."""

    def end(self, told_ms: float | None, rate: int) -> float:
        """The sample it ended at: where the sound does not tell, as it was told."""
        told = self.heard if told_ms is None else told_ms * rate / 1000
        return min(max(self.heard, told), self.unheard)

    def error_ms(self, told_ms: float, rate: int) -> float:
        """How far what was told lies from where it can have ended."""
        told = told_ms * rate / 1000
        return max(self.heard - told, told - self.unheard, 0.0) / rate * 1000


def find(sent: Samples, recorded: Samples, rate: int) -> Cut:
    """Where `recorded`, of the same rate, leaves what was `sent`; a second of it must be there."""
    whole = np.asarray(sent, dtype=np.float64)
    room = np.asarray(recorded, dtype=np.float64)
    learnt = round(_LEARNT_S * rate)
    start, _ = place(whole[:learnt], room)
    first = round(start)
    loudness = _gain(whole[:learnt], room[first : first + learnt])
    step = round(_BLOCK_S * rate)
    gains: list[tuple[int, float]] = []
    for at in range(0, len(whole) - step + 1, step):
        block = whole[at : at + step]
        if 20 * np.log10(np.sqrt(np.mean(block**2)) / 32768 + 1e-9) < _LOUD_DBFS:
            continue
        piece = room[first + at : first + at + step]
        gains.append((at, _gain(block, piece) if len(piece) == step else 0.0))
    faintly = max((at for at, gain in gains if gain > _FAINT * loudness), default=0)
    last = [gain for at, gain in gains if faintly - round(_LAST_S * rate) < at <= faintly]
    enough = _HEARD * max(last, default=loudness)
    heard = max((at + step for at, gain in gains if gain > enough), default=0)
    unheard = min((at for at, _ in gains if at >= heard), default=len(whole))
    return Cut(start, heard, unheard)


def _gain(sent: Floats, arrived: Floats) -> float:
    """How loud `sent` is in what arrived, 1 for as loud as it was."""
    return float(sent[: len(arrived)] @ arrived) / max(float(sent @ sent), 1e-9)
