"""The control socket: who may ask, what is answered, and what a broken peer can do (nothing)."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edged import control
from edged.control import ControlError, Request


class Speaker:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle(self, request: Request) -> Mapping[str, object]:
        self.asked.append(request.verb)
        if request.verb == "wake" and self.asked.count("wake") > 1:
            raise ControlError("already awake", "say something")
        return {"state": "asleep", "wake": {"engine": "none"}}


def evening(path: Path, story: Callable[[], Awaitable[None]], speaker: Speaker) -> None:
    async def told() -> None:
        async with asyncio.timeout(20), control.serve(path, speaker.handle):
            await story()

    asyncio.run(told(), debug=True)


async def exchange(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Write the lines and read a reply to each, on one connection."""
    reader, writer = await asyncio.open_unix_connection(path)
    replies = []
    for line in lines:
        writer.write(line)
        replies.append(json.loads(await reader.readline()))
    writer.close()
    await writer.wait_closed()
    return replies


def test_a_shell_wakes_the_speaker_and_reads_its_state(tmp_path: Path) -> None:
    speaker = Speaker()
    path = tmp_path / "run" / "control"

    async def story() -> None:
        first = await asyncio.to_thread(control.ask, path, Request("wake"))
        second = await asyncio.to_thread(control.ask, path, Request("status"))
        assert first == second == {"state": "asleep", "wake": {"engine": "none"}}
        assert stat.S_IMODE(path.stat().st_mode) == 0o660

    evening(path, story, speaker)
    assert speaker.asked == ["wake", "status"]
    assert not path.exists()


def test_a_refusal_reaches_the_shell_with_its_hint(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        await asyncio.to_thread(control.ask, path, Request("wake"))
        with pytest.raises(ControlError, match="already awake") as refused:
            await asyncio.to_thread(control.ask, path, Request("wake"))
        assert refused.value.hint == "say something"

    evening(path, story, Speaker())


@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\n",
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"verb":"explode"}\n',
        b'{"verb":"wake","volume":11}\n',
        b'{"verb":"wake","text":"hello"}\n',
        b'{"verb":"mute"}\n',
        b'{"verb":"mute","on":"yes"}\n',
        b'{"verb":"volume"}\n',
        b'{"verb":"volume","db":-3,"steps":1}\n',
        b'{"verb":"volume","db":"loud"}\n',
        b'{"verb":"say","steps":1}\n',
        b'{"verb":"volume","steps":' + b"9" * 400 + b"}\n",
        b'{"verb":"volume","db":1e308}\n',
        b'{"verb":"volume","db":NaN}\n',
        b'{"verb":7}\n',
        b'{"verb":"\xff"}\n',
        b"[" * 20000 + b"\n",
    ],
)
def test_nonsense_is_answered_and_the_conversation_goes_on(tmp_path: Path, nonsense: bytes) -> None:
    path = tmp_path / "control"
    speaker = Speaker()

    async def story() -> None:
        bad, good = await exchange(path, nonsense, b'{"verb":"status"}\n')
        assert bad["ok"] is False
        assert bad["error"].startswith("that is no request: ")
        assert '{"verb":"status"}' in bad["hint"]
        assert good["ok"] is True

    evening(path, story, speaker)
    assert speaker.asked == ["status"]


def test_a_line_without_end_is_refused_and_hung_up_on(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b" " * (control.LINE_BYTES + 1))
        reply = json.loads(await reader.readline())
        assert reply["error"] == "the line is longer than 65536 bytes"
        assert await reader.read() == b""
        writer.close()

    evening(path, story, Speaker())


def test_half_a_line_asks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "control"
    speaker = Speaker()

    async def story() -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"verb":"wake"}')
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()

    evening(path, story, speaker)
    assert speaker.asked == []


def test_a_peer_that_asks_nothing_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "IDLE_S", 0.05)
    path = tmp_path / "control"

    async def story() -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    evening(path, story, Speaker())


def test_a_peer_that_never_takes_its_replies_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "TAKE_S", 0.05)
    path = tmp_path / "control"

    async def story() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX) as peer:
            peer.setblocking(False)
            await loop.sock_connect(peer, str(path))
            # Far more than both sides' buffers hold: it ends only when it is hung up on.
            questions = b'{"verb":"status"}\n' * 1_000_000
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                await loop.sock_sendall(peer, questions)

    evening(path, story, Speaker())


