"""What can be asked of a running speaker, and what it answers."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from edged import speech
from edged.control import ControlError, Request
from edged.core.assistant import Assistant
from edged.core.commands import Chime, Fact
from edged.core.events import LinkDown, MuteAsked, Trouble
from edged.core.scenes import Scene
from edged.core.settings import Conversation
from edged.observer import Observer, Story
from edged.runner import Devices, Runner
from edged.shell import Shell
from edged.speech import Spoken

from . import fakes

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is a Debian package"
)


class Sound(fakes.FakeSound):
    """A sound card whose loudspeaker may be missing."""

    there = True

    def status(self) -> Mapping[str, str | int | float]:
        return {"speaker": "fake"} if self.there else {}


class House:
    """A speaker among fakes, and the shell that asks it."""

    def __init__(self) -> None:
        self.runner = Runner(Assistant(Conversation(), wire_rate=24_000))
        self.sound = Sound(self.runner.feed)
        self.provider = fakes.FakeProvider()
        self.journal = fakes.FakeJournal()
        self.observer = Observer(Story(self.journal), fakes.FakeRecorder(), -6.0)
        self.devices = Devices(
            sound=self.sound,
            wake=fakes.FakeWake(),
            provider=self.provider,
            uplink=fakes.FakeUplink(),
            resampler=fakes.FakeResampler,
            lights=[self.observer],
            tools=fakes.FakeTools(),
            memory=fakes.FakeMemory(),
            ledger=fakes.FakeLedger(),
            recorder=self.observer,
            journal=self.observer,
            service=fakes.FakeService(),
        )
        self.shell = Shell(
            self.runner,
            self.devices,
            self.observer,
            thresholds={"fake": 0.5},
            voice=speech.Settings(),
            wire_rate=24_000,
            announces=False,
        )

    def asks(self, request: Request) -> Mapping[str, Any]:
        reply = self.shell.answer(request)
        assert isinstance(reply, Mapping)
        return reply

    async def says(self, text: str) -> Mapping[str, Any]:
        """Ask for it, and wait for the reply."""
        reply = self.shell.answer(Request("say", text=text))
        assert isinstance(reply, AsyncGenerator)
        async with contextlib.aclosing(reply):
            return await anext(reply)

    async def settles(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


def evening(story: Callable[[House], Awaitable[None]]) -> None:
    async def told() -> None:
        house = House()
        life = asyncio.create_task(house.runner.run(house.devices))
        await house.settles()
        try:
            async with asyncio.timeout(20):
                await story(house)
        finally:
            life.cancel()
            await asyncio.wait([life])

    asyncio.run(told())


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A voice that is quick: 1 s for every text; what it was given."""
    texts: list[str] = []

    async def speak(text: str, _settings: speech.Settings) -> Spoken:
        texts.append(text)
        await asyncio.sleep(0)
        return Spoken(b"\x01\x02" * 48_000, 48_000)

    monkeypatch.setattr(speech, "speak", speak)
    return texts


# --- wake, stop, mute, volume -------------------------------------------------------------


def test_it_is_woken_and_stopped() -> None:
    async def story(house: House) -> None:
        assert house.asks(Request("wake"))["state"] == "waking"
        house.asks(Request("stop"))
        await house.settles()
        assert house.runner.state == Scene.ASLEEP

    evening(story)


def test_a_muted_speaker_is_not_woken_and_says_what_to_do() -> None:
    async def story(house: House) -> None:
        assert house.asks(Request("mute", on=True))["state"] == "muted"
        assert not house.sound.open
        with pytest.raises(ControlError, match="it is muted") as refused:
            house.asks(Request("wake"))
        assert "edged mute off" in refused.value.hint
        assert house.asks(Request("mute", on=False))["state"] == "asleep"
        await house.settles()
        assert house.sound.open

    evening(story)


