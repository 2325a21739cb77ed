"""A microphone and a loudspeaker that are lost, looked for and found again."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

from ..core.commands import Chime
from ..core.events import MicLost, MicOpened, SpeakerLost, SpeakerOpened
from ..core.vigil import Pulse
from ..ports import Feed, PartBroken
from ._capture import Capture
from ._devices import Direction
from ._duplex import Duplex
from ._player import Player
from ._system import Opened, System
from ._thread import SoundThread
from ._watch import Watch

T = TypeVar("T")
_WATCH_S: Final = 0.5
_STALLED_AFTER: Final = 3
"""Looks at a running stream that delivered nothing: 1.5 s."""
_STUCK_AFTER: Final = 20
"""Looks at one job of the sound thread's: 10 s, longer than PortAudio needs for any."""
_STUCK_LATER: Final = 7
"""The same once all has been opened, 3.5 s, unless this machine was found to be slower: what takes
longer than usual then is quicker in a new process."""
_SILENT_PAUSE_S: Final = 0.1
"""A device that fell silent is still there: it can be opened anew at once."""
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 10.0
_FORCE_EVERY: Final = 6
"""PortAudio starts anew at every search while no stream runs or the cards have changed, else,
because it interrupts the stream that does run, only at one search in so many."""
_CLOSE_S: Final = 0.8


