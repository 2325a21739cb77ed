"""Room sound on its way to the provider: from the microphone's rate to frames of the wire."""

from .rates import Stream, resampler


class Uplink:
    """Gives whole frames of `frame_ms` at `wire_rate`; the port says what each method does."""

    def __init__(self, wire_rate: int, frame_ms: int = 20) -> None:
        self._wire_rate = wire_rate
        self._size = 2 * (wire_rate * frame_ms // 1000)
        self.restart(wire_rate)

    def restart(self, capture_rate: int) -> None:
        """Begin anew, at this capture rate."""
        self._stream: Stream = resampler(capture_rate, self._wire_rate)
        self._waiting = b""

    def room(self, samples: bytes) -> bytes:
        """Room sound at the wire's rate; empty while a wire frame fills."""
        return self.clean(self._stream.convert(samples))

    def clean(self, samples: bytes) -> bytes:
        """The same of sound that is at the wire's rate already."""
        sound = self._waiting + samples
        whole = len(sound) - len(sound) % self._size
        self._waiting = sound[whole:]
        return sound[:whole]
