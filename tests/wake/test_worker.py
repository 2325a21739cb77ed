"""The thread that lets an engine hear."""

import asyncio
import threading
from collections.abc import Mapping
from threading import Condition, Event

import pytest

from edged.core.events import Event as CoreEvent
from edged.core.events import WakeHeard
from edged.wake._detector import RATE, Word
from edged.wake._worker import DEAF_FRAMES, Worker

from .speech import pieces, silence

FRAME = 1280
LOUD = (1000).to_bytes(2, "little") * FRAME
MARKED = (2000).to_bytes(2, "little") * FRAME


class Engine:
    """Hears "hey" in loud frames and "mark" in marked ones; stalls until told to go on."""

    frame = FRAME

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.restarts: list[int] = []
        """How many frames had been heard at each."""
        self.stalls_at = 1_000_000
        """In this frame and every later one, until told to go on."""
        self.go_on = Event()
        self.fails = False
        self._changed = Condition()

    def restart(self) -> None:
        self.restarts.append(len(self.heard))

    def scores(self, samples: bytes) -> Mapping[str, float]:
        assert len(samples) == 2 * FRAME
        assert threading.current_thread().name == "wake"
        with self._changed:
            self.heard.append(samples)
            self._changed.notify_all()
        if len(self.heard) >= self.stalls_at:
            assert self.go_on.wait(20)
        if self.fails:
            raise ArithmeticError("the network does not converge")
        return {"hey": float(samples == LOUD), "mark": float(samples == MARKED)}

    def wait(self, frames: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.heard) >= frames, timeout=10)


