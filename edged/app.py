"""The composition root: opens what the configuration names and runs the runner."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import control, duties, journal, key, plugins, schema, sections, service, store
from .acoustics.figures import NAME, Calibration
from .core.assistant import Assistant
from .core.commands import Command, Fact, LinkCommand, note, warn
from .core.events import Event, LinkDown, Started, Trouble
from .flight import Flight, Recorder
from .handoff import Handoff
from .memory import Memory
from .night import Hours, Night
from .observer import Observer
from .ports import (
    Buttons,
    Echo,
    Feed,
    Journal,
    Lights,
    PartBroken,
    Provider,
    Session,
    SoundCard,
    Wake,
)
from .record import Header, Recording, Tape
from .reload import Reload
from .reload import StartFailed as StartFailed
from .runner import Devices, Runner
from .shell import Shell
from .sound import rates
from .sound.uplink import Uplink
from .tools._toolbox import Toolbox
from .vitals import Vitals


@dataclass(frozen=True)
class _Keyless:
    """A provider that nobody has a key for: every session ends at once, with the hint."""

    hint: str

    def session(self) -> Session:
        return self

    def offer(self, command: LinkCommand) -> None:
        pass

    def close(self) -> None:
        pass

    async def run(self, feed: Feed) -> LinkDown:
        return LinkDown(Trouble.KEY, "no key", self.hint)


async def run(
    settings: schema.Settings,
    recording: Path | None = None,
    reread: Callable[[], schema.Settings] | None = None,
) -> None:
    """Be a speaker until SIGTERM or SIGINT; every event goes into the file `recording`, if any.

    At SIGHUP `reread` reads the configuration again, and what it returns is taken as soon as
    nobody is on the line; the recording goes on in another file then. In a terminal SIGHUP still
    means that the terminal is gone.

    Raises `StartFailed` for what the owner must mend first, `ports.PartBroken` for a part beyond
    repair, and whatever a bug raises.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("run as a task")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    reload = Reload(reread or (lambda: settings), service.open(), journal.open())
    if not os.isatty(0):
        loop.add_signal_handler(signal.SIGHUP, reload.ask)

    def be(settings: schema.Settings, life: int, known: Started | None) -> Awaitable[Started]:
        tape = recording
        if recording is not None and life > 1:
            tape = recording.with_stem(f"{recording.stem}-{life}")
        return _run(settings, tape, reload, known)

    with contextlib.suppress(asyncio.CancelledError):
        await reload.live(settings, be)
    journal.open().note(note(Fact.STOPPED, "stopped"), "asleep")


def replay(recording: Recording) -> Iterator[tuple[float, Event, Sequence[Command]]]:
    """The time, the event, and what a fresh core does about it, as the speaker did.

    Raises `record.Unreadable` at the first damaged line, and whatever a bug in the core raises.
    """
    assistant = _assistant(recording.header)
    for now, event in recording:
        yield now, event, assistant.handle(event, now)


async def _run(
    settings: schema.Settings, recording: Path | None, reload: Reload, known: Started | None
) -> Started:
    """Be this speaker until it is to be another one; what that one is to know.

    `known` is what an earlier one left.
    """
    tools = Toolbox([plugins.load("tools", name) for name in settings.session.tools])
    dialect = settings.provider.module.open(
        settings.session, settings.provider.settings, tools.specs()
    )
    manager = reload.manager
    told = journal.open()
    if not reload.begun:
        told.note(note(Fact.STARTED, f"edged {version('edged')}"), "asleep")
    provider, secret = _provider(settings, dialect, told)
    chosen, echo = _echo(settings, dialect.wire_rate, told)
    made = _header(settings, dialect.wire_rate, hears_through=echo.hears_through)
    dialect.interrupts = not made.guarded
    assistant = _assistant(made)
    async with _kept(assistant, made, recording, secret, told) as (memory, recorder):
        started = known or memory.started()
        volume_db = settings.volume.db if started.volume_db is None else started.volume_db
        observer = Observer(told, recorder, volume_db)
        runner = Runner(
            assistant,
            started=started,
            duties=duties.all_of(manager, manager.watchdog_s(), Vitals().note),
        )
        hearing = dialect.wire_rate, settings.frame_ms, echo, chosen.name
        async with _devices(settings, runner.feed, hearing, told) as opened:
            sound, wake, lights = opened
            devices = Devices(
                sound=sound,
                wake=wake,
                provider=provider,
                uplink=Uplink(dialect.wire_rate, settings.frame_ms),
                resampler=rates.resampler,
                lights=[*lights, observer],
                tools=tools,
                memory=memory,
                recorder=observer,
                journal=observer,
                service=manager,
            )
            async with _controlled(settings, dialect.wire_rate, runner, devices, observer):
                reload.attach(runner.retire, lambda: runner.state)
                reload.done()
                await runner.run(devices)
                reload.retired()
        return memory.started()


def _header(settings: schema.Settings, wire_rate: int, *, hears_through: bool) -> Header:
    """What the core is made with; a recording begins with it."""
    evidence = settings.barge_in.evidence
    return Header(
        conversation=settings.conversation,
        barge_in=settings.barge_in,
        guarded=evidence == "both" or (evidence == "auto" and hears_through),
        volume=settings.volume,
        gestures=settings.gestures,
        bindings=settings.actions,
        wire_rate=wire_rate,
        edged=version("edged"),
    )


def _assistant(made: Header) -> Assistant:
    """A fresh core."""
    return Assistant(
        made.conversation,
        wire_rate=made.wire_rate,
        barge_in=made.barge_in,
        guarded=made.guarded,
        volume=made.volume,
        gestures=made.gestures,
        bindings=made.bindings,
    )


