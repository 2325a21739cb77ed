"""Journal files as journald writes them, made of what the real core and the real driver tell."""

import functools
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edged import journal
from edged.core import commands as do
from edged.core import events as ev
from edged.core.assistant import Assistant
from edged.core.budget import Budget, Prices, Purse
from edged.core.commands import Fact, Note, note, warn
from edged.core.settings import Conversation
from edged.vitals import Vitals

from .script import WIRE_RATE, Evening

TOP = Path(__file__).parent.parent
CATALOGUE = TOP / "systemd" / "edged.catalog"
WRITER = shutil.which("systemd-journal-remote", path="/lib/systemd:/usr/lib/systemd")
LACKING = (
    "needs journalctl and Debian's package systemd-journal-remote"
    if WRITER is None or shutil.which("journalctl") is None
    else ""
)
"""Why no journal file can be written here; "" where it can."""
MACHINE = "0123456789abcdef0123456789abcdef"


class Book:
    """Takes entries as the driver sends them, and writes them into a journal file.

    What journald adds by itself is added here: the unit, the process, the boot, the time.
    """

    def __init__(self) -> None:
        self.now = time.time() - 3600
        """Seconds since 1970 at which the next entry is written."""
        self.boot = uuid.uuid4().hex
        self.journal = journal.Journald(self._send)
        self.sent: list[dict[str, str]] = []
        """Every entry's fields."""
        self._export: list[bytes] = []

    def note(self, told: Note, state: str = "asleep") -> None:
        """One entry of edged's."""
        self.journal.note(told, state)

    def _send(self, *fields: bytes) -> None:
        self.sent.append(dict(field.decode().split("=", 1) for field in fields))
        added = {
            "__REALTIME_TIMESTAMP": round(self.now * 1e6),
            "__MONOTONIC_TIMESTAMP": round(self.now * 1e6) % 10**12,
            "_BOOT_ID": self.boot,
            "_MACHINE_ID": MACHINE,
            "_HOSTNAME": "pi",
            "_TRANSPORT": "journal",
            "_SYSTEMD_UNIT": "edged.service",
            "_PID": 321,
            "_UID": 990,
            "_COMM": "edged",
        }
        trusted = [f"{name}={value}".encode() for name, value in added.items()]
        self._export.append(b"\n".join((*trusted, *fields)) + b"\n\n")

    def write(self, file: Path) -> Path:
        """All of it as a journal file, by systemd's own writer."""
        assert WRITER is not None
        export = file.with_suffix(".export")
        export.write_bytes(b"".join(self._export))
        command = [WRITER, "--output", str(file), str(export)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return file


class _Telling(Assistant):
    """The real core; what it tells is written down, with the state as the runner gives it."""

    tell: Callable[[Note, str, float], None]

    def handle(self, event: ev.Event, now: float) -> list[do.Command]:
        commands = super().handle(event, now)
        for command in commands:
            if isinstance(command, Note):
                self.tell(command, self.state.value, now)
        return commands


class Told(Evening):
    """An evening whose journal is written into a book."""

    def __init__(self, book: Book, policy: Conversation | None = None) -> None:
        super().__init__(policy, echo="canceller")
        purse = Purse(Prices(), Budget(day_usd=0.05), "gpt-realtime")
        began, zero = book.now, self.now

        def tell(told: Note, state: str, now: float) -> None:
            book.now = began + now - zero
            book.note(told, state)

        self.speaker = _Telling(
            self.policy, wire_rate=WIRE_RATE, barge_in=self.barge_in, guarded=True, purse=purse
        )
        self.speaker.tell = tell


def _conversation(evening: Told) -> None:
    """Two turns, the first with a tool, the second interrupted; then somebody says stop."""
    evening.feed(ev.WakeNearlyHeard("hey_jarvis", 0.41))
    evening.wakes()
    evening.passes(0.4)
    evening.feed(ev.LinkAccepted("sess_1"), ev.LinkReady())
    evening.says()
    evening.feed(ev.UserText("user_1", "What time is it?"))
    evening.passes(0.6)
    evening.feed(ev.ReplyStarted("resp_0"), ev.ToolCalled("resp_0", "call_1", "clock", "{}"))
    evening.feed(ev.ReplyDone("resp_0"), ev.ToolFinished("call_1", "noon"))
    evening.answers(seconds=1.0)
    evening.feed(ev.SpeakerUnderran(41.7))
    evening.passes(1.2)
    evening.says(item="user_2")
    evening.passes(0.5)
    evening.answers("resp_2", item="item_2", seconds=5.0)
    evening.passes(1.0)
    evening.feed(ev.SpeechStarted("ghost"), ev.SpeechStopped("ghost"))
    evening.passes(0.5)
    evening.over_us = True
    evening.passes(0.5)
    evening.feed(ev.SpeechStarted("user_3"))
    evening.over_us = False
    evening.passes(0.6)
    evening.feed(ev.SpeechStopped("user_3"), ev.RequestRefused("code", "no such voice", False))
    evening.feed(ev.StopAsked())
    evening.feed(ev.LinkDown(None, "1000", "", dropped_samples=480, oddities="novelty: 2"))
    evening.feed(ev.EchoMeasured("speex", 24.4, -12.5))


def _long_conversation(told: Told) -> None:
    """The line breaks, the session grows old, money runs short and a timer rings."""
    told.wakes()
    told.feed(ev.LinkAccepted("sess_3"), ev.LinkReady(), ev.SessionLimited("no such voice"))
    told.feed(ev.ReplyStarted("resp_8"), ev.ApprovalAsked("resp_8", "mcpr_1", "calendar.add"))
    told.feed(ev.ReplyDone("resp_8"), ev.WakeAsked())
    told.says()
    told.answers()
    told.feed(ev.UserText("user_1", "What time is it?"))
    told.passes(1.0)
    told.feed(ev.LinkDown(ev.Trouble.NETWORK, "1006", "reset by peer", transient=True))
    told.passes(5.0)
    told.feed(ev.LinkAccepted("sess_4", lasts_s=60.0), ev.LinkReady())
    told.says(29.0, item="user_7")
    told.answers("resp_7", item="item_7", seconds=1.0)
    told.passes(4.0)
    told.feed(ev.ReplyDone("resp_9", usage=ev.Usage(audio_out=700)), ev.Rang("tea"))
    told.feed(ev.StopAsked())
    told.dozes(10.0)
    told.hangs_up()
    told.dozes(60.0)


def evening(book: Book) -> None:
    """Everything that can be told, and the core's part of it told by the core."""
    began = book.now
    book.note(note(Fact.STARTED, "edged 1.0"))
    book.note(warn(Fact.KEY_EXPOSED, "the key comes from the environment: others can read it"))
    book.note(warn(Fact.PART_MISSING, "lights: no GPIO here"))
    book.note(note(Fact.PART_FOUND, "apa102 is there now"))
    book.note(warn(Fact.PRICE_UNKNOWN, "the price of llama is not known", model="llama"))
    book.note(
        note(Fact.TOOLS_OFFERED, "the tool server pantry offers pantry_count", server="pantry")
    )
    book.note(warn(Fact.TOOLS_LOST, "the tool server pantry: it ended", server="pantry"))
    book.note(note(Fact.ECHO_CHOSEN, "echo: gate (speex: no library)", mode="gate"))
    told = Told(book, Conversation(journal_transcripts=True, warm="soon"))
    told.starts()
    told.passes(1.0)
    _conversation(told)
    told.passes(2.0)
    told.wakes()
    told.feed(ev.LinkAccepted("sess_2"), ev.LinkReady())
    told.dozes(60.0)
    told.hangs_up()
    told.feed(ev.MicOpened("microphone", 16_000), ev.VolumeTurned(1))
    told.passes(1.0)
    told.wakes()
    told.hangs_up(ev.Trouble.NETWORK, "", "no route to host")
    told.dozes(30.0)
    told.feed(ev.MicLost("microphone: no such device"))
    told.feed(ev.MicOpened("microphone", 16_000))
    told.passes(1.0)
    told.feed(ev.WakeNearlyHeard("hey_jarvis", 0.38))
    told.hangs_up()
    _long_conversation(told)
    told.feed(ev.SpeakerLost("speaker: no such device"))
    told.feed(ev.SpeakerOpened("speaker", 48_000, 20.0))
    told.feed(ev.MuteAsked(True), ev.MuteAsked(False))
    book.now = began + 600
    book.note(Vitals().note({"state": "asleep"}))
    book.note(note(Fact.RELOADED, "the new configuration is taken"))
    book.note(warn(Fact.RELOAD_REFUSED, "edged.toml:3: no such key"))
    book.note(note(Fact.ANNOUNCED, "announced by the box", voice="box"))
    book.note(warn(Fact.NOT_SAVED, "settings: no space left on device"))
    book.note(warn(Fact.PART_STUCK, "capture stands still", part="capture"))
    book.note(warn(Fact.BROKEN, "edged ends: PartBroken"))
    book.note(note(Fact.STOPPED, "stopped"))
    journal.not_started("edged.toml:3: no such key", "`edged check` reads it", book.journal)


@functools.cache
def an_evening() -> Book:
    """The evening, told once for all tests that only look into it."""
    book = Book()
    evening(book)
    return book


def may_mount() -> bool:
    """Whether this user may mount in a namespace of its own."""
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return done.returncode == 0


def catalogue(root: Path) -> Path:
    """The catalogue's database below `root`, made by journalctl; complaints are errors."""
    folder = root / "usr" / "lib" / "systemd" / "catalog"
    folder.mkdir(parents=True)
    shutil.copy(CATALOGUE, folder)
    journalctl(["--root", str(root), "--update-catalog"])
    database = root / "var" / "lib" / "systemd" / "catalog" / "database"
    assert database.is_file()
    return database


def journalctl(
    arguments: Sequence[str],
    database: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> str:
    """What it prints, in English and without a pager; explained from `database` if given."""
    command = ["journalctl", "--no-pager", *arguments]
    if database is not None:
        cover = 'mount --bind "$1" /var/lib/systemd/catalog && shift && exec "$@"'
        command = ["unshare", "-m", "sh", "-ec", cover, "sh", str(database.parent), *command]
    done = subprocess.run(
        command,
        env={**environment, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    return done.stdout
