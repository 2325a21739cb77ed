"""Turn-taking over the speaker's own line, with the simulated provider at its other end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edged.core.commands import (
    AskReply,
    CancelReply,
    ClearInput,
    CommitInput,
    DeleteItem,
    DetectTurns,
    LinkCommand,
    SendAudio,
    TruncateReply,
)
from edged.core.events import (
    Event,
    LinkReady,
    ReplyAudio,
    ReplyDone,
    RequestRefused,
    SpeechStarted,
    SpeechStopped,
    UserItemCommitted,
)
from edged.link.websocket import Session
from edged.simulator.hearing import Samples
from edged.simulator.server import Items, Options, Server, Speech, serve
from tests.simulator.caller import hum, silence

from .provider import Ear, line

TUNE = Speech("A tune of one second", hum(1.0))
BELL = Speech("A bell of one second", hum(1.0, 0.1))
E = TypeVar("E", bound=Event)


@dataclass
class Call:
    """A speaker's session and what came of it."""

    server: Server
    session: Session
    ear: Ear
    _read: int = 0

    def say(self, *commands: LinkCommand) -> None:
        """Offer commands."""
        for command in commands:
            self.session.offer(command)

    def speak(self, sound: Samples) -> None:
        """Offer sound, 20 ms at a time."""
        data = sound.astype("<i2").tobytes()
        self.say(*(SendAudio(data[at : at + 960]) for at in range(0, len(data), 960)))

    async def next(self, kind: type[E]) -> E:
        """The next event of this kind; others are passed over."""
        async with asyncio.timeout(10):
            while True:
                while self._read < len(self.ear.heard):
                    self._read += 1
                    event = self.ear.heard[self._read - 1]
                    if isinstance(event, kind):
                        return event
                self.ear.stirred.clear()
                await self.ear.stirred.wait()

    def all(self, kind: type[E]) -> Sequence[E]:
        """Every event of this kind so far."""
        return [event for event in self.ear.heard if isinstance(event, kind)]


@contextlib.asynccontextmanager
async def calling(options: Options) -> AsyncIterator[Call]:
    """A session that is ready."""
    async with await serve(options) as server:
        ear = Ear()
        session = line(server.url).session()
        talk = asyncio.create_task(session.run(ear))
        await ear.ready.wait()
        yield Call(server, session, ear)
        session.close()
        assert (await talk).trouble is None


def test_push_to_talk_from_the_press_to_the_answer() -> None:
    async def story() -> None:
        options = Options(detector="energy", answers=[TUNE], pace=0, think_s=0)
        async with calling(options) as call:
            call.say(DetectTurns(False), ClearInput())
            call.speak(hum(0.5))
            call.say(CommitInput(), AskReply())
            item = (await call.next(UserItemCommitted)).item
            assert (await call.next(ReplyDone)).status == "completed"
            heard = b"".join(event.samples for event in call.all(ReplyAudio))
            assert heard == TUNE.samples.tobytes()
            # A press of 60 ms, and one that was let go at once.
            call.speak(hum(0.06))
            call.say(ClearInput(), CommitInput())
            refused = await call.next(RequestRefused)
            assert (refused.code, refused.benign) == ("input_audio_buffer_commit_empty", True)
            call.speak(hum(0.2))
            call.say(CommitInput())
            assert (await call.next(UserItemCommitted)).item != item
            assert not call.all(SpeechStarted)
            seconds = [
                entry.details["audio"]["bytes"] / 48_000
                for entry in call.server.entries("input_audio_buffer.append")
            ]
            assert round(sum(seconds), 3) == 0.76

    asyncio.run(story())


def test_after_push_to_talk_a_wake_brings_turn_detection_back() -> None:
    async def story() -> None:
        options = Options(detector="energy", answers=[TUNE], pace=0, think_s=0)
        async with calling(options) as call:
            # Quick fingers: every wish goes out and the last one counts.
            call.say(*(DetectTurns(on) for on in (False, True, False, True, False)))
            call.speak(hum(1.0))
            call.say(ClearInput(), DetectTurns(True))
            call.speak(silence(0.5))
            call.speak(hum(0.5))
            call.speak(silence(1.0))
            started, stopped = await call.next(SpeechStarted), await call.next(SpeechStopped)
            assert started.item == stopped.item
            # Of the configuration: 300 ms before, 600 ms after, on a clock that never stood still.
            assert abs(started.audio_start_ms - (1500 - 300)) <= 32
            assert abs(stopped.audio_end_ms - (2000 + 600)) <= 64
            await call.next(ReplyDone)
            assert len(call.all(SpeechStarted)) == len(call.all(LinkReady)) == 1
            assert not call.all(RequestRefused)

    asyncio.run(story())


def test_an_interruption_in_the_second_of_three_items_leaves_what_was_heard() -> None:
    async def story() -> None:
        options = Options(
            detector="energy", answers=[Items([TUNE, BELL, TUNE])], pace=20, think_s=0
        )
        async with calling(options) as call:
            call.say(AskReply())
            await call.next(ReplyDone)
            _, second, third = dict.fromkeys(event.item for event in call.all(ReplyAudio))
            item = call.server.hears_speech()
            assert (await call.next(SpeechStarted)).item == item
            call.say(TruncateReply(second, 0, 400), DeleteItem(third), CancelReply("resp_gone"))
            refused = await call.next(RequestRefused)
            assert (refused.code, refused.benign) == ("response_cancel_not_active", True)
            assert len(call.all(RequestRefused)) == 1
            (cut,) = call.server.entries("conversation.item.truncated")
            (gone,) = call.server.entries("conversation.item.deleted")
            assert (cut.details["item_id"], cut.details["audio_end_ms"]) == (second, 400)
            assert gone.details["item_id"] == third

    asyncio.run(story())


def test_an_interruption_while_the_answer_is_made() -> None:
    async def story() -> None:
        options = Options(detector="energy", answers=[Items([TUNE, BELL])], pace=2, think_s=0)
        async with calling(options) as call:
            call.say(AskReply())
            first = (await call.next(ReplyAudio)).item
            call.server.hears_speech()
            await call.next(SpeechStarted)
            call.say(TruncateReply(first, 0, 20))
            done = await call.next(ReplyDone)
            assert (done.status, done.reason) == ("cancelled", "turn_detected")
            assert {event.item for event in call.all(ReplyAudio)} == {first}
            # More than it holds, and something that is not there: harmless, both.
            call.say(TruncateReply(first, 0, 21), TruncateReply("item_gone", 0, 1))
            call.say(DeleteItem("item_gone"), AskReply(), AskReply())
            refused = [await call.next(RequestRefused) for _ in range(4)]
            assert [(one.code, one.benign) for one in refused] == [
                ("truncate_too_long", True),
                ("item_truncate_invalid_item_id", True),
                ("item_delete_invalid_item_id", True),
                ("conversation_already_has_active_response", True),
            ]

    asyncio.run(story())