@contextlib.asynccontextmanager
async def _kept(
    assistant: Assistant, made: Header, recording: Path | None, secret: str, told: Journal
) -> AsyncIterator[tuple[Memory, Recorder]]:
    """What outlives the process; all of it is on disk when this is left."""
    warnings = Handoff[str](lambda text: told.note(warn(Fact.NOT_SAVED, text), assistant.state))
    kept = store.Store(store.folder(), warnings.put)
    async with store.Clerk() as clerk:
        memory = Memory(kept, clerk)
        flight = Flight(lambda: assistant.state, memory.started, made.conversation.asleep_ring_s)
        with contextlib.ExitStack() as stack:
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
async def _devices(
    settings: schema.Settings, feed: Feed, hearing: tuple[int, int, Echo, str], told: Journal
) -> AsyncIterator[tuple[SoundCard, Wake, Sequence[Lights]]]:
    """Open the devices, and close them in the reverse order whatever happens.

    `hearing`: the wire's rate and frame, the echo driver and its name.
    """
    async with contextlib.AsyncExitStack() as stack:
        lights: list[Lights] = []
        notices: set[str] = set()
        dimmer = _dimmer(settings.shine)
        for chosen in settings.lights:
            lights.append(_open("light", chosen, dimmer))
            stack.callback(lights[-1].close)
            notices.add(getattr(lights[-1], "notice", ""))
        wake: Wake = _open("wake engine", settings.wake, feed)
        stack.push_async_callback(wake.close)
        sound: SoundCard = _open("sound", settings.sound, feed, *hearing)
        stack.push_async_callback(sound.close)
        for chosen in settings.buttons:
            buttons: Buttons = _open("button", chosen, feed)
            stack.callback(buttons.close)
            notices.add(getattr(buttons, "notice", ""))
        for notice in sorted(notices - {""}):
            told.note(warn(Fact.PART_MISSING, notice), "asleep")
        yield sound, wake, lights


def _dimmer(shine: sections.Lights) -> Callable[[], float]:
    """How much of their light the lights give at the moment."""
    night = Night(Hours(shine.quiet_hours))
    return lambda: shine.quiet_brightness if night() else shine.brightness


def _open(what: str, chosen: schema.Chosen, *rest: object) -> Any:
    """The driver, opened; a device that refuses is the owner's to mend, not a bug."""
    try:
        return chosen.module.open(chosen.settings, *rest)
    except (ImportError, OSError, ValueError) as error:
        hint = getattr(error, "hint", f"see the table of {chosen.name} in the configuration")
        # Any other OSError may be a device that is not there yet.
        mistake = isinstance(error, (ImportError, ValueError, FileNotFoundError))
        failed = f"the {what} {chosen.name} cannot be opened: {error}"
        raise StartFailed(failed, hint, mistake=mistake) from error


def _echo(settings: schema.Settings, wire_rate: int, told: Journal) -> tuple[schema.Chosen, Echo]:
    """The first echo driver that can be had; the journal says which, and why no better one."""
    *better, last = settings.echo
    lacking = [settings.echo_lacking] if settings.echo_lacking else []
    for chosen in better:
        try:
            echo: Echo = chosen.module.open(chosen.settings, wire_rate)
        except (ImportError, OSError) as error:
            lacking.append(f"{chosen.name}: {error}")
            continue
        break
    else:
        chosen, echo = last, _open("echo driver", last, wire_rate)
    why = f" ({'; '.join(lacking)})" if lacking else ""
    message = f"echo: {chosen.name}{why}{_recalled(echo, wire_rate, told)}"
    told.note(note(Fact.ECHO_CHOSEN, message, mode=chosen.name), "asleep")
    return chosen, echo


def _recalled(echo: Echo, wire_rate: int, told: Journal) -> str:
    """Let the driver begin with what `edged calibrate` learned, if it did; in words when that was.

    So prepared it hears over the first answer nearly everyone whom it would have missed.
    """

    def warned(text: str) -> None:
        told.note(warn(Fact.NOT_SAVED, text), "asleep")

    recall = getattr(echo, "recall", None)
    known = store.Store(store.folder(), warned).read(NAME, Calibration, None)
    if recall is None or known is None or not known.guess or known.wire_rate != wire_rate:
        return ""
    try:
        recall(known.guess)
    except ValueError as problem:
        warned(f"what was calibrated is of no use: {problem}; `edged calibrate` mends it")
        return ""
    return f", as calibrated {known.figures.at}"


def _provider(settings: schema.Settings, dialect: Any, told: Journal) -> tuple[Provider, str]:
    """Who answers, and the key."""
    try:
        found = key.find(settings.key)
    except key.NoKey as missing:
        return _Keyless(f"{missing}; {missing.hint}"), ""
    if found.warning:
        warning = f"the key comes from the {found.source}: {found.warning}"
        told.note(warn(Fact.KEY_EXPOSED, warning), "asleep")
    provider: Provider = _open("link", settings.link, dialect, found.text)
    return provider, found.text


@contextlib.asynccontextmanager
async def _controlled(
    settings: schema.Settings, wire_rate: int, runner: Runner, devices: Devices, observer: Observer
) -> AsyncIterator[None]:
    """Answer on the control socket while the speaker runs."""
    words = getattr(settings.wake.settings, "words", {})
    shell = Shell(
        runner,
        devices,
        observer,
        thresholds={name: word.threshold for name, word in words.items()},
        voice=settings.speech,
        wire_rate=wire_rate,
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(control.serve(settings.control.path, shell.answer))
        except control.ControlError as no:
            raise StartFailed(str(no), no.hint, mistake=isinstance(no.__cause__, OSError)) from no
        yield
