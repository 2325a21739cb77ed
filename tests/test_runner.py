"""The runner feeds the core, obeys it, and leaves nothing half alive."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from math import inf

import pytest

from edged.core.assistant import Assistant
from edged.core.commands import AnswerTool, AskReply, Fact, Note, note
from edged.core.events import (
    LinkDown,
    MuteAsked,
    Rang,
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Started,
    StopAsked,
    ToolCalled,
    Trouble,
    VolumeTurned,
    WakeAsked,
    WakeHeard,
)
from edged.core.scenes import Scene
from edged.core.settings import Conversation
from edged.duties import Heartbeat, beat, feed_watchdog
from edged.ports import PartBroken
from edged.runner import Devices, Runner
from tests import fakes

FRAME = b"\x10\x00" * 480


class House:
    """A runner among fakes."""

    def __init__(
        self,
        policy: Conversation | None = None,
        rate: int = 24_000,
        heartbeat: Heartbeat | None = None,
        watchdog_s: float = 30.0,
    ) -> None:
        self.service = fakes.FakeService()
        duties = [feed_watchdog(self.service, watchdog_s)]
        if heartbeat is not None:
            duties.append(beat(heartbeat, 0.01))
        self.runner = Runner(
            Assistant(policy or Conversation(), wire_rate=24_000),
            duties=duties,
        )
        self.sound = fakes.FakeSound(self.runner.feed, rate)
        self.wake = fakes.FakeWake()
        self.provider = fakes.FakeProvider()
        self.uplink = fakes.FakeUplink()
        self.lights = fakes.FakeLights()
        self.tools = fakes.FakeTools()
        self.memory = fakes.FakeMemory()
        self.ledger = fakes.FakeLedger()
        self.recorder = fakes.FakeRecorder()
        self.journal = fakes.FakeJournal()
        self.devices = Devices(
            self.sound,
            self.wake,
            self.provider,
            self.uplink,
            fakes.FakeResampler,
            [self.lights],
            self.tools,
            self.memory,
            self.ledger,
            self.recorder,
            self.journal,
            self.service,
        )

    @property
    def session(self) -> fakes.FakeSession:
        session = self.provider.sessions[-1]
        assert isinstance(session, fakes.FakeSession)
        return session

    @property
    def lives(self) -> bool:
        return self.runner.status()["state"] != "starting"

    async def settles(self) -> None:
        """Everything that can happen without time passing has happened."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def converses(self) -> None:
        self.runner.feed(WakeAsked())
        await self.settles()
        self.session.comes_up()

    async def until(self, scene: Scene) -> None:
        async with asyncio.timeout(5):
            while self.runner.state != scene:
                self.lights.shown.clear()
                await self.lights.shown.wait()


def evening(
    story: Callable[[House], Awaitable[None]],
    policy: Conversation | None = None,
    rate: int = 24_000,
) -> House:
    """Tell a story to a running house, then stop it."""

    async def told() -> House:
        house = House(policy, rate)
        life = asyncio.create_task(house.runner.run(house.devices))
        await house.settles()
        try:
            await story(house)
        finally:
            life.cancel()
            done, _ = await asyncio.wait([life], timeout=1)
            assert done, "it did not stop within a second"
        return house

    return asyncio.run(told())


