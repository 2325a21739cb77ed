"""How loud it is."""

from math import log10

import numpy as np

SILENCE_DBFS = -120.0
"""The level of digital silence."""


def level(samples: bytes) -> float:
    """Root mean square of 16-bit `samples` in dBFS; a full-scale square wave is 0."""
    values = np.frombuffer(samples, dtype="<i2").astype(np.float32)
    power = float(np.dot(values, values))
    if not power:
        return SILENCE_DBFS
    return 10 * log10(power / (len(values) * 32768.0**2))