REFUSE = """
import socket, sys
desk = socket.socket(socket.AF_UNIX)
desk.bind(sys.argv[1])
desk.listen()
print("open", flush=True)
while True:
    peer, _ = desk.accept()
    peer.sendall(b'{"ok":false,"error":"you are refused","hint":"go away"}\\n')
    peer.close()
"""


def test_who_is_refused_before_asking_is_told_why(tmp_path: Path) -> None:
    """Whichever is quicker, the question or the refusal: so many tries meet both."""
    path = tmp_path / "control"
    command = [sys.executable, "-I", "-c", REFUSE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as speaker:
        assert speaker.stdout is not None
        assert speaker.stdout.readline() == b"open\n"
        try:
            for _ in range(300):
                with pytest.raises(ControlError, match="you are refused"):
                    control.ask(path, Request("status"))
        finally:
            speaker.kill()


def refusal(path: Path) -> str:
    try:
        control.ask(path, Request("status"))
    except ControlError as refused:
        return str(refused)
    return ""


def test_the_seventeenth_at_the_desk_is_sent_away_and_the_next_day_is_a_new_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "control"
    status = b'{"verb":"status"}\n'

    async def story() -> None:
        async with contextlib.AsyncExitStack() as crowd:
            for _ in range(control.PEERS):
                reader, writer = await asyncio.open_unix_connection(path)
                crowd.callback(writer.close)
                writer.write(status)
                assert json.loads(await reader.readline())["ok"] is True
            reader, writer = await asyncio.open_unix_connection(path)
            crowd.callback(writer.close)
            assert json.loads(await reader.readline())["error"] == "too many are asking at once"
        # The desk learns of those who left one by one.
        while said := await asyncio.to_thread(refusal, path):
            assert said == "too many are asking at once"

    evening(path, story, Speaker())


def test_closing_waits_for_nobody(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        async with contextlib.AsyncExitStack() as crowd:
            async with control.serve(path, Speaker().handle):
                reader, writer = await asyncio.open_unix_connection(path)
                crowd.callback(writer.close)
                writer.write(b'{"verb":"status"}\n')
                await reader.readline()
                before = asyncio.get_running_loop().time()
            assert asyncio.get_running_loop().time() - before < 0.5
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            # Only this story is left running.
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(story(), debug=True)


# --- many replies -------------------------------------------------------------------------


class Teller:
    """Tells those who watch whatever it is given; what each of them has cost it is counted."""

    def __init__(self, *told: Mapping[str, object]) -> None:
        self.told = told
        self.watched = 0
        self.left = 0
        self.all_left = asyncio.Event()

    def handle(self, request: Request) -> Mapping[str, object] | control.News:
        return self.tell() if request.verb == "watch" else {"state": "asleep"}

    async def tell(self) -> control.News:
        self.watched += 1
        try:
            for each in self.told:
                yield each
            if not self.told:
                raise ControlError("nothing is told here", "ask somebody else")
            await asyncio.Event().wait()
        finally:
            self.left += 1
            if self.left == self.watched:
                self.all_left.set()


class Flood(Teller):
    """Tells without end."""

    async def tell(self) -> control.News:
        self.watched += 1
        self.given = 0
        try:
            while True:
                self.given += 1
                yield {"number": self.given, "news": "x" * 1000}
        finally:
            self.left += 1
            self.all_left.set()


WATCH = b'{"verb":"watch"}\n'
STATUS = b'{"verb":"status"}\n'


def told(teller: Teller, path: Path, story: Callable[[], Awaitable[None]]) -> None:
    async def evening() -> None:
        async with asyncio.timeout(20), control.serve(path, teller.handle):
            await story()

    asyncio.run(evening(), debug=True)


def test_one_question_can_have_many_answers(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        def read() -> list[Any]:
            with contextlib.closing(control.follow(path, Request("watch"))) as news:
                return [next(news), next(news)]

        assert await asyncio.to_thread(read) == [{"n": 1}, {"n": 2}]

    told(Teller({"n": 1}, {"n": 2}, {"n": 3}), path, story)


def test_a_refusal_in_the_middle_reaches_the_shell_with_its_hint(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        with pytest.raises(ControlError, match="nothing is told here") as refused:
            await asyncio.to_thread(control.ask, path, Request("watch"))
        assert refused.value.hint == "ask somebody else"

    told(Teller(), path, story)


def test_who_watches_and_does_not_read_is_dropped_and_hurts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "TAKE_S", 0.2)
    path = tmp_path / "control"
    flood = Flood()

    async def story() -> None:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(peer, str(path))
            await loop.sock_sendall(peer, WATCH)
            # Others are served all the time.
            while not flood.all_left.is_set():
                assert (await exchange(path, STATUS))[0]["ok"] is True
        assert flood.given < 2000, "what is not taken is not piled up"

    told(flood, path, story)


def test_who_hangs_up_is_not_told_any_more(tmp_path: Path) -> None:
    path = tmp_path / "control"
    flood = Flood()

    async def story() -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(WATCH)
        await reader.readline()
        writer.close()
        await flood.all_left.wait()

    told(flood, path, story)


def test_half_of_the_chairs_are_for_those_who_only_ask(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        async with contextlib.AsyncExitStack() as crowd:
            for _ in range(control.STREAMS):
                reader, writer = await asyncio.open_unix_connection(path)
                crowd.callback(writer.close)
                writer.write(WATCH)
                await reader.readline()
            (refused,) = await exchange(path, WATCH)
            assert refused["error"] == "too many watch or wait at once"
            assert (await exchange(path, STATUS))[0]["ok"] is True

    told(Teller({"n": 1}), path, story)


@pytest.mark.parametrize("verb", ["status", "watch"])
def test_a_bug_in_an_answer_is_told_as_one(tmp_path: Path, verb: str) -> None:
    path = tmp_path / "control"

    def handle(request: Request) -> Mapping[str, object] | control.News:
        if request.verb == "status":
            raise ArithmeticError("a bug")
        return broken()

    async def broken() -> control.News:
        yield {}
        raise ArithmeticError("a bug")

    async def story() -> None:
        mistakes: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, what: mistakes.put_nowait(what))
        async with asyncio.timeout(10), control.serve(path, handle):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(f'{{"verb":"{verb}"}}\n'.encode())
            assert isinstance((await mistakes.get())["exception"], ArithmeticError)
            await reader.read()
            writer.close()
        assert mistakes.empty()

    asyncio.run(story())


def test_closing_does_not_wait_for_those_who_watch(tmp_path: Path) -> None:
    path = tmp_path / "control"
    teller = Teller({"n": 1})

    async def story() -> None:
        mistakes: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: mistakes.append(what))
        async with control.serve(path, teller.handle):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(WATCH)
            await reader.readline()
            before = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - before < 0.5
        assert teller.left == 1
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        assert len(asyncio.all_tasks()) == 1
        assert not mistakes

    asyncio.run(story(), debug=True)


# --- who may ask --------------------------------------------------------------------------

ASK = """
import os, socket, sys
path, user, group, groups = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.setgroups([int(name) for name in groups.split(",") if name])
os.setgid(group)
os.setuid(user)
line = socket.socket(socket.AF_UNIX)
try:
    line.connect(path)
    line.sendall(b'{"verb":"status"}\\n')
except BrokenPipeError:
    pass
except PermissionError:
    print('{"ok": "closed door"}')
    raise SystemExit
print(line.makefile().readline())
"""
OWNERS = 4321
"""A group that nobody on the machine is in."""
TELLS_GROUPS = """
import os, socket, struct
os.setgroups([7, 4321])
ours, theirs = socket.socketpair()
told = ours.getsockopt(socket.SOL_SOCKET, 59, 64)
raise SystemExit(told != struct.pack("2I", 7, 4321))
"""
"""Whether SO_PEERGROUPS brings all groups of a peer: from the kernel it does, but not every program
that imitates another processor passes them on."""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(
    ("user", "group", "groups", "open_door", "ok"),
    [
        (0, 0, "", False, True),
        (1234, 1234, "", False, "closed door"),
        (1234, 1234, "", True, False),
        (1234, OWNERS, "", False, True),
        (1234, 1234, f"7,{OWNERS}", False, True),
    ],
)
def test_who_may_ask(
    tmp_path: Path, user: int, group: int, groups: str, open_door: bool, ok: object
) -> None:
    """Root and the socket's group may; others are refused even where the file would let them in."""
    if "," in groups:
        asked = [sys.executable, "-I", "-c", TELLS_GROUPS]
        if subprocess.run(asked, check=False, capture_output=True).returncode:
            pytest.skip("sockets do not tell the groups of their peers here")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    path = tmp_path / "control"

    async def story() -> None:
        if open_door:
            path.chmod(0o666)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", ASK, str(path), str(user), str(group), groups,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        printed, _ = await process.communicate()
        reply = json.loads(printed)
        assert reply["ok"] == ok
        if ok is False:
            assert reply["error"] == "user 1234 may not control this speaker"
            assert reply["hint"] == "as root: usermod -aG 4321 USER, and log in again"

    before = os.getegid()
    os.setegid(OWNERS)
    try:
        evening(path, story, Speaker())
    finally:
        os.setegid(before)


# --- beginnings ---------------------------------------------------------------------------


def test_the_socket_of_a_speaker_that_was_killed_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert path.exists()

    async def story() -> None:
        assert (await exchange(path, b'{"verb":"status"}\n'))[0]["ok"] is True

    evening(path, story, Speaker())


def test_a_second_speaker_does_not_start_and_does_not_disturb_the_first(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        with pytest.raises(ControlError, match="another edged is running") as refused:
            async with control.serve(path, Speaker().handle):
                pytest.fail("two speakers on one socket")
        assert "systemctl stop edged" in refused.value.hint
        assert (await exchange(path, b'{"verb":"status"}\n'))[0]["ok"] is True

    evening(path, story, Speaker())


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control"
    path.write_text("dear diary")
    with pytest.raises(ControlError, match="in the way"):
        evening(path, _nothing, Speaker())
    assert path.read_text() == "dear diary"


def test_a_place_that_cannot_be_is_told_with_what_to_do(tmp_path: Path) -> None:
    for place, why in (
        (tmp_path / ("x" * 200), "its path has more than 107 bytes"),
        (Path("/proc/nowhere/control"), "No such file or directory"),
    ):
        with pytest.raises(ControlError, match=f"cannot be made: {why}") as refused:
            evening(place, _nothing, Speaker())
        assert "[control]" in refused.value.hint


def test_leaving_does_not_remove_the_socket_of_a_successor(tmp_path: Path) -> None:
    path = tmp_path / "control"

    async def story() -> None:
        # Both are there at once: a new inode may not have the old one's number.
        path.rename(tmp_path / "old")
        path.write_text("somebody else's")

    evening(path, story, Speaker())
    assert path.read_text() == "somebody else's"


async def _nothing() -> None:
    pytest.fail("the socket was made")


# --- asking nobody ------------------------------------------------------------------------


def test_a_speaker_that_does_not_run_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with pytest.raises(ControlError, match=r"edged is not running .no socket at") as missing:
        control.ask(path, Request("wake"))
    assert "sudo systemctl start edged" in missing.value.hint
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ControlError, match=r"edged is not running .nobody listens on"):
        control.ask(path, Request("wake"))


def test_a_speaker_that_hangs_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(path))
        stuck.listen()
        with pytest.raises(ControlError, match="does not answer"):
            control.ask(path, Request("wake"), timeout_s=0.05)


def test_a_path_that_is_too_long_for_a_socket_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 200)
    with pytest.raises(
        ControlError, match=r"no socket can be at .* more than 107 bytes"
    ) as refused:
        control.ask(path, Request("status"))
    assert "systemctl" not in refused.value.hint
    longest = Path("/" + "x" * 106)
    with pytest.raises(ControlError, match="edged is not running"):
        control.ask(longest, Request("status"))


def test_where_the_socket_is(tmp_path: Path) -> None:
    runtime = {"RUNTIME_DIRECTORY": "/run/edged-kitchen:/run/other", "XDG_RUNTIME_DIR": "/x"}
    assert control.places(runtime) == (Path("/run/edged-kitchen/control"),)
    assert control.find({}) == control.SYSTEM
    beyond = "/" + 300 * "x"
    assert control.find({"RUNTIME_DIRECTORY": beyond}) == Path(beyond, "control"), "no look at it"
    user = {"XDG_RUNTIME_DIR": str(tmp_path)}
    if os.geteuid() == 0:
        assert control.places(user) == (control.SYSTEM,)
    else:
        assert control.places(user) == (tmp_path / "edged/control", control.SYSTEM)
