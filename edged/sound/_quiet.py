"""Keeps the sound libraries from talking on our standard error."""

import ctypes
from contextlib import suppress
from typing import Final

_ALSA_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
_JACK_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p)
_deaf_to_alsa = _ALSA_HANDLER(lambda *_: None)
_deaf_to_jack = _JACK_HANDLER(lambda _: None)


def silence() -> None:
    """Keep ALSA and JACK from writing on our standard error.

    PortAudio tries every name in ALSA's configuration, and each that has no device behind it
    writes a line or six into the journal. Their own handlers are replaced, since pointing file
    descriptor 2 elsewhere would swallow what the rest of the process says meanwhile. Only a
    library that is in the process already is touched.
    """
    for library, setter, handler in (
        ("libasound.so.2", "snd_lib_error_set_handler", _deaf_to_alsa),
        ("libjack.so.0", "jack_set_error_function", _deaf_to_jack),
        ("libjack.so.0", "jack_set_info_function", _deaf_to_jack),
    ):
        with suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(library, mode=_IF_LOADED), setter)(handler)


_IF_LOADED: Final = 4
"""`RTLD_NOLOAD`, which Python's `os` does not name everywhere."""
