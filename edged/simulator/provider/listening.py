"""The input audio buffer of a simulated session, and the turns that are found in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from .companding import WireFormat
from .detection import Scorer, Started, Stopped, TurnDetector
from .shapes import Refusal

SHORTEST_COMMIT_MS = 100
"""Less sound than this cannot be committed."""
_SLACK_MS = 128
"""Sound that the detector may have heard but not yet judged."""


class InputBuffer:
    """Appended sound that was not committed yet. Its times are ms of sound ever appended."""

    def __init__(self, form: WireFormat, turns: Mapping[str, Any] | None, score: Scorer) -> None:
        """`turns` as `turn_detection`: None leaves it to the client to commit."""
        self._format = form
        self._score = score
        self._sound = bytearray()
        self._dropped = 0
        self._turn_ms = 0
        self._detector: TurnDetector | None = None
        self.configure(turns)

    def configure(self, turns: Mapping[str, Any] | None) -> None:
        """Take new turn detection from now on."""
        if turns is None:
            self._detector = None
        elif self._detector:
            self._detector.adjust(turns)
        else:
            # A detector that begins late still counts the buffer's time from its beginning.
            began = self._format.ms_of(self._dropped + len(self._sound))
            self._detector = TurnDetector(self._format.rate, self._score, turns, began)

    @property
    def now_ms(self) -> int:
        """How much sound was ever appended."""
        return int(self._format.ms_of(self._dropped + len(self._sound)))

    @property
    def speaking(self) -> bool:
        """Whether a turn is open."""
        return self._detector is not None and self._detector.speaking

    def append(self, sound: bytes) -> Iterator[Started | Stopped]:
        """Add sound; what is heard in it, in order."""
        self._sound += sound
        if self._detector is None:
            return
        for happened in self._detector.hear(self._format.decode(sound)):
            yield self._noted(happened)
        if not self._detector.speaking:
            self._forget(self._detector.prefix_ms + _SLACK_MS)

    def pretend(self, *, speech: bool) -> Started | Stopped | None:
        """Hear an onset, or the end of the open turn, now; None when that changes nothing.

        Raises `RuntimeError` while nobody listens for turns.
        """
        if self._detector is None:
            raise RuntimeError("the session does not detect turns")
        happened = self._detector.onset() if speech else self._detector.end()
        return self._noted(happened) if happened else None

    def take_turn(self, until_ms: int) -> bytes:
        """The sound of the turn that ended at `until_ms`; it leaves the buffer."""
        start = max(0, self._format.bytes_of(self._turn_ms) - self._dropped)
        end = max(start, self._format.bytes_of(until_ms) - self._dropped)
        turn = bytes(self._sound[start:end])
        self._drop(end)
        return turn

    def commit(self) -> bytes:
        """The sound that the client commits; raises `Refusal` when it is too short."""
        start = 0
        if self._detector:
            # The server commits in this mode; only an open turn is left to the client.
            start = max(0, self._format.bytes_of(self._turn_ms) - self._dropped)
            start = start if self._detector.speaking else len(self._sound)
        sound = bytes(self._sound[start:])
        ms = self._format.ms_of(len(sound))
        if ms < SHORTEST_COMMIT_MS:
            raise Refusal(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{SHORTEST_COMMIT_MS}ms of audio, but buffer only has {ms:.2f}ms of audio.",
            )
        self.clear()
        return sound

    def clear(self) -> None:
        """Forget everything, an open turn too; time goes on."""
        self._drop(len(self._sound))
        if self._detector:
            self._detector.close_turn()

    def _noted(self, happened: Started | Stopped) -> Started | Stopped:
        if isinstance(happened, Started):
            self._turn_ms = happened.at_ms
        return happened

    def _forget(self, keep_ms: int) -> None:
        self._drop(max(0, len(self._sound) - self._format.bytes_of(keep_ms)))

    def _drop(self, size: int) -> None:
        del self._sound[:size]
        self._dropped += size
