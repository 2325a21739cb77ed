"""One conversation, held with every kind of server that edged has a dialect for."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import pytest

from edged import plugins
from edged.core.commands import (
    AnswerTool,
    AskReply,
    CancelReply,
    ClearInput,
    CommitInput,
    DeleteItem,
    DetectTurns,
    Recall,
    SendAudio,
    TruncateReply,
)
from edged.core.events import (
    Event,
    LinkAccepted,
    LinkReady,
    ReplyAudio,
    ReplyDone,
    ReplyText,
    RequestRefused,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    Trouble,
    UserItemCommitted,
    UserText,
)
from edged.core.settings import Session as Asked
from edged.core.settings import ToolSpec
from edged.dialects import openai
from edged.link import websocket
from edged.simulator.server import Call, Options, Speech, serve
from tests.simulator.caller import hum, silence

from .provider import KEY, Ear

TUNE = Speech("A tune of one second", hum(1.0))
CLOCK = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {}})
NAMES = ("openai", "azure", "xai", "legacy")
Audio = Literal["pcm", "pcmu", "pcma"]
E = TypeVar("E", bound=Event)


@dataclass
class Talk:
    """A session with a server of this kind, and what came of it."""

    ear: Ear
    session: websocket.Session
    _read: int = 0

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

    def speak(self, rate: int) -> None:
        """Half a second of speech, and enough silence to end the turn."""
        for sound in (silence(0.5), hum(0.5), silence(1.5)):
            self.session.offer(SendAudio(sound[:: 24000 // rate].astype("<i2").tobytes()))

    def all(self, kind: type[E]) -> list[E]:
        """Every event of this kind so far."""
        return [event for event in self.ear.heard if isinstance(event, kind)]


def _opened(name: str, url: str, audio: Audio = "pcm", **settings: Any) -> openai.Dialect:
    module = plugins.load("dialects", name)
    asked = Asked(model="grok" if name == "xai" else "gpt-realtime-2.1", voice="ara", audio=audio)
    if name != "xai":
        asked = Asked(model="gpt-realtime-2.1", audio=audio)
    given: Any = module.Settings(url=url, **settings)
    opened: openai.Dialect = module.open(asked, given, [CLOCK])
    return opened


def _line(dialect: openai.Dialect, key: str = KEY) -> websocket.WebSocket:
    return websocket.open(websocket.Settings(proxy="none", connect_timeout_s=5.0), dialect, key)


def test_every_dialect_is_tried_here() -> None:
    assert set(plugins.drivers("dialects")) == set(NAMES)


@pytest.mark.parametrize("audio", ["pcm", "pcmu", "pcma"])
@pytest.mark.parametrize("name", NAMES)
def test_a_whole_conversation(name: Any, audio: Audio) -> None:
    options = Options(
        dialect=name,
        key=KEY,
        detector="energy",
        answers=[TUNE, Call("clock", "{}"), TUNE],
        heard=["what time is it"],
        pace=0,
        think_s=0,
        transcription_s=0,
    )

    async def story() -> None:
        async with await serve(options) as server:
            dialect = _opened(name, server.url, audio)
            talk = Talk(Ear(), _line(dialect).session())
            ended = asyncio.create_task(talk.session.run(talk.ear))
            for who in ("user", "assistant", "system"):
                talk.session.offer(Recall(who, "so it was"))
            talk.speak(dialect.wire_rate)
            await _converse(talk, transcribes=name != "xai")
            talk.session.close()
            down = await ended
            assert (down.trouble, down.oddities) == (None, "")
            assert isinstance(talk.ear.heard[0], LinkAccepted)
            assert isinstance(talk.ear.heard[1], LinkReady)
            assert all(refused.benign for refused in talk.all(RequestRefused))
            seconds = sum(len(one.samples) / 2 / dialect.wire_rate for one in talk.all(ReplyAudio))
            assert round(seconds, 2) == 2.0
            recalled = server.entries("conversation.item.create")[:3]
            assert [one.details["item"]["role"] for one in recalled] == [
                "user",
                "assistant",
                "system",
            ]
            refused = [one.details["error"] for one in server.entries("error")]
            assert all("ancel" in one["message"] for one in refused), refused

    asyncio.run(story())


async def _converse(talk: Talk, *, transcribes: bool) -> None:
    session = talk.session
    started, stopped = await talk.next(SpeechStarted), await talk.next(SpeechStopped)
    assert started.item == stopped.item == (await talk.next(UserItemCommitted)).item
    first = await talk.next(ReplyDone)
    assert first.status == "completed"
    (said,) = talk.all(ReplyText)
    assert (said.reply, said.text) == (first.reply, TUNE.transcript)
    item = talk.all(ReplyAudio)[0].item
    # What cannot be said to this server is not sent, and nobody complains.
    session.offer(TruncateReply(item, 0, 400))
    session.offer(CancelReply(first.reply))
    session.offer(DetectTurns(False))
    session.offer(ClearInput())
    session.offer(SendAudio(bytes(9600)))
    session.offer(CommitInput())
    session.offer(AskReply())
    called = await talk.next(ToolCalled)
    assert (called.name, called.arguments) == ("clock", "{}")
    await talk.next(ReplyDone)
    session.offer(AnswerTool(called.call, "noon"))
    session.offer(AskReply())
    assert (await talk.next(ReplyDone)).status == "completed"
    session.offer(DeleteItem(item))
    session.offer(DetectTurns(True))
    assert len(talk.all(ToolCalled)) == 1
    if transcribes:
        assert "what time is it" in [heard.text for heard in talk.all(UserText)]


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_not_the_right_one(name: Any) -> None:
    async def story() -> None:
        async with await serve(Options(dialect=name, key=KEY)) as server:
            dialect = _opened(name, server.url)
            down = await _line(dialect, "sk-another").session().run(Ear())
            assert down.trouble is Trouble.KEY

    asyncio.run(story())


def test_a_dialect_that_the_server_does_not_speak_is_told_of() -> None:
    async def story() -> None:
        async with await serve(Options(dialect="xai", key=KEY)) as server:
            talk = Talk(Ear(), _line(_opened("openai", server.url)).session())
            down = await talk.session.run(talk.ear)
            assert down.trouble is Trouble.PROVIDER
            assert "the session was refused" in down.detail

    asyncio.run(story())


def test_the_header_of_the_beta_is_sent_where_it_is_wanted() -> None:
    async def story() -> None:
        async with await serve(Options(dialect="legacy", detector="energy")) as server:
            dialect = _opened("legacy", server.url, beta_header=True)
            assert dialect.headers("k")["OpenAI-Beta"] == "realtime=v1"
            talk = Talk(Ear(), _line(dialect).session())
            ended = asyncio.create_task(talk.session.run(talk.ear))
            await talk.next(LinkReady)
            talk.session.close()
            assert (await ended).trouble is None

    asyncio.run(story())