def test_what_was_said_before_the_line_is_up_leaves_first() -> None:
    async def story(house: House) -> None:
        for number in range(10):
            house.sound.capture(bytes([number, 0]) * 480)
        house.runner.feed(WakeHeard("hey", 0.9, 10 * 320))
        for number in range(10, 20):
            house.sound.capture(bytes([number, 0]) * 480)
        await house.settles()
        house.session.comes_up()
        house.sound.capture(bytes([20, 0]) * 480)
        heard = [house.session.audio[i * 960] for i in range(len(house.session.audio) // 960)]
        assert heard == list(range(21))

    evening(story)


def test_the_microphone_dozes_while_nobody_is_called() -> None:
    async def story(house: House) -> None:
        assert house.sound.dozed == [True]
        await house.converses()
        assert house.sound.dozed == [True, False]
        house.session.breaks(LinkDown())
        await house.settles()
        assert house.sound.dozed == [True, False, True]

    evening(story)


def test_the_wake_engine_hears_everything_at_its_own_rate() -> None:
    async def story(house: House) -> None:
        for _ in range(5):
            house.sound.capture(b"\x10\x00" * 960)
        assert house.wake.positions == [0, 320, 640, 960, 1280]
        house.sound.position += 960
        house.sound.capture(b"\x10\x00" * 960)
        assert house.wake.positions[-1] == 1920

    evening(story, rate=48_000)


def test_the_answer_plays_and_the_lights_follow() -> None:
    async def story(house: House) -> None:
        await house.converses()
        feed = house.runner.feed
        feed(ReplyStarted("r"))
        feed(ReplyAudio("r", "i", 0, FRAME))
        house.sound.play(10)
        assert house.runner.state == Scene.SPEAKING
        feed(ReplyDone("r"))
        house.sound.play()
        assert house.runner.state == Scene.LISTENING
        assert house.sound.finished

    house = evening(story)
    shown = [look.scene for look in house.lights.looks]
    assert Scene.SPEAKING in shown
    assert house.service.said[0] == "asleep"
    assert "ready" in house.service.said


def test_who_is_heard_over_the_answer_makes_it_quieter_and_our_own_voice_does_not() -> None:
    async def story(house: House) -> None:
        await house.converses()
        house.runner.feed(ReplyStarted("r1"))
        house.runner.feed(ReplyAudio("r1", "i1", 0, bytes(48_000 * 4)))
        house.sound.score = 0.1
        for _ in range(60):
            house.sound.capture(FRAME)
        before = len(house.session.audio)
        house.sound.capture(FRAME)
        assert house.session.audio[before:] == b"\x01\x00" * 480, "noise in its place"
        assert house.sound.ducked_db == 0
        house.sound.score = 3.0
        for _ in range(2):
            house.sound.capture(FRAME)
        assert house.sound.ducked_db == 12
        assert house.session.audio.endswith(FRAME * 2)
        house.sound.score = inf
        house.sound.capture(FRAME)
        assert house.sound.ducked_db == 0
        assert house.runner.status()["sound"] == {"echo": "fake"}

    evening(story)


def test_time_alone_closes_a_silent_session() -> None:
    async def story(house: House) -> None:
        await house.converses()
        await house.until(Scene.ASLEEP)
        assert house.session.closing.is_set()

    evening(story, Conversation(false_wake_s=0.05))


def test_what_is_to_be_remembered_and_how_loud_it_is_reach_their_devices() -> None:
    async def story(house: House) -> None:
        house.runner.feed(MuteAsked(True))
        await house.settles()
        assert house.memory.remembered[-1].muted
        house.runner.feed(VolumeTurned(-1))
        assert house.sound.volumes == [-6.0, -9.0]

    evening(story)


def test_a_volume_turned_just_before_the_end_is_remembered() -> None:
    async def story(house: House) -> None:
        house.runner.feed(VolumeTurned(-1))
        assert not house.memory.remembered, "it may be turned on"

    house = evening(story)
    assert [kept.volume_db for kept in house.memory.remembered] == [-9.0]


def test_a_volume_nobody_turned_is_the_configurations_affair() -> None:
    async def story(house: House) -> None:
        await house.converses()

    assert not evening(story).memory.remembered


def test_the_recorder_takes_every_event_and_keeps_them_when_something_fails() -> None:
    async def story(house: House) -> None:
        await house.converses()
        house.session.breaks(LinkDown(Trouble.NETWORK))
        await house.until(Scene.TROUBLE)
        assert isinstance(house.recorder.events[0], Started)
        assert house.recorder.failures == ["trouble: network"]

    evening(story)


def test_a_tool_that_says_goodbye_ends_the_conversation() -> None:
    async def story(house: House) -> None:
        await house.converses()
        house.runner.feed(ReplyStarted("r"))
        house.runner.feed(ToolCalled("r", "c", "goodbye", "{}"))
        house.runner.feed(ReplyDone("r"))
        house.tools.answer.set_result("{}")
        await house.until(Scene.ASLEEP)
        assert house.session.closing.is_set()

    evening(story)


def test_a_tool_answers_and_the_model_goes_on() -> None:
    async def story(house: House) -> None:
        await house.converses()
        house.runner.feed(ReplyStarted("r"))
        house.runner.feed(ToolCalled("r", "c", "clock", "{}"))
        await asyncio.wait_for(house.tools.called.wait(), 5)
        assert house.runner.state == Scene.WORKING
        house.runner.feed(ReplyDone("r"))
        house.tools.answer.set_result("noon")
        await house.settles()
        assert [type(c) for c in house.session.sent[-2:]] == [AnswerTool, AskReply]

    evening(story)


def test_a_tool_that_outlives_its_conversation_is_dropped() -> None:
    async def story(house: House) -> None:
        await house.converses()
        house.runner.feed(ReplyStarted("r"))
        house.runner.feed(ToolCalled("r", "c", "clock", "{}"))
        await asyncio.wait_for(house.tools.called.wait(), 5)
        house.runner.feed(StopAsked())
        await house.settles()
        assert house.runner.state == Scene.ASLEEP
        assert not house.tools.answer.cancelled()
        await house.converses()
        assert house.runner.state == Scene.LISTENING

    evening(story)


def test_a_line_that_breaks_is_trouble_and_the_next_wake_works() -> None:
    async def story(house: House) -> None:
        await house.converses()
        house.session.breaks(LinkDown(Trouble.NETWORK, "1006", "gone"))
        await house.settles()
        assert house.runner.state == Scene.TROUBLE
        await house.until(Scene.ASLEEP)
        await house.converses()
        assert house.runner.state == Scene.LISTENING

    evening(story, Conversation(trouble_s=0.05))


def test_stopping_says_goodbye_to_the_provider() -> None:
    async def story(house: House) -> None:
        await house.converses()

    house = evening(story)
    assert house.session.closing.is_set()
    assert "stopping" in house.service.said


def test_a_device_may_be_faster_than_the_runner() -> None:
    async def told() -> None:
        house = House()
        house.sound.plug_in()
        life = asyncio.create_task(house.runner.run(house.devices))
        await house.settles()
        life.cancel()
        await asyncio.wait([life])
        facts = [note.fact for note in house.journal.notes]
        assert Fact.SPEAKER_OPENED in facts

    asyncio.run(told())


def test_the_watchdog_is_fed() -> None:
    async def story(house: House) -> None:
        await asyncio.wait_for(house.service.fed.wait(), 5)

    evening(story)


def test_the_heart_beats_until_the_end() -> None:
    """Each beat is made of the speaker's status, and stands in the journal."""
    seen: list[Mapping[str, object]] = []

    async def told() -> fakes.FakeJournal:
        thrice = asyncio.Event()

        def tell(status: Mapping[str, object]) -> Note:
            seen.append(status)
            if len(seen) == 3:
                thrice.set()
            return note(Fact.HEARTBEAT, "well", number=len(seen))

        house = House(heartbeat=tell)
        life = asyncio.create_task(house.runner.run(house.devices))
        await asyncio.wait_for(thrice.wait(), 5)
        life.cancel()
        await asyncio.wait([life], timeout=1)
        return house.journal

    journal = asyncio.run(told())
    beats = [told.fields["number"] for told in journal.notes if told.fact is Fact.HEARTBEAT]
    assert beats == [1, 2, 3]
    assert {"state", "sound", "wake"} <= set(seen[0])


async def retires(house: House, story: Callable[[House], Awaitable[None]]) -> None:
    """Retire a running house, tell a story, and see that it ends after that and not before."""
    life = asyncio.create_task(house.runner.run(house.devices))
    await house.settles()
    await story(house)
    async with asyncio.timeout(5):
        await life
    assert "stopping" not in house.service.said, "the process goes on"


def test_a_speaker_at_rest_retires_at_once() -> None:
    async def story(house: House) -> None:
        house.runner.retire()
        house.runner.feed(WakeAsked())
        await house.settles()
        assert not house.provider.sessions, "what comes too late is nothing"

    async def told() -> None:
        await retires(House(), story)

    asyncio.run(told())


def test_a_speaker_retires_when_nobody_is_on_the_line_and_nothing_sounds() -> None:
    async def story(house: House) -> None:
        await house.converses()
        house.runner.retire()
        house.runner.retire()
        await asyncio.sleep(0.3)
        assert house.runner.state == Scene.LISTENING
        house.sound.spool += FRAME
        house.session.breaks(LinkDown())
        await asyncio.sleep(0.3)
        assert house.runner.state == Scene.ASLEEP, "it still sounds"
        house.sound.spool.clear()

    async def told() -> None:
        await retires(House(), story)

    asyncio.run(told())


def test_what_rings_is_heard_before_a_speaker_retires() -> None:
    async def story(house: House) -> None:
        house.runner.feed(Rang("tea"))
        house.runner.retire()
        await asyncio.sleep(0.3)
        assert house.lives, "it was cut off"
        house.runner.feed(StopAsked())

    async def told() -> None:
        await retires(House(), story)

    asyncio.run(told())


@pytest.mark.parametrize("muffled", [False, True])
def test_a_conversation_whose_line_broke_comes_back_before_a_speaker_retires(
    muffled: bool,
) -> None:
    """Whatever it shows meanwhile: an answer that was lost is trouble, and the talk goes on."""

    async def story(house: House) -> None:
        await house.converses()
        house.runner.feed(SpeechStarted("item_1"))
        if muffled:
            house.runner.feed(SpeechStopped("item_1"))
            house.runner.feed(ReplyStarted("resp_1"))
            house.runner.feed(ReplyDone("resp_1", "failed", detail="a server's error"))
        house.session.breaks(LinkDown(Trouble.NETWORK, transient=True))
        house.runner.retire()
        await asyncio.sleep(0.3)
        assert house.lives, "it was cut off"
        house.runner.feed(StopAsked())

    async def told() -> None:
        house = House(Conversation(reconnect_s=8.0))
        await retires(house, story)
        assert Fact.RECONNECTING in [told.fact for told in house.journal.notes]

    asyncio.run(told())


class RottenSession(fakes.FakeSession):
    """A session with a bug."""

    async def run(self, feed: object) -> LinkDown:
        raise ZeroDivisionError("a bug")


def test_a_bug_in_a_task_ends_the_process() -> None:
    async def told() -> None:
        house = House()
        house.provider = fakes.FakeProvider(RottenSession)
        devices = Devices(**{**vars(house.devices), "provider": house.provider})
        life = asyncio.create_task(house.runner.run(devices))
        await house.settles()
        house.runner.feed(WakeAsked())
        async with asyncio.timeout(5):
            await life

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(told())
    assert caught.group_contains(ZeroDivisionError)


def test_a_bug_in_a_callback_ends_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    async def told() -> None:
        house = House()
        life = asyncio.create_task(house.runner.run(house.devices))
        await house.settles()

        def stumble() -> None:
            raise ZeroDivisionError("a bug")

        asyncio.get_running_loop().call_soon(stumble)
        async with asyncio.timeout(5):
            await life

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(told())
    assert caught.group_contains(ZeroDivisionError)


def test_a_line_that_never_closes_ends_the_process() -> None:
    class Undead(fakes.FakeSession):
        def close(self) -> None:
            self.closing.set()

    async def told() -> None:
        house = House(Conversation(close_timeout_s=-4.9))
        devices = Devices(**{**vars(house.devices), "provider": fakes.FakeProvider(Undead)})
        life = asyncio.create_task(house.runner.run(devices))
        await house.settles()
        house.runner.feed(WakeAsked())
        await house.settles()
        house.runner.feed(StopAsked())
        async with asyncio.timeout(5):
            await life

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(told())
    assert caught.group_contains(PartBroken)
