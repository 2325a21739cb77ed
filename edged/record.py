"""Recordings of what happened and when, without sound and without words: a report to be replayed.

A recording is a text file with one JSON object a line. The first is the `Header`: the format, and
what the core was made with. Every other is an event, with the time the core was given:

    {"t": 812.402375, "event": "ReplyText", "reply": "r1", "item": "i1", "text": 42, ...}

Fields have the names they have in `core.events`. Samples stand as their length in bytes, what was
said as its length in characters with the flags derived from it (`is_question`). Of the clean sound
of a frame there are its length, the driver's score (null: nothing of ours sounded), what the echo
lost in dB, and the length of its noise. A replay puts silence and dots in their place, and as the
core looks into neither, the same commands come out.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from math import floor, inf, isfinite
from pathlib import Path
from typing import Any, BinaryIO, get_args

import msgspec

from .core import events as ev
from .core.budget import Budget, Prices
from .core.frames import Cleaned
from .core.gestures import Bindings
from .core.settings import BargeIn, Conversation, Gestures, History, Volume
from .key import blotted

FORMAT = 1
_LONGEST_LINE = 1 << 20
_LONGEST_FIELD = 1 << 26
_LONGEST_NUMBER = 300
"""Digits; a whole number of more has no float beside it."""
_LATEST_S = 1e10
"""Three centuries; a clock far beyond has no room for a moment later, and no timer would end."""

_HIGHEST_SCORE = 1e6

_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(ev.Event)}
LENGTH_ONLY: Mapping[type, str] = {
    ev.MicFrame: "samples",
    ev.ReplyAudio: "samples",
    ev.UserText: "text",
    ev.ReplyText: "text",
    ev.ReplyWords: "text",
    ev.ToolCalled: "arguments",
    ev.ToolFinished: "output",
    # The provider's own words about what was said to it.
    ev.ReplyDone: "detail",
    ev.RequestRefused: "message",
    ev.Rang: "name",
    ev.SayAsked: "words",
}
"""The field of each kind of event that may carry what was said or heard."""
_FIELDS = {kind: tuple(each.name for each in fields(kind)) for kind in _KINDS.values()}


class Unreadable(Exception):
    """A file that cannot be replayed, or not to its end; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Header:
    """What the core was made with, and how the recording came to be."""

    conversation: Conversation
    volume: Volume
    gestures: Gestures
    bindings: Mapping[str, Bindings]
    wire_rate: int
    edged: str
    """The version that wrote it."""
    barge_in: BargeIn = BargeIn()  # noqa: RUF009
    history: History = History()  # noqa: RUF009
    prices: Prices = Prices()  # noqa: RUF009
    budget: Budget = Budget()  # noqa: RUF009
    model: str = ""
    transcription: str = ""
    by_minute: bool = False
    """Whether an open line costs, as the provider's dialect knows."""
    detects_turns: bool = True
    """Whether the provider hears when somebody has finished, as its dialect knows."""
    guarded: bool = False
    """Whether an answer stops only when our own gate has heard somebody too."""
    edged_recording: int = FORMAT
    why: str = ""
    """What had failed; "" for a recording that was asked for."""
    cut: bool = False
    """The beginning is missing: what the speaker knew when this begins is not known."""

    def line(self) -> bytes:
        """The first line of the file."""
        return as_json(msgspec.to_builtins(self)).encode() + b"\n"


# --- a line -------------------------------------------------------------------------------


def told(thing: Any) -> dict[str, Any]:
    """The fields of an event, of a command that a replay gave, or of a dataclass inside one.

    None carries what was said: the texts of a replay are dots already.
    """
    kind = type(thing)
    shown = {each: getattr(thing, each) for each in _FIELDS.get(kind) or _names(kind)}
    if hidden := LENGTH_ONLY.get(kind):
        shown[hidden] = len(shown[hidden])
    elif isinstance(shown.get("samples"), bytes):
        shown["samples"] = len(shown["samples"])
    if kind is ev.ReplyText:
        shown["is_question"] = thing.is_question
    if kind is ev.MicFrame:
        # Fifty of these come every second: no more digits than tell anything.
        shown |= {"level": round(thing.level, 1), "clean": _figures(thing.clean)}
        shown = {name: value for name, value in shown.items() if value is not None}
    return shown


def _figures(clean: Cleaned | None) -> Sequence[float | None] | None:
    """Of clean sound [bytes, score, dB, bytes]; the score is rounded down, for 1 decides.

    JSON knows no infinity: null stands for it.
    """
    if clean is None:
        return None
    score = floor(min(clean.score, _HIGHEST_SCORE) * 1000) / 1000 if isfinite(clean.score) else None
    return [len(clean.samples), score, round(clean.erle_db, 1), len(clean.noise)]


def encode(event: ev.Event, now: float, secret: str = "") -> bytes:
    """One line; the key `secret` is blotted out wherever it stands."""
    line = {"t": now, "event": type(event).__name__} | told(event)
    if secret and type(event) is not ev.MicFrame:
        line |= {n: blotted(v, secret) for n, v in line.items() if isinstance(v, str)}
    return as_json(line).encode() + b"\n"


