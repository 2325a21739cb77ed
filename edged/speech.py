"""What the speaker can say by itself, without anybody on the line: espeak-ng's voice."""

import asyncio
import contextlib
import os
import signal
import struct
from dataclasses import dataclass
from typing import Annotated, Final

from .night import Hours, Night
from .programs import nobody

LONGEST: Final = 1000
"""Characters of a text; about a minute."""
_MOST_BYTES: Final = 8 << 20
"""Of sound: three minutes at espeak-ng's 22.05 kHz."""
_PATIENCE_S: Final = 10.0
"""A Pi Zero 2 W takes about a second for the longest text."""
_PROGRAM: Final = "espeak-ng"
_HEADER: Final = 44
_ENVIRONMENT: Final = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    # It looks for a sound server even where it is to write a file.
    "PULSE_SERVER": "unix:/dev/null",
}
"""What espeak-ng gets to know; our own environment may have the key in it."""


@dataclass(frozen=True)
class Settings:
    """What `edged say` says: when, and with what voice where the provider cannot."""

    voice: str = "en"
    """espeak-ng's voice: a language, or what `espeak-ng --voices` lists."""
    words_per_minute: Annotated[int, "80 to 450"] = 160
    """How fast it speaks."""
    quiet_hours: str = ""
    """When nothing is announced, as "22:00-07:00", by this machine's clock once that is set; "" for
    never."""

    def __post_init__(self) -> None:
        """Refuse hours that are none.

        Raises:
            ValueError: it says how they are written.

        """
        Hours(self.quiet_hours)


def hushed(settings: Settings) -> bool:
    """Whether these are the quiet hours."""
    return Night(Hours(settings.quiet_hours))()


class Speechless(Exception):
    """Nothing can be said; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Spoken:
    """16-bit mono sound."""

    samples: bytes
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / 2 / self.rate


async def speak(text: str, settings: Settings) -> Spoken:
    """`text` as sound, made by a child that knows nothing of us and lives for some seconds at most.

    No shell reads the text: it goes to the child's standard input. A speaker that runs as root
    gives the child to nobody. Raises `Speechless`.
    """
    pipe = asyncio.subprocess.PIPE
    arguments = ["-v", settings.voice, "-s", str(settings.words_per_minute), "--stdin", "--stdout"]
    try:
        child = await asyncio.create_subprocess_exec(
            _PROGRAM, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/", env=_ENVIRONMENT,
            start_new_session=True, **nobody(),
        )  # fmt: skip
    except OSError as error:
        hint = "sudo apt install espeak-ng"
        raise Speechless(f"espeak-ng cannot be started: {error.strerror}", hint) from error
    try:
        async with asyncio.timeout(_PATIENCE_S):
            sound, said = await _converse(child, text)
            status = await child.wait()
    except TimeoutError as error:
        raise Speechless("espeak-ng does not come to an end", "say less at a time") from error
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        # What is still in its pipes is read, or they would stay open.
        await child.communicate()
    if status or len(sound) <= _HEADER:
        *_, detail = (f"status {status}", *said.decode(errors="replace").split("\n")[:-1])
        hint = f'see whether `espeak-ng -v "{settings.voice}" hello` speaks; `voice` in [speech]'
        raise Speechless(f"espeak-ng says nothing: {detail}", hint)
    return _read(sound)


async def _converse(child: asyncio.subprocess.Process, text: str) -> tuple[bytes, bytes]:
    """What the child sounds and complains of; never more than is wanted of either."""
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(text.encode(errors="replace"))
        await child.stdin.drain()
    child.stdin.close()
    sound = bytearray()
    while len(sound) < _MOST_BYTES and (more := await child.stdout.read(1 << 16)):
        sound += more
    if len(sound) >= _MOST_BYTES:
        raise Speechless("that would take minutes to say", "say less at a time")
    return bytes(sound), await child.stderr.read(4096)


def _read(sound: bytes) -> Spoken:
    """The WAV that espeak-ng pipes: its header cannot know the length, so the rest is the sound."""
    if sound[:4] != b"RIFF" or struct.unpack_from("<HH", sound, 20) != (1, 1):
        raise Speechless("espeak-ng gives no sound that is known here", "install Debian's")
    (rate,) = struct.unpack_from("<I", sound, 24)
    return Spoken(sound[_HEADER : len(sound) - len(sound) % 2], rate)
