"""Where the story is told: entries with fields for journald, or readable lines on stderr."""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import TextIO

from .core.commands import Fact, Note, warn
from .ports import Journal

MESSAGE_IDS: Mapping[Fact, str] = {
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
"""What names a kind of entry for ever: catalogues and people's own filters rely on it."""


class Priority(IntEnum):
    """How much an entry matters, as syslog(3) counts: the less, the more."""

    CRITICAL = 2
    """The speaker is gone, for a moment at least."""
    ERROR = 3
    """Something that its owner must see to."""
    WARNING = 4
    """It goes on, but not as it should."""
    NOTICE = 5
    """What anybody in the room would tell of the evening."""
    INFO = 6
    """What it did, and how well."""
    DEBUG = 7
    """Each step of it."""


PRIORITIES: Mapping[Fact, Priority] = {
    Fact.BROKEN: Priority.CRITICAL,
    **dict.fromkeys((Fact.TROUBLE, Fact.NOT_STARTED, Fact.RELOAD_REFUSED), Priority.ERROR),
    **dict.fromkeys((Fact.STARTED, Fact.STOPPED, Fact.RELOADED), Priority.NOTICE),
    **dict.fromkeys((Fact.WOKEN, Fact.SESSION_ENDED, Fact.GAP_HEARD), Priority.NOTICE),
    **dict.fromkeys((Fact.APPROVAL_ASKED, Fact.APPROVAL_DECIDED), Priority.NOTICE),
    **dict.fromkeys((Fact.MUTED, Fact.UNMUTED), Priority.NOTICE),
    Fact.STATE_CHANGED: Priority.DEBUG,
}
"""Of every kind that is not told as info; none that warns is told as less than a warning."""


_LONGEST = 16_384
"""Letters of a field: three of such, with letters of four bytes, still are one datagram."""


def priority(note: Note) -> Priority:
    """How much this entry matters."""
    usual = PRIORITIES.get(note.fact, Priority.INFO)
    return min(usual, Priority.WARNING) if note.warning else usual


def send(*fields: bytes, to: str = "/run/systemd/journal/socket") -> None:
    """Hand journald one entry's fields, each as NAME=VALUE without a line's end, at once or not.

    Journald's native protocol is a datagram with a line for each. libsystemd's own function waits
    for a journald that is behind, as on a card that is busy, and every thread of ours with it.
    Raises OSError for an entry that is not taken.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
        line.sendto(b"\n".join(fields) + b"\n", to)


class Journald:
    """Writes structured entries: EDGED_FACT, EDGED_STATE and a field EDGED_NAME per field."""

    def __init__(self, send: Callable[..., None] = send) -> None:
        """`send` as the function of that name."""
        self._send = send

    def note(self, note: Note, state: str) -> None:
        """Write one entry; one that journald does not take is lost."""
        fields = {
            "MESSAGE": _story(note),
            "MESSAGE_ID": MESSAGE_IDS[note.fact],
            "PRIORITY": str(priority(note)),
            "SYSLOG_IDENTIFIER": "edged",
            "EDGED_FACT": note.fact,
            "EDGED_STATE": state,
        }
        fields |= {f"EDGED_{name.upper()}": written(value) for name, value in note.fields.items()}
        texts = (f"{name}={printable(value)[:_LONGEST]}" for name, value in fields.items())
        try:
            self._send(*(text.encode() for text in texts))
        except OSError:
            # There is nobody left to tell, and a speaker that cannot write still speaks.
            return


class Lines:
    """Writes one readable line per entry: time, state, message, fields."""

    def __init__(
        self,
        stream: TextIO | None = None,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        """None stands for stderr."""
        self._stream = stream or sys.stderr
        self._now = now

    def note(self, note: Note, state: str) -> None:
        """Write one line; one that the stream does not take is lost."""
        time = self._now().strftime("%H:%M:%S.%f")[:-3]
        fields = "".join(f" {name}={written(value)}" for name, value in note.fields.items())
        mark = "! " if priority(note) <= Priority.WARNING else ""
        line = printable(
            f"{time} {state:<10} {mark}{note.message}" + (fields and f" [{fields[1:]}]")
        )
        try:
            print(line, file=self._stream, flush=True)
        except (OSError, ValueError):
            # ValueError: the stream is closed. See above.
            return


def open(environment: Mapping[str, str] = os.environ, stream: TextIO | None = None) -> Journal:
    """Journald where `stream` (None: stderr) leads to it, as systemd.exec(5) says; else lines."""
    stream = stream or sys.stderr
    return Journald() if _leads_there(environment, stream) else Lines(stream)


def not_started(problem: str, hint: str, told: Journal | None = None) -> bool:
    """Tell in one entry why nothing starts; False: there is no journal, only a terminal.

    `problem` may have several lines. None stands for the journal that `open` finds.
    """
    told = told or open()
    if isinstance(told, Lines):
        return False
    mistakes = "; ".join(line.strip() for line in problem.splitlines())
    told.note(warn(Fact.NOT_STARTED, mistakes, advice=hint), "starting")
    return True


def _leads_there(environment: Mapping[str, str], stream: TextIO) -> bool:
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    # Programs started from a service's shell inherit the variable but not the stream.
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _story(note: Note) -> str:
    """The message and what it lacks to be understood: `journalctl` shows nothing else unasked."""
    more = [str(note.fields.get(name, "")) for name in ("detail", "advice")]
    return "; ".join(part for part in (note.message, *more) if part)


def written(value: str | float) -> str:
    """Numbers as people and `jq` read them: no exponent, microseconds and millionths at most."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def printable(text: str) -> str:
    """`text` on one line, what a terminal would obey escaped: much of it comes from afar."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
