"""Plays to a box through its own sound card, listens, and says what it heard."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..core.events import Event, MicFrame, MicLost, MicOpened, SpeakerLost, SpeakerOpened
from ..ports import Echo, Feed, SoundCard
from . import measures
from .figures import TYPICAL_DBFS, Figures
from .listener import Listener, Row
from .sounds import SWEEP_S, Sound, active, frame_powers, sixteen, speech, sweep

RATE: Final = 24_000
"""At which an echo driver works."""
_NOISE_S, _SPEECH_S, _PAUSE_S = 2.0, 6.0, 1.0
_BEFORE_S, _AFTER_S = 0.1, 0.8
"""A sweep is looked for so long around its time: longer than any latency that can be borne."""
_DEVICE_S = 15.0
"""No sound card takes longer to begin or to go on."""
_VOICE_S = 20.0
_VOICE_DB = 9.0
"""So far above the noise is a voice."""
_BEGUN, _DONE, _ENOUGH = 12, 50, 250
"""Frames: of a voice before it is one, of silence behind it, and of a sentence."""

Tell = Callable[[str, float], None]
"""Takes what is being done, and for how many seconds."""


class ProbeFailed(Exception):
    """Nothing can be measured; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class _Programme:
    """What is played in one piece, so that every part's place is known."""

    sound: Sound
    sweeps: tuple[int, ...]
    """Where each begins, in samples."""
    speech: tuple[int, int]

    @property
    def seconds(self) -> float:
        return len(self.sound) / RATE


def _programme() -> _Programme:
    """A sweep twice, speech, and a sweep far from the first, which tells the clocks apart."""
    chirp, words, pause = sweep(RATE), speech(RATE, _SPEECH_S), np.zeros(round(_PAUSE_S * RATE))
    parts = [chirp, pause, chirp, pause, words, pause, chirp]
    begins = np.cumsum([0, *map(len, parts)])
    at = tuple(int(begins[number]) for number in (0, 2, 6))
    return _Programme(np.concatenate(parts), at, (int(begins[4]), int(begins[5])))


