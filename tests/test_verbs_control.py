"""What is typed to a speaker that runs: `edged status`, `wake`, `mute`, `watch` and the like."""

import asyncio
import contextlib
import io
import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from edged import cli, control, schema
from edged.control import Request
from edged.core.commands import Fact, note, warn
from edged.verbs import _news, listen, watch
from edged.verbs._news import Entry, Now
from edged.verbs._screen import console

from .closed import closed
from .journals import Book

STATUS: dict[str, Any] = {
    "state": "asleep",
    "microphone_dbfs": -41.5,
    "volume_db": -12.0,
    "uptime_s": 3725.2,
    "session": None,
    "last_turn": {"turn": 2, "speech_end_to_first_audio_ms": 640},
    "wake": {"engine": "openwakeword"},
}
NOTE = {
    "time": 1_795_000_000.0,
    "fact": "woken",
    "message": "woken by shell",
    "state": "waking",
    "warning": False,
    "fields": {"word": "shell"},
}
NOW = {
    "state": "listening",
    "light": "#0073b2",
    "sending": True,
    "microphone_dbfs": -30.0,
    "speaker_dbfs": -24.5,
    "volume_db": -12.0,
    "scores": {"hey_jarvis": 0.25},
    "thresholds": {"hey_jarvis": 0.5},
    "of_a_newer_speaker": 1,
}


class Speaker:
    """Answers on a socket; commands are typed while it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[Request] = []
        self.news: list[Mapping[str, object]] = [{"note": NOTE}, {"now": NOW}]

    def handle(self, request: Request) -> Mapping[str, object] | control.News:
        self.asked.append(request)
        return self.tell() if request.verb == "watch" else STATUS

    async def tell(self) -> control.News:
        for each in self.news:
            yield each
        while self.news:
            yield self.news[-1]
            await asyncio.sleep(0.02)

    def type(self, *words: str) -> int:
        async def story() -> int:
            async with control.serve(self.path, self.handle):
                return await asyncio.to_thread(cli.main, words)

        return asyncio.run(story())


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Speaker:
    """A speaker whose machine has no configuration."""
    monkeypatch.setattr(schema, "FILE", tmp_path / "edged.toml")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    return Speaker(tmp_path / "run" / "control")


Stranger = Callable[..., int]


@pytest.fixture
def stranger(speaker: Speaker) -> Stranger:
    """Somebody else listens in the speaker's place: types words, and that is what they are told."""

    def type_(answer: str | bytes, *words: str) -> int:
        told = answer.encode() if isinstance(answer, str) else answer

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    with line:
                        line.recv(1000)
                        line.sendall(told + b"\n")

        speaker.path.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(speaker.path))
            listener.listen()
            thread = threading.Thread(target=serve)
            thread.start()
            try:
                return cli.main(words)
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    return type_


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("wake", Request("wake")),
        ("stop", Request("stop")),
        ("mute", Request("mute", on=True)),
        ("mute on", Request("mute", on=True)),
        ("mute off", Request("mute", on=False)),
        ("say Dinner is ready", Request("say", text="Dinner is ready")),
        ("say -- --help yourself", Request("say", text="--help yourself")),
    ],
)
def test_what_is_done_is_done_in_silence(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], typed: str, asked: Request
) -> None:
    assert speaker.type(*typed.split()) == 0
    assert speaker.asked == [asked]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("volume", Request("status")),
        ("volume +1", Request("volume", steps=1)),
        ("volume -3", Request("volume", steps=-3)),
        ("volume --db -18.5", Request("volume", db=-18.5)),
        ("volume --db 0", Request("volume", db=0.0)),
    ],
)
def test_the_volume_is_told_whatever_was_wished(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], typed: str, asked: Request
) -> None:
    assert speaker.type(*typed.split()) == 0
    assert speaker.asked == [asked]
    assert capsys.readouterr().out == "-12 dB\n"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("volume --db nan", "nan: a number from -60 to 0"),
        ("volume --db=-inf", "-inf: a number from -60 to 0"),
        ("volume --db loud", "loud: a number from -60 to 0"),
        ("volume --db 5", "5: a number from -60 to 0"),
        ("volume --db -60.5", "-60.5: a number from -60 to 0"),
        ("volume +9999", "+9999: up to 120 steps"),
        ("volume -121", "-121: up to 120 steps"),
        ("volume +" + 5000 * "1", ": up to 120 steps"),
        ("volume +-3", "+-3: up to 120 steps"),
        ("listen --seconds nan", "nan: a number of seconds, 0 or more"),
        ("listen --seconds inf", "inf: a number of seconds, 0 or more"),
        ("listen --seconds -1", "-1: a number of seconds, 0 or more"),
        ("listen --seconds long", "long: a number of seconds, 0 or more"),
    ],
)
def test_a_number_that_cannot_be_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], typed: str, told: str
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(typed.split())
    assert left.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["volume 3", "volume loud", "volume +1 --db -3", "mute maybe"])