class Card:
    """A `SoundCard` that drives a `System` on the `sound` thread and keeps it running."""

    def __init__(
        self,
        system: System,
        feed: Feed,
        player: Player,
        duplex: Duplex,
        capture: Callable[[], Capture],
        rest_s: float,
    ) -> None:
        self._system = system
        self._feed = feed
        self._player = player
        self._duplex = duplex
        player.tap(duplex.played, duplex.with_earcons)
        self._new_capture = capture
        self._rest_s = rest_s
        self._loop = asyncio.get_running_loop()
        self._thread = SoundThread()
        self._job_watch = Watch(_STUCK_AFTER)
        self._capture: Capture | None = None
        self._dozing = False
        self._volume_db: float | None = None
        self._mixer_db: float | None = None
        """What the system's own volume was set to last."""
        self._opened: dict[Direction, Opened] = {}
        self._running: dict[Direction, Watch] = {}
        """The streams that deliver, or should."""
        self._wanted: set[Direction] = {"speaker"}
        self._told_lost: set[Direction] = set()
        self._fell_silent: set[Direction] = set()
        """Streams that ran and delivered nothing, and have not been well since."""
        self._watched = 0
        self._resting = False
        self._idle_since: float | None = None
        self._searches = 0
        self._search_timer: asyncio.TimerHandle | None = None
        self._watch_timer = self._loop.call_later(_WATCH_S, self._watch)

    def start(self) -> None:
        """Start the system and open the loudspeaker."""
        self._thread.do(_trying(self._system.begin), self._begun)

    def open_microphone(self) -> None:
        self._wanted.add("microphone")
        self._told_lost.discard("microphone")
        self._open_microphone()

    def close_microphone(self) -> None:
        self._wanted.discard("microphone")
        self._told_lost.discard("microphone")
        self._drop_capture()
        self._thread.do(partial(self._system.close, "microphone"), _nothing)

    def doze(self, dozing: bool) -> None:
        self._dozing = dozing
        if self._capture is not None:
            self._capture.dozing = dozing
        if (measured := self._duplex.doze(dozing)) is not None:
            self._loop.call_soon(self._feed, measured)
        self._player.tap(None if dozing else self._duplex.played, self._duplex.with_earcons)
        if not dozing:
            # Its stream runs while anybody listens: nobody speaks over one that still wakes.
            self._wake_speaker()

    def queue(self, samples: bytes) -> None:
        self._duplex.answer()
        self._player.queue(samples)
        self._wake_speaker()

    def finish(self) -> None:
        self._player.finish()

    def hush(self) -> None:
        self._player.hush()

    def set_volume(self, volume_db: float) -> None:
        self._volume_db = volume_db
        if self._system.turns_volume:
            self._thread.do(
                partial(self._system.set_volume, volume_db), partial(self._volume_set, volume_db)
            )
        else:
            self._player.set_volume(volume_db)

    def duck(self, by_db: float) -> None:
        self._player.duck(by_db)

    def sound(self, chime: Chime) -> None:
        self._player.sound(chime)
        self._wake_speaker()

    def say(self, samples: bytes) -> None:
        self._player.say(samples)
        self._wake_speaker()

    def status(self) -> Mapping[str, str | int | float]:
        said: dict[str, str | int | float] = {}
        for direction, opened in sorted(self._opened.items()):
            said[direction] = opened.device
            said[f"{direction}_rate"] = opened.rate
        if self._capture is not None:
            said["capture_overflows"] = self._capture.overflows
            said["capture_frames_lost"] = self._capture.lost
            said["capture_blocks_dropped"] = self._capture.dropped
        said["speaker_blocks_dropped"] = self._duplex.dropped
        return {**said, **self._player.status(), **self._duplex.status()}

    def pulse(self) -> Pulse:
        running = "speaker" in self._running and not self._resting
        return Pulse(self._watched, self._player.blocks, running and not self._player.idle)

    async def close(self) -> None:
        self._wanted.clear()
        self._running.clear()
        self._watch_timer.cancel()
        if self._search_timer is not None:
            self._search_timer.cancel()
        self._drop_capture()
        self._player.close()
        await self._thread.close(self._system.end, _CLOSE_S)

    # --- opening --------------------------------------------------------------------------

    def _begun(self, result: OSError | None) -> None:
        if isinstance(result, OSError):
            self._lose("speaker", str(result))
        else:
            self._open_speaker()

    def _open_microphone(self) -> None:
        self._drop_capture()
        capture = self._capture = self._new_capture()
        capture.dozing = self._dozing
        self._thread.do(
            _trying(partial(self._system.open_microphone, capture)),
            partial(self._microphone_opened, capture),
        )

    def _microphone_opened(self, capture: Capture, result: Opened | OSError) -> None:
        if capture is not self._capture:
            return
        if isinstance(result, OSError):
            self._lose("microphone", str(result))
            return
        self._found("microphone", result)
        self._duplex.microphone_opened(result.rate)
        self._feed(MicOpened(result.device, result.rate))
        self._start("microphone")

    def _open_speaker(self) -> None:
        self._thread.do(
            _trying(partial(self._system.open_speaker, self._player)), self._speaker_opened
        )

    def _speaker_opened(self, result: Opened | OSError) -> None:
        if "speaker" not in self._wanted:
            return
        if isinstance(result, OSError):
            self._lose("speaker", str(result))
            return
        self._found("speaker", result)
        # One that rested while everything was opened anew runs again.
        self._resting = False
        self._idle_since = None
        self._player.prepare(result.rate)
        self._duplex.speaker_opened(result.rate)
        self._feed(SpeakerOpened(result.device, result.rate, result.latency_ms))
        if self._volume_db is not None:
            self.set_volume(self._volume_db)
        self._start("speaker")

    def _volume_set(self, volume_db: float, done: bool) -> None:
        """What the card cannot turn down, we do."""
        self._player.set_volume(0.0 if done else volume_db)
        if done and volume_db != self._mixer_db:
            self._mixer_db = volume_db
            self._duplex.volume_turned()

    def _start(self, direction: Direction) -> None:
        self._running[direction] = Watch(_STALLED_AFTER)
        self._thread.do(
            _trying(partial(self._system.start, direction)), partial(self._started, direction)
        )

    def _started(self, direction: Direction, problem: OSError | None) -> None:
        if isinstance(problem, OSError) and direction in self._running:
            self._lose(direction, str(problem))

    def _drop_capture(self) -> None:
        self._running.pop("microphone", None)
        self._opened.pop("microphone", None)
        if self._capture is not None:
            self._capture.close()
            self._capture = None

    # --- losing and finding ---------------------------------------------------------------

    def _watch(self) -> None:
        if self._thread.job and self._job_watch.stalled(self._thread.job):
            raise PartBroken("the sound system does not come back")
        self._watch_timer = self._loop.call_later(_WATCH_S, self._watch)
        for direction, watch in tuple(self._running.items()):
            source = self._player if direction == "speaker" else self._capture
            resting = direction == "speaker" and self._resting
            if source is None or resting:
                continue
            if watch.stalled(source.blocks):
                self._fall_silent(direction)
            elif watch.well:
                self._fell_silent.discard(direction)
        self._let_rest()
        if not self._told_lost or self._search_timer is not None or self._thread.job:
            self._watched += 1

    def _fall_silent(self, direction: Direction) -> None:
        """Open it anew, which helps once or not at all."""
        if direction in self._fell_silent:
            raise PartBroken(f"the {direction} is open and silent, and was so before")
        self._lose(direction, f"the {direction} stopped delivering sound", _SILENT_PAUSE_S)
        self._fell_silent.add(direction)

    def _lose(self, direction: Direction, detail: str, pause_s: float | None = None) -> None:
        self._fell_silent.discard(direction)
        self._running.pop(direction, None)
        self._opened.pop(direction, None)
        if direction == "speaker":
            self._player.forget()
            self._resting = False
        if direction not in self._told_lost:
            self._told_lost.add(direction)
            self._feed(MicLost(detail) if direction == "microphone" else SpeakerLost(detail))
        if self._search_timer is None:
            longer_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._searches)
            self._search_timer = self._loop.call_later(pause_s or longer_s, self._search)

    def _found(self, direction: Direction, opened: Opened) -> None:
        self._opened[direction] = opened
        slow = 3 * self._job_watch.longest
        self._job_watch.patience = min(_STUCK_AFTER, max(_STUCK_LATER, slow))
        self._told_lost.discard(direction)
        if not self._told_lost:
            self._searches = 0

    def _search(self) -> None:
        self._search_timer = None
        self._searches += 1
        sounding = self._running.keys() - ({"speaker"} if self._resting else set())
        forced = not sounding or self._searches % _FORCE_EVERY == 0
        self._thread.do(_trying(partial(self._renew, forced)), self._renewed)

    def _renew(self, forced: bool) -> bool:
        """Start PortAudio anew if that may help; on the `sound` thread."""
        if not forced and not self._system.changed():
            return False
        self._system.begin()
        return True

    def _renewed(self, result: bool | OSError) -> None:
        if isinstance(result, OSError):
            for direction in tuple(self._wanted):
                self._lose(direction, str(result))
            return
        anew = self._wanted if result else self._wanted & self._told_lost
        if "speaker" in anew:
            self._running.pop("speaker", None)
            self._open_speaker()
        if "microphone" in anew:
            self._open_microphone()

    # --- rest -----------------------------------------------------------------------------

    def _let_rest(self) -> None:
        """Stop the loudspeaker's stream after a long silence: it costs as much as capture."""
        if not self._rest_s or self._resting or "speaker" not in self._running:
            return
        now = self._loop.time()
        if not (self._dozing and self._player.idle):
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= self._rest_s:
            self._resting = True
            self._thread.do(_trying(partial(self._system.rest, "speaker")), _nothing)

    def _wake_speaker(self) -> None:
        self._idle_since = None
        if self._resting:
            self._resting = False
            self._start("speaker")


def _trying(job: Callable[[], T]) -> Callable[[], T | OSError]:
    """`job`, with its trouble as a value."""

    def run() -> T | OSError:
        try:
            return job()
        except OSError as problem:
            return problem

    return run


def _nothing(_: object) -> None:
    """What follows when nothing does."""