def test_to_mute_a_muted_speaker_changes_nothing() -> None:
    async def story(house: House) -> None:
        house.asks(Request("mute", on=True))
        assert house.asks(Request("mute", on=True))["state"] == "muted"
        house.asks(Request("mute", on=False))
        assert house.asks(Request("mute", on=False))["state"] == "asleep"

    evening(story)


def test_a_switch_outranks_the_shell() -> None:
    async def story(house: House) -> None:
        house.runner.feed(MuteAsked(True, switch=True))
        with pytest.raises(ControlError, match="switch stands on mute"):
            house.asks(Request("mute", on=False))
        assert house.runner.state == Scene.MUTED
        assert not house.sound.open

    evening(story)


def test_the_volume_is_named_or_turned_and_told() -> None:
    async def story(house: House) -> None:
        assert house.asks(Request("volume", db=-20.0))["volume_db"] == -20.0
        assert house.asks(Request("volume", steps=1))["volume_db"] == -17.0
        assert house.asks(Request("volume", steps=-2))["volume_db"] == -23.0
        assert house.asks(Request("volume", db=-99.0))["volume_db"] == -42.0
        assert house.sound.volumes == [-6.0, -20.0, -17.0, -23.0, -42.0]

    evening(story)


def test_the_status_has_all_of_it() -> None:
    async def story(house: House) -> None:
        house.sound.capture(b"\x01\x00" * 480)
        status = house.asks(Request("status"))
        wanted = {
            *("state", "light", "sending", "microphone_dbfs", "volume_db", "uptime_s"),
            *("session", "last_turn", "capture_frames", "capture_rate", "sound", "wake"),
        }
        assert wanted <= set(status)
        assert status["microphone_dbfs"] == -40.0
        assert status["capture_frames"] == 1

    evening(story)


# --- watch --------------------------------------------------------------------------------


def test_who_watches_sees_every_moment_with_the_scores() -> None:
    async def story(house: House) -> None:
        news = house.shell.answer(Request("watch"))
        assert isinstance(news, AsyncGenerator)
        async with contextlib.aclosing(news):
            house.asks(Request("wake"))
            told = [await anext(news)]
            while "now" not in told[-1]:
                told.append(await anext(news))
        facts = [each["note"]["fact"] for each in told[:-1]]  # type: ignore[index]
        assert facts[-2:] == ["woken", "state_changed"]
        now: Any = told[-1]["now"]
        assert now["state"] == "waking"
        assert now["scores"] == {"fake": 0.25}
        assert now["thresholds"] == {"fake": 0.5}

    evening(story)


def test_who_does_not_follow_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edged.observer._MOST", 3)

    async def story(house: House) -> None:
        news = house.shell.answer(Request("watch"))
        assert isinstance(news, AsyncGenerator)
        async with contextlib.aclosing(news):
            while "now" not in await anext(news):
                pass
            for _ in range(4):
                house.asks(Request("volume", steps=-1))
            with pytest.raises(ControlError, match="not read fast enough"):
                await anext(news)
        assert not house.observer._story._onlookers

    evening(story)


# --- say ----------------------------------------------------------------------------------


@needs_espeak
def test_it_says_what_it_is_given() -> None:
    async def story(house: House) -> None:
        assert await house.says("Dinner is ready.") == {"voice": "box"}
        assert 0.5 < len(house.sound.said) / 48_000 < 3

    evening(story)


@pytest.mark.parametrize("muted", [True, False])
def test_asleep_and_muted_it_can_be_heard(voice: list[str], muted: bool) -> None:
    async def story(house: House) -> None:
        house.asks(Request("mute", on=muted))
        assert await house.says("hello") == {"voice": "box"}
        assert len(house.sound.said) == 48_000
        assert voice == ["hello"]
        assert house.sound.spool == b"", "it is no answer"

    evening(story)


