"""Debian's libspeexdsp, by ctypes: a linear echo canceller and a suppressor of its residue."""

import ctypes
import weakref

_LIBRARY = "libspeexdsp.so.1"
_ECHO_SET_SAMPLING_RATE = 24
_PREPROCESS_SET_NOISE_SUPPRESS = 18
_PREPROCESS_SET_ECHO_STATE = 24


class Missing(OSError):
    """The library is not installed."""

    hint = "install Debian's package libspeexdsp1, or leave `mode` in [echo] at auto"


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise Missing(f"{error}; Debian's package is libspeexdsp1") from error
    pointer, number, sound = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    library.speex_echo_state_init.restype = pointer
    library.speex_echo_state_init.argtypes = [number, number]
    library.speex_echo_state_destroy.argtypes = [pointer]
    library.speex_echo_state_reset.argtypes = [pointer]
    library.speex_echo_ctl.argtypes = [pointer, number, pointer]
    library.speex_echo_cancellation.argtypes = [pointer, sound, sound, sound]
    library.speex_preprocess_state_init.restype = pointer
    library.speex_preprocess_state_init.argtypes = [number, number]
    library.speex_preprocess_state_destroy.argtypes = [pointer]
    library.speex_preprocess_ctl.argtypes = [pointer, number, pointer]
    library.speex_preprocess_run.argtypes = [pointer, sound]
    return library


class Canceller:
    """One microphone and one loudspeaker; a frame is 20 ms.

    Raises `Missing` where the library is not installed. `noise_db`: how far the suppressor may
    lower steady noise; more of it costs the near talker, and a provider has its own.
    """

    def __init__(self, rate: int, tail_ms: int = 120, noise_db: int = -6) -> None:
        self._library = _library()
        self.frame = rate // 50
        self._echo = ctypes.c_void_p(
            self._library.speex_echo_state_init(self.frame, rate * tail_ms // 1000)
        )
        # Without it the library takes 8 kHz for granted and eats the near talker.
        heard_at = ctypes.c_int(rate)
        self._library.speex_echo_ctl(self._echo, _ECHO_SET_SAMPLING_RATE, ctypes.byref(heard_at))
        self._after = ctypes.c_void_p(self._library.speex_preprocess_state_init(self.frame, rate))
        self._library.speex_preprocess_ctl(self._after, _PREPROCESS_SET_ECHO_STATE, self._echo)
        depth = ctypes.c_int(noise_db)
        self._library.speex_preprocess_ctl(
            self._after, _PREPROCESS_SET_NOISE_SUPPRESS, ctypes.byref(depth)
        )
        self._out = ctypes.create_string_buffer(2 * self.frame)
        # The suppressor reads the canceller's state: it goes first.
        weakref.finalize(self, self._library.speex_echo_state_destroy, self._echo)
        weakref.finalize(self, self._library.speex_preprocess_state_destroy, self._after)

    def reset(self) -> None:
        """Forget the way from loudspeaker to microphone."""
        self._library.speex_echo_state_reset(self._echo)

    def cancel(self, near: bytes, far: bytes) -> tuple[bytes, bytes]:
        """The linear residual of a frame, and the same with its residue suppressed, 20 ms late.

        Both samples are 16-bit mono of one frame; other lengths raise ValueError.
        """
        if len(near) != 2 * self.frame or len(far) != 2 * self.frame:
            raise ValueError(f"a frame is {self.frame} samples")
        self._library.speex_echo_cancellation(self._echo, near, far, self._out)
        linear = self._out.raw
        self._library.speex_preprocess_run(self._after, self._out)
        return linear, self._out.raw
