"""Who speaks in the bench of the echo, and what: rendered by Debian's flite and espeak-ng.

Two casts with different voices and different sentences: thresholds are tuned with one, figures are
reported with the other. Rendered sounds are kept under `.cache`, named by what they were made from.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from edged.simulator.provider.companding import resample

from .rig import HERE

RATE = 24_000
"""Samples a second of everything in this bench."""
CACHE = HERE / ".cache" / "echo"

Sound = npt.NDArray[np.float32]
"""One channel at `RATE`, full scale 1."""

_RENDERING = 1
"""To be counted up when a rendered sound would be another one from the same words."""
_SILENT = 0.01
"""Of the peak: what is below, before and after a sentence, is cut off."""
_PATIENCE_S = 60


@dataclass(frozen=True)
class Voice:
    """A program and one of its voices."""

    program: Literal["flite", "espeak-ng"]
    name: str
    words_per_minute: int = 165
    """Only espeak-ng's pace is set."""

    def command(self, text: str, file: Path) -> list[str]:
        """What writes `text` into a wave `file`."""
        if self.program == "flite":
            return ["flite", "-voice", self.name, "-t", text, "-o", str(file)]
        pace = str(self.words_per_minute)
        return ["espeak-ng", "-v", self.name, "-s", pace, "-w", str(file), text]


@dataclass(frozen=True)
class Cast:
    """Voices and sentences that belong together; whoever is far is not near in the same scene."""

    seeds: range
    """The scenes that may be played with it."""
    far: Sequence[Voice]
    near: Sequence[Voice]
    answers: Sequence[str]
    """What the assistant says."""
    interruptions: Sequence[str]
    """What the person says, between one and three seconds long."""

    def pair(self, seed: int) -> tuple[Voice, Voice]:
        """The assistant and the person: in turn, so that few seeds have many voices."""
        assistant = self.far[seed % len(self.far)]
        people = [voice for voice in self.near if voice != assistant]
        return assistant, people[seed // len(self.far) % len(people)]


def _espeak(*names: str) -> list[Voice]:
    return [Voice("espeak-ng", name) for name in names]


def _flite(*names: str) -> list[Voice]:
    return [Voice("flite", name) for name in names]


REPORTED = Cast(
    seeds=range(100, 200),
    # The first is the simulator's own.
    far=[*_espeak("en"), *_flite("slt"), *_espeak("en-us+f3"), *_flite("rms", "awb")],
    near=_flite("rms", "awb", "slt"),
    answers=(
        "The museum opens at ten in the morning and closes at six in the evening.",
        "You can take the number twelve bus from the station, which leaves every quarter hour.",
        "There are three recipes that match what you have at home.",
        "The first one is a lentil soup with carrots, cumin, and a little lemon juice.",
        "It takes about forty minutes, and most of that time it simply simmers.",
        "A comet is a body of ice and dust that warms up when it comes close to the sun.",
        "Its tail always points away from the sun, because the solar wind pushes it outward.",
        "Next Tuesday looks mostly cloudy, with a chance of showers toward the afternoon.",
        "If you want to walk, the path along the river is the shortest and the quietest.",
        "Your next appointment is with the dentist, on Thursday at half past eight.",
        "The story begins in a small harbor town where nobody ever locked a door.",
        "One winter night a ship arrived without a crew, and its lamps were still burning.",
        "Basil grows best on a sunny window sill, and it does not like cold water.",
        "In the past year the team won eleven games, lost four, and drew the other five.",
        "Copper conducts heat very well, which is why good pans often have a copper base.",
        "I have found two films for this evening, a comedy and a documentary about whales.",
    ),
    interruptions=(
        "Wait a moment, that is not what I meant.",
        "Stop, please, I have another question.",
        "Can you say that again more slowly?",
        "No, tell me about the second one.",
        "Hold on, what was the address?",
        "That is enough for now, thank you.",
        "Actually, make it Wednesday instead.",
        "How much does it cost altogether?",
        "Skip this part and go on.",
        "Excuse me, who wrote that story?",
        "Okay, and how do I get there?",
        "Never mind, play some music.",
    ),
)
"""Figures are told of this one only."""

TUNING = Cast(
    seeds=range(100),
    far=_espeak("en-gb-x-rp+m7", "en-029+f4", "en-gb-scotland+f2"),
    near=[*_flite("kal16"), *_espeak("en-us+m1", "en-gb-x-gbclan+f5")],
    answers=(
        "Good evening, here is a short summary of what happened in the world today.",
        "Bread needs only flour, water, salt, and some patience.",
        "The moon will be full on Friday, and it will rise a little after sunset.",
        "To reset the router, hold the small button at the back for about ten seconds.",
        "Most owls hunt at night, but a few of them prefer the early morning.",
        "Your parcel has left the warehouse and should arrive tomorrow before noon.",
        "The capital has nearly two million inhabitants and eleven universities.",
        "Turn the dough once, cover it with a towel, and leave it in a warm place.",
        "A marathon is a little over forty two kilometers long.",
        "The library has four copies of the book, and one of them can be borrowed now.",
    ),
    interruptions=(
        "Thanks, I know that already.",
        "Could you speak up a little?",
        "What about the weekend?",
        "Please start from the beginning.",
        "Sorry, which one do you mean?",
        "Set a timer for five minutes.",
        "Let us talk about something else.",
        "Is there a faster way to do it?",
    ),
)
"""For whoever chooses thresholds: nothing of it is in a reported figure."""


def say(voice: Voice, text: str) -> Sound:
    """`text` without silence around it, its loudest sample at 1; raises `OSError`."""

    def render() -> Sound:
        return _trimmed(_spoken(voice, text))

    return kept(f"{_RENDERING} {voice} {_version(voice.program)} {text}", render)


def kept(made_from: str, make: Callable[[], Sound]) -> Sound:
    """What `make` gives, from the cache where it was made before from the same."""
    file = CACHE / f"{hashlib.sha256(made_from.encode()).hexdigest()[:32]}.npy"
    if file.exists():
        known: Sound = np.load(file)
        return known
    made = make()
    CACHE.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.save(content, made)
    # Whoever reads it meanwhile finds all of it or nothing.
    draft = file.with_suffix(f".{os.getpid()}.draft")
    draft.write_bytes(content.getvalue())
    draft.replace(file)
    return made


def _spoken(voice: Voice, text: str) -> Sound:
    with tempfile.TemporaryDirectory(prefix="edged-bench-") as folder:
        file = Path(folder) / "spoken.wav"
        command = voice.command(text, file)
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)
        if done.returncode or not file.exists():
            raise OSError(f"{voice.program} could not speak: {done.stderr.decode()[-200:]}")
        with wave.open(str(file)) as spoken:
            rate = spoken.getframerate()
            samples = np.frombuffer(spoken.readframes(spoken.getnframes()), "<i2")
    return (resample(samples, rate, RATE) / 32768).astype(np.float32)


def _trimmed(sound: Sound) -> Sound:
    peak = float(np.max(np.abs(sound), initial=0))
    loud = np.flatnonzero(np.abs(sound) > _SILENT * peak)
    if not len(loud):
        raise OSError("a voice said nothing")
    return (sound[loud[0] : loud[-1] + 1] / peak).astype(np.float32)


_versions: dict[str, str] = {}


def _version(program: str) -> str:
    if program not in _versions:
        if shutil.which(program) is None:
            raise OSError(f"{program} is not installed: apt install {program}")
        done = subprocess.run(
            [program, "--version"], capture_output=True, timeout=_PATIENCE_S, check=False
        )
        _versions[program] = done.stdout.decode(errors="replace")
    return _versions[program]
