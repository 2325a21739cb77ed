"""Sound devices, and the one that is meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["microphone", "speaker"]


@dataclass(frozen=True)
class Device:
    """What PortAudio tells of a device."""

    index: int
    name: str
    """For a card: its name, what it is, and its place, as in `USB Audio: - (hw:1,0)`."""
    inputs: int
    """Channels it can capture."""
    outputs: int
    """Channels it can play."""
    rate: int
    """Its own default, samples per second."""
    default_for: tuple[Direction, ...] = ()

    def channels(self, direction: Direction) -> int:
        """How many channels it has in this direction."""
        return self.inputs if direction == "microphone" else self.outputs


class MissingDevice(OSError):
    """The wanted device is not there; the text says which are and what to type."""


def find(devices: Sequence[Device], wanted: str, direction: Direction) -> Device:
    """The device meant by `wanted`: "" for the default, an index, a name or a part of one.

    A name is looked for exactly, then without the place in brackets, which changes from one
    plugging-in to the next, then as a part, in any case. Raises `MissingDevice`.
    """
    able = [device for device in devices if device.channels(direction)]
    if not wanted:
        matching = [device for device in able if direction in device.default_for]
    elif wanted.isdecimal():
        matching = [device for device in able if device.index == int(wanted)]
    else:
        matching = _named(able, wanted)
    if matching:
        return matching[0]
    there = ", ".join(f'"{device.name}"' for device in able) or "none"
    which = f'no {direction} "{wanted}"' if wanted else f"no default {direction}"
    raise MissingDevice(
        f"{which}; there are: {there}. Type `edged devices` to see them, plug it in, "
        f"or set `{direction}` to one of them"
    )


def _named(devices: Sequence[Device], wanted: str) -> list[Device]:
    bare = _without_place(wanted)
    return (
        [device for device in devices if device.name == wanted]
        or [device for device in devices if _without_place(device.name) == bare]
        or [device for device in devices if bare.lower() in device.name.lower()]
    )


def _without_place(name: str) -> str:
    return name.partition(" (hw:")[0]
