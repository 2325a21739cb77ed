"""The appliance as those see it who live with it: its journal, pins, cards and service."""

import array
import contextlib
import json
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SHARE = Path("/mnt/host")
PINS = Path("/run/rig-pins")
BUTTON, SWITCH = 17, 5
RED, GREEN, BLUE, SENDING = 22, 23, 27, 24
CARDS = Path("/proc/asound")
_FOLLOWS = " -f"
PATIENCE_S = 60
LOUD = 500
"""Of 32767: less than a voice of the speaker's, more than its earcons."""
SOFT = 50
"""Less than an earcon, more than the loopback card's silence."""


def run(*command: str, ok: bool = True, within_s: float = 120) -> str:
    """What a command says."""
    done = subprocess.run(
        command, text=True, capture_output=True, check=False, timeout=within_s, errors="replace"
    )
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 0 or not ok, f"{' '.join(command)}: {done.returncode}: {said}"
    return said


def wait(what: str, found: Callable[[], T], within_s: float) -> T:
    """The first thing found that counts as true."""
    end = time.monotonic() + within_s
    while not (thing := found()):
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.1)
    return thing


# --- the journal -----------------------------------------------------------------------------

Entry = Mapping[str, str]


class Journal:
    """Every entry of the service and about it, as it comes."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._came = threading.Condition()
        command = ("journalctl", "--follow", "--no-tail", "--boot", "--output=json")
        about = ("_SYSTEMD_UNIT=edged.service", "+", "UNIT=edged.service", "_PID=1")
        self._follower = subprocess.Popen((*command, *about), stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        for line in self._follower.stdout or ():
            with self._came:
                self._entries.append(json.loads(line))
                self._came.notify_all()

    def __len__(self) -> int:
        return len(self._entries)

    def since(self, mark: int) -> list[Entry]:
        """The entries from the number `mark` on."""
        return self._entries[mark:]

    def wait(self, mark: int, within_s: float, **fields: str) -> Entry:
        """The first entry from the number `mark` on that has these fields."""
        end = time.monotonic() + within_s
        with self._came:
            while True:
                for entry in self._entries[mark:]:
                    if all(entry.get(name) == value for name, value in fields.items()):
                        return entry
                left = end - time.monotonic()
                seen = [entry.get("MESSAGE") for entry in self._entries[mark:]]
                assert left > 0, f"no entry {fields} within {within_s} s, but {seen}"
                self._came.wait(left)

    def fact(self, mark: int, fact: str, within_s: float = 20) -> Entry:
        """The first entry of this kind from the number `mark` on."""
        return self.wait(mark, within_s, EDGED_FACT=fact)

    def state(self, mark: int, state: str, within_s: float = 20) -> Entry:
        """The first time from the number `mark` on that the speaker comes to this state."""
        return self.wait(mark, within_s, EDGED_FACT="state_changed", MESSAGE=state)


def monotonic_s(entry: Entry) -> float:
    """When an entry was written, as time.monotonic counts."""
    return int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6


_kept: list[Journal] = []


def journal() -> Journal:
    """The journal of this start; there is one."""
    if not _kept:
        _kept.append(Journal())
    return _kept[0]


def recipe(part: str, **instead: str) -> str:
    """What a recipe of the README prints: the one with this in it, typed as it stands there.

    `instead` has names for those that stand there as examples.
    """
    (typed,) = (each for each in recipes() if part in each)
    for example, name in instead.items():
        typed = typed.replace(example, name)
    if typed.endswith(_FOLLOWS):
        return _first_line(typed)
    done = subprocess.run(("sh", "-c", typed), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), f"{typed}: {done.returncode}: {done.stderr}"
    return done.stdout.strip()


def _first_line(typed: str) -> str:
    """What a command prints first that does not come to an end by itself."""
    with subprocess.Popen(("sh", "-c", f"exec {typed}"), stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        try:
            return it.stdout.readline().strip()
        finally:
            it.terminate()


def recipes() -> list[str]:
    """Those of the README."""
    page = (SHARE / "checkout/README.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(journalctl .+?)` \|", page, re.MULTILINE)


# --- the service -----------------------------------------------------------------------------


def show(name: str, unit: str = "edged.service") -> str:
    """A property of a unit."""
    return run("systemctl", "show", "--value", f"--property={name}", unit)


def pid() -> int:
    """The service's process."""
    return int(show("MainPID"))


def start_took_s() -> float:
    """From exec to READY, of the latest start."""
    began, ready = (
        int(show(name))
        for name in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    )
    return (ready - began) / 1e6


def status() -> Mapping[str, object]:
    """What the speaker says of itself."""
    told: Mapping[str, object] = json.loads(run("edged", "status", "--json"))
    return told


def answers_on(port: int) -> bool:
    """Whether anybody answers there."""
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1):
        return True
    return False


