"""One measurement of how a box hears itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..acoustics.figures import Figures, Recommended


@dataclass(frozen=True)
class Measured:
    """One measurement."""

    figures: Figures
    guess: Sequence[Sequence[float]]
    """What the echo driver learned meanwhile; empty where it heard nothing to learn from."""
    best: Recommended
