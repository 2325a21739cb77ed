"""What becomes of a session that the provider will not have as it was asked for."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from edged.core.commands import AskReply, DetectTurns, SendAudio
from edged.core.events import (
    Event,
    LinkAccepted,
    LinkDown,
    LinkReady,
    ReplyAudio,
    ReplyDone,
    RequestRefused,
    SessionLimited,
    SpeechStopped,
    Trouble,
)
from edged.core.settings import Session as Asked
from edged.core.settings import ToolSpec
from edged.dialects._sound import WIRES
from edged.link import websocket
from edged.simulator.server import Options, Server, Speech, serve
from tests.simulator.caller import hum, silence

from .provider import KEY, Ear, line, serving, text, welcome, whole

TUNE = Speech("A tune of one second", hum(1.0))
TOO_MUCH = Asked(model="gpt-realtime-2.1", instructions="Be brief.", max_output_tokens=5000)
"""The simulated provider refuses so many tokens, as the real one does."""


def _options(**more: object) -> Options:
    return Options(detector="energy", answers=[TUNE], pace=0, think_s=0, **more)  # type: ignore[arg-type]


async def _until(ear: Ear, kind: type[Event]) -> None:
    async with asyncio.timeout(10):
        while not any(isinstance(event, kind) for event in ear.heard):
            ear.stirred.clear()
            await ear.stirred.wait()


def _all(ear: Ear, kind: type[Event]) -> list[Event]:
    return [event for event in ear.heard if isinstance(event, kind)]


def _answers(server: Server) -> list[str]:
    kinds = ("session.created", "session.update", "session.updated", "error")
    return [entry.type for entry in server.log if entry.type in kinds]


def test_a_refused_configuration_gives_way_to_a_smaller_one_and_the_conversation_goes_on() -> None:
    async def story() -> None:
        async with await serve(_options()) as server:
            ear, session = Ear(), line(server.url, asked=TOO_MUCH).session()
            talk = asyncio.create_task(session.run(ear))
            await ear.ready.wait()
            # With the provider's own turn detection, which can be switched off and on again.
            session.offer(DetectTurns(False))
            session.offer(DetectTurns(True))
            for sound in (silence(0.5), hum(0.5), silence(1.5)):
                session.offer(SendAudio(sound.astype("<i2").tobytes()))
            await _until(ear, SpeechStopped)
            await _until(ear, ReplyDone)
            session.close()
            assert (await talk).trouble is None
            accepted, limited, ready = ear.heard[:3]
            assert isinstance(accepted, LinkAccepted)
            assert isinstance(limited, SessionLimited)
            assert "session.max_output_tokens" in limited.detail
            assert isinstance(ready, LinkReady)
            assert not _all(ear, RequestRefused)
            assert len(_all(ear, SessionLimited)) == len(_all(ear, LinkReady)) == 1
            updated = server.entries("session.updated")[-1].details["session"]
            assert updated["instructions"] == "Be brief."
            assert updated["audio"]["input"]["turn_detection"]["create_response"] is True

    asyncio.run(story())


def test_where_the_smaller_one_is_refused_too_the_session_ends() -> None:
    async def story() -> None:
        async with await serve(_options()) as server:
            ear, tool = Ear(), ToolSpec("x" * 65, "A name too long.", {"type": "object"})
            down = await line(server.url, asked=TOO_MUCH, tools=[tool]).session().run(ear)
            assert (down.trouble, down.transient) == (Trouble.PROVIDER, False)
            assert "the session was refused" in down.detail
            kinds = [type(event) for event in ear.heard]
            assert kinds == [LinkAccepted, SessionLimited]
            assert _answers(server).count("error") == 2

    asyncio.run(story())


@pytest.mark.parametrize("known", [True, False])
def test_how_long_it_lasts_where_the_clock_can_tell(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with await serve(_options(session_s=3000.0)) as server:
            ear, session = Ear(), line(server.url).session()
            talk = asyncio.create_task(session.run(ear))
            await ear.ready.wait()
            session.close()
            await talk
            (accepted,) = _all(ear, LinkAccepted)
            assert isinstance(accepted, LinkAccepted)
            if known:
                assert accepted.lasts_s is not None
                assert 2900 < accepted.lasts_s <= 3000
            else:
                assert accepted.lasts_s is None

    monkeypatch.setattr(websocket, "clock_is_set", lambda: known)
    asyncio.run(story())


def test_an_end_that_has_passed_is_somebodys_wrong_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    async def long_gone(visitor: ServerConnection) -> None:
        await visitor.send(text("session.created", session={"expires_at": 1_000_000_000}))
        await visitor.recv()

    async def story() -> None:
        async with serving(long_gone) as url:
            _, heard = await whole(url)
            assert heard == [LinkAccepted("", "", None)]

    monkeypatch.setattr(websocket, "clock_is_set", lambda: True)
    asyncio.run(story())


@pytest.mark.parametrize("audio", ["pcmu", "pcma"])
def test_a_conversation_in_telephone_sound(audio: str) -> None:
    async def story() -> None:
        asked = Asked(model="gpt-realtime-2.1", audio=audio)  # type: ignore[arg-type]
        async with await serve(_options()) as server:
            ear, session = Ear(), line(server.url, asked=asked).session()
            talk = asyncio.create_task(session.run(ear))
            await ear.ready.wait()
            for sound in (silence(0.5), hum(0.5), silence(1.5)):
                session.offer(SendAudio(sound[::3].astype("<i2").tobytes()))
            await _until(ear, SpeechStopped)
            await _until(ear, ReplyDone)
            session.offer(AskReply())
            session.close()
            await talk
            sound_s = sum(
                len(event.samples) / 2 / WIRES[audio].rate
                for event in ear.heard
                if isinstance(event, ReplyAudio)
            )
            assert round(sound_s, 2) == 1.0
            appended = server.entries("input_audio_buffer.append")
            assert sum(entry.details["audio"]["bytes"] for entry in appended) == 20_000

    asyncio.run(story())


def test_a_line_that_breaks_may_be_tried_again_and_one_that_we_end_is_not() -> None:
    async def story() -> None:
        async with await serve(_options()) as server:
            ear, session = Ear(), line(server.url).session()
            talk = asyncio.create_task(session.run(ear))
            await ear.ready.wait()
            server.drop_all()
            down: LinkDown = await talk
            assert (down.trouble, down.transient) == (Trouble.NETWORK, True)
        # Now nobody is there.
        down = await line(server.url).session().run(Ear())
        assert (down.trouble, down.transient) == (Trouble.NETWORK, True)

    asyncio.run(story())


def test_a_key_that_a_complaint_repeats_is_told_to_nobody() -> None:
    async def indiscreet(visitor: ServerConnection) -> None:
        await welcome(visitor)
        error = {"message": f"Who gave you {KEY}?"}
        await visitor.send(text("error", error=error))
        await visitor.send(
            text("response.done", response={"status": "failed", "status_details": {"error": error}})
        )
        await visitor.close(4000, f"no {KEY}")

    async def story() -> None:
        async with serving(indiscreet) as url:
            down, heard = await whole(url)
            assert "Who gave you [key]?" in str(heard)
            assert KEY not in f"{heard}{down}"

    asyncio.run(story())


def test_no_piece_of_it_is_told_wherever_it_stands() -> None:
    async def babbler(visitor: ServerConnection) -> None:
        await visitor.send(text("session.created", session={"id": f"sess_{KEY}"}))
        await visitor.recv()
        await visitor.send(text("session.updated"))
        await visitor.send(text(f"event.{KEY}"))
        # What is told of a complaint is cut at 300 characters: in the middle of the key.
        error = {"code": KEY, "message": f"{'no ' * 96}{KEY}"}
        await visitor.send(text("error", error=error))
        await visitor.close(3000, f"{KEY[:12]}... is no key")

    async def story() -> None:
        async with serving(babbler) as url:
            down, heard = await whole(url)
            told = f"{heard}{down}"
            assert "sess_[key]" in told
            assert "event.[key] x1" in down.oddities
            assert not [at for at in range(len(KEY) - 9) if KEY[at : at + 10] in told]

    asyncio.run(story())


def test_a_client_secret_that_was_refused_has_probably_run_out() -> None:
    async def strict(visitor: ServerConnection) -> None:
        await visitor.close(3000, "invalid_request_error.invalid_api_key")

    async def story() -> None:
        async with serving(strict) as url:
            down = await line(url, "ek_68af296e8e408191a1120ab6383263c2").session().run(Ear())
            assert down.trouble is Trouble.KEY
            assert down.detail.endswith("runs out within two hours: put a fresh one in its place")
            down = await line(url).session().run(Ear())
            assert down.detail == "invalid_request_error.invalid_api_key"

    asyncio.run(story())


def test_only_named_hosts_are_told_secrets_in_the_clear() -> None:
    line("ws://nas.local:8080/v1", plain_hosts=("nas.local",))
    with pytest.raises(ValueError, match="plain_hosts"):
        line("ws://nas.example:8080/v1", plain_hosts=("nas.local",))