class Speaker:
    """A worker on a fake engine, and what it reported."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.events: asyncio.Queue[CoreEvent] = asyncio.Queue()
        words = {"hey": Word(), "mark": Word(refractory_s=0.5)}
        self.worker = Worker(self.engine, words, {"engine": "fake"}, self.events.put_nowait)
        self.position = 0

    def hear(self, sound: bytes, chunk: int = 320) -> None:
        for piece in pieces(sound, chunk):
            self.worker.offer(piece, self.position)
            self.position += chunk

    def wait_for_ears(self) -> None:
        self.hear(silence(DEAF_FRAMES * FRAME))
        self.engine.wait(DEAF_FRAMES)

    async def heard_before_the_mark(self) -> list[str]:
        """The words reported since the last mark."""
        self.hear(silence(7 * FRAME) + MARKED)
        words: list[str] = []
        while True:
            async with asyncio.timeout(10):
                event = await self.events.get()
            assert isinstance(event, WakeHeard)
            if event.word == "mark":
                return words
            words.append(event.word)


def test_a_word_is_reported_where_its_frame_ended() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.position = 1_000_000
        speaker.wait_for_ears()
        speaker.hear(silence(FRAME) + LOUD)
        async with asyncio.timeout(10):
            event = await speaker.events.get()
        assert event == WakeHeard("hey", 1.0, 1_000_000 + (DEAF_FRAMES + 2) * FRAME)
        await speaker.worker.close()

    asyncio.run(story())


def test_pieces_of_any_length_make_whole_frames() -> None:
    async def story() -> None:
        speaker = Speaker()
        sound = b"".join(number.to_bytes(2, "little") for number in range(5 * FRAME))
        speaker.hear(sound, chunk=50)
        speaker.engine.wait(5)
        assert b"".join(speaker.engine.heard) == sound
        await speaker.worker.close()

    asyncio.run(story())


def test_the_speaker_is_deaf_for_sixteen_frames_after_the_start() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.hear(silence((DEAF_FRAMES - 1) * FRAME) + LOUD)
        assert await speaker.heard_before_the_mark() == []
        speaker.hear(LOUD)
        assert await speaker.heard_before_the_mark() == ["hey"]
        await speaker.worker.close()

    asyncio.run(story())


@pytest.mark.parametrize("jump", [RATE // 5 + 1, 10 * RATE, -20 * FRAME])
def test_a_gap_makes_it_listen_anew(jump: int) -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.wait_for_ears()
        speaker.hear(silence(5 * FRAME + 320))
        speaker.engine.wait(DEAF_FRAMES + 5)
        speaker.position += jump
        speaker.hear(LOUD * DEAF_FRAMES)
        assert await speaker.heard_before_the_mark() == []
        assert speaker.engine.restarts == [0, DEAF_FRAMES + 5]
        await speaker.worker.close()

    asyncio.run(story())


def test_a_short_gap_is_listened_over() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.wait_for_ears()
        speaker.position += RATE // 5
        speaker.hear(LOUD)
        assert await speaker.heard_before_the_mark() == ["hey"]
        assert speaker.engine.restarts == [0]
        await speaker.worker.close()

    asyncio.run(story())


def test_nothing_heard_before_a_reset_is_reported_after_it() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.engine.stalls_at = DEAF_FRAMES + 1
        speaker.wait_for_ears()
        speaker.hear(LOUD)
        speaker.engine.wait(DEAF_FRAMES + 1)
        speaker.hear(LOUD * 3)
        speaker.worker.reset()
        speaker.engine.go_on.set()
        speaker.hear(LOUD * DEAF_FRAMES)
        assert await speaker.heard_before_the_mark() == []
        assert speaker.engine.restarts == [0, DEAF_FRAMES + 1]
        await speaker.worker.close()

    asyncio.run(story())


def test_an_engine_that_falls_behind_hears_the_newest() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.engine.stalls_at = 1
        speaker.hear(silence(FRAME))
        speaker.engine.wait(1)
        kept = 2 * RATE // FRAME
        sound = [(number).to_bytes(2, "little") * FRAME for number in range(kept + 15)]
        speaker.hear(b"".join(sound))
        assert speaker.worker.status()["frames_dropped"] == 15
        assert speaker.worker.examined == 0, "what falls out is not examined, nor what hangs"
        speaker.engine.go_on.set()
        speaker.engine.wait(1 + kept)
        assert speaker.engine.heard[1:] == sound[-kept:]
        assert speaker.engine.restarts == [0, 1], "what fell out was a gap of more than 200 ms"
        await speaker.worker.close()
        assert speaker.worker.status()["frames_examined"] == speaker.worker.examined == 1 + kept

    asyncio.run(story())


def wake_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wake"]


def test_one_thread_listens_and_ends_when_closed() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.wait_for_ears()
        assert len(wake_threads()) == 1
        speaker.hear(LOUD)
        await speaker.worker.close()
        assert wake_threads() == []
        await speaker.worker.close()
        speaker.hear(LOUD)
        assert speaker.events.empty()

    asyncio.run(story())


def test_an_engine_that_hangs_does_not_hold_up_the_end() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.engine.stalls_at = 1
        speaker.hear(silence(FRAME))
        speaker.engine.wait(1)
        async with asyncio.timeout(1):
            await speaker.worker.close()
        (hanging,) = wake_threads()
        speaker.engine.go_on.set()
        hanging.join(10)
        assert not hanging.is_alive()

    asyncio.run(story())


def test_an_engine_that_fails_is_raised_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    async def story() -> None:
        broken: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: broken.set_result(context["exception"])
        )
        speaker = Speaker()
        speaker.engine.fails = True
        speaker.hear(silence(FRAME))
        async with asyncio.timeout(10):
            assert isinstance(await broken, ArithmeticError)
        await speaker.worker.close()
        assert wake_threads() == []

    asyncio.run(story())


def test_the_status_tells_what_was_done() -> None:
    async def story() -> None:
        speaker = Speaker()
        speaker.wait_for_ears()
        await speaker.worker.close()
        assert speaker.worker.status() == {
            "engine": "fake",
            "frames_examined": DEAF_FRAMES,
            "frames_dropped": 0,
            "near_misses": 0,
        }

    asyncio.run(story())


def test_the_best_scores_of_the_last_moments_can_be_looked_at() -> None:
    async def story() -> None:
        speaker = Speaker()
        assert speaker.worker.scores() == {}
        speaker.wait_for_ears()
        speaker.hear(LOUD)
        await speaker.heard_before_the_mark()
        assert speaker.worker.scores() == {"hey": 0.0, "mark": 1.0}, "the word was long ago"
        heard = len(speaker.engine.heard)
        speaker.hear(LOUD + MARKED + silence(FRAME))
        # Who is at the third frame is done with the first two.
        speaker.engine.wait(heard + 3)
        assert speaker.worker.scores() == {"hey": 1.0, "mark": 1.0}
        speaker.worker.reset()
        assert speaker.worker.scores() == {}
        await speaker.worker.close()

    asyncio.run(story())