def test_the_journal_tells_that_it_was_said_and_not_what(voice: list[str]) -> None:
    async def story(house: House) -> None:
        await house.says("The test was positive.")
        (told,) = [note for note in house.journal.notes if note.fact is Fact.ANNOUNCED]
        assert told.fields == {"voice": "box"}
        assert "positive" not in told.message

    evening(story)


def test_texts_are_said_one_after_the_other(voice: list[str]) -> None:
    async def story(house: House) -> None:
        async with asyncio.TaskGroup() as group:
            for text in ("one", "two", "three"):
                group.create_task(house.says(text))
        assert voice == ["one", "two", "three"]
        assert len(house.sound.said) == 3 * 48_000

    evening(story)


def test_a_conversation_is_not_spoken_into(voice: list[str]) -> None:
    async def story(house: House) -> None:
        house.asks(Request("wake"))
        with pytest.raises(ControlError, match="in a conversation: it is waking") as refused:
            await house.says("hello")
        assert "edged stop" in refused.value.hint
        assert not voice
        assert not house.sound.said

    evening(story)


def test_a_conversation_that_begins_meanwhile_is_not_spoken_into(voice: list[str]) -> None:
    async def story(house: House) -> None:
        saying = asyncio.create_task(house.says("hello"))
        await asyncio.sleep(0)
        assert voice == ["hello"]
        house.asks(Request("wake"))
        with pytest.raises(ControlError, match="in a conversation"):
            await saying
        assert not house.sound.said
        assert house.sound.chimes == [Chime.WOKEN]

    evening(story)


def test_stop_ends_it_wherever_it_is(voice: list[str]) -> None:
    async def story(house: House) -> None:
        await house.says("hello")
        house.asks(Request("stop"))
        assert not house.sound.said
        saying = asyncio.create_task(house.says("and again"))
        await asyncio.sleep(0)
        house.asks(Request("stop"))
        with pytest.raises(ControlError, match="told to stop"):
            await saying
        assert not house.sound.said
        assert await house.says("at last") == {"voice": "box"}

    evening(story)


@pytest.mark.parametrize("text", [" ", "x" * (speech.LONGEST + 1)])
def test_what_cannot_be_said_is_not_tried(voice: list[str], text: str) -> None:
    async def story(house: House) -> None:
        with pytest.raises(ControlError, match="cannot be said"):
            await house.says(text)
        assert not voice

    evening(story)


def test_without_a_loudspeaker_it_says_so(voice: list[str]) -> None:
    async def story(house: House) -> None:
        house.sound.there = False
        with pytest.raises(ControlError, match="loudspeaker is missing"):
            await house.says("hello")
        assert not voice

    evening(story)


def test_no_more_waits_to_be_said_than_anybody_would_listen_to(voice: list[str]) -> None:
    async def story(house: House) -> None:
        texts = ("one", "two", "three", "four")
        waiting = [asyncio.create_task(house.says(text)) for text in texts]
        await house.settles()
        with pytest.raises(ControlError, match="too much to say"):
            await house.says("five")
        house.asks(Request("stop"))
        for saying in waiting:
            with pytest.raises(ControlError, match="told to stop"):
                await saying
        await house.says("six")
        assert voice == ["one", "six"]

    evening(story)


def test_who_cannot_speak_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_PROGRAM", "espeak-of-nowhere")

    async def story(house: House) -> None:
        with pytest.raises(ControlError, match="cannot be started") as refused:
            await house.says("hello")
        assert refused.value.hint == "sudo apt install espeak-ng"

    evening(story)


def test_trouble_that_is_shown_keeps_nobody_from_being_heard(voice: list[str]) -> None:
    async def story(house: House) -> None:
        house.asks(Request("wake"))
        await house.settles()
        session = house.provider.sessions[-1]
        assert isinstance(session, fakes.FakeSession)
        session.breaks(LinkDown(Trouble.NETWORK))
        await house.settles()
        assert house.runner.state == Scene.TROUBLE
        assert await house.says("hello") == {"voice": "box"}

    evening(story)