def capture() -> str:
    """What the kernel says of the microphone's capture; `closed` when nobody has it."""
    try:
        return (CARDS / "card0/pcm1c/sub0/status").read_text().strip()
    except FileNotFoundError:
        return "no card"


def listens() -> bool:
    """Whether the service captures at this moment."""
    return "state: RUNNING" in capture() and show("ActiveState") == "active"


def forgive() -> None:
    """Let systemd forget the starts so far: after each it waits longer for the next."""
    run("systemctl", "reset-failed", "edged.service")


def settled() -> int:
    """Wait until it listens and nobody is on the line; a mark in the journal from there on."""
    wait("listening", listens, PATIENCE_S)
    # Two starts may lie behind: what it says itself counts, not the journal.
    wait("asleep", lambda: status()["state"] == "asleep", PATIENCE_S)
    return len(journal())


# --- pins ------------------------------------------------------------------------------------


def close_contact(pin: int, closed: bool) -> None:
    """Connect a pin with ground, or let it go."""
    (PINS / f"sim_gpio{pin}/pull").write_text("pull-down" if closed else "pull-up")


def press(held_s: float = 0.1) -> None:
    """Press the button once."""
    close_contact(BUTTON, closed=True)
    time.sleep(held_s)
    close_contact(BUTTON, closed=False)


def talk(meanwhile: Callable[[], object] = lambda: None) -> Entry:
    """Open a conversation with the button and end it with the button; how that went."""
    mark = settled()
    press()
    woken = journal().fact(mark, "woken")
    assert woken["EDGED_WORD"] == "button", woken["MESSAGE"]
    journal().state(mark, "listening", PATIENCE_S)
    meanwhile()
    time.sleep(0.5)
    press()
    ended = journal().fact(mark, "session_ended", PATIENCE_S)
    journal().state(mark, "asleep", PATIENCE_S)
    return ended


def lit(pin: int) -> bool:
    """Whether an output is high."""
    return (PINS / f"sim_gpio{pin}/value").read_text().strip() == "1"


Lamps = tuple[bool, bool, bool, bool]
"""Red, green, blue and the one for sending."""


class Lights:
    """Looks at the lamps' pins at uneven moments, as they are dimmed by being switched."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, Lamps]] = []
        self._end = threading.Event()
        self._eye = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._end.wait(random.uniform(0.004, 0.016)):
            lamps = lit(RED), lit(GREEN), lit(BLUE), lit(SENDING)
            self._seen.append((time.monotonic(), lamps))

    def __enter__(self) -> "Lights":
        self._eye.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._eye.join()

    def between(self, since_s: float, until_s: float) -> list[Lamps]:
        """What was seen from one moment to another."""
        return [lamps for at, lamps in self._seen if since_s <= at < until_s]


def share(seen: list[Lamps]) -> tuple[float, float, float, float]:
    """How often each lamp was seen lit, 0 to 1."""
    assert seen, "nobody looked"
    red, green, blue, sending = (sum(lamp) / len(seen) for lamp in zip(*seen, strict=True))
    return red, green, blue, sending


# --- sound -----------------------------------------------------------------------------------


def say(recording: Path) -> None:
    """Say something to the microphone, to its end."""
    run("aplay", "-q", "-D", "plughw:0,0", str(recording))


_RATE = 16_000
_PIECE = _RATE // 50


@contextmanager
def one_room() -> Iterator[None]:
    """The microphone hears the loudspeaker, as it does in a room; else the two are apart."""
    # As the speaker has its cards: whoever comes second to such a card takes what the first chose.
    form = ("-q", "-t", "raw", "-f", "S16_LE", "-r", "48000", "-B", "80000", "-F", "20000")
    ear = ("arecord", *form, "-c", "2", "-D", "plughw:1,1")
    mouth = ("aplay", *form, "-c", "2", "-D", "plughw:0,0")
    with (
        subprocess.Popen(ear, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as hearing,
        subprocess.Popen(mouth, stdin=hearing.stdout, stderr=subprocess.DEVNULL) as saying,
    ):
        try:
            yield
        finally:
            saying.terminate()
            hearing.terminate()


@contextmanager
def recorded(into: Path) -> Iterator[None]:
    """What the loudspeaker sounds, recorded meanwhile."""
    sound = ("-t", "raw", "-f", "S16_LE", "-r", str(_RATE), "-c", "1")
    recorder = subprocess.Popen(("arecord", "-q", "-D", "plughw:1,1", *sound, str(into)))
    try:
        yield
    finally:
        recorder.terminate()
        recorder.wait()


def sounding_s(recording: Path, above: int = LOUD) -> float:
    """For how long something sounds in it, by pieces of 20 ms."""
    samples = array.array("h", recording.read_bytes()[: recording.stat().st_size // 2 * 2])
    pieces = (samples[at : at + _PIECE] for at in range(0, len(samples), _PIECE))
    return sum(max(piece) > above for piece in pieces) * _PIECE / _RATE
