"""A control of ALSA's mixer as the volume knob, through libasound's simple mixer interface."""

import ctypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

_CARDS: Final = Path("/proc/asound/cards")
_POINTERS: Final = ("snd_mixer_first_elem", "snd_mixer_elem_next")
_STRINGS: Final = ("snd_mixer_selem_get_name", "snd_strerror")


@cache
def alsa() -> Any:
    """The system's libasound 2, which PortAudio has brought into the process anyway."""
    library = ctypes.CDLL("libasound.so.2")
    for name in _POINTERS:
        getattr(library, name).restype = ctypes.c_void_p
    for name in _STRINGS:
        getattr(library, name).restype = ctypes.c_char_p
    return library


class Mixer:
    """One playback control, by its name, of one card, by its name in ALSA's configuration.

    The mixer is opened for each call: a card whose mixer stays open keeps its number when it is
    unplugged. Every method may block; trouble is an `OSError`, which says, when the card or the
    control is missing, which there are and what to type.
    """

    def __init__(self, card: str, control: str, library: Any = None) -> None:
        self._card = card
        self._control = control
        self._library = library

    def check(self) -> None:
        """See that the control is there."""
        with self._opened():
            pass

    def set_volume(self, volume_db: float) -> None:
        """Turn the control, all channels of it, as near to `volume_db` as its range goes.

        A control that knows no decibels is set to the share of its range that the amplitude is
        of the full one: half at -6 dB.
        """
        with self._opened() as control:
            lowest, highest, has_db = self._range(control)
            if has_db:
                # ALSA counts in hundredths, and 0 asks for the nearest step below or at it.
                within = min(max(round(100 * volume_db), lowest), highest)
                turned = self._alsa.snd_mixer_selem_set_playback_dB_all(
                    control, ctypes.c_long(within), ctypes.c_int(0)
                )
            else:
                share = 10 ** (min(0.0, volume_db) / 20)
                within = round(lowest + share * (highest - lowest))
                turned = self._alsa.snd_mixer_selem_set_playback_volume_all(
                    control, ctypes.c_long(within)
                )
            self._expect(turned)

    @property
    def _alsa(self) -> Any:
        return self._library or alsa()

    @contextmanager
    def _opened(self) -> Iterator[ctypes.c_void_p]:
        """The control, while the mixer is open."""
        mixer = ctypes.c_void_p()
        self._expect(self._alsa.snd_mixer_open(ctypes.byref(mixer), ctypes.c_int(0)))
        try:
            self._expect(self._alsa.snd_mixer_attach(mixer, self._card.encode()), _cards_there)
            self._expect(self._alsa.snd_mixer_selem_register(mixer, None, None))
            self._expect(self._alsa.snd_mixer_load(mixer))
            yield self._find(mixer)
        finally:
            self._alsa.snd_mixer_close(mixer)

    def _find(self, mixer: ctypes.c_void_p) -> ctypes.c_void_p:
        there: list[str] = []
        element = self._alsa.snd_mixer_first_elem(mixer)
        while element:
            control = ctypes.c_void_p(element)
            if self._alsa.snd_mixer_selem_has_playback_volume(control):
                name = self._alsa.snd_mixer_selem_get_name(control).decode(errors="replace")
                if name == self._control:
                    return control
                there.append(f'"{name}"')
            element = self._alsa.snd_mixer_elem_next(control)
        raise OSError(
            f'the sound card "{self._card}" has no playback control "{self._control}"; there are: '
            f'{", ".join(there) or "none"}. Set `mixer` to one of them, or to "" to go without'
        )

    def _range(self, control: ctypes.c_void_p) -> tuple[int, int, bool]:
        """The lowest and the highest it goes, and whether these are hundredths of a decibel."""
        low, high = ctypes.c_long(), ctypes.c_long()
        for scale in ("dB", "volume"):
            ask = getattr(self._alsa, f"snd_mixer_selem_get_playback_{scale}_range")
            told = ask(control, ctypes.byref(low), ctypes.byref(high))
            # Some drivers tell a scale of no width instead of none.
            if told == 0 and low.value < high.value:
                return low.value, high.value, scale == "dB"
        raise OSError(
            f'the control "{self._control}" of the sound card "{self._card}" has no range'
        )

    def _expect(self, result: int, hint: Callable[[], str] = str) -> None:
        """Raise what ALSA's `result` means, if it is an error."""
        if result < 0:
            said = self._alsa.snd_strerror(ctypes.c_int(result)).decode(errors="replace")
            raise OSError(f'the mixer of the sound card "{self._card}" fails: {said}{hint()}')


def _cards_there() -> str:
    """What to type instead of a card that is not there."""
    try:
        lines = _CARDS.read_text(encoding="utf-8")
    except OSError:
        lines = ""
    names = [f'"hw:{name}"' for name in re.findall(r"^ *\d+ \[(\S+) *\]", lines, re.MULTILINE)]
    there = ", ".join(('"default"', *names))
    return f"; there are: {there}. Set `mixer_card` to one of them"
