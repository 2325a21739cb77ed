"""What the service manager hears, on a real notification socket."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged import service


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A stand-in for systemd's end of the notification socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_the_manager_is_told_the_whole_life_of_the_speaker(manager: socket.socket) -> None:
    speaker = service.open()
    speaker.ready()
    speaker.status("asleep")
    speaker.alive()
    speaker.stopping()
    heard = [manager.recv(4096) for _ in range(4)]
    assert heard == [b"READY=1", b"STATUS=asleep", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_reload_is_told_with_the_time_that_the_manager_compares(manager: socket.socket) -> None:
    before = time.monotonic_ns() // 1000
    service.open().reloading()
    said = dict(word.split("=") for word in manager.recv(4096).decode().splitlines())
    assert said["RELOADING"] == "1"
    assert before <= int(said["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_a_reload_may_wait_for_the_end_of_a_conversation(manager: socket.socket) -> None:
    """Else systemd gives it as long as a start, and says that it failed."""
    speaker = service.Manager({"WATCHDOG_USEC": "6000000"})
    speaker.reloading()
    speaker.alive()
    speaker.watch(60.0)
    speaker.ready()
    speaker.alive()
    _, fed, patient, _, fed_again = (manager.recv(4096) for _ in range(5))
    assert fed == b"WATCHDOG=1\nEXTEND_TIMEOUT_USEC=6000000"
    assert patient == b"WATCHDOG_USEC=60000000\nEXTEND_TIMEOUT_USEC=60000000"
    assert fed_again == b"WATCHDOG=1"


def test_a_longer_patience_is_told_in_microseconds(manager: socket.socket) -> None:
    service.open().watch(1.5)
    assert manager.recv(4096) == b"WATCHDOG_USEC=1500000"


@pytest.fixture
def alarm() -> Iterator[None]:
    """Whatever is done with the alarm here, it rings for nobody later."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def stands_still(told: list[str]) -> bool:
    """Wait in vain for half a second; whether anybody was told of it meanwhile."""
    until = time.monotonic() + 0.5
    while not told and time.monotonic() < until:
        time.sleep(0.02)
    return bool(told)


@pytest.mark.timeout(0)  # pytest's own time-out is the same alarm.
@pytest.mark.usefixtures("alarm")
def test_a_loop_that_turns_no_more_is_told_of_just_before_the_end(manager: socket.socket) -> None:
    places: list[str] = []
    speaker = service.Manager({"WATCHDOG_USEC": "240000"})
    speaker.guard(places.append)
    assert not stands_still(places), "it has not begun to turn"
    for _ in range(5):
        speaker.turning()
        time.sleep(0.05)
    assert not places
    assert stands_still(places)
    speaker.turning()
    speaker.stopping()
    places.clear()
    assert not stands_still(places), "the end may take its time"


@pytest.mark.timeout(0)  # pytest's own time-out is the same alarm.
@pytest.mark.usefixtures("alarm")
def test_without_a_watchdog_nobody_minds_how_the_loop_turns() -> None:
    places: list[str] = []
    speaker = service.Manager({})
    speaker.guard(places.append)
    speaker.turning()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_status_stays_one_line(manager: socket.socket) -> None:
    service.open().status("trouble\nMAINPID=1")
    assert manager.recv(4096) == b"STATUS=trouble MAINPID=1"


@pytest.mark.parametrize("odd", ["a\0b", "\udcff"])
def test_what_no_manager_can_be_told_ends_nothing(manager: socket.socket, odd: str) -> None:
    """As the name of a file in another coding."""
    service.open().status(odd)
    service.open().ready()
    assert manager.recv(4096) == b"READY=1"


def test_nobody_listens_and_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    service.open().ready()


def test_a_manager_that_has_gone_does_not_end_the_speaker(
    manager: socket.socket, tmp_path: Path
) -> None:
    manager.close()
    (tmp_path / "notify").unlink()
    service.open().alive()


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "6000000"}, 6.0),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "6000000", "WATCHDOG_PID": str(os.getpid() + 1)}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_the_watchdog_waits(environment: dict[str, str], watchdog_s: float | None) -> None:
    assert service.Manager(environment).watchdog_s() == watchdog_s
