"""What waits to go out keeps its order, the end of an answer excepted; only sound is given up."""

import asyncio
from collections.abc import Sequence
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from edged.core.commands import (
    AnswerTool,
    Approve,
    AskReply,
    Brief,
    CancelReply,
    ClearInput,
    CommitInput,
    DeleteItem,
    DetectTurns,
    LinkCommand,
    Recall,
    SendAudio,
    SendNoise,
    TruncateReply,
)
from edged.link._outbox import Outbox
from edged.link.websocket import Settings

RATE = 1000
FRAME = SendAudio(bytes(40))  # 20 ms


async def _all(outbox: Outbox, count: int) -> list[LinkCommand]:
    async with asyncio.timeout(5):
        taken = [await outbox.get() for _ in range(count)]
    return [command for command in taken if command is not None]


def test_a_commit_never_overtakes_what_it_commits() -> None:
    async def story() -> None:
        outbox = Outbox(1.0, RATE)
        said: list[LinkCommand] = [FRAME, FRAME, CommitInput(), AskReply(), FRAME]
        for command in said:
            outbox.put(command)
        outbox.open()
        assert await _all(outbox, 5) == said

    asyncio.run(story())


def test_the_end_of_an_answer_does_not_wait_behind_what_was_said_on_a_slow_line() -> None:
    async def story() -> None:
        outbox = Outbox(20.0, RATE)
        said: list[LinkCommand] = [DetectTurns(False), ClearInput(), *[FRAME] * 900, CommitInput()]
        ends: list[LinkCommand] = [
            CancelReply("r"),
            TruncateReply("a", 0, 120),
            DeleteItem("b"),
        ]
        for command in [*said, *ends, AskReply()]:
            outbox.put(command)
        outbox.open()
        assert await _all(outbox, len(said) + 4) == [*ends, *said, AskReply()]

    asyncio.run(story())


def test_a_cancel_that_names_no_answer_means_the_last_one_asked_for() -> None:
    async def story() -> None:
        outbox = Outbox(1.0, RATE)
        said: list[LinkCommand] = [FRAME, CommitInput(), AskReply(), CancelReply("")]
        for command in said:
            outbox.put(command)
        outbox.open()
        assert await _all(outbox, 4) == said

    asyncio.run(story())


URGENT = [CancelReply("r"), TruncateReply("a", 0, 1), DeleteItem("b")]
ORDERLY = [
    FRAME,
    DetectTurns(False),
    DetectTurns(True),
    CommitInput(),
    ClearInput(),
    AskReply(),
    AnswerTool("c", "{}"),
    Approve("m", allowed=True),
    Brief(),
    Recall("user", "what is the time?"),
]


def test_every_command_has_its_lane() -> None:
    told = {type(command) for command in [*URGENT, *ORDERLY]}
    assert told == set(get_args(LinkCommand)) - {SendNoise}


@given(st.lists(st.sampled_from([*URGENT, *ORDERLY, None]), max_size=60))
def test_whenever_the_line_takes_something_each_lane_keeps_its_order(
    story: Sequence[LinkCommand | None],
) -> None:
    """None stands for a moment at which the line takes one command, where there is one."""

    async def evening() -> None:
        outbox = Outbox(20.0, RATE)
        outbox.open()
        put: list[tuple[int, LinkCommand]] = []
        taken: list[LinkCommand] = []
        for number, command in enumerate(story):
            if command is not None:
                put.append((number, command))
                outbox.put(command)
            elif len(taken) < len(put):
                waiting = [one for _, one in put if one in URGENT]
                urgent = len(waiting) > sum(one in URGENT for one in taken)
                taken += await _all(outbox, 1)
                assert (taken[-1] in URGENT) is urgent
        taken += await _all(outbox, len(put) - len(taken))
        for lane in (URGENT, ORDERLY):
            assert [one for one in taken if one in lane] == [one for _, one in put if one in lane]

    asyncio.run(evening())


def test_fifteen_seconds_of_preroll_fit_by_default() -> None:
    outbox = Outbox(Settings().outbox_s, 24000)
    for _ in range(750):
        outbox.put(SendAudio(bytes(960)))
    assert outbox.dropped == 0


def test_nothing_leaves_before_the_outbox_is_open() -> None:
    async def story() -> None:
        outbox = Outbox(1.0, RATE)
        outbox.put(FRAME)
        waiting = asyncio.create_task(outbox.get())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        outbox.open()
        assert await waiting is FRAME

    asyncio.run(story())


def test_a_closed_outbox_forgets_and_says_so() -> None:
    async def story() -> None:
        outbox = Outbox(1.0, RATE)
        outbox.put(FRAME)
        outbox.open()
        outbox.close()
        outbox.put(AskReply())
        assert await outbox.get() is None

    asyncio.run(story())


def test_closing_wakes_whoever_waits() -> None:
    async def story() -> None:
        outbox = Outbox(1.0, RATE)
        waiting = asyncio.create_task(outbox.get())
        await asyncio.sleep(0)
        outbox.close()
        async with asyncio.timeout(5):
            assert await waiting is None

    asyncio.run(story())


@given(st.lists(st.one_of(st.integers(1, 400), st.just(0)), max_size=60))
def test_the_newest_sound_stays_and_everything_else_too(lengths: list[int]) -> None:
    async def story() -> None:
        outbox = Outbox(0.5, RATE)
        # 0 stands for a request between frames of so many samples, each marked by its place.
        said: list[LinkCommand] = [
            SendAudio(bytes([place]) * (2 * samples)) if samples else AskReply()
            for place, samples in enumerate(lengths)
        ]
        for command in said:
            outbox.put(command)
        sounds = [command for command in said if isinstance(command, SendAudio)]
        room, kept = 1000, 0
        for command in reversed(sounds):
            room -= len(command.samples)
            if room < 0:
                break
            kept += 1
        newest = sounds[len(sounds) - kept :]
        expected = [command for command in said if command in newest or command == AskReply()]
        outbox.open()
        assert await _all(outbox, len(expected)) == expected
        assert outbox.dropped == (sum(lengths) * 2 - sum(len(c.samples) for c in newest)) // 2

    asyncio.run(story())
