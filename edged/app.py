"""The composition root: opens what the configuration names and runs the runner."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import control, devices, duties, journal, schema, service, store
from .core.assistant import Assistant
from .core.budget import Purse
from .core.commands import Command, Fact, Note, note, warn
from .core.events import Event
from .flight import Flight, Recorder
from .handoff import Handoff
from .ledger import Ledger
from .memory import Memory
from .observer import Observer, Story
from .ports import (
    Journal,
    PartBroken,
)
from .record import Header, Recording, Tape
from .reload import Reload
from .reload import StartFailed as StartFailed
from .runner import Devices, Runner
from .shell import Shell
from .sound import rates
from .sound.uplink import Uplink
from .tools import _toolbox as toolbox
from .tools._reach import Reach
from .vitals import Vitals

Left = Mapping[str, bytes]
"""What one speaker leaves to the next one in this process: all that the disk does not have."""


async def run(
    settings: schema.Settings,
    recording: Path | None = None,
    reread: Callable[[], schema.Settings] | None = None,
) -> None:
    """Be a speaker until SIGTERM or SIGINT; every event goes into the file `recording`, if any.

    At SIGHUP `reread` reads the configuration again, and what it returns is taken as soon as
    nobody is on the line; the recording goes on in another file then. In a terminal SIGHUP still
    means that the terminal is gone.

    One process has the state directory to itself, over every reload.

    Raises `StartFailed` for what the owner must mend first, `ports.PartBroken` for a part beyond
    repair, and whatever a bug raises.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("run as a task")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    told = Story(journal.open())
    reload = Reload(reread or (lambda: settings), service.open(), told)
    if not os.isatty(0):
        loop.add_signal_handler(signal.SIGHUP, reload.ask)

    def be(settings: schema.Settings, life: int, known: Left | None) -> Awaitable[Left]:
        tape = recording
        if recording is not None and life > 1:
            tape = recording.with_stem(f"{recording.stem}-{life}")
        return _run(settings, tape, reload, told, known)

    try:
        state = store.claim(store.folder())
    except store.Claimed as other:
        raise StartFailed(str(other), other.hint) from other
    with state, contextlib.suppress(asyncio.CancelledError):
        await reload.live(settings, be)
    told.note(note(Fact.STOPPED, "stopped"), "asleep")


def replay(recording: Recording) -> Iterator[tuple[float, Event, Sequence[Command]]]:
    """The time, the event, and what a fresh core does about it, as the speaker did.

    Raises `record.Unreadable` at the first damaged line, and whatever a bug in the core raises.
    """
    assistant = _assistant(recording.header)
    for now, event in recording:
        yield now, event, assistant.handle(event, now)


async def _run(
    settings: schema.Settings, tape: Path | None, reload: Reload, told: Story, known: Left | None
) -> Left:
    """Be this speaker until it is to be another one; what that one is to know.

    `known` is what an earlier one left.
    """
    specs = toolbox.specs(settings.tools, settings.extras.command, settings.extras.remote)
    dialect = settings.provider.module.open(settings.session, settings.provider.settings, specs)
    manager = reload.manager
    if not reload.begun:
        told.note(note(Fact.STARTED, f"edged {version('edged')}"), "asleep")
    provider, secret, keyless = devices.provider(settings, dialect, told)
    chosen, echo = devices.echo(settings, dialect.wire_rate, told)
    made = _header(settings, dialect, hears_through=echo.hears_through)
    dialect.interrupts = not made.guarded
    assistant = _assistant(made)
    async with _kept(assistant, made, tape, secret, told, known) as (memory, recorder):
        started = memory.started()
        volume_db = settings.volume.db if started.volume_db is None else started.volume_db
        observer = Observer(told, recorder, volume_db)
        ledger = Ledger(memory.store, memory.clerk)
        reach = Reach(memory.store, memory.clerk, status=observer.status, volume=settings.volume)
        tools = toolbox.open(settings.tools, settings.extras, reach)
        chores = [*duties.all_of(manager, manager.watchdog_s(), Vitals().note), tools.serve]
        chores += [duties.keep_date(ledger.turned), duties.save_again(memory.save_again)]
        runner = Runner(assistant, started=replace(started, keyless=keyless), duties=chores)
        dialect.addendum, dialect.guests = _news(tools, runner), tools.guests
        hearing = dialect.wire_rate, settings.frame_ms, echo, chosen.name
        tell = _teller(told, runner)
        async with devices.opened(settings, runner.feed, hearing, tell) as opened:
            sound, wake, lights = opened
            world = Devices(
                sound=sound,
                wake=wake,
                provider=provider,
                uplink=Uplink(dialect.wire_rate, settings.frame_ms),
                resampler=rates.resampler,
                lights=[*lights, observer],
                tools=tools,
                memory=memory,
                ledger=ledger,
                recorder=observer,
                journal=observer,
                service=manager,
            )
            async with _controlled(settings, dialect, runner, world, observer):
                reload.attach(runner.retire, lambda: runner.state)
                reload.done()
                await runner.run(world)
                reload.retired()
                # Who watches on is told by the next one only what is new.
                told.forget()
    return memory.store.owed


