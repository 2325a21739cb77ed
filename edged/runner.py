"""Where decisions meet the world: feeds the core and does what it says.

Two nested task groups: the process, and inside it one conversation at a time with the tools it
runs. `feed` never awaits. Expected trouble arrives as events; anything else ends `run` with the
exception, and so the process.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace

from . import ports
from .core import commands as do
from .core import events as ev
from .core.assistant import Assistant
from .core.scenes import Scene
from .core.vigil import Signs

WAKE_RATE = 16000
Duty = Callable[["Runner"], Coroutine[None, None, None]]
"""Goes on besides conversations until it is cancelled."""
_AT_REST = (Scene.ASLEEP, Scene.MUTED, Scene.TROUBLE)
_GLANCE_S = 0.1
"""How often one that is retired looks whether it can end."""
_FAREWELL_S = 0.4
"""A session still open when the process is told to stop gets this long; the whole stop has 1 s."""


@dataclass(frozen=True)
class Devices:
    """What the runner obeys with; each keeps the promises of `ports`."""

    sound: ports.SoundCard
    wake: ports.Wake
    provider: ports.Provider
    uplink: ports.Uplink
    resampler: Callable[[int, int], ports.Resampler]
    lights: Sequence[ports.Lights]
    tools: ports.Tools
    memory: ports.Memory
    ledger: ports.Ledger
    recorder: ports.Recorder
    journal: ports.Journal
    service: ports.Service


class Runner:
    """Owns the tasks, the clock and the one alarm."""

    def __init__(
        self,
        assistant: Assistant,
        *,
        started: ev.Started = ev.Started(),  # noqa: B008
        duties: Sequence[Duty] = (),
    ) -> None:
        self._assistant = assistant
        self._started = started
        self._duties = duties
        self._loop = asyncio.get_running_loop()
        self._broken: asyncio.Future[None] = self._loop.create_future()
        self._announced: asyncio.Queue[do.Announced] = asyncio.Queue()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None
        self._process: asyncio.TaskGroup | None = None
        self._early: list[ev.Event] = []
        self._session: ports.Session | None = None
        self.attending = False
        """Whether somebody is there to be told things, and not a session alone."""
        self._conversation: asyncio.Task[None] | None = None
        self._tools_running: set[asyncio.Task[None]] = set()
        self._ear: ports.Resampler | None = None
        self._rate = WAKE_RATE
        self._expected = 0
        self._offered = 0
        self._frames = 0

    @property
    def state(self) -> str:
        """What the outside calls the state of the speaker."""
        return self._assistant.state.value

    def status(self) -> Mapping[str, object]:
        """What `edged status` tells."""
        if self._process is None:
            return {"state": "starting"}
        return {
            "state": self.state,
            "capture_frames": self._frames,
            "capture_rate": self._rate,
            "sound": dict(self._devices.sound.status()),
            "wake": dict(self._devices.wake.status()),
        }

    def signs(self) -> Signs:
        """What can be told of its parts now."""
        sound, wake = self._devices.sound, self._devices.wake
        captured = None if self._ear is None else self._frames
        return Signs(self._assistant.state, sound.pulse(), captured, wake.examined)

    def tell(self, note: do.Note) -> None:
        """Write an entry of the process's own into the journal."""
        self._obey(note)

    def feed(self, event: ev.Event) -> None:
        """Let the core decide about `event` and do what it says; before `run`, keep it for then."""
        if self._process is None:
            self._early.append(event)
            return
        match event:
            case ev.MicFrame():
                self._listen(event)
            case ev.MicOpened():
                self._new_microphone(event)
            case ev.MicLost():
                self._ear = None
            case ev.WakeHeard():
                event = replace(event, position=event.position * self._rate // WAKE_RATE)
        now = self._loop.time()
        self._devices.recorder.took(event, now)
        for command in self._assistant.handle(event, now):
            self._obey(command)
        self._set_alarm()

    async def announce(self, words: str) -> do.Announced:
        """Have the provider say it, one thing after the other; how that went."""
        self.feed(ev.SayAsked(words))
        return await self._announced.get()

    def crash(self, problem: BaseException) -> None:
        """End `run` with `problem`."""
        if not self._broken.done():
            self._broken.set_exception(problem)

    def retire(self) -> None:
        """End `run` as soon as nobody is on the line and nothing sounds."""
        self.feed(ev.Retiring())
        self._leave()

    def _leave(self) -> None:
        if self._broken.done():
            return
        free = self._process is not None and self._session is None and self._assistant.idle
        if free and self.state in _AT_REST and not self._devices.sound.pulse().playing:
            # What comes from now on comes too late: the next speaker will hear it.
            self._process = None
            self._broken.set_result(None)
        else:
            self._loop.call_later(_GLANCE_S, self._leave)

    async def run(self, devices: Devices) -> None:
        """Live until cancelled, or retired.

        Raises `PartBroken` when the core gives up, and whatever a bug raises.
        """
        self._devices = devices
        devices.sound.doze(True)
        self._loop.set_exception_handler(self._handle_stray)
        try:
            async with asyncio.TaskGroup() as self._process:
                for event in (self._started, *self._early):
                    self.feed(event)
                devices.service.ready()
                duties = [self._process.create_task(duty(self)) for duty in self._duties]
                try:
                    await self._broken
                except asyncio.CancelledError:
                    await self._farewell()
                    raise
                for duty in duties:
                    duty.cancel()
        finally:
            self._process = None
            for unsaved in self._assistant.unsaved():
                devices.memory.remember(unsaved)
            if self._alarm:
                self._alarm.cancel()

    async def _farewell(self) -> None:
        """Leave the line in order, as far as the time to stop allows."""
        self._devices.service.stopping()
        if self._session is not None and self._conversation is not None:
            self._session.close()
            await asyncio.wait([self._conversation], timeout=_FAREWELL_S)

    def _handle_stray(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        problem = context.get("exception")
        if not isinstance(problem, ports.PartBroken):
            loop.default_exception_handler(context)
        if isinstance(problem, BaseException):
            self.crash(problem)

    def _set_alarm(self) -> None:
        at = self._assistant.deadline()
        if at == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = None if at is None else self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_at = None
        self.feed(ev.Tick())

    def _new_microphone(self, event: ev.MicOpened) -> None:
        self._rate = event.rate
        self._ear = self._devices.resampler(event.rate, WAKE_RATE)
        self._devices.uplink.restart(event.rate)
        self._expected = self._offered = 0

    def _listen(self, frame: ev.MicFrame) -> None:
        """Let the wake engine hear the raw frame, whatever the speaker does meanwhile."""
        self._frames += 1
        if self._ear is None:
            return
        missing = frame.position - self._expected
        self._expected = frame.position + len(frame.samples) // 2
        self._offered += missing * WAKE_RATE // self._rate
        samples = self._ear.convert(frame.samples)
        self._devices.wake.offer(samples, self._offered)
        self._offered += len(samples) // 2

    def _obey(self, command: do.Command) -> None:
        world = self._devices
        match command:
            case do.OpenLink():
                self._open_line()
            case do.Attend():
                self._attend(command)
            case do.CloseLink():
                if self._session is not None:
                    self._session.close()
            case do.Play():
                world.sound.queue(command.samples)
            case do.FinishPlay():
                world.sound.finish()
            case do.Hush():
                world.sound.hush()
            case do.Sound():
                world.sound.sound(command.chime)
            case do.Duck():
                world.sound.duck(command.by_db)
            case do.SetVolume():
                world.sound.set_volume(command.volume_db)
            case do.Remember():
                world.memory.remember(command)
            case do.Book():
                world.ledger.book(command)
            case do.OpenMicrophone():
                world.sound.open_microphone()
            case do.CloseMicrophone():
                self._ear = None
                world.sound.close_microphone()
            case do.ResetWake():
                world.wake.reset()
            case do.Show():
                kind = command.look.trouble
                world.service.status(command.look.scene + (f": {kind}" if kind else ""))
                for light in world.lights:
                    light.show(command.look)
            case do.RunTool():
                self._run_tool(command)
            case do.Note():
                world.journal.note(command, self.state)
                if command.fact in (do.Fact.TROUBLE, do.Fact.PART_STUCK):
                    world.recorder.failed(command.message)
            case do.Announced():
                self._announced.put_nowait(command)
            case do.Fail():
                self.crash(ports.PartBroken(command.reason))
            case _:
                self._send(command)

    def _send(self, command: do.LinkCommand) -> None:
        if self._session is None:
            return
        match command:
            case do.SendAudio():
                uplink = self._devices.uplink
                ready = uplink.clean if command.clean else uplink.room
                self._send_sound(ready(command.samples))
            case do.SendNoise():
                self._send_sound(self._devices.uplink.clean(command.samples))
            case _:
                self._session.offer(command)

    def _send_sound(self, samples: bytes) -> None:
        if samples and self._session is not None:
            self._session.offer(do.SendAudio(samples))

    def _attend(self, command: do.Attend) -> None:
        self.attending = command.somebody
        self._devices.sound.doze(False)
        self._devices.uplink.restart(self._rate)

    def _open_line(self) -> None:
        assert self._process is not None
        self._session = self._devices.provider.session()
        self._conversation = self._process.create_task(self._converse(self._session))

    async def _converse(self, session: ports.Session) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            down = await session.run(self.feed)
            for tool in self._tools_running:
                tool.cancel()
        self._session, self.attending = None, False
        self._devices.sound.doze(True)
        self.feed(down)

    def _run_tool(self, command: do.RunTool) -> None:
        if self._session is not None:
            task = self._tasks.create_task(self._call_tool(command))
            self._tools_running.add(task)
            task.add_done_callback(self._tools_running.discard)

    async def _call_tool(self, command: do.RunTool) -> None:
        tools = self._devices.tools
        output = await tools.call(command.name, command.arguments)
        self.feed(ev.ToolFinished(command.call, output, tools.farewell(command.name)))
