"""The owner's programs: whatever one does, it costs nothing but its own answer."""

import asyncio
import json
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged import programs
from edged.programs import Command, Failed


def program(text: str, timeout_s: float = 20) -> Command:
    """A real program, in Python."""
    argv = (sys.executable, "-I", "-S", "-c", text)
    return Command("lamp", "A lamp.", argv, timeout_s=timeout_s)


def shell(text: str, timeout_s: float = 20) -> Command:
    return Command("lamp", "A lamp.", ("/bin/sh", "-c", text), timeout_s=timeout_s)


def printed(command: Command, given: str = "{}") -> str:
    return asyncio.run(programs.run(command, given))


def failed(command: Command, given: str = "{}") -> str:
    with pytest.raises(Failed) as told:
        printed(command, given)
    return str(told.value)


def children() -> list[str]:
    """Of this process, the dead ones that nobody has buried too."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


async def gone(pid: int) -> None:
    """Wait for the end of a process that need not be a child of ours."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(watched, over.set)
    try:
        await asyncio.wait_for(over.wait(), 10)
    finally:
        asyncio.get_running_loop().remove_reader(watched)
        os.close(watched)


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


def test_a_program_reads_its_arguments_and_prints_its_answer() -> None:
    echo = program("import json, sys; print('it is', json.load(sys.stdin)['on'])")
    assert printed(echo, json.dumps({"on": True})) == "it is True"


def test_no_shell_reads_the_command_line() -> None:
    told = Command("echo", "", ("/bin/echo", "$HOME; id", "*"))
    assert printed(told) == "$HOME; id *"


def test_it_knows_next_to_nothing_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/edged.service")
    text = printed(program("import os; print(sorted(os.environ), os.getcwd())"))
    assert text == "['LANG', 'LC_CTYPE', 'PATH'] /" or text == "['LANG', 'PATH'] /"


