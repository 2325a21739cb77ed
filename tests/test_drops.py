"""The whole speaker in this process, and a real line that breaks at every point of a conversation.

Afterwards it sleeps, or the conversation goes on; nothing was heard twice, nothing is left over.
"""

import asyncio
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged import app
from edged.core import commands as do
from edged.core import events as ev
from edged.record import Recording
from edged.simulator.provider.script import Answer
from edged.simulator.server import Call, Faults, Options

from .home import ANSWERS, RATE, Here, speaker

pytestmark = pytest.mark.evenings

PIECE = RATE // 20


def tell(
    folder: Path,
    options: Options,
    story: Callable[[Here], Awaitable[None]],
    rotate_minutes: float = 50.0,
) -> list[str]:
    """Have one end for each line, and nothing heard twice; how each line ended."""

    async def told() -> list[bytes]:
        async with speaker(
            folder, replace(options, keep_audio=True), rotate_minutes=rotate_minutes
        ) as here:
            await story(here)
            await here.is_now("asleep")
        return [bytes(visit.said) for visit in here.server.visits]

    said = asyncio.run(told())
    _nothing_was_heard_twice(folder / "heard.wav", said)
    return _ends(folder / "evening.jsonl")


def _ends(recording: Path) -> list[str]:
    """How each line ended, once and before the next one was opened."""
    lines: list[str] = []
    for _, event, commands in app.replay(Recording(recording)):
        if isinstance(event, ev.LinkDown):
            lines.append(event.code)
        lines += ["open" for command in commands if isinstance(command, do.OpenLink)]
    opened, ended = lines[::2], lines[1::2]
    assert opened == ["open"] * len(ended)
    assert "open" not in ended
    return ended


