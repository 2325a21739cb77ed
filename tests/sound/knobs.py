"""A libasound made of Python that enforces the order its mixer wants to be asked in."""

import threading
from ctypes import c_char_p, c_int, c_long, c_void_p
from dataclasses import dataclass, field
from typing import Any

NO_DEVICE = -19
NO_FILE = -2
_WORDS = {NO_DEVICE: b"No such device", NO_FILE: b"No such file or directory"}


@dataclass
class Knob:
    """A simple control of a card's."""

    name: str
    volume: tuple[int, int] | None = (0, 100)
    """None: it has no playback volume."""
    decibels: tuple[int, int] | None = None
    """In hundredths."""
    turned_to: int | None = None


@dataclass
class Knobs:
    """The cards there are, each with its controls; what PortAudio does not hand us."""

    cards: dict[str, list[Knob]]
    opened: int = 0
    closed: int = 0
    threads: set[str] = field(default_factory=set)
    _steps: list[str] = field(default_factory=list)
    _card: list[Knob] = field(default_factory=list)

    def snd_mixer_open(self, mixer: Any, mode: c_int) -> int:
        assert mode.value == 0
        assert self.opened == self.closed, "the last one was never closed"
        self.threads.add(threading.current_thread().name)
        self.opened += 1
        mixer._obj.value = 77
        self._steps = ["open"]
        return 0

    def snd_mixer_attach(self, mixer: c_void_p, card: bytes) -> int:
        self._step(mixer, "attach", after="open")
        if card.decode() not in self.cards:
            return NO_FILE
        self._card = self.cards[card.decode()]
        return 0

    def snd_mixer_selem_register(self, mixer: c_void_p, _options: None, _classes: None) -> int:
        self._step(mixer, "register", after="attach")
        return 0

    def snd_mixer_load(self, mixer: c_void_p) -> int:
        self._step(mixer, "load", after="register")
        return 0

    def snd_mixer_close(self, mixer: c_void_p) -> int:
        assert mixer.value == 77
        self.closed += 1
        assert self.opened == self.closed
        return 0

    def snd_mixer_first_elem(self, mixer: c_void_p) -> int | None:
        self._step(mixer, "look", after="load")
        return 1000 if self._card else None

    def snd_mixer_elem_next(self, knob: c_void_p) -> int | None:
        following = self._place(knob) + 1
        return 1000 + following if following < len(self._card) else None

    def snd_mixer_selem_has_playback_volume(self, knob: c_void_p) -> int:
        return int(self._at(knob).volume is not None)

    def snd_mixer_selem_get_name(self, knob: c_void_p) -> bytes:
        return self._at(knob).name.encode()

    def snd_mixer_selem_get_playback_dB_range(self, knob: c_void_p, low: Any, high: Any) -> int:
        return self._tell(self._at(knob).decibels, low, high)

    def snd_mixer_selem_get_playback_volume_range(self, knob: c_void_p, low: Any, high: Any) -> int:
        return self._tell(self._at(knob).volume, low, high)

    def snd_mixer_selem_set_playback_dB_all(self, knob: c_void_p, to: c_long, way: c_int) -> int:
        assert way.value in (-1, 0, 1)
        return self._turn(knob, self._at(knob).decibels, to)

    def snd_mixer_selem_set_playback_volume_all(self, knob: c_void_p, to: c_long) -> int:
        return self._turn(knob, self._at(knob).volume, to)

    def snd_strerror(self, result: c_int) -> bytes:
        return c_char_p(_WORDS[result.value]).value or b""

    def _tell(self, limits: tuple[int, int] | None, low: Any, high: Any) -> int:
        if limits is None:
            return NO_FILE
        low._obj.value, high._obj.value = limits
        return 0

    def _turn(self, knob: c_void_p, limits: tuple[int, int] | None, to: c_long) -> int:
        if self._card not in self.cards.values():
            return NO_DEVICE
        assert limits is not None
        assert limits[0] <= to.value <= limits[1], "beyond its range"
        self._at(knob).turned_to = to.value
        return 0

    def _step(self, mixer: c_void_p, name: str, after: str) -> None:
        assert mixer.value == 77
        assert self.opened == self.closed + 1, "not open"
        assert self._steps[-1] == after, f"{name} comes after {after}"
        self._steps.append(name)

    def _place(self, knob: c_void_p) -> int:
        assert self.opened == self.closed + 1, "a control of a mixer that is closed"
        assert knob.value is not None
        return knob.value - 1000

    def _at(self, knob: c_void_p) -> Knob:
        return self._card[self._place(knob)]
