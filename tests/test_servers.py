"""Programs that stay: whatever one does, it is ended soon, and nobody else notices."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from edged import programs, servers
from edged.programs import Failed
from edged.servers import Server, Talk, talking

from .test_programs import children, gone

pytestmark = pytest.mark.evenings

Story = Callable[[Talk], Awaitable[None]]


def python(text: str, *, environment: tuple[str, ...] = ()) -> Server:
    """A real program, in Python."""
    return Server("lamp", (sys.executable, "-I", "-S", "-c", text), environment=environment)


def shell(text: str) -> Server:
    return Server("lamp", ("/bin/sh", "-c", text))


async def silence(talk: Talk) -> None:
    """Hear all it says."""
    while await talk.read():
        pass


def fault(server: Server, story: Story = silence) -> str:
    """Why there were no more lines, once `story` was through."""

    async def evening() -> str:
        async with asyncio.timeout(20), talking(server) as talk:
            await story(talk)
        return talk.fault

    return asyncio.run(evening())


@pytest.fixture(autouse=True)
def as_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where root runs the tests nobody may not start the Python that they run in."""
    monkeypatch.setattr(programs, "nobody", dict)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    children_before = children()
    yield
    assert children() == children_before
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_lines_go_back_and_forth() -> None:
    async def story(talk: Talk) -> None:
        for line in (b"one", b"two", b"x" * 500_000):
            talk.write(line)
            assert await talk.read() == line
        talk.end("enough")

    assert fault(shell("exec cat"), story) == "enough"


def test_empty_lines_are_none_and_half_a_line_is_none_either() -> None:
    async def story(talk: Talk) -> None:
        assert [await talk.read() for _ in range(3)] == [b"a", b"b", b""]

    assert fault(shell(r"printf '\n\na\n\nb\n\nhalf'"), story) == "it ended with status 0"


def test_it_knows_what_was_named_and_nothing_else_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("LAMP_TOKEN", "lit")
    text = "import os; print(sorted({*os.environ} - {'LC_CTYPE'}), os.environ['LAMP_TOKEN'])"

    async def story(talk: Talk) -> None:
        assert await talk.read() == b"['LAMP_TOKEN', 'LANG', 'PATH'] lit"

    fault(python(text, environment=("LAMP_TOKEN", "NOT_THERE")), story)


def test_a_program_that_is_not_there() -> None:
    told = fault(Server("lamp", ("/nowhere/lamp",)))
    assert told.startswith("it ended with status 127: failed to execute /nowhere/lamp")


def test_how_one_ended_is_told_with_its_last_words() -> None:
    assert fault(shell("echo the bulb is gone >&2; exit 3")) == (
        "it ended with status 3: the bulb is gone"
    )
    assert fault(shell("kill -SEGV $$")) == f"it ended with signal {signal.SIGSEGV.value}"
    long = fault(python("import sys; sys.exit('x' * 100_000 + 'the end')"))
    assert long.endswith("the end")
    assert len(long) < 600


@pytest.mark.parametrize(
    "text",
    [
        "while True: print('x' * 1000)",
        "while True: print()",
        "while True: sys.stdout.write('x' * 1000)",
        "while True: os.write(1, b'x')",
        "while True: print('x' * 1000, file=sys.stderr)",
        "while True: os.write(2, b'x')",
    ],
)
def test_one_that_floods_is_ended(text: str) -> None:
    assert fault(python(f"import os, sys\n{text}")).startswith("it printed without end")


def test_of_a_flood_nothing_is_heard() -> None:
    """Neither does it wait in memory."""

    async def story(talk: Talk) -> None:
        await asyncio.sleep(0.5)
        assert await talk.read() == b""

    fault(shell("exec yes"), story)


def test_a_line_that_grows_slowly_is_no_line_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_WINDOW_S", 0.01)
    monkeypatch.setattr(servers, "_FLOOD", 100_000)
    slow = "import sys, time\nwhile True: sys.stdout.write('x' * 9000); time.sleep(0.02)"
    assert fault(python(slow)).startswith("it print")


def test_one_that_tells_much_over_a_long_time_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_WINDOW_S", 0.001)
    monkeypatch.setattr(servers, "_PIECES", 250)
    heard = 0

    async def story(talk: Talk) -> None:
        nonlocal heard
        while await talk.read():
            heard += 1

    slow = "import time\nfor number in range(150): print(number, flush=True); time.sleep(0.005)"
    assert fault(python(slow), story) == "it ended with status 0"
    assert heard == 150


def test_one_that_does_not_read_is_ended() -> None:
    async def story(talk: Talk) -> None:
        for _ in range(2):
            talk.write(b"x" * 1_000_000)
        with pytest.raises(Failed, match="it does not read what it is told"):
            talk.write(b"x")
        assert await talk.read() == b""

    assert fault(shell("exec sleep 1000"), story) == "it does not read what it is told"


def test_one_that_closes_its_input_at_once_is_ended() -> None:
    async def story(talk: Talk) -> None:
        talk.write(b"x" * 1_000_000)
        assert await talk.read() == b""
        with pytest.raises(Failed, match="it closed its standard input"):
            talk.write(b"x")

    assert fault(shell("exec <&-; exec sleep 1000"), story) == "it closed its standard input"


def test_one_that_closes_its_output_is_ended() -> None:
    assert fault(shell("exec >&-; exec sleep 1000")) == "it closed its standard output"


def test_what_it_started_ends_with_it_and_is_not_waited_for() -> None:
    """It holds the standard streams open."""
    started: list[int] = []

    async def story(talk: Talk) -> None:
        started.append(int(await talk.read()))
        assert await talk.read() == b""

    assert fault(shell("sleep 1000 & echo $!"), story) == "it ended with status 0"
    asyncio.run(gone(started[0]))


def test_one_that_does_not_want_to_end_is_ended() -> None:
    stubborn = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('ready', flush=True)"

    async def story(talk: Talk) -> None:
        assert await talk.read() == b"ready"
        talk.end("enough")

    assert fault(python(f"{stubborn}\nwhile True: time.sleep(1000)"), story) == "enough"


def test_one_may_put_its_things_away(tmp_path: Path) -> None:
    away = tmp_path / "away"

    async def story(talk: Talk) -> None:
        assert await talk.read() == b"ready"

    fault(
        shell(f"trap 'echo > {away}; exit' TERM; echo ready; while :; do sleep 0.01; done"), story
    )
    assert away.exists()


def test_whoever_is_cancelled_leaves_nothing_behind() -> None:
    async def evening() -> int:
        begun = asyncio.get_running_loop().create_future()

        async def converse() -> None:
            async with talking(shell("echo $$; exec sleep 1000")) as talk:
                begun.set_result(int(await talk.read()))
                await talk.read()

        task = asyncio.create_task(converse())
        pid: int = await begun
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        return pid

    assert asyncio.run(evening())
