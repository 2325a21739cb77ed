"""Whether room sound may go out: a person, or only our own echo."""

from math import isinf

from .settings import BargeIn

_FRAME_MS = 20
_RING_FRAMES = 15
"""Before the echo driver is believed, the room is taken to ring for so long behind an answer."""


class Gate:
    """Turns an echo driver's scores into open or shut, one for each frame of 20 ms.

    Open while nothing of ours is in the room. Else it opens for a score that stays at 1 or above,
    and shuts when that has been gone for the hang. A cold driver is not believed: while it is
    one, answers shut the gate, and earcons, which would cost the first words, do not.
    """

    def __init__(self, policy: BargeIn) -> None:
        self.preroll_ms = policy.preroll_ms
        """Sound before it opened for a person that goes out too."""
        self._opens_after = -(-policy.opens_ms // _FRAME_MS)
        self._hang = policy.hang_ms // _FRAME_MS
        self._cold = policy.cold_ms // _FRAME_MS
        self._sure = 0
        self._left = 0
        self._ringing = 0
        self._invited = False
        self.open = True
        """Whether the newest frame may go out."""
        self.person = False
        """Whether it is open because somebody is heard over our own sound."""

    @property
    def alone(self) -> bool:
        """Whether it is open because there is nothing to hear over."""
        return self.open and not self.person

    def hear(self, score: float, answering: bool) -> None:
        """The next frame's score, and whether sound of an answer is playing or about to."""
        self._ringing = _RING_FRAMES if answering else max(0, self._ringing - 1)
        silent = isinf(score)
        self._invited = self._invited and not silent and not answering
        if silent or self._invited:
            # No hang follows: our next word must not slip out behind the silence.
            self._sure = self._left = 0
            self.open, self.person = True, False
        elif self._cold:
            # An earcon is too short to learn from, and the first words are said over it.
            self._cold -= answering
            self.open, self.person = not self._ringing, False
        else:
            self.open = self.person = self._sees(score)

    def invite(self) -> None:
        """An answer was cut for somebody: their words come first, and our ring with them."""
        self._invited = True

    def _sees(self, score: float) -> bool:
        self._sure = self._sure + 1 if score >= 1 else 0
        if self._sure and (self._left or self._sure >= self._opens_after):
            self._left = self._hang + 1
        self._left = max(0, self._left - (not self._sure))
        return self._left > 0