def decode(line: bytes) -> tuple[float, ev.Event]:
    """The time and the event of one line.

    Raises `ValueError` for a line that is none, `LookupError` for an event nobody knows here.
    """
    given = json.loads(line, parse_int=_counted)
    if not isinstance(given, dict) or not isinstance(given.get("t"), float):
        raise ValueError("it is no event with a time")  # noqa: TRY004
    if given["t"] > _LATEST_S:
        raise ValueError("its time is beyond every clock")
    kind = _KINDS[str(given.get("event"))]
    question = bool(given.pop("is_question", False))
    hidden = LENGTH_ONLY.get(kind)
    length = given.pop(hidden, None) if hidden else 0
    if type(length) is not int or not 0 <= length <= _LONGEST_FIELD:
        raise ValueError(f"{hidden} has no length")
    clean = _cleaned(given.pop("clean", None))
    event: Any = msgspec.convert(given | ({hidden: ""} if hidden else {}), kind)
    if hidden == "samples":
        event = replace(event, samples=bytes(length), **({"clean": clean} if clean else {}))
    elif hidden:
        event = replace(event, **{hidden: "·" * (length - question) + "?" * question})
    return given["t"], event


def _cleaned(told: Any) -> Cleaned | None:
    """Silence with what the echo driver thought of it, from [bytes, score, dB, bytes]."""
    if told is None:
        return None
    size, score, erle_db, noise = msgspec.convert(told, tuple[int, float | None, float, int])
    if not (0 <= size <= _LONGEST_FIELD and 0 <= noise <= _LONGEST_FIELD):
        raise ValueError("its clean sound has no length")
    return Cleaned(bytes(size), inf if score is None else score, erle_db, bytes(noise))


def _counted(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("a number in it is larger than anything that can be counted")
    return int(digits)


def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def as_json(fields: Mapping[str, Any]) -> str:
    """Fields, dataclasses among them, as one line of ASCII."""
    return _ENCODER.encode(fields)


# Of the standard library: what a device is called need not be valid Unicode.
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=asdict)


# --- a file -------------------------------------------------------------------------------


class Recording:
    """A recording to be read; every error says what to do."""

    def __init__(self, file: Path) -> None:
        """Read the header; `Unreadable` when there is none."""
        self._file = file
        self.broken_off = False
        """Whether the last line was found half written; true only after reading."""
        with self._open() as stream:
            self.header = self._header(stream.readline(_LONGEST_LINE))

    def __iter__(self) -> Iterator[tuple[float, ev.Event]]:
        """The events in order with their times; `Unreadable` at the first damaged line."""
        with self._open() as stream:
            stream.readline(_LONGEST_LINE)
            last = float("-inf")
            for number, line in enumerate(iter(partial(stream.readline, _LONGEST_LINE), b""), 2):
                try:
                    now, event = decode(line)
                    if not now >= last:
                        raise ValueError("it is earlier than the line before")  # noqa: TRY301
                except LookupError as unknown:
                    raise self._damaged(number, f"there is no event {unknown} here") from unknown
                except (ValueError, RecursionError) as error:
                    if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                        self.broken_off = True
                        return
                    raise self._damaged(number, str(error)) from error
                last = now
                yield now, event

    def _open(self) -> BinaryIO:
        try:
            return self._file.open("rb")
        except OSError as error:
            hint = "name a file that `edged run --record` or the flight recorder has written"
            raise Unreadable(f"{self._file} cannot be read: {error.strerror}", hint) from error

    def _header(self, line: bytes) -> Header:
        ours = "a recording begins with the line that `edged run --record` writes first"
        if not line:
            raise Unreadable(f"{self._file} is empty", f"record again; {ours}")
        try:
            given = json.loads(line)
            if not isinstance(given, dict) or "edged_recording" not in given:
                raise ValueError("its first line is something else")  # noqa: TRY301
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{self._file} is no recording: {error}", ours) from error
        wrote = f"it was written by edged {given.get('edged')}"
        if given["edged_recording"] != FORMAT:
            format = f"format {given['edged_recording']}, and this edged reads format {FORMAT}"
            raise Unreadable(f"{self._file} has {format}", f"{wrote}: replay it with that one")
        try:
            header = msgspec.convert(given, Header)
        except (msgspec.ValidationError, ValueError) as error:
            hint = f"{wrote}: replay it with that one, or mend the line"
            raise Unreadable(f"{self._file}:1: {error}", hint) from error
        if header.wire_rate <= 0:
            raise Unreadable(f"{self._file}:1: its wire_rate is not above 0", f"{wrote}; {ours}")
        return header

    def _damaged(self, number: int, problem: str) -> Unreadable:
        wrote = f"written by edged {self.header.edged}"
        hint = f"what came before holds; the file is damaged, or was {wrote}: replay it with that"
        return Unreadable(f"{self._file}:{number}: {problem}", hint)


class Tape:
    """What `edged run --record` writes: every event from the start, each at once.

    At `limit` bytes, or when the disk takes no more, it stops, with one warning. An existing file
    is replaced. Raises `OSError` when the file cannot be written at all.
    """

    def __init__(
        self, file: Path, header: Header, warn: Callable[[str], None], limit: int = 256 << 20
    ) -> None:
        self._name = file
        self._file: BinaryIO | None = open(file, "wb", buffering=0, opener=_at_once)  # noqa: SIM115
        self._warn = warn
        self._left = limit
        self.write(header.line())

    def write(self, line: bytes) -> None:
        """Append a line."""
        if self._file is None:
            return
        if len(line) > self._left:
            self._stop("it is as long as it may be")
            return
        self._left -= len(line)
        try:
            written = self._file.write(line)
        except OSError as error:
            self._stop(str(error.strerror))
            return
        if written != len(line):
            self._stop("the disk is full, or the reader of a pipe too slow")

    def close(self) -> None:
        """Write nothing more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _stop(self, why: str) -> None:
        self.close()
        self._warn(f"the recording {self._name} ends here: {why}; the speaker goes on")


def _at_once(name: str, flags: int) -> int:
    # A pipe that nobody reads, or not fast enough, must not hold up the speaker.
    return os.open(name, flags | os.O_NONBLOCK, 0o666)
