"""What is said, heard, shown and received in an evening, measured from outside."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..hearing import RATE, Recording, Samples
from ..provider.ledger import Entry
from . import comparison
from .answers import Sent, answers
from .comparison import Comparison
from .record import Mark, Record, Turn
from .stage import Stage
from .timeline import SETTLING_S

WIRE_RATE = 24_000
"""Of everything that is sent and received."""

_SETTLE_S = 0.4
QUIET_DBFS = -60.0
"""Whatever is softer is not there."""


@dataclass(frozen=True)
class Spoken:
    """What was said, as it was at the microphone."""

    start: float
    """The monotonic time of its first sample."""
    sound: Samples
    """At 48 kHz; a busy machine may have made the person stammer."""

    @property
    def end(self) -> float:
        """The monotonic time of its last sample."""
        return self.start + len(self.sound) / RATE


@dataclass
class Watch:
    """Eyes and ears of the evening; what they find goes into the record."""

    here: Stage
    microphone: Recording
    record: Record
    began: float
    """The monotonic time at which the evening began."""
    say: Callable[[str, str], None]
    """Adds a line to the story: who, and what."""
    observe: Callable[[str, bool, str], None]
    """Notes what became of a step."""
    heard_until: float = 0.0
    """The monotonic time at which the newest answer had been heard to its end."""

    def mark(self, name: str) -> None:
        """Somebody does this now."""
        self.record.marks.append(Mark(time.monotonic() - self.began, name))

    @property
    def clock(self) -> float:
        """The monotonic time at which the server's clock began."""
        return time.monotonic() - self.here.server.ledger.now

    async def lights(self, *states: str) -> tuple[bool, str]:
        """Whether the light was right in these states, and how it was."""
        await asyncio.sleep(SETTLING_S)
        return self.record.timeline.lights(states, time.monotonic() - self.began)

    async def spoken(self, words: Samples, after: float) -> Spoken:
        """`words`, said after that monotonic time, as they were at the microphone."""
        first = self.microphone.position_at(after)
        heard = await asyncio.to_thread(self.microphone.between, after, time.monotonic())
        where, _ = await asyncio.to_thread(comparison.place, words, heard)
        start = first + round(where)
        sound = self.microphone.cut(start, start + len(words))
        return Spoken(self.microphone.time_of(start), sound)

    def events(self, session: int, kind: str, since: float = 0.0) -> list[Entry]:
        """The events of one type on a connection after the monotonic time `since`."""
        entries = self.here.server.ledger.entries
        told = since - self.clock
        return [e for e in entries if e.session == session and e.type == kind and e.t >= told]

    def sent_bytes(self, session: int, since: float = 0.0, until: float = float("inf")) -> int:
        """Bytes of room sound that came from one monotonic time to another."""
        late = until - self.clock
        came = self.events(session, "input_audio_buffer.append", since)
        return sum(entry.details["audio"]["bytes"] for entry in came if entry.t < late)

    async def arrived(self, words: Samples, session: int, since: float = 0.0) -> Comparison:
        """`words`, at 48 kHz, against what the server got on a connection after `since`."""
        heard = bytes(self.here.server.visits[session - 1].heard)
        before = self.sent_bytes(session, until=since)
        came = np.frombuffer(heard[before:], np.int16)
        said = comparison.halved(words)
        return await asyncio.to_thread(comparison.compare, said, came, WIRE_RATE)

    async def hears(self, since: float) -> None:
        """Wait for an answer after the monotonic time `since` to be played to its end.

        Sums are done afterwards: they would take the machine's time from whoever plays.
        """
        speaking = await self.here.daemon.reaches("speaking", since=since)
        self.heard_until = await self.here.daemon.reaches(
            "listening", "asleep", since=speaking + 0.01, timeout_s=40
        )
        await asyncio.sleep(_SETTLE_S)

    async def judges(self, session: int, asked_until: float) -> Comparison:
        """The answer that was just heard: what was sent against what sounded."""
        answer = self.answer(session)
        self.say("provider", answer.transcript)
        samples = answer.samples(self.here.server.visits[session - 1])
        result, turn = await self.sounded(
            answer, samples, asked_until, self.heard_until + _SETTLE_S
        )
        self.record.turns.append(turn)
        return result

    def answer(self, session: int) -> Sent:
        """The newest answer on a connection."""
        return answers(self.here.server.ledger.entries, session)[-1]

    async def sounded(
        self, answer: Sent, samples: Samples, asked_until: float, until: float
    ) -> tuple[Comparison, Turn]:
        """`samples`, from the beginning of `answer`, against what sounded before `until`."""
        first_delta = self.clock + answer.first_delta
        begin, heard = await self.loudspeaker(first_delta - 0.1, until)
        played = comparison.halved(heard)
        result = await asyncio.to_thread(comparison.compare, samples, played, WIRE_RATE)
        # The first sound of speech is soft: its onset is looked for in what was sent, too.
        onset = comparison.onset(samples, WIRE_RATE) or 0
        sounded = self.here.loudspeaker.time_of(begin + 2 * (result.start + onset))
        turn = Turn(
            round((first_delta - asked_until) * 1000),
            round((sounded - onset / WIRE_RATE - first_delta) * 1000),
            interrupted=answer.truncated_ms is not None,
        )
        return result, turn

    async def louder_db(self, words: Samples, since: float, until: float) -> float:
        """How much louder the echo alone was than `words` are, both at the microphone."""
        echo = await asyncio.to_thread(self.microphone.between, since, until)
        return round(rms_dbfs(echo) - rms_dbfs(words), 1)

    async def loudspeaker(self, since: float, until: float) -> tuple[int, Samples]:
        """What sounded from one monotonic time to another, and the position where that begins."""
        recording = self.here.loudspeaker
        await asyncio.to_thread(recording.wait_until, until)
        begin = recording.position_at(since)
        return begin, recording.cut(begin, recording.position_at(until))

    async def peak_dbfs(self, since: float, until: float) -> float:
        """The loudest sample at the loudspeaker from one monotonic time to another."""
        _, heard = await self.loudspeaker(since, until)
        return peak_dbfs(heard)

    async def silent(self, since: float, until: float) -> bool:
        """Whether nothing at all was heard at the loudspeaker meanwhile."""
        return await self.peak_dbfs(since, until) < QUIET_DBFS


def peak_dbfs(samples: Samples) -> float:
    """The loudest sample; -120 for silence."""
    loudest = float(np.max(np.abs(samples.astype(np.float64)), initial=0.0))
    return max(-120.0, 20 * float(np.log10(loudest / 32768 + 1e-9)))


def rms_dbfs(samples: Samples) -> float:
    """How loud it is on the whole; -120 for silence."""
    power = float(np.mean(np.square(samples.astype(np.float64)))) / 32768**2
    return max(-120.0, 10 * float(np.log10(power + 1e-12)))


def is_whole(result: Comparison) -> bool:
    """Whether what was said arrived, and every sample of it once."""
    return result.correlation >= 0.95 and result.lost_samples == result.doubled_samples == 0


def is_clean(result: Comparison) -> bool:
    """Whether what was sent sounded without a gap."""
    return result.correlation >= 0.99 and result.gaps == 0