def test_a_wish_that_could_mean_two_things_is_none(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(typed.split())
    assert left.value.code == 2
    assert "usage: edged" in capsys.readouterr().err


def test_a_text_can_come_through_a_pipe(speaker: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("It is raining.\n"))
    assert speaker.type("say") == 0
    assert speaker.asked == [Request("say", text="It is raining.")]


def test_an_empty_text_is_not_waited_for(speaker: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Somebody types on."))
    assert speaker.type("say", "") == 0
    assert speaker.asked == [Request("say", text="")]


def test_without_any_input_there_is_nothing_to_say(
    speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert speaker.type("say") == 0
    assert speaker.asked == [Request("say", text="")]


@pytest.mark.parametrize("words", [("say", "gr\udcfc\udcdf"), ("say",)])
def test_what_is_no_text_is_told(
    speaker: Speaker,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    """Typed or piped in another coding."""
    latin = io.TextIOWrapper(io.BytesIO(b"gr\xfc\xdf"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", latin)
    assert speaker.type(*words) == cli.FAILED
    assert "that is no text" in capsys.readouterr().err
    assert not speaker.asked


def test_status_in_words(speaker: Speaker, capsys: pytest.CaptureFixture[str]) -> None:
    assert speaker.type("status") == 0
    assert capsys.readouterr().out.splitlines() == [
        "state: asleep",
        "microphone: -41.5 dBFS",
        "volume: -12 dB",
        "uptime: 1:02:05",
        "session: -",
        "last turn:",
        "  turn: 2",
        "  speech end to first audio: 640 ms",
        "wake:",
        "  engine: openwakeword",
    ]


def test_the_status_drives_no_terminal(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STATUS, "session", {"session": "\x1b[2J"})
    assert speaker.type("status") == 0
    assert r"session: \x1b[2J" in capsys.readouterr().out


def test_status_for_programs(speaker: Speaker, capsys: pytest.CaptureFixture[str]) -> None:
    assert speaker.type("status", "--json") == 0
    assert json.loads(capsys.readouterr().out) == STATUS


def test_another_socket_on_the_command_line(speaker: Speaker, tmp_path: Path) -> None:
    speaker.path = tmp_path / "kitchen"
    assert speaker.type("wake", "--socket", str(speaker.path)) == 0
    assert speaker.asked == [Request("wake")]


def test_another_socket_in_the_configuration(speaker: Speaker, tmp_path: Path) -> None:
    speaker.path = tmp_path / "kitchen"
    schema.FILE.write_text(f'[control]\nsocket = "{speaker.path}"\n[wake]\ndriver = "nonsense"\n')
    assert speaker.type("wake") == 0
    assert speaker.asked == [Request("wake")]


def test_a_configuration_that_may_not_be_looked_at_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(schema, "FILE", folder / "edged.toml")
    monkeypatch.setattr(control, "SYSTEM", tmp_path / "nobody")
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with closed(folder):
        assert cli.main(["stop"]) == cli.FAILED
    assert f"{tmp_path}/nobody" in capsys.readouterr().err


def test_a_socket_in_the_configuration_may_be_in_ones_own_home(
    speaker: Speaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    speaker.path = tmp_path / "kitchen"
    schema.FILE.write_text('[control]\nsocket = "~/kitchen"\n')
    assert speaker.type("wake") == 0
    assert speaker.asked == [Request("wake")]


def test_a_socket_in_the_home_of_nobody_is_passed_over(speaker: Speaker) -> None:
    schema.FILE.write_text('[control]\nsocket = "~nosuch/kitchen"\n')
    assert speaker.type("wake") == 0


@pytest.mark.parametrize(
    "typed", ["wake", "stop", "status", "mute", "volume", "say hello", "listen"]
)
def test_nobody_is_at_home(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    assert cli.main(typed.split()) == cli.FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert "edged is not running" in said.err
    assert "sudo systemctl start edged" in said.err


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("volume", {}),
        ("volume", {"volume_db": "loud"}),
        ("watch", {"note": {}}),
        ("watch", {"note": [1]}),
        ("watch", {"note": NOTE | {"time": "noon"}}),
        ("watch", {"note": NOTE | {"time": 1e20}}),
        ("watch", {"note": NOTE | {"message": None}}),
        ("watch", {"now": NOW | {"scores": 3}}),
        ("watch --json", {"now": 1}),
        ("listen", {"note": {}}),
        ("listen", {"now": NOW | {"microphone_dbfs": "loud"}}),
    ],
)
def test_a_speaker_of_another_version_is_said_so(
    journal: Book,
    stranger: Stranger,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    answer: Mapping[str, object],
) -> None:
    assert stranger(json.dumps({"ok": True, **answer}), *typed.split()) == cli.FAILED
    said = capsys.readouterr().err
    assert "the answer is none of this edged's: " in said
    assert "sudo systemctl restart edged" in said


def test_a_speaker_of_another_version_is_not_asked_again_and_again(
    journal: Book,
    stranger: Stranger,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it begins with can be read."""
    monkeypatch.setattr(watch, "_AWAY_S", 1.0)
    answers = "\n".join(json.dumps({"ok": True, "note": note}) for note in (NOTE, {}))
    assert stranger(answers, "watch") == cli.FAILED
    said = capsys.readouterr()
    assert said.out.count("woken by shell") == 1
    assert "the answer is none of this edged's" in said.err


@pytest.mark.parametrize("answer", [b'{"ok":true,"state":"\xff"}', b'{"ok":', b"7", b""])
def test_who_answers_nothing_that_can_be_read_is_no_speaker(
    stranger: Stranger, capsys: pytest.CaptureFixture[str], answer: bytes
) -> None:
    assert stranger(answer, "status") == cli.FAILED
    assert "is no edged, or has just left" in capsys.readouterr().err


@pytest.mark.parametrize("depth", [25, 900, 10_000])
@pytest.mark.parametrize("typed", ["status", "status --json", "watch"])
def test_an_answer_that_is_nested_for_ever_is_none(
    journal: Book, stranger: Stranger, capsys: pytest.CaptureFixture[str], typed: str, depth: int
) -> None:
    answer = f'{{"ok":true,"now":{depth * "["}{depth * "]"}}}'
    assert stranger(answer, *typed.split()) == cli.FAILED
    assert "it is nested too deep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"ok": False, "error": "\x1b[2J", "hint": "\x07"}, "edged: \\x1b[2J\n(\\x07)\n"),
        ({"ok": False}, "edged: it says no, and not why\n(see journalctl -u edged)\n"),
        ({}, "neither yes nor no is said"),
        ({"ok": "\x1b[2J"}, "neither yes nor no is said"),
    ],
)
def test_a_no_drives_no_terminal_and_says_something(
    stranger: Stranger,
    capsys: pytest.CaptureFixture[str],
    answer: Mapping[str, object],
    told: str,
) -> None:
    assert stranger(json.dumps(answer), "wake") == cli.FAILED
    assert told in capsys.readouterr().err


def test_a_status_of_another_version_is_shown_as_it_is(
    stranger: Stranger, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"ok": True, "uptime_s": "long", "then": {"uptime_s": -1e300}, "\x1b": {"\x1b": 1}}
    assert stranger(json.dumps(answer), "status") == 0
    said = capsys.readouterr().out
    assert "uptime s: long" in said
    assert "\x1b" not in said


# --- listen -------------------------------------------------------------------------------


def test_listening_is_a_line_now_and_then(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "_LINE_S", 0.1)
    speaker.news.append({"now": NOW | {"microphone_dbfs": -20.0, "scores": {"hey_jarvis": 0.75}}})
    speaker.news.append({"now": NOW})
    assert speaker.type("listen", "--seconds", "0.5") == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first == " -20.0 dBFS  hey_jarvis 0.75", "the loudest, and the best"
    assert others
    assert set(others) == {" -30.0 dBFS  hey_jarvis 0.25"}


def test_listening_for_programs(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "_LINE_S", 0.1)
    speaker.news = [{"now": NOW | {"microphone_dbfs": None, "scores": {}}}]
    assert speaker.type("listen", "--seconds", "0.3", "--json") == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert json.loads(first) == {"dbfs": None, "scores": {}}


def test_listening_for_no_time_ends_at_once(speaker: Speaker) -> None:
    speaker.news = [{"now": NOW}]
    assert speaker.type("listen", "--seconds", "0") == 0


def test_the_picture_of_what_is_heard() -> None:
    picture = listen.Picture()
    assert "closed" in drawn(picture)
    moment = Now("asleep", microphone_dbfs=-30.0, thresholds={"hey_jarvis": 0.5})
    picture.take(Now(**{**vars(moment), "scores": {"hey_jarvis": 0.75}}))
    picture.take(Now(**{**vars(moment), "scores": {"hey_jarvis": 0.25}}))
    picture.take(Entry(NOTE["time"], "woken", "woken by hey_jarvis", "waking"))  # type: ignore[arg-type]
    told = drawn(picture)
    assert "-30 dBFS" in told
    assert "0.25  best 0.75  wakes at 0.5" in told
    assert "woken by hey_jarvis" in told


# --- watch --------------------------------------------------------------------------------


def drawn(picture: watch.View | listen.Picture) -> str:
    screen = Console(file=io.StringIO(), width=120, highlight=False)
    screen.print(picture.draw())
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    """The service's journal as `journalctl` tells it, which is stood in for; then it ends."""
    monkeypatch.setattr(watch, "_AWAY_S", 0.0)
    monkeypatch.setattr(watch, "_RETRY_S", 0.01)
    book = Book()
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    told = tmp_path / "told.json"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/typed\nexec cat {told}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    book.note(warn(Fact.TROUBLE, "trouble: key", trouble="key", advice="put a key"), "trouble")
    book.note(note(Fact.CONNECTED, "connected", session="sess_9", connect_ms=340), "listening")
    figures = {"speech_end_to_first_audio_ms": 640, "heard_ms": 2100, "cost_usd": 0.0123}
    book.note(note(Fact.TURN_ENDED, "turn 1: over", turn=1, interrupted=1, **figures), "speaking")
    book.note(note(Fact.STATE_CHANGED, "speaking"), "speaking")
    lines = [entry | {"__REALTIME_TIMESTAMP": "1795000000000000"} for entry in book.sent]
    lines.append({"__REALTIME_TIMESTAMP": "1795000000000000", "MESSAGE": "Started edged.service"})
    again = {"__REALTIME_TIMESTAMP": f"{round(NOTE['time'] * 1e6) + 700}"}  # type: ignore[operator]
    lines.append(again | {"MESSAGE": str(NOTE["message"])})
    odd: list[Any] = [{"MESSAGE": None}, [], {"__REALTIME_TIMESTAMP": "soon"}]
    odd.append({"__REALTIME_TIMESTAMP": "1795000000000000", "MESSAGE": [195, 188, 10]})
    odd.append({"__REALTIME_TIMESTAMP": "1795000000000000", "MESSAGE": ["one", "two"]})
    odd.append({"__REALTIME_TIMESTAMP": "1795000000000000", "MESSAGE": "red \x1b[31m alert"})
    told.write_text("\n".join(json.dumps(each) for each in [*lines, *odd]) + "\nno JSON\n")
    return book


def test_watching_without_a_terminal_is_a_line_for_each_entry(
    speaker: Speaker, journal: Book, capsys: pytest.CaptureFixture[str]
) -> None:
    """The speaker leaves, and the journal goes on; its end is an error."""
    speaker.news = [{"note": NOTE}, {"now": NOW}, {}]
    speaker.tell = lambda: brief(speaker.news)  # type: ignore[method-assign]
    assert speaker.type("watch") == cli.FAILED
    said = capsys.readouterr()
    lines = [line[9:] for line in said.out.splitlines()]
    assert lines[0] == "waking     woken by shell"
    assert lines[1] == "trouble    ! trouble: key; put a key"
    assert lines[2] == "listening  connected (session sess_9, connect 340 ms)"
    others = [line.strip() for line in lines[-4:]]
    assert others == ["Started edged.service", "ü", "one", r"red \x1b[31m alert"]
    assert said.out.count("woken by shell") == 1, "the speaker had told of it"
    assert "edged watch: from the journal, for it leaves (let it)" in said.err
    assert "the journal cannot be followed" in said.err


async def brief(news: list[Mapping[str, object]]) -> control.News:
    for each in news[:-1]:
        yield each
    raise control.ControlError("it leaves", "let it")


def test_a_speaker_that_is_started_anew_is_watched_on(
    speaker: Speaker,
    journal: Book,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "_AWAY_S", 0.2)
    back = NOTE | {"message": "back again", "fields": {}}
    lives: list[list[Mapping[str, object]]] = [[{"note": NOTE}, {}], [{"note": back}, {}]]
    speaker.tell = lambda: brief(lives.pop(0) if lives else [{}])  # type: ignore[method-assign]
    speaker.type("watch")
    said = capsys.readouterr()
    assert [line[20:] for line in said.out.splitlines()[:2]] == ["woken by shell", "back again"]
    assert said.err.count("from the journal") == 1


def test_watching_for_programs(
    speaker: Speaker, journal: Book, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["watch", "--json"]) == cli.FAILED
    first = json.loads(capsys.readouterr().out.splitlines()[0])["entry"]
    assert first["fact"] == "trouble"
    assert first["warning"] is True
    assert first["fields"]["trouble"] == "key"
    typed = (tmp_path / "typed").read_text().split()
    assert typed == ["-q", "-o", "json", "-f", "-n", "200", "-u", "edged"]


def test_what_of_the_journal_may_not_be_seen_is_said(
    speaker: Speaker, journal: Book, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "bin" / "journalctl"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in -n?0) echo "You see little." >&2 ;; *) '
        f"cat {tmp_path}/told.json ;; esac\n"
    )
    assert cli.main(["watch", "--journal"]) == cli.FAILED, "the imitated one has an end"
    told = capsys.readouterr()
    assert "You see little." in told.err
    assert "trouble: key" in told.out
    program.write_text('#!/bin/sh\necho "You may not." >&2\nexit 1\n')
    assert cli.main(["watch", "--journal"]) == cli.FAILED
    told = capsys.readouterr()
    assert "the journal cannot be read: You may not." in told.err
    assert "usermod -aG systemd-journal" in told.err
    program.write_text("#!/bin/sh\nexit 1\n")
    assert cli.main(["watch", "--journal"]) == cli.FAILED
    told = capsys.readouterr()
    assert "the journal cannot be read: journalctl ends with status 1 and says nothing" in told.err
    assert "usermod" not in told.err


@pytest.mark.parametrize("asked", [["watch"], ["watch", "--journal"]])
def test_a_journal_without_any_files_is_not_waited_for(
    speaker: Speaker,
    journal: Book,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    asked: list[str],
) -> None:
    """The real journalctl, with a machine whose journal is kept nowhere."""
    real = shutil.which("journalctl", path=os.environ["PATH"].partition(":")[2])
    if real is None:
        pytest.skip("there is no journalctl")
    program = tmp_path / "bin" / "journalctl"
    (tmp_path / "none").mkdir()
    program.write_text(f'#!/bin/sh\nexec {real} --root {tmp_path}/none "$@"\n')
    assert cli.main(asked) == cli.FAILED
    told = capsys.readouterr()
    assert told.err.endswith(
        "edged: there is no journal either: No journal files were found.\n"
        "(start the speaker: sudo systemctl start edged, or edged run)\n"
    )
    assert told.out == ""


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_draw_gets_lines(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert console().is_terminal
    monkeypatch.setenv("TERM", kind)
    assert not console().is_terminal


def test_neither_a_speaker_nor_a_journal(
    speaker: Speaker,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["watch"]) == cli.FAILED
    assert "there is no journal either" in capsys.readouterr().err


def test_the_picture_of_a_speaker_that_is_asked() -> None:
    view = watch.View()
    view.take(control.read(Entry, NOTE))
    view.take(control.read(Now, NOW))
    told = drawn(view)
    assert "● listening" in told
    assert "room sound leaves" in told
    assert "-30 dBFS" in told
    assert "-24 dBFS" in told
    assert "-12 dB" in told
    assert "woken by shell" in told
    assert "from the control socket" in told


def test_a_terminal_obeys_nothing_that_comes_from_afar(
    speaker: Speaker, journal: Book, capsys: pytest.CaptureFixture[str]
) -> None:
    afar = NOTE | {"message": "\x1b]0;you\x07", "fields": {"detail": "\x1b[2J"}}
    speaker.news = [{"note": afar}, {}]
    speaker.tell = lambda: brief(speaker.news)  # type: ignore[method-assign]
    speaker.type("watch")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"\x1b]0;you\x07 (detail \x1b[2J)" in out


def test_the_picture_of_a_speaker_whose_journal_is_read(journal: Book) -> None:
    view = watch.View()
    for entry in told_by(journal):
        view.take(entry)
    told = drawn(view)
    assert "● speaking" in told
    assert "session sess_9" in told
    assert "2.1 s heard, interrupted" in told
    assert "speech end to first audio 640 ms, cost 0.0123 USD" in told
    assert "trouble: key" in told
    view.take(Entry(0.0, "trouble", "trouble: key", "trouble", True, {"trouble": "key"}))
    assert "● trouble: key" in drawn(view)
    view.take(Entry(0.0, "", "edged.service: Sent signal", ""))
    assert "● trouble: key" in drawn(view), "what others tell of it says nothing of its state"
    view.take(Entry(0.0, "stopped", "stopped", "asleep"))
    assert "● not running" in drawn(view)


def told_by(book: Book) -> list[Entry]:
    """The entries of the book, as `journalctl -o json` would tell them."""
    lines = [json.dumps(e | {"__REALTIME_TIMESTAMP": "1795000000000000"}) for e in book.sent]
    return [entry for line in lines if (entry := _news.entry_of(line))]


STARTED = {"EDGED_FACT": "started", "EDGED_STATE": "asleep", "MESSAGE": "edged 1.0"}
CONNECTED = {"EDGED_FACT": "connected", "EDGED_STATE": "listening", "EDGED_SESSION": "sess_1"}
KILLED = {
    "MESSAGE": "edged.service: Main process exited, code=killed, status=9/KILL",
    "PRIORITY": "4",
    "UNIT": "edged.service",
    "COMMAND": "ExecStart",
    "EXIT_CODE": "killed",
    "EXIT_STATUS": "9",
}
"""What systemd itself writes, here after its watchdog or the kernel killed the speaker."""


def pictured(*told: Mapping[str, Any]) -> str:
    """What is drawn of these entries of the journal."""
    view = watch.View()
    for each in told:
        entry = entry_told(each)
        assert entry is not None
        view.take(entry)
    return drawn(view)


def entry_told(told: Mapping[str, Any]) -> Entry | None:
    return _news.entry_of(json.dumps({"__REALTIME_TIMESTAMP": "1795000000000000", **told}))


@pytest.mark.parametrize(
    "last",
    [
        KILLED,
        {"EDGED_FACT": "stopped", "EDGED_STATE": "asleep", "MESSAGE": "stopped"},
        {"EDGED_FACT": "broken", "EDGED_STATE": "listening", "MESSAGE": "edged ends"},
        {"EDGED_FACT": "not_started", "EDGED_STATE": "starting", "MESSAGE": "no such key"},
    ],
)
def test_who_has_left_does_not_run_and_has_no_session(last: Mapping[str, Any]) -> None:
    told = pictured(STARTED, CONNECTED, last)
    assert "● not running" in told
    assert "sess_1" not in told


def test_who_was_started_anew_has_no_session() -> None:
    told = pictured(STARTED, CONNECTED, STARTED)
    assert "● asleep" in told
    assert "sess_1" not in told


def test_after_a_power_cut_nothing_runs_until_it_is_started() -> None:
    """The last entry of the boot before is of a speaker in a conversation."""
    this = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    told = pictured(STARTED, CONNECTED | {"_BOOT_ID": 32 * "0"})
    assert "● not running" in told
    assert "sess_1" not in told
    assert "● listening" in pictured(STARTED, CONNECTED | {"_BOOT_ID": this})
    assert "● asleep" in pictured(CONNECTED | {"_BOOT_ID": 32 * "0"}, STARTED)


def test_the_program_that_reloads_the_speaker_may_end() -> None:
    told = pictured(STARTED, CONNECTED, KILLED | {"COMMAND": "ExecReload"})
    assert "● listening" in told
    assert "session sess_1" in told
    killed = entry_told(KILLED)
    assert killed is not None
    assert watch.line_of(killed).endswith("! " + KILLED["MESSAGE"]), "nothing is told twice"


TURN = {"EDGED_FACT": "turn_ended", "EDGED_STATE": "speaking", "MESSAGE": "turn 1: over"}


@pytest.mark.parametrize(
    "odd",
    [
        TURN | {"EDGED_TURN": "first", "EDGED_HEARD_MS": "abc", "EDGED_COST_USD": "dear"},
        TURN | {"EDGED_TURN": "nan", "EDGED_HEARD_MS": "inf", "EDGED_COST_USD": "1e999"},
        {"EDGED_FACT": "volume_changed", "EDGED_STATE": "asleep", "EDGED_VOLUME_DB": "loud"},
        {"EDGED_FACT": "volume_changed", "EDGED_STATE": "asleep", "EDGED_VOLUME_DB": "nan"},
        {"EDGED_FACT": "volume_changed", "EDGED_STATE": "asleep"},
        KILLED | {"EXIT_STATUS": "KILL"},
        {"MESSAGE": "none", "EDGED_STATE": "\x1b[2J", "PRIORITY": "low"},
    ],
)
def test_odd_figures_of_the_journal_are_not_shown(odd: Mapping[str, Any]) -> None:
    """Any program may write to the journal, also in our name."""
    told = pictured(STARTED, odd)
    assert odd.get("MESSAGE", "") in told
    assert "abc" not in told
    assert "\x1b" not in told
    entry = entry_told(odd)
    assert entry is not None
    assert "\x1b" not in watch.line_of(entry)
    json.dumps(vars(entry), allow_nan=False)


@pytest.mark.parametrize(
    "line",
    [
        '{"__REALTIME_TIMESTAMP":"17950000000000000000"}',
        '{"__REALTIME_TIMESTAMP":"-1"}',
        '{"__REALTIME_TIMESTAMP":"1' + 400 * "0" + '"}',
        '{"__REALTIME_TIMESTAMP":"1' + 5000 * "0" + '"}',
        '{"__REALTIME_TIMESTAMP":Infinity}',
        '{"__REALTIME_TIMESTAMP":"1795000000000000","MESSAGE":[256]}',
        '{"__REALTIME_TIMESTAMP":"1795000000000000","MESSAGE":[-1]}',
        '{"__REALTIME_TIMESTAMP":"1795000000000000","MESSAGE":[1,"x"]}',
        '{"__REALTIME_TIMESTAMP":"1795000000000000","MESSAGE":' + 900 * "[" + "1" + 900 * "]" + "}",
        100_000 * "[",
        "7",
    ],
)
def test_an_entry_that_is_none_is_passed_over(line: str) -> None:
    assert _news.entry_of(line) is None


def test_figures_are_written_out_and_names_stay_as_they_are(
    speaker: Speaker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = {"EDGED_FACT": "session_ended", "EDGED_STATE": "asleep", "EDGED_TURN": "12345678"}
    named = {"EDGED_SESSION": "0123456789", "EDGED_WORD": "1e3", "EDGED_CODE": "1006"}
    entry = entry_told(ended | named | {"EDGED_SESSION_MS": "3600123", "EDGED_COST_USD": "0.00001"})
    assert entry is not None
    told = watch.line_of(entry)
    assert "session 3600123 ms" in told
    assert "session 0123456789" in told
    assert "cost 0.00001 USD" in told
    assert "turn 12345678," in told
    assert json.loads(json.dumps(entry.fields)) == {
        "turn": 12345678,
        "session": "0123456789",
        "word": "1e3",
        "code": "1006",
        "session_ms": 3600123,
        "cost_usd": 0.00001,
    }
    assert '"turn": 12345678,' in json.dumps(entry.fields), "as the socket tells it"
    assert "session 12345678901 " in pictured(CONNECTED | {"EDGED_SESSION": "12345678901"})
    assert "turn 1234567 " in pictured(TURN | {"EDGED_TURN": "1234567"})
    monkeypatch.setitem(STATUS, "last_turn", {"session_ms": 3600123.25, "turns": 1e15})
    speaker.type("status")
    said = capsys.readouterr().out
    assert "  session: 3600123.25 ms" in said
    assert "  turns: 1000000000000000" in said