def _header(settings: schema.Settings, dialect: Any, *, hears_through: bool) -> Header:
    """What the core is made with; a recording begins with it."""
    evidence = settings.barge_in.evidence
    return Header(
        conversation=settings.conversation,
        barge_in=settings.barge_in,
        history=settings.history,
        prices=settings.prices,
        budget=settings.budget,
        model=settings.session.model,
        transcription=settings.session.transcription,
        by_minute=dialect.abilities.bills_minutes,
        detects_turns=dialect.abilities.detects_turns,
        guarded=evidence == "both" or (evidence == "auto" and hears_through),
        volume=settings.volume,
        gestures=settings.gestures,
        bindings=settings.actions,
        wire_rate=dialect.wire_rate,
        edged=version("edged"),
    )


def _news(tools: toolbox.Toolbox, runner: Runner) -> Callable[[], str]:
    """What there is to tell besides; what is told once is told to somebody."""
    return lambda: tools.instructions() if runner.attending else ""


def _teller(told: Journal, runner: Runner) -> Callable[[Note], None]:
    """Writes entries with the speaker's state at that moment."""
    return lambda what: told.note(what, runner.state)


def _assistant(made: Header) -> Assistant:
    """A fresh core."""
    return Assistant(
        made.conversation,
        wire_rate=made.wire_rate,
        barge_in=made.barge_in,
        history=made.history,
        purse=Purse(made.prices, made.budget, made.model, made.transcription),
        by_minute=made.by_minute,
        detects_turns=made.detects_turns,
        guarded=made.guarded,
        volume=made.volume,
        gestures=made.gestures,
        bindings=made.bindings,
    )


@contextlib.asynccontextmanager
async def _kept(
    assistant: Assistant,
    made: Header,
    recording: Path | None,
    secret: Callable[[], str],
    told: Journal,
    known: Left | None,
) -> AsyncIterator[tuple[Memory, Recorder]]:
    """What outlives the process; all that the disk takes is there when this is left."""
    warnings = Handoff[str](lambda text: told.note(warn(Fact.NOT_SAVED, text), assistant.state))
    kept = store.Store(store.folder(), warnings.put, known)
    async with store.Clerk() as clerk:
        memory = Memory(kept, clerk)
        flight = Flight(assistant.rests, memory.started, made.conversation.asleep_ring_s)
        with contextlib.ExitStack() as stack:
            stack.callback(memory.save_again)
            tape = None
            if recording is not None:
                tape = _tape(recording, made, warnings)
                stack.callback(tape.close)
            recorder = Recorder(made, flight, kept, clerk, tape=tape, secret=secret)
            try:
                yield memory, recorder
            except Exception as bug:
                recorder.failed(_named(bug))
                if not isinstance(bug, StartFailed):
                    told.note(warn(Fact.BROKEN, f"edged ends: {_named(bug)}"), assistant.state)
                raise


def _named(bug: BaseException) -> str:
    """What broke, without the words of it: they may be what somebody said."""
    if isinstance(bug, BaseExceptionGroup):
        return ", ".join(_named(each) for each in bug.exceptions)
    return str(bug) if isinstance(bug, PartBroken) else type(bug).__name__


def _tape(file: Path, made: Header, warnings: Handoff[str]) -> Tape:
    try:
        return Tape(file, made, warnings.put)
    except OSError as error:
        hint = "name a file in a folder that this user may write to"
        raise StartFailed(f"{file} cannot be written: {error.strerror}", hint) from error


@contextlib.asynccontextmanager
async def _controlled(
    settings: schema.Settings, dialect: Any, runner: Runner, world: Devices, observer: Observer
) -> AsyncIterator[None]:
    """Answer on the control socket while the speaker runs."""
    words = getattr(settings.wake.settings, "words", {})
    shell = Shell(
        runner,
        world,
        observer,
        thresholds={name: word.threshold for name, word in words.items()},
        voice=settings.speech,
        wire_rate=dialect.wire_rate,
        announces=dialect.abilities.announces,
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(control.serve(settings.control.path, shell.answer))
        except control.ControlError as no:
            raise StartFailed(str(no), no.hint, mistake=isinstance(no.__cause__, OSError)) from no
        yield
