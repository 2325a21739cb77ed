"""Whether room sound may go out: a person, or only our own echo."""


class Gate:
    """Half-duplex: shut while reply sound is audible and for the room's ring after it.

    Earcons never shut it: they are short, quiet, and would cost the first words.
    """

    def __init__(self, tail_s: float | None) -> None:
        """None: it never shuts, because nobody hears our echo."""
        self._tail_s = tail_s
        self._open_at = 0.0

    def sounded(self, now: float) -> None:
        """Reply sound left the loudspeaker just now."""
        if self._tail_s is not None:
            self._open_at = now + self._tail_s

    def interrupted(self) -> None:
        """The reply was cut for somebody who is speaking: their words come first."""
        self._open_at = 0.0

    def open(self, audible: bool, now: float) -> bool:
        """Whether a frame may go out, given whether reply sound is queued or playing."""
        return self._tail_s is None or (not audible and now >= self._open_at)
