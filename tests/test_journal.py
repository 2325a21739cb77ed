"""The journal: structured entries for journald, readable lines for everyone else."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from edged import journal
from edged.core.commands import Fact, Note, note, warn

from .journals import may_mount

# What people's filters and the catalogue rely on: a line may be added here, none may change.
PINNED = {
    Fact.STARTED: "3726036098594dc9a2d33a67856b8179",
    Fact.NOT_STARTED: "c0ca5d3233b74d91ac9051ac30381318",
    Fact.RELOADED: "c1f280764af04a7d932e7ae9f2c2101a",
    Fact.RELOAD_REFUSED: "96e00cb250674478a415fe84770e56d8",
    Fact.STOPPED: "8aa0178ac738486cb1fabee0d4b4eed8",
    Fact.BROKEN: "18fc830076ad4bb59adb6acbf6671566",
    Fact.HEARTBEAT: "94d7dc1fcb964cd1899f0dd09e594ee5",
    Fact.KEY_EXPOSED: "5be1a4d12cc04cb796abe7da86940be9",
    Fact.PART_MISSING: "223c56b1cda0466b9d4392a53a48e8ce",
    Fact.PART_FOUND: "274ba1bed62a4144b4b3a1948b342748",
    Fact.PART_STUCK: "20708a501b9f45e5848199c1fb61b928",
    Fact.WOKEN: "b3f4bdc750de4a91affeff632cac633f",
    Fact.FALSE_WAKE: "c41053d540cd42a799d5222ef5ee1e1a",
    Fact.WAKE_NEARLY_HEARD: "54203598b9d4475d9d8b3ee076ec1a2e",
    Fact.CONNECTED: "713c29a7e66444faa586afe3ba6610ce",
    Fact.SESSION_ENDED: "03af8f4c2f2544db849ddc0072061872",
    Fact.TURN_ENDED: "e52b111ac24948c4821e51685aa4bfea",
    Fact.INTERRUPTED: "91de4e77b1e04224b0c7025613277bba",
    Fact.TROUBLE: "e65d096f94d74516a40f8d5d9028e5f2",
    Fact.REQUEST_REFUSED: "6bd833ffa1a34e1b8d58e8aebc1544cd",
    Fact.NOT_UNDERSTOOD: "8f0d3c1b6f6e4f0fa2d9c7c7d1f5b0e3",
    Fact.NOT_SAVED: "790b530c2e524210b09f4cbfcd587c94",
    Fact.MUTED: "b2a7179e8b63404caf5d5cabdfdbc407",
    Fact.UNMUTED: "6c435728884a415e8935ebbe7e12f39b",
    Fact.VOLUME_CHANGED: "812331602bb4455e853ed3b9b91db754",
    Fact.MICROPHONE_OPENED: "6acac86664ed4469bff24f7d2a3d1ad4",
    Fact.MICROPHONE_LOST: "5a92000dde4e4336b9d6a2fea0fde456",
    Fact.SPEAKER_OPENED: "e7e87a7e934145cc98ca56c64b55fa24",
    Fact.SPEAKER_LOST: "b0770399d5b643558d7bd413b65ed4b3",
    Fact.SOUND_DROPPED: "f38efc85073f429e9ef0bd8e5d8cf367",
    Fact.GAP_HEARD: "e79cc997d6bd4f5396bedb45fe4c1252",
    Fact.ECHO_CHOSEN: "cd46ac795eb644168632105a5d5ccb4f",
    Fact.ECHO_MEASURED: "1ed7e0b940e74b22812f6f574f5ad55d",
    Fact.SPEECH_DOUBTED: "3c2eb9e2c8584b42b8f878e24c7ec62a",
    Fact.SESSION_LIMITED: "93ca51bc3ded4a20bf96fe0e3283522b",
    Fact.RECONNECTING: "34f8594bfee34e0ca7c3ee17d492e419",
    Fact.ROTATED: "95ae47403386411795a675d7b2632766",
    Fact.STOOD_BY: "5ad41f9cfc4e4eaa994ffb063116d069",
    Fact.RECALLED: "9943da3a47c1465d9930f992d1680694",
    Fact.SPENDING_WARNED: "8202af98bdb644a597e656c81de70fd8",
    Fact.PRICE_UNKNOWN: "d079c3c0b5ed4a4d8ebb1b695e57440b",
    Fact.RANG: "475ecea2e1494c3686abab21c8301994",
    Fact.ANNOUNCED: "dd3cd3d7e5824925ba72fd01fbf31c7b",
    Fact.TOOL_CALLED: "9dc06a347ffa439ba6ba1e4588649470",
    Fact.APPROVAL_ASKED: "fd457956a90e4ca787623311a21c417d",
    Fact.APPROVAL_DECIDED: "b3e57b9db3f44747b60b9b51b8f54324",
    Fact.TOOLS_OFFERED: "e5df6a059de6404892ced8a8cc0f418f",
    Fact.TOOLS_LOST: "d16e11c16fd04404807a0a89a3af38ec",
    Fact.STATE_CHANGED: "cbaaa2b70e134ff6ab4811855c34e1ab",
    Fact.TRANSCRIPT: "725f81c18e154440ba2743137e42ac2e",
}
TURN = note(Fact.TURN_ENDED, "answered", session="sess_1", turn=3, first_audio_ms=412.5)


def test_every_kind_of_entry_has_one_name_of_its_own_and_keeps_it() -> None:
    assert dict(journal.MESSAGE_IDS) == PINNED
    assert set(journal.MESSAGE_IDS) == set(Fact)
    assert len(set(PINNED.values())) == len(PINNED)
    for name in PINNED.values():
        assert len(name) == 32
        assert int(name, 16)
        assert name == name.lower()


def test_an_entry_carries_its_fields_to_journald() -> None:
    sent: list[bytes] = []
    told = journal.Journald(lambda *fields: sent.extend(fields))
    told.note(TURN, "speaking")
    assert sent == [
        b"MESSAGE=answered",
        b"MESSAGE_ID=" + PINNED[Fact.TURN_ENDED].encode(),
        b"PRIORITY=6",
        b"SYSLOG_IDENTIFIER=edged",
        b"EDGED_FACT=turn_ended",
        b"EDGED_STATE=speaking",
        b"EDGED_SESSION=sess_1",
        b"EDGED_TURN=3",
        b"EDGED_FIRST_AUDIO_MS=412.5",
    ]


@pytest.mark.parametrize(
    ("told", "priority"),
    [
        (warn(Fact.BROKEN, "edged ends"), 2),
        (warn(Fact.TROUBLE, "trouble: network"), 3),
        (warn(Fact.NOT_STARTED, "a mistake"), 3),
        (warn(Fact.SOUND_DROPPED, "too slow"), 4),
        (warn(Fact.REQUEST_REFUSED, "refused"), 4),
        (note(Fact.REQUEST_REFUSED, "refused, as happens"), 6),
        (note(Fact.WOKEN, "woken"), 5),
        (note(Fact.TURN_ENDED, "turn 1"), 6),
        (note(Fact.STATE_CHANGED, "asleep"), 7),
    ],
)
def test_an_entry_has_the_priority_that_fits_its_kind(told: Note, priority: int) -> None:
    sent: list[bytes] = []
    journal.Journald(lambda *fields: sent.extend(fields)).note(told, "asleep")
    assert b"PRIORITY=%d" % priority in sent


def test_no_warning_is_told_as_less_and_nothing_else_hides_from_a_plain_look() -> None:
    """`journalctl -p warning` shows every warning; only steps of the state are below info."""
    for fact in Fact:
        assert journal.priority(warn(fact, "")) <= journal.Priority.WARNING
        debug = journal.priority(note(fact, "")) is journal.Priority.DEBUG
        assert debug is (fact is Fact.STATE_CHANGED)


def test_what_to_do_stands_in_the_message() -> None:
    """A plain `journalctl` shows no other field."""
    sent: list[bytes] = []
    fields = {"trouble": "key", "detail": "401: no such key", "advice": "put a key there"}
    told = Note(Fact.TROUBLE, "trouble: key", fields, warning=True)
    journal.Journald(lambda *fields: sent.extend(fields)).note(told, "trouble")
    assert sent[0] == b"MESSAGE=trouble: key; 401: no such key; put a key there"
    assert b"EDGED_ADVICE=put a key there" in sent


def test_what_keeps_it_from_starting_is_one_entry() -> None:
    sent: list[bytes] = []
    journald = journal.Journald(lambda *fields: sent.extend(fields))
    mistakes = "/etc/edged/edged.toml:3: no such key\n/etc/edged/edged.toml:9: no number"
    assert journal.not_started(mistakes, "`edged check` reads it again", journald)
    assert [field.partition(b"=")[0] for field in sent].count(b"MESSAGE") == 1
    assert sent[0] == (
        b"MESSAGE=/etc/edged/edged.toml:3: no such key; /etc/edged/edged.toml:9: no number;"
        b" `edged check` reads it again"
    )
    assert b"MESSAGE_ID=" + PINNED[Fact.NOT_STARTED].encode() in sent


def test_where_there_is_no_journal_it_is_left_to_the_terminal() -> None:
    stream = io.StringIO()
    assert not journal.not_started("a mistake", "mend it", journal.Lines(stream))
    assert stream.getvalue() == ""


def test_small_money_is_not_told_in_powers_of_ten() -> None:
    sent: list[bytes] = []
    told = journal.Journald(lambda *fields: sent.extend(fields))
    told.note(note(Fact.TURN_ENDED, "answered", cost_usd=0.00004, whole=2.0), "asleep")
    assert b"EDGED_COST_USD=0.00004" in sent
    assert b"EDGED_WHOLE=2" in sent


def test_what_a_provider_says_can_neither_forge_a_field_nor_drive_a_terminal() -> None:
    sent: list[bytes] = []
    stream = io.StringIO()
    nasty = warn(Fact.TROUBLE, "gone\nPRIORITY=0", detail="\x1b[2J\udc80 für")
    journal.Journald(lambda *fields: sent.extend(fields)).note(nasty, "trouble")
    journal.Lines(stream).note(nasty, "trouble")
    assert sent[0] == "MESSAGE=gone\\nPRIORITY=0; \\x1b[2J\\udc80 für".encode()
    assert sent[-1] == "EDGED_DETAIL=\\x1b[2J\\udc80 für".encode()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue()[:-1].isprintable()


def test_a_journald_that_is_gone_or_full_does_not_end_the_evening() -> None:
    def refuse(*fields: bytes) -> None:
        raise OSError(105, "No buffer space available")

    journal.Journald(refuse).note(TURN, "speaking")


def test_a_journald_that_stands_still_holds_up_nobody(tmp_path: Path) -> None:
    """As while the card that it writes to does: what it does not take is lost, the rest told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(tmp_path / "socket"))
        hung = journal.Journald(partial(journal.send, to=str(tmp_path / "socket")))
        for _ in range(2000):
            hung.note(TURN, "speaking")
        assert b"MESSAGE=answered\n" in journald.recv(65536)


