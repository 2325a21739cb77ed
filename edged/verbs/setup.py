"""Ask for the few things that matter, try each, and write the configuration and the key."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from .. import schema, template
from ..amend import amended, dotted, save, toml
from ..config import ConfigError
from ..doctor import _credential, _round, disk
from ..doctor._finding import fail
from ..doctor._screen import terminal
from ..doctor._visit import STARTS_S, Visit
from ._interview import PARTS, Interview, Left, Part, place_of_key
from ._questions import Questions


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whose configuration it is."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"set up a speaker with this configuration instead of the service ({schema.FILE})",
    )


def run(options: argparse.Namespace) -> int:
    """0 when everything was written, or nothing had to be; 1 when not; 2 without a terminal."""
    ask = Questions(terminal())
    if not (sys.stdin.isatty() and ask.console.is_terminal):
        print("edged setup asks: it needs a terminal", file=sys.stderr)
        return 2
    file: Path | None = options.config.absolute() if options.config else None
    if refusal := _refusal(file):
        print(refusal, file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A speaker that was stopped for this is started again, whoever closes the terminal.
        signal.signal(number, ask.leave)
    try:
        with _paper(file):
            talk = Interview(Visit(file=file, person=ask, tell=ask.tell, online=True), ask)
            return 0 if _held(talk) else 1
    except OSError as problem:
        place = problem.filename or file or schema.FILE
        print(f"{place} cannot be written: {problem.strerror}", file=sys.stderr)
        return 1


def _held(talk: Interview) -> bool:
    """Ask, write, and let the speaker take it; False when somebody leaves."""
    talk.visit.configured = talk.settings
    machine, stops = talk.visit.machine, _may_be_stopped(talk)
    try:
        if stops:
            machine.run("systemctl", "stop", "edged")
        written = _answered(talk)
        if written:
            _started(talk, again=stops)
        else:
            talk.ask.console.print("\nLeft as it was: nothing is written.")
        return written
    finally:
        if stops:
            # Whoever interrupts whatever of this: one that runs already is not disturbed.
            machine.run("systemctl", "start", "edged", patience_s=STARTS_S)


def _answered(talk: Interview) -> bool:
    """Ask, and write the answers; False when somebody leaves."""
    try:
        for part in PARTS:
            _gone_through(part, talk)
        return _written(talk)
    except (Left, EOFError, KeyboardInterrupt):
        return False


@contextlib.contextmanager
def _paper(file: Path | None) -> Iterator[None]:
    """A configuration that is not there yet is the template, for as long as nobody writes it."""
    made = file is not None and not file.exists()
    if file is not None and made:
        save(file, template.text())
    before = file.stat().st_ino if file is not None else 0
    try:
        yield
    finally:
        if file is not None and made and file.stat().st_ino == before:
            file.unlink()


def _refusal(file: Path | None) -> str:
    """Why the files cannot be written, and what to type; "" where they can."""
    place = file or schema.FILE
    there = next(each for each in (place, *place.absolute().parents) if each.exists())
    # A file is replaced as a whole, which takes the right to its folder, too.
    if os.access(there, os.W_OK) and (there != place or os.access(there.parent, os.W_OK)):
        return ""
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return f"{place} is on a disk that is read-only\n({disk.remount(there.absolute())})"
    if file is None:
        return f"only root may write {place}\n(sudo edged setup)"
    return f"{place} cannot be written\n(name another place: edged setup --config FILE)"


def _may_be_stopped(talk: Interview) -> bool:
    """Whether the service holds the devices, and somebody agrees to stop it meanwhile."""
    machine = talk.visit.machine
    (*_, outcome) = _round.outcomes(talk.visit, ["devices"])
    if outcome.finding.verdict == "ok":
        return False
    talk.ask.finding(outcome.name, outcome.finding)
    may = machine.managed and os.geteuid() == 0
    return may and talk.ask.confirms("Stop it, and start it again at the end?")


def _gone_through(part: Part, talk: Interview) -> None:
    """Ask, look, and ask again where that is wanted."""
    while True:
        talk.ask.heading(part.title)
        before = dict(talk.changes)
        part.ask(talk)
        talk.visit.assignments = talk.assignments
        usable = _usable(talk)
        if usable and part.question and not talk.ask.confirms(part.question):
            return
        if usable and not _looked(part.checks, talk):
            return
        options = [("again", "ask again"), ("on", "go on as it is"), ("leave", "leave")]
        if not usable:
            del options[1]
        match talk.ask.choose("What now", options, "again"):
            case "leave":
                raise Left
            case "again":
                talk.changes = before
                talk.visit.assignments = talk.assignments
            case _:
                return


def _usable(talk: Interview) -> bool:
    """Whether the answers make a configuration; says so where they do not."""
    try:
        talk.visit.configured = talk.settings
    except ConfigError as error:
        for mistake in error.mistakes:
            told = f"{mistake.key}: {mistake.message}"
            talk.ask.finding("config", fail(told, "answer anew"))
        return False
    return True


def _looked(checks: Collection[str], talk: Interview) -> bool:
    """Let the doctor make these checks; whether one fails."""
    failed = False
    with talk.ask as screen:
        for outcome in _round.outcomes(talk.visit, checks):
            # What else they need was looked at before, and gone on from.
            if outcome.name in checks:
                failed |= outcome.finding.verdict == "fail"
                screen.show(outcome)
    return failed


def _written(talk: Interview) -> bool:
    """Show what will change, and write it once somebody agrees."""
    ask, file = talk.ask, talk.visit.file or schema.FILE
    if talk.visit.file is not None and talk.credential:
        kept = str(place_of_key(file))
        talk.change("key.file", kept, talk.settings.key.file)
    ask.heading("To be written")
    for address, value in talk.changes.items():
        ask.say(f"{dotted(address)} = {toml(value)}")
    if talk.credential:
        ask.say("the key")
    if not talk.changes and not talk.credential:
        ask.say("nothing: all is as it was")
        return True
    if not ask.confirms("Write it?"):
        return False
    text = file.read_text(encoding="utf-8-sig") if file.exists() else template.text()
    for address, value in talk.changes.items():
        text = amended(text, address, value)
    if talk.credential:
        ask.say(f"the key is in {_kept(talk)}")
    if talk.changes:
        backup = save(file, text)
        ask.say(f"{file} is written{f'; what it was is {backup}' if backup else ''}")
    _overruled(talk)
    return True


def _kept(talk: Interview) -> Path:
    visit = talk.visit
    if visit.file is None:
        return _credential.write(visit.machine, talk.settings.key.credential, talk.credential)
    place = place_of_key(visit.file)
    _credential.place(place, talk.credential + "\n")
    return place


def _overruled(talk: Interview) -> None:
    """Say so where a drop-in says otherwise than what was written."""
    try:
        now, wanted = schema.read(talk.visit.file), talk.settings
    except ConfigError as error:
        talk.ask.say(str(error))
        return
    if now != wanted:
        last = now.files[-1]
        talk.ask.say(f"but {last}, which is read later, says otherwise: change it there")


def _started(talk: Interview, *, again: bool) -> None:
    """Let the service take it, or say how to begin.

    One that is only started `again` starts at boot, or not, as its owner has it.
    """
    machine, ask = talk.visit.machine, talk.ask
    if talk.visit.file is not None:
        ask.console.print(f"\nReady: edged run --config {talk.visit.file}", soft_wrap=True)
        return
    loaded = machine.unit("LoadState").get("LoadState") == "loaded"
    if not loaded:
        ask.console.print("\nReady: edged run")
    elif again or ask.confirms("Start the speaker now, and at every boot?"):
        if not again and machine.run("systemctl", "enable", "edged") is None:
            ask.say("it will not start at boot: sudo systemctl enable edged")
        ask.say("the speaker starts ...")
        # systemctl returns once the speaker has said that it is ready.
        if machine.run("systemctl", "restart", "edged", patience_s=STARTS_S) is None:
            ask.say("it does not start: edged doctor unit")
        else:
            ask.console.print(
                '\nIt runs. `edged doctor` looks at all of it, "journalctl -u edged" tells.'
            )
