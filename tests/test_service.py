"""What the service manager hears, on a real notification socket."""

import os
import socket
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


def test_a_status_stays_one_line(manager: socket.socket) -> None:
    service.open().status("trouble\nMAINPID=1")
    assert manager.recv(4096) == b"STATUS=trouble MAINPID=1"


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
        ({"WATCHDOG_USEC": "6000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_the_watchdog_waits(environment: dict[str, str], watchdog_s: float | None) -> None:
    assert service.Manager(environment).watchdog_s() == watchdog_s
