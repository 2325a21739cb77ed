"""What a sound card needs of a sound system that blocks."""

from dataclasses import dataclass
from typing import Protocol

from ._capture import Capture
from ._devices import Direction
from ._player import Player


@dataclass(frozen=True)
class Opened:
    """What an opened stream turned out to be."""

    device: str
    rate: int
    latency_ms: float


class System(Protocol):
    """The part of a sound system that blocks; on the `sound` thread; trouble is an `OSError`."""

    turns_volume: bool
    """Whether it has a volume of its own; it never changes."""

    def begin(self) -> None:
        """Start, or start anew with all streams closed; the devices there are are known now."""

    def end(self) -> None:
        """Close all streams and stop."""

    def changed(self) -> bool:
        """Whether devices have come or gone since `begin`."""

    def open_microphone(self, capture: Capture) -> Opened:
        """Open the stream, not yet started; closes one that is open."""

    def open_speaker(self, player: Player) -> Opened:
        """Open the stream, not yet started; closes one that is open."""

    def set_volume(self, volume_db: float) -> bool:
        """Set its own volume; False when it cannot now. Raises nothing."""

    def start(self, direction: Direction) -> None:
        """Let the stream run, for the first time or after a rest."""

    def rest(self, direction: Direction) -> None:
        """Stop the stream until `start`."""

    def close(self, direction: Direction) -> None:
        """Stop the stream, if there is one, and give up the device."""
