"""What stands for sound that is held back."""

import numpy as np

from edged.echo._noise import Noise

from .room import FRAME, RATE, hiss, level, sixteen


def test_it_sinks_with_the_room_at_once_and_follows_nothing_but_the_room() -> None:
    noise = Noise(RATE)
    loud, quiet = sixteen(hiss(1, 0.02, -50)), sixteen(hiss(1, 0.02, -65))

    def after(frame: bytes, times: int, alone: bool = True) -> float:
        return level(b"".join(noise.comfort(frame, alone) for _ in range(times))[-9600:])

    assert abs(after(loud, 10, alone=False) + 50) < 2
    assert abs(after(quiet, 50) + 65) < 2
    assert abs(after(loud, 200, alone=False) + 65) < 2
    assert abs(after(loud, 200) + 50) < 2
    assert abs(after(quiet, 200, alone=False) + 50) < 2
    assert abs(after(quiet, 30) + 65) < 2


def test_a_shout_does_not_make_it_loud() -> None:
    noise = Noise(RATE)
    for _ in range(50):
        noise.comfort(sixteen(hiss(1, 0.02, -65)))
    shout = [noise.comfort(sixteen(hiss(2, 0.02, -10))) for _ in range(20)]
    assert level(b"".join(shout)) < -62


def test_it_never_is_silence_and_no_two_frames_are_the_same() -> None:
    noise = Noise(RATE)
    frames = [noise.comfort(bytes(2 * FRAME)) for _ in range(100)]
    assert len(set(frames)) == 100
    assert all(np.count_nonzero(np.frombuffer(frame, dtype="<i2")) > FRAME / 2 for frame in frames)