def test_a_text_without_end_is_cut_and_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(tmp_path / "socket"))
        journald.settimeout(10)
        told = journal.Journald(partial(journal.send, to=str(tmp_path / "socket")))
        told.note(warn(Fact.NOT_STARTED, "é" * 500_000, advice="mend it"), "starting")
        heard = journald.recv(1 << 20)
    assert heard.startswith("MESSAGE=éé".encode())
    assert b"\nEDGED_ADVICE=mend it\n" in heard


def test_a_line_has_time_state_message_and_fields() -> None:
    stream = io.StringIO()
    told = journal.Lines(stream, lambda: datetime(2026, 2, 3, 4, 5, 6, 789_000))
    told.note(TURN, "speaking")
    told.note(warn(Fact.MUTED, "muted"), "muted")
    assert stream.getvalue().splitlines() == [
        "04:05:06.789 speaking   answered [session=sess_1 turn=3 first_audio_ms=412.5]",
        "04:05:06.789 muted      ! muted",
    ]


def test_a_terminal_that_has_gone_does_not_end_the_evening() -> None:
    stream = io.StringIO()
    stream.close()
    journal.Lines(stream).note(TURN, "speaking")


def test_a_reader_that_has_left_the_pipe_does_not_end_the_evening() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    # Without a buffer nothing is left to be written when it is closed.
    with io.TextIOWrapper(io.FileIO(writer, "w"), write_through=True) as stream:
        journal.Lines(stream).note(TURN, "speaking")