def _nothing_was_heard_twice(file: Path, said: list[bytes]) -> None:
    """Each piece of what was sent sounds once at most, and nearly all of the last answer does.

    A gap on a busy machine may tear a piece in two that neither is it any more.
    """
    with wave.open(str(file)) as written:
        heard = np.frombuffer(written.readframes(written.getnframes()), "<i2").astype(float)
    times = [
        [_times(heard, np.frombuffer(sound, "<i2")[at : at + PIECE].astype(float)) for at in pieces]
        for sound in said
        if len(pieces := range(0, len(sound) // 2 - PIECE + 1, PIECE))
    ]
    assert max(map(max, times)) == 1, times
    assert sum(times[-1][-10:]) >= 8, times


def _times(heard: Any, piece: Any) -> int:
    """How often this piece is in what was heard."""
    size = len(heard) + len(piece)
    found = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    likeness = found[: len(heard)] / np.dot(piece, piece)
    alike = np.flatnonzero(likeness > 0.5)
    return int(len(alike) and 1 + np.sum(np.diff(alike) > PIECE // 2))


# --- the points ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Where the line breaks, and whether the conversation goes on behind that."""

    story: Callable[[Here], Awaitable[None]]
    goes_on: bool
    faults: Faults = Faults()  # noqa: RUF009
    answers: tuple[Answer, ...] = ()
    """What is answered first."""
    faulty_sessions: int | None = 1
    pace: float = 4.0
    rotate_minutes: float = 50.0
    breaks: int = 1


async def _woken(here: Here) -> None:
    await here.asks("wake")


async def _idle(here: Here) -> None:
    await here.connects()
    here.server.drop_all()


async def _between_two_questions(here: Here) -> None:
    await here.connects()
    await here.is_answered()
    here.server.drop_all()


async def _spoken_to(here: Here) -> None:
    await here.connects()
    await here.is_spoken_to()
    here.server.drop_all()


async def _asked(here: Here) -> None:
    await here.connects()
    await here.is_asked()


async def _asked_twice(here: Here) -> None:
    await _asked(here)
    await here.tells(do.Fact.CONNECTED)
    await here.is_asked()


async def _made_and_sounding(here: Here) -> None:
    await here.connects()
    await here.answers()
    here.server.drop_all()


async def _interrupted(here: Here) -> None:
    await here.connects()
    await here.answers()
    here.server.hears_speech()


async def _working(here: Here) -> None:
    await here.connects()
    await here.is_asked()
    await here.is_now("working")
    here.server.drop_all()


async def _stopped(here: Here) -> None:
    await here.connects()
    await here.is_answered()
    await here.asks("stop")


async def _stopped_within_an_answer(here: Here) -> None:
    await here.connects()
    await here.answers()
    await here.asks("stop")


async def _grown_old(here: Here) -> None:
    await here.connects()
    await here.is_answered()
    await here.tells(do.Fact.ROTATED)


async def _grown_old_and_broken(here: Here) -> None:
    await here.connects()
    here.server.faults = at("session.created")
    await here.tells(do.Fact.RECONNECTING)
    here.server.faults = Faults()


def at(kind: str) -> Faults:
    return Faults(breaks_at=kind)


POINTS = {
    "before session.created": Point(_woken, False, at("session.created")),
    "before session.updated": Point(_woken, False, at("session.updated")),
    "when the session is configured": Point(_woken, False, at("session.update")),
    "at idle": Point(_idle, True),
    "between two questions": Point(_between_two_questions, True),
    "within an utterance": Point(_spoken_to, True),
    "before the commit": Point(_asked, True, at("input_audio_buffer.committed")),
    "after the commit": Point(_asked, True, at("response.created")),
    "before the first delta": Point(_asked, True, at("response.output_audio.delta")),
    "within an answer": Point(_asked, True, Faults(drop_after_ms=300)),
    "before response.done": Point(_asked, True, at("response.done")),
    "when all is made and sounds": Point(_made_and_sounding, True, pace=0.0),
    "when it is interrupted": Point(_interrupted, True, at("conversation.item.truncate")),
    "during a tool": Point(_working, True, answers=(Call("lamp"),)),
    "at the tool's result": Point(_asked, True, at("conversation.item.create"), (Call("clock"),)),
    "after the tool's result": Point(_asked, True, at("response.create"), (Call("clock"),)),
    "while it closes": Point(_stopped, False, at("close")),
    "while it closes within an answer": Point(_stopped_within_an_answer, False, at("close")),
    "while it is replaced": Point(_grown_old, True, at("close"), rotate_minutes=0.05),
    "when it was replaced": Point(
        _grown_old_and_broken, True, faulty_sessions=2, rotate_minutes=0.05
    ),
    "twice in a row": Point(
        _asked_twice, False, at("response.created"), faulty_sessions=2, breaks=2
    ),
}


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-simulated")
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)


@pytest.mark.parametrize("name", POINTS)
def test_the_line_breaks(name: str, tmp_path: Path) -> None:
    point = POINTS[name]
    options = Options(
        answers=[*point.answers, *ANSWERS],
        detector="energy",
        think_s=0.02,
        transcription_s=0.02,
        pace=point.pace,
        faults=point.faults,
        faulty_sessions=point.faulty_sessions,
    )

    async def story(here: Here) -> None:
        await point.story(here)
        if point.goes_on:
            await here.tells(do.Fact.CONNECTED)
        else:
            await here.is_now("asleep")
            await here.connects()
        await here.is_answered()
        await here.asks("stop")

    ended = tell(tmp_path, options, story, rotate_minutes=point.rotate_minutes)
    assert ended.count("1006") == point.breaks


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (1000, None),
        (1001, do.Fact.RECONNECTING),
        (1008, do.Fact.TROUBLE),
        (1011, do.Fact.RECONNECTING),
        (1012, do.Fact.RECONNECTING),
        (1013, do.Fact.RECONNECTING),
        (4000, do.Fact.TROUBLE),
    ],
)
def test_the_provider_hangs_up_within_an_answer(
    code: int, told: do.Fact | None, tmp_path: Path
) -> None:
    """What one tells of a server that will be back is tried once more; all else is believed."""
    options = Options(answers=ANSWERS, detector="energy", think_s=0.02, transcription_s=0.02)

    async def story(here: Here) -> None:
        await here.connects()
        await here.answers()
        await here.server.close_all(code)
        if told is not None:
            await here.tells(told)
        if told is do.Fact.RECONNECTING:
            await here.tells(do.Fact.CONNECTED)
        else:
            await here.is_now("asleep")
            await here.connects()
        await here.is_answered()
        await here.asks("stop")

    tell(tmp_path, options, story)
