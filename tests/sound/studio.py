"""A PyAudio made of Python that enforces what the real one only punishes."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from edged.core.events import Event

E = TypeVar("E")
PERIOD_S = 0.01


@dataclass
class Thing:
    """A device that can be plugged in."""

    name: str
    inputs: int = 0
    outputs: int = 0
    rates: tuple[int, ...] = (48000,)
    rate: int = 48000
    delay_s: float = 0.03


@dataclass
class Studio:
    """The devices there are, and every PyAudio that was made."""

    things: list[Thing]
    made: list["FakePyAudio"] = field(default_factory=list)
    broken: bool = False
    status: int = 0
    """Status flags of the next period."""
    asleep: set[str] = field(default_factory=set)
    """Devices that stopped delivering and do not say so."""
    played: dict[str, bytearray] = field(default_factory=dict)
    now: float = 100.0
    times: dict[str, float] = field(default_factory=dict)
    """Times that the driver tells wrong."""
    lost_s: float = 0.0
    """Time that passes unrecorded before the next period."""
    started: threading.Condition = field(default_factory=threading.Condition)
    answers: threading.Event = field(default_factory=threading.Event)
    """Cleared, no device can be opened or refused: the kernel does not come back."""

    def __post_init__(self) -> None:
        self.answers.set()

    def api(self) -> "FakePyAudio":
        """What PyAudio's class is called as."""
        self.made.append(FakePyAudio(self))
        return self.made[-1]

    @property
    def streams(self) -> list["FakeStream"]:
        return [stream for api in self.made for stream in api.streams if stream.running]

    async def run(self, ms: int, streams: int = 0) -> None:
        """Let the devices run, on a thread of their own, once so many streams are started."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "device") as pool:
            assert await loop.run_in_executor(pool, self._wait, streams), "never started"
            for _ in range(ms // 10):
                await loop.run_in_executor(pool, self._period)
                await asyncio.sleep(0)

    def _wait(self, streams: int) -> bool:
        with self.started:
            return self.started.wait_for(lambda: len(self.streams) >= streams, 5)

    def _period(self) -> None:
        self.now += PERIOD_S + self.lost_s
        self.lost_s = 0.0
        for stream in self.streams:
            if stream.thing in self.things and stream.thing.name not in self.asleep:
                stream.period()
        self.status = 0


class FakeStream:
    """Raises, in the thread that is wrong, where PortAudio would crash or hang."""

    def __init__(self, api: "FakePyAudio", thing: Thing, options: dict[str, Any]) -> None:
        self._api = api
        self._lock = threading.Lock()
        self.thing = thing
        self.options = options
        self.running = False
        self.closed = False

    def start_stream(self) -> None:
        self._check()
        assert not self.running
        assert self.thing in self._api.studio.things, "PortAudio never comes back from here"
        with self._api.studio.started:
            self.running = True
            self._api.studio.started.notify_all()

    def stop_stream(self) -> None:
        self._check()
        # As Pa_StopStream does, wait for the callback that runs.
        with self._lock:
            self.running = False

    def close(self) -> None:
        self._check()
        assert not self.running, "closed while it runs"
        self.closed = True

    def get_input_latency(self) -> float:
        self._check()
        return 2 * PERIOD_S

    def get_output_latency(self) -> float:
        self._check()
        return 2 * PERIOD_S

    def period(self) -> None:
        with self._lock:
            if not self.running:
                return
            frames, channels = self.options["frames_per_buffer"], self.options["channels"]
            capturing = bool(self.options.get("input"))
            times = {
                "current_time": self._api.studio.now,
                "input_buffer_adc_time": self._api.studio.now - PERIOD_S,
                "output_buffer_dac_time": self._api.studio.now + self.thing.delay_s,
            }
            times |= self._api.studio.times
            block = bytes([1, 0]) * (frames * channels) if capturing else None
            answer = self.options["stream_callback"](block, frames, times, self._api.studio.status)
            assert isinstance(answer, tuple)
            assert answer[1] == 0
            if capturing:
                return
            assert len(answer[0]) == 2 * frames * channels
            self._api.studio.played.setdefault(self.thing.name, bytearray()).extend(answer[0])

    def _check(self) -> None:
        self._api.check()
        assert not self.closed, "used after it was closed"


class FakePyAudio:
    """Lists devices as they were when it was made; belongs to the thread that made it."""

    def __init__(self, studio: Studio) -> None:
        if studio.broken:
            raise OSError(-9999, "Unanticipated host error")
        self.studio = studio
        self.streams: list[FakeStream] = []
        self._things = list(studio.things)
        self._thread = threading.current_thread()
        self._terminated = False

    def get_device_count(self) -> int:
        self.check()
        return len(self._things)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        self.check()
        thing = self._things[index]
        return {
            "index": index,
            "name": thing.name,
            "maxInputChannels": thing.inputs,
            "maxOutputChannels": thing.outputs,
            "defaultSampleRate": float(thing.rate),
        }

    def get_default_input_device_info(self) -> dict[str, Any]:
        return self._default("inputs")

    def get_default_output_device_info(self) -> dict[str, Any]:
        return self._default("outputs")

    def open(self, **options: Any) -> FakeStream:
        self.check()
        way = "input" if options.get("input") else "output"
        index = options[f"{way}_device_index"]
        assert 0 <= index < len(self._things), "PyAudio 0.2.14 crashes here"
        thing = self._things[index]
        self.studio.answers.wait()
        assert options["format"] == 8
        assert options["start"] is False, "frames would come before anybody knows the rate"
        assert 1 <= options["channels"] <= (thing.inputs if way == "input" else thing.outputs)
        if thing not in self.studio.things:
            raise OSError(-9985, "Device unavailable")
        if options["rate"] not in thing.rates:
            raise OSError(-9997, "Invalid sample rate")
        self.streams.append(FakeStream(self, thing, options))
        return self.streams[-1]

    def terminate(self) -> None:
        self.check()
        assert all(stream.closed for stream in self.streams), "terminated under open streams"
        self._terminated = True

    def check(self) -> None:
        assert threading.current_thread() is self._thread, "used from another thread"
        assert not self._terminated, "used after it was terminated"

    @property
    def terminated(self) -> bool:
        return self._terminated

    def _default(self, way: str) -> dict[str, Any]:
        self.check()
        for index, thing in enumerate(self._things):
            if getattr(thing, way):
                return self.get_device_info_by_index(index)
        raise OSError("No Default Device Available")


class Ear:
    """Takes what a driver feeds, so that a story can wait for it."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self._more = asyncio.Event()
        self.thread = threading.current_thread()

    def __call__(self, event: Event) -> None:
        assert threading.current_thread() is self.thread
        self.told.append(event)
        self._more.set()

    async def hear(self, kind: type[E], after: int = 0) -> E:
        """The first event of this kind that is not among the first `after` told."""
        async with asyncio.timeout(5):
            while True:
                for event in self.told[after:]:
                    if isinstance(event, kind):
                        return event
                self._more.clear()
                await self._more.wait()

    def all(self, kind: type[E]) -> list[E]:
        """Every event of this kind."""
        return [event for event in self.told if isinstance(event, kind)]
