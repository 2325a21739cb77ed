"""What all sessions of one simulated server share: its options, faults, script, voice and log."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from .accents import ACCENTS, Name
from .archive import Archive
from .faults import Faults
from .ledger import Ledger
from .script import Answer, Script
from .voice import Voice


@dataclass(frozen=True)
class Options:
    """How a simulated server behaves; the defaults suit tests."""

    dialect: Name = "openai"
    """Whose shape of the protocol it speaks."""
    port: int = 0
    """Loopback port; 0 takes any that is free."""
    tls: ssl.SSLContext | None = None
    """A server context makes it `wss://`."""
    key: str | None = None
    """The only key that is accepted; None accepts any that is not empty."""
    answers: Sequence[Answer] = ()
    """What is answered, in turn over all sessions; none: what was heard, and a story."""
    heard: Sequence[str] = ()
    """What transcriptions say, in turn over all sessions; none: how long somebody spoke."""
    voice: Literal["auto", "espeak-ng", "melody"] = "auto"
    """What answers sound like; `auto` is espeak-ng where installed."""
    detector: Literal["auto", "silero", "energy"] = "auto"
    """What hears speech; `auto` is Silero where installed."""
    pace: float = 4.0
    """Answer sound leaves so many times faster than real time; 0 at once."""
    chunk_ms: int = 100
    """Sound in one delta."""
    jitter_s: float = 0.0
    """Each delta is late by up to this, at random."""
    seed: int = 1
    """Of that randomness."""
    think_s: float = 0.2
    """From `response.created` to the answer's first sound."""
    transcription_s: float = 0.3
    """From a committed turn to its transcription."""
    session_s: float = 3600.0
    """A session ends with `session_expired` after this."""
    log: Path | None = None
    """A file for the log, one JSON object a line; overwritten."""
    audio_directory: Path | None = None
    """Where session-N-in.pcm and session-N-out.pcm are written, as the sound comes and goes."""
    keep_audio: bool = False
    """Keep both sounds in memory, as `Visit.heard` and `Visit.said`."""
    faults: Faults = field(default_factory=Faults)
    """What goes wrong."""
    faulty_sessions: int | None = None
    """Only so many first connections suffer the faults; None is all."""


class Imaginative(Protocol):
    """A session that can be made to hear what is not there."""

    def pretend(self, *, speech: bool) -> str:
        """Hear an onset or an end of speech now; the turn's item."""


class House:
    """Shared by the sessions of one server."""

    def __init__(self, options: Options, voice: Voice) -> None:
        self.options = options
        self.accent = ACCENTS[options.dialect]
        self.faults = options.faults
        """May be replaced at any time; sessions read it at each use."""
        self.script = Script(options.answers, options.heard)
        self.voice = voice
        self.sessions: list[Imaginative] = []
        """Those that are open, the newest last."""
        self.archive = Archive()
        self.ledger = Ledger(self.archive, options.log, options.audio_directory, options.keep_audio)
        self.random = random.Random(options.seed)
        self._closing = asyncio.Event()

    async def nap(self, seconds: float) -> None:
        """Wait; not any longer than the server runs."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    def close(self) -> None:
        """The server ends: wake whoever naps."""
        self._closing.set()

    def faults_of(self, session: int) -> Faults:
        """What the connection with that number suffers now."""
        limit = self.options.faulty_sessions
        return self.faults if limit is None or session <= limit else Faults()