def test_it_holds_no_file_of_ours_and_is_alone_in_its_session(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        text = (
            "import os; print(os.listdir('/proc/self/fd')[:-1], os.getsid(0) == os.getpid(), "
            "os.getpgid(0) == os.getpid())"
        )
        assert printed(program(text)) == "['0', '1', '2'] True True"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may choose who somebody is")
def test_roots_speaker_gives_it_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert printed(shell("id -un; id -Gn")) == "nobody\nnogroup"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a system user")
def test_a_system_user_bounds_its_processes_too() -> None:
    many = "i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; echo made"
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        # Of threads, which are not there in the child; they do nothing for this.
        warnings.simplefilter("ignore")
        child = os.fork()
    if not child:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        try:
            os.write(theirs, failed(shell(many)).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as told:
        assert "fork" in told.read().lower()
    os.waitpid(child, 0)


def test_the_speaker_goes_before_it() -> None:
    assert printed(shell("until [ $(nice) = 19 ]; do :; done; echo last of all")) == "last of all"


def test_its_memory_is_bounded() -> None:
    hungry = "held = bytearray(1 << 30)"
    assert failed(program(hungry)).endswith("MemoryError")


def test_one_that_hangs_is_ended() -> None:
    assert failed(shell("exec sleep 1000", 0.3)) == "it did not end within 0.3 seconds"


def test_one_that_does_not_want_to_end_is_ended() -> None:
    stubborn = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(1000)"
    assert failed(program(stubborn, 0.5)) == "it did not end within 0.5 seconds"


def test_one_that_answers_and_hangs_has_not_answered() -> None:
    """It has not said whether it is done, and what it started would go on."""
    hang = shell("echo lit; sleep 1000 & exec sleep 1000", 0.3)
    assert failed(hang) == "it did not end within 0.3 seconds"


def test_one_that_fails_says_why() -> None:
    assert failed(shell("echo no such lamp >&2; exit 3")) == "it ended with status 3: no such lamp"
    assert failed(shell("echo on standard output; exit 1")).endswith("1: on standard output")
    assert failed(shell("exit 2")) == "it ended with status 2"


def test_one_that_crashes_says_how() -> None:
    assert failed(shell("kill -SEGV $$")) == f"it ended with signal {signal.SIGSEGV.value}"


def test_only_the_end_of_long_complaints_is_told() -> None:
    long = "import sys; sys.stderr.write('x' * 100_000 + ' the lamp is gone'); sys.exit(1)"
    told = failed(program(long))
    assert told.endswith("x the lamp is gone")
    assert len(told) < 600


@pytest.mark.parametrize("path", ["/nowhere/lamp", "/", "/etc/passwd"])
def test_one_that_cannot_be_started_says_so(path: str) -> None:
    told = failed(Command("lamp", "", (path,)))
    assert re.match(rf"it ended with status 12[67]: failed to execute {path}: \w", told)


def test_a_long_answer_is_cut_and_says_so() -> None:
    told = printed(program("print('x' * 20_000)"))
    assert told == "x" * 8192 + "\n[cut here: it printed 20001 bytes]"


@pytest.mark.parametrize("end", ["", " >&2"])
def test_one_that_prints_for_ever_is_ended(end: str) -> None:
    assert failed(shell(f"exec yes{end}", 30)) == "it printed more than 1 MiB, and was ended"


def test_what_is_no_text_does_no_harm() -> None:
    binary = r"import sys; sys.stdout.buffer.write(b'\xff\xfe\x00ok\xed\xa0\x80')"
    told = printed(program(binary))
    assert told == "\ufffd\ufffdok\ufffd\ufffd\ufffd"
    json.dumps(told).encode()


def test_an_answer_cut_within_a_letter_is_text_still() -> None:
    told = printed(program("import sys; sys.stdout.buffer.write(b'a' + 'ü'.encode() * 10_000)"))
    assert told.startswith("aüü")
    assert "[cut here" in told


def test_one_that_does_not_read_is_not_waited_for() -> None:
    assert printed(shell("exec <&-; echo done"), "x" * 3_000_000) == "done"


def test_one_that_cannot_change_what_it_was_given() -> None:
    scribbler = "import os\ntry: os.write(0, b'x')\nexcept OSError: print('refused')"
    assert printed(program(scribbler), "asked") == "refused"


def test_one_that_closes_its_output_and_goes_on_is_waited_for() -> None:
    assert failed(shell("exec >&- 2>&-; sleep 1000", 0.3)) == "it did not end within 0.3 seconds"


def test_what_it_started_ends_with_it() -> None:
    async def story() -> None:
        told = await programs.run(shell("sleep 1000 & echo $!"), "{}")
        await gone(int(told))

    asyncio.run(story())


def test_one_that_left_its_session_is_not_waited_for() -> None:
    """It holds the output open, and lives on: nobody but its owner can know why."""
    runaway = (
        "import os, sys, time\nours, theirs = os.pipe()\n"
        "if child := os.fork():\n    os.read(ours, 1)\n    print(child)\n    sys.exit()\n"
        "os.setsid()\nos.write(theirs, b'x')\ntime.sleep(1000)"
    )

    async def story() -> None:
        async with asyncio.timeout(10):
            child = int(await programs.run(program(runaway, 1000), "{}"))
        os.kill(child, signal.SIGKILL)
        await gone(child)

    asyncio.run(story())


def test_a_conversation_that_ends_takes_the_program_along(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    async def story() -> None:
        hang = shell(f"sleep 1000 & echo $$ $! > {begun}.new; mv {begun}.new {begun}; wait", 1000)
        call = asyncio.create_task(programs.run(hang, "{}"))
        async with asyncio.timeout(10):
            while not begun.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        pids = [int(pid) for pid in begun.read_text().split()]
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        for pid in pids:
            await gone(pid)

    asyncio.run(story())


def test_many_at_once_do_not_wait_for_each_other() -> None:
    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(programs.run(shell("sleep 1000", 1000), "{}"))
            quick = [group.create_task(programs.run(shell("echo hi"), "{}")) for _ in range(5)]
            assert [await each for each in quick] == ["hi"] * 5
            assert not slow.done()
            slow.cancel()

    asyncio.run(story())
