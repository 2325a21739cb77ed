"""Whoever watches the speaker: what they learn, and that nobody is held up by them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from edged import observer
from edged.core.commands import Fact, note, warn
from edged.core.events import MicFrame, Tick, Trouble
from edged.core.scenes import Look, Scene
from edged.observer import Observer, Story, TooSlow

from .fakes import FakeJournal, FakeRecorder


class House:
    """An observer between fakes."""

    def __init__(self) -> None:
        self.journal = FakeJournal()
        self.recorder = FakeRecorder()
        self.story = Story(self.journal)
        self.observer = Observer(self.story, self.recorder, -6.0)

    def hears(self, level: float) -> None:
        now = asyncio.get_running_loop().time()
        self.observer.took(MicFrame(b"", 0, level), now)


def evening(story: Callable[[House], Awaitable[None]]) -> None:
    async def told() -> None:
        async with asyncio.timeout(10):
            await story(House())

    asyncio.run(told())


def test_everything_is_passed_on() -> None:
    async def story(house: House) -> None:
        told = note(Fact.WOKEN, "woken", word="hey")
        house.observer.note(told, "waking")
        house.observer.took(Tick(), 1.0)
        house.observer.failed("trouble: key")
        assert house.journal.notes == [told]
        assert house.recorder.events == [Tick()]
        assert house.recorder.failures == ["trouble: key"]

    evening(story)


def test_it_knows_the_state_the_light_and_the_level_of_the_moment() -> None:
    async def story(house: House) -> None:
        assert house.observer.now()["microphone_dbfs"] is None
        house.hears(-41.26)
        house.observer.show(Look(Scene.LISTENING, sending=True))
        assert house.observer.now() == {
            "state": "listening",
            "light": "#0073b2",
            "sending": True,
            "microphone_dbfs": -41.3,
            "volume_db": -6.0,
        }
        house.observer.show(Look(Scene.TROUBLE, Trouble.KEY))
        assert house.observer.now()["trouble"] == "key"

    evening(story)


def test_a_microphone_that_is_closed_has_no_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "_DEAF_S", 0.01)

    async def story(house: House) -> None:
        house.hears(-41.0)
        await asyncio.sleep(0.02)
        assert house.observer.now()["microphone_dbfs"] is None

    evening(story)


def test_it_remembers_the_session_the_last_turn_and_the_volume() -> None:
    async def story(house: House) -> None:
        tell = house.observer.note
        tell(note(Fact.CONNECTED, "connected", session="s1", connect_ms=200), "listening")
        tell(note(Fact.TURN_ENDED, "turn 2", turn=2, heard_ms=900), "listening")
        tell(note(Fact.VOLUME_CHANGED, "volume", volume_db=-12.0), "listening")
        status = house.observer.status()
        assert status["session"] == {"session": "s1", "connect_ms": 200, "turns": 2}
        assert status["last_turn"] == {"turn": 2, "heard_ms": 900}
        assert status["volume_db"] == -12.0
        tell(note(Fact.SESSION_ENDED, "session ended", session="s1"), "asleep")
        status = house.observer.status()
        assert status["session"] is None
        assert status["last_turn"] == {"turn": 2, "heard_ms": 900}

    evening(story)


def test_who_begins_to_watch_learns_what_was_and_then_what_comes() -> None:
    async def story(house: House) -> None:
        house.observer.note(note(Fact.WOKEN, "before"), "waking")
        async with contextlib.aclosing(house.observer.watch()) as watched:
            (first,) = await anext(watched)
            house.observer.note(warn(Fact.TROUBLE, "meanwhile", trouble="key"), "trouble")
            (second,) = await anext(watched)
            assert await anext(watched) == [], "nothing new, and the next tick"
        told = [first["note"], second["note"]]
        assert [each["message"] for each in told] == ["before", "meanwhile"]  # type: ignore[index]
        assert told[1] | {"time": 0} == {  # type: ignore[operator]
            "time": 0,
            "fact": "trouble",
            "message": "meanwhile",
            "state": "trouble",
            "warning": True,
            "fields": {"trouble": "key"},
        }

    evening(story)


def test_what_the_speaker_before_told_is_told_to_nobody_who_comes_later() -> None:
    async def story(house: House) -> None:
        house.story.note(note(Fact.WOKEN, "long ago"), "waking")
        house.story.forget()
        house.story.note(warn(Fact.RELOAD_REFUSED, "no"), "asleep")
        house.observer = Observer(house.story, house.recorder, -6.0)
        async with contextlib.aclosing(house.observer.watch()) as watched:
            (first,) = await anext(watched)
        assert first["note"]["message"] == "no"  # type: ignore[index]

    evening(story)


def test_a_light_that_changes_is_seen_before_the_next_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "TICK_S", 5.0)

    async def story(house: House) -> None:
        async with contextlib.aclosing(house.observer.watch()) as watched:
            assert await anext(watched) == []
            house.observer.show(Look(Scene.WAKING))
            async with asyncio.timeout(1):
                assert await anext(watched) == []

    evening(story)


def test_who_does_not_follow_is_left_behind_and_costs_no_memory() -> None:
    async def story(house: House) -> None:
        async with contextlib.aclosing(house.observer.watch()) as slow:
            await anext(slow)
            for number in range(10_000):
                house.observer.note(note(Fact.WOKEN, str(number)), "waking")
            (onlooker,) = house.story._onlookers
            assert len(onlooker.waiting) == observer._MOST + 1
            with pytest.raises(TooSlow):
                await anext(slow)
        assert not house.story._onlookers
        assert len(house.journal.notes) == 10_000

    evening(story)


def test_who_leaves_is_forgotten() -> None:
    async def story(house: House) -> None:
        watching = [house.observer.watch() for _ in range(3)]
        for watched in watching:
            await anext(watched)
        assert len(house.story._onlookers) == 3
        for watched in watching:
            await watched.aclose()
        assert not house.story._onlookers

    evening(story)