class Probe:
    """One measurement of one box.

    `open_card` opens the sound card with a feed and an echo driver; `echo` is one that learns
    along; `tell` hears what is done.
    """

    def __init__(
        self,
        open_card: Callable[[Feed, Echo], SoundCard],
        echo: Echo,
        volume_db: float,
        tell: Tell,
    ) -> None:
        self._open_card = open_card
        self._volume_db = volume_db
        self._tell = tell
        self._listener = Listener(echo)
        self._frames: list[bytes] = []
        self._levels: list[float] = []
        self._names: dict[str, str] = {}
        self._trouble = ""
        self._news = asyncio.Event()

    async def measure(self, mode: str, prompt: Callable[[], None] | None) -> Figures:
        """Take some 15 seconds; `prompt` asks a person to speak, None leaves them out.

        Raises `ProbeFailed` when a device does not open, or goes.
        """
        card = self._open_card(self._feed, self._listener)
        try:
            card.set_volume(self._volume_db)
            card.open_microphone()
            self._tell("opening the microphone and the loudspeaker", 0)
            await self._until(lambda: len(self._names) == 2 and bool(self._frames), _DEVICE_S)
            self._tell("silence, please: how loud is the room?", _NOISE_S)
            quiet = await self._hear(_NOISE_S)
            programme = _programme()
            self._tell("a sweep, twice; then speech; then the sweep again", programme.seconds)
            card.queue(sixteen(programme.sound))
            card.finish()
            aloud = await self._hear(programme.seconds + _AFTER_S)
            # What is heard is found by what was played: both have to be whole.
            await self._until(lambda: self._whole(programme), _DEVICE_S)
            noise_dbfs = self._level(quiet.start + len(quiet) // 4, quiet.stop)
            near_dbfs = None
            if prompt is not None and not self._silent(aloud):
                prompt()
                near_dbfs = await self._voice(noise_dbfs)
        finally:
            await card.close()
        return self._figures(programme, mode, noise_dbfs, aloud, near_dbfs)

    # --- hearing --------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        match event:
            case MicFrame(samples=samples, level=level):
                self._frames.append(samples)
                self._levels.append(level)
            case MicOpened(device=device):
                self._names["microphone"] = device
            case SpeakerOpened(device=device):
                self._names["speaker"] = device
            case MicLost(detail=detail):
                self._trouble = f"the microphone cannot be used: {detail}"
            case SpeakerLost(detail=detail):
                self._trouble = f"the loudspeaker cannot be used: {detail}"
            case _:
                return
        self._news.set()

    async def _until(self, done: Callable[[], bool], longest_s: float) -> None:
        try:
            async with asyncio.timeout(longest_s):
                while not done():
                    if self._trouble:
                        hint = "`edged devices` shows what there is; is the service still running?"
                        raise ProbeFailed(self._trouble, hint)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as late:
            hint = "is it plugged in? `edged devices` shows what there is"
            raise ProbeFailed("a sound device delivers nothing", hint) from late

    async def _hear(self, seconds: float) -> range:
        """The numbers of the next frames, when they are there."""
        first = len(self._frames)
        frames = range(first, first + round(seconds * 50))
        await self._until(lambda: len(self._frames) >= frames.stop, seconds + _DEVICE_S)
        return frames

    def _whole(self, programme: _Programme) -> bool:
        """Whether everything that was queued has gone to the device, and could have come back."""
        played = np.flatnonzero(self._listener.played)
        if not len(played):
            return False
        end = played[0] + len(programme.sound) + round(_AFTER_S * RATE)
        return len(self._listener.played) >= end and self._listener.due(end) < len(
            self._listener.heard
        )

    async def _voice(self, noise_dbfs: float) -> float | None:
        """How loud a person is while they speak; None where nobody does."""
        first = len(self._levels)

        def loud() -> NDArray[np.bool_]:
            return np.array(self._levels[first:]) > max(noise_dbfs, -70.0) + _VOICE_DB

        def begun() -> bool:
            return int(loud().sum()) >= _BEGUN

        def said() -> bool:
            voiced = loud()
            return len(voiced) >= _ENOUGH + _DONE or not voiced[-_DONE:].any()

        self._tell("waiting for your voice", _VOICE_S)
        while not begun():
            if len(self._levels) - first > _VOICE_S * 50:
                return None
            await self._hear(0.2)
        while not said():
            await self._hear(0.2)
        levels = np.array(self._levels[first:])[loud()]
        mean = float(np.mean(10 ** (levels / 10)))
        return measures.above(measures.dbfs(mean), noise_dbfs)

    # --- reckoning ------------------------------------------------------------------------

    def _level(self, first: int, end: int) -> float:
        """The usual level of frames: one that was knocked at does not count."""
        return median(self._levels[first:end])

    def _silent(self, frames: range) -> bool:
        return not any(any(self._frames[number]) for number in frames)

    def _figures(
        self,
        programme: _Programme,
        mode: str,
        noise_dbfs: float,
        aloud: range,
        near_dbfs: float | None,
    ) -> Figures:
        listener = self._listener
        played, heard = listener.played, listener.heard
        began = int(np.flatnonzero(played)[0])
        starts = [began + at for at in programme.sweeps]
        due = [listener.due(start) for start in starts]
        found = [_found(heard, when) for when in due]
        arrivals = [at for at in found if at is not None]
        clocks = echo = peak = path_ms = spread_ms = delay_ms = None
        everywhere = len(arrivals) == len(starts)
        if everywhere:
            ways = [(at - when) * 1000 / RATE for at, when in zip(arrivals, due, strict=True)]
            path_ms, spread_ms = median(ways), max(ways) - min(ways)
            delay_ms = median(listener.trip(start) for start in starts) * 1000 / RATE + path_ms
            steady = "underrun" not in listener.changes
            clocks = measures.clocks(starts, arrivals, RATE) if steady else None
            late = round(path_ms * RATE / 1000 + listener.due(starts[1]) - starts[1])
            echo, peak = _echo(programme, began, played, heard, late)
        near = TYPICAL_DBFS if near_dbfs is None else near_dbfs
        raw = b"".join(self._frames[aloud.start : aloud.stop])
        echo_dbfs = None if echo is None else measures.above(echo, noise_dbfs)
        return Figures(
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            microphone=self._names["microphone"],
            speaker=self._names["speaker"],
            volume_db=self._volume_db,
            mode=mode,
            noise_dbfs=noise_dbfs,
            silent=self._silent(aloud),
            heard=everywhere,
            echo_dbfs=echo_dbfs,
            echo_peak_dbfs=peak,
            near_dbfs=near,
            near_measured=near_dbfs is not None,
            ser_db=None if echo_dbfs is None else near - echo_dbfs,
            delay_ms=delay_ms,
            path_ms=path_ms,
            spread_ms=spread_ms,
            drift_ppm=clocks.drift_ppm if clocks else None,
            drift_within_ppm=clocks.within_ppm if clocks else None,
            clipped=measures.clipped(np.frombuffer(raw, dtype="<i2")),
        )


def _found(heard: Row, due: float) -> float | None:
    """Where a sweep that was due then was heard."""
    first = max(0, round(due - _BEFORE_S * RATE))
    end = round(due + (SWEEP_S + _AFTER_S) * RATE)
    at = measures.arrival(sweep(RATE), heard[first:end])
    return None if at is None else first + at


def _echo(
    programme: _Programme, began: int, played: Row, heard: Row, late: int
) -> tuple[float, float]:
    """The level and the peak of the speech in what was heard so much later, while it sounds."""
    first, end = (began + at for at in programme.speech)
    sounds = active(played[first:end], RATE)
    piece = heard[first + late : end + late]
    powers = frame_powers(piece, RATE)[: len(sounds)]
    loud = powers[sounds[: len(powers)]]
    level = measures.dbfs(float(loud.mean()))
    return level, measures.dbfs(float(np.abs(piece).max()) ** 2)
