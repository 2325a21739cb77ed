"""A guest in the software room, as seen from outside, and what is said to a sound card there."""

import base64
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edged.simulator import room

WIRE = 24000


class Visit:
    """A guest in the room, seen from outside."""

    def __init__(self, place: room.Room, folder: Path, **settings: Any) -> None:
        self._recording = folder / "recording"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sound.guest", self._recording, json.dumps(settings)],
            env=place.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors = ""
        """What it said on standard error."""
        self.told: list[tuple[float, str, dict[str, Any]]] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def do(self, *words: object) -> float:
        """Tell the guest what to do; when that was."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return time.monotonic()

    def play(self, sound: bytes, piece: int = 9600) -> float:
        """Queue `sound` in pieces, as a provider would."""
        began = time.monotonic()
        for at in range(0, len(sound), piece):
            self.do("queue", base64.b64encode(sound[at : at + piece]).decode())
        return began

    def hear(self, *kinds: str, **fields: Any) -> tuple[float, dict[str, Any]]:
        """The next event of these kinds and with these fields: when, and what it says."""
        deadline = time.monotonic() + 10
        while True:
            assert time.monotonic() < deadline, f"no {kinds}"
            now, name, said = json.loads(self._lines.get(timeout=10))
            self.told.append((now, name, said))
            if name in kinds and fields.items() <= said.items():
                return now, said

    def leave(self) -> NDArray[np.int16]:
        """Close the card; everything its microphone heard."""
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._process.stdin.close()
        errors = self._process.stderr.read()
        self._process.wait(timeout=10)
        self._reader.join()
        while not self._lines.empty():
            self.told.append(tuple(json.loads(self._lines.get())))
        assert self._process.returncode == 0, errors
        self.errors = errors
        return np.frombuffer(self._recording.read_bytes(), dtype="<i2")

    def believed(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """What a `Believer` thought to sound while it heard what it heard, after `leave`."""
        both = np.frombuffer(self._recording.with_suffix(".both").read_bytes(), dtype="<i2")
        return both[: len(both) // 2], both[len(both) // 2 :]

    def end(self) -> None:
        """Whatever the story came to, leave no process behind."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def all(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        return [(now, said) for now, name, said in self.told if name == kind]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)


Guests = Callable[..., Visit]


def noise(seconds: float, seed: int, rate: int) -> NDArray[np.int16]:
    """Like speech to a sound card: seeded, unlike any shifted copy of itself."""
    chance = np.random.default_rng(seed)
    return np.rint(chance.normal(0, 3000, round(seconds * rate))).clip(-30000, 30000).astype("<i2")