def test_stderr_that_leads_to_journald_gets_entries(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as stream:
        status = os.fstat(stream.fileno())
        here = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert isinstance(journal.open(here, stream), journal.Journald)


def test_a_shell_started_by_a_service_still_gets_lines(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as stream:
        inherited = {"JOURNAL_STREAM": "8:12345", "INVOCATION_ID": "f" * 32}
        assert isinstance(journal.open(inherited, stream), journal.Lines)
        assert isinstance(journal.open({}, stream), journal.Lines)
    assert isinstance(journal.open({}, io.StringIO()), journal.Lines)


JOURNALD = shutil.which("systemd-journald", path="/lib/systemd:/usr/lib/systemd")
own_mounts = pytest.mark.skipif(not may_mount(), reason="needs a mount namespace of its own")


@own_mounts
def test_what_reaches_a_real_journal_socket(tmp_path: Path) -> None:
    """The native protocol as libsystemd speaks it: a stand-in for journald hears every field."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(tmp_path / "socket"))
        journald.settimeout(10)
        speaker = textwrap.dedent(
            """
            import os, sys
            from edged import journal
            from edged.core.commands import Fact, note
            status = os.fstat(2)
            told = journal.open({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
            told.note(note(Fact.WOKEN, "woken by hey jarvis", word="hey jarvis"), "waking")
            """
        )
        # /run is covered first, so that the machine's own journal is neither needed nor reached.
        house = (
            "mount -t tmpfs none /run && mkdir -p /run/systemd/journal"
            ' && mount --bind "$1" /run/systemd/journal && exec "$2" -c "$3"'
        )
        arguments = ["sh", str(tmp_path), sys.executable, speaker]
        subprocess.run(["unshare", "-m", "sh", "-c", house, *arguments], check=True)
        heard = journald.recv(65536).splitlines()
    assert b"MESSAGE=woken by hey jarvis" in heard
    assert b"MESSAGE_ID=" + PINNED[Fact.WOKEN].encode() in heard
    assert b"EDGED_STATE=waking" in heard
    assert b"EDGED_WORD=hey jarvis" in heard
    assert b"SYSLOG_IDENTIFIER=edged" in heard


@own_mounts
@pytest.mark.skipif(JOURNALD is None, reason="needs systemd's journald")
def test_a_real_journald_has_one_entry_of_what_keeps_it_from_starting(tmp_path: Path) -> None:
    """As the service manager starts it: systemd's own journald, a configuration with mistakes."""
    configuration = tmp_path / "edged.toml"
    configuration.write_text('[sound]\nframe_ms = 5\n[session]\nvoise = "ash"\n')
    # /run and /var/log are covered first, so that the machine's own journal is not reached. What
    # $JOURNAL_STREAM says is the service manager's part; systemd-cat opens the stream.
    house = """
        mount -t tmpfs none /run && mount -t tmpfs none /var/log
        mkdir -p /run/systemd/journal /run/log/journal
        "$JOURNALD" speaker 2>/dev/null & journald=$!
        until [ -S /run/systemd/journal.speaker/stdout ]; do
            kill -0 $journald || exit 90
            sleep 0.02
        done
        ln -s ../journal.speaker/socket ../journal.speaker/stdout /run/systemd/journal/
        systemd-cat --identifier edged "$@" || status=$?
        journalctl --namespace speaker --sync
        journalctl --namespace speaker --identifier edged --output json
        kill $journald && wait
        exit ${status:-0}
    """
    started = textwrap.dedent(
        """
        import os, sys
        status = os.fstat(2)
        os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
        os.execv(sys.executable, [sys.executable, "-m", "edged", *sys.argv[1:]])
        """
    )
    edged = [sys.executable, "-c", started, "run", "--config", str(configuration)]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", textwrap.dedent(house), "sh", *edged],
        env={**os.environ, "JOURNALD": str(JOURNALD), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 90:
        pytest.skip("systemd's journald does not run here")
    assert done.returncode == 78, "EX_CONFIG: systemd does not try again"
    (entry,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert entry["MESSAGE_ID"] == PINNED[Fact.NOT_STARTED]
    assert entry["PRIORITY"] == "3"
    assert entry["_TRANSPORT"] == "journal"
    assert f"{configuration}:2: sound.frame_ms" in entry["MESSAGE"]
    assert f"{configuration}:4: session.voise" in entry["MESSAGE"]
    assert entry["MESSAGE"].endswith(entry["EDGED_ADVICE"])
