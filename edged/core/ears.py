"""The microphone: open unless muted, opened anew when it falls silent, and what it hears."""

from collections.abc import Callable
from typing import assert_never

from . import commands as do
from .commands import Chime, Command, Fact, note, warn
from .events import EchoMeasured, MicFrame, MicLost, MicOpened, MuteAsked, Trouble
from .line import Line
from .machines import HEARING, Hearing, Move, step
from .settings import Conversation
from .timers import Timer, Timers
from .troubles import Troubles


class Ears:
    """The hearing machine with its microphone."""

    def __init__(
        self,
        policy: Conversation,
        timers: Timers,
        line: Line,
        troubles: Troubles,
        do: Callable[[Command], None],
    ) -> None:
        self._policy = policy
        self._timers = timers
        self._line = line
        self._troubles = troubles
        self._do = do
        self._silent_s = 0.0
        self.hearing = Hearing.OPEN
        self._locked = False
        self.rate: int | None = None
        """Capture samples per second; None while there is no microphone."""

    @property
    def muted(self) -> bool:
        """Whether nobody may hear us."""
        return self.hearing is Hearing.MUTED

    def start(self, *, muted: bool, now: float) -> None:
        """The process is up."""
        if muted:
            self.hearing = Hearing.MUTED
        else:
            self._open(now)

    def mute(self, event: MuteAsked, now: float) -> bool:
        """Close the microphone, or open it again; whether that changed anything.

        A switch that stands on mute outranks everything else.
        """
        muted = event.muted
        if event.switch:
            self._locked = muted
        if self._locked and not muted:
            self._do(do.Sound(Chime.MUTED))
            return False
        hearing = step(HEARING, self.hearing, Move.MUTED if muted else Move.UNMUTED)
        if hearing is self.hearing:
            return False
        self.hearing = hearing
        if muted:
            self._line.end("muted", now, chime=None)
            self._timers.stop(Timer.MICROPHONE)
            self._forget()
            self._do(do.CloseMicrophone())
            self._do(do.Sound(Chime.MUTED))
            self._do(note(Fact.MUTED, "muted: the microphone is closed"))
        else:
            self._open(now)
            self._do(do.Sound(Chime.UNMUTED))
            self._do(note(Fact.UNMUTED, "unmuted: the microphone is open"))
        return True

    def hear(self, frame: MicFrame, now: float) -> None:
        """A frame of room sound."""
        if self.muted or self.rate is None:
            return
        self._silent_s = 0.0
        self._troubles.end(Trouble.MICROPHONE)
        self._timers.start(Timer.MICROPHONE, now + self._policy.silent_microphone_s)
        self._line.hear(frame, self.rate, now)

    def take(self, event: MicOpened | MicLost | EchoMeasured, now: float) -> None:
        """What the sound card says of the microphone."""
        match event:
            case MicOpened():
                self._opened(event, now)
            case MicLost():
                self._lost(event, now)
            case EchoMeasured():
                self._measured(event)
            case _:
                assert_never(event)

    def _measured(self, event: EchoMeasured) -> None:
        """What became of our own voice in a conversation."""
        message = f"{event.driver} made our echo {event.erle_db:.0f} dB quieter"
        figures = {"erle_db": event.erle_db, "drift_ppm": event.drift_ppm}
        self._do(note(Fact.ECHO_MEASURED, message, driver=event.driver, **figures))

    def _opened(self, event: MicOpened, now: float) -> None:
        """The capture stream runs."""
        if self.muted:
            return  # It was on its way when the mute closed it.
        self._forget()
        self.rate = event.rate
        self._timers.start(Timer.MICROPHONE, now + self._policy.silent_microphone_s)
        message = f"microphone {event.device}"
        told = note(Fact.MICROPHONE_OPENED, message, device=event.device, rate=event.rate)
        self._do(told)

    def _lost(self, event: MicLost, now: float) -> None:
        """The device is gone."""
        self.rate = None
        self._silent_s = 0.0
        self._timers.stop(Timer.MICROPHONE)
        self._do(warn(Fact.MICROPHONE_LOST, event.detail))
        self._line.end("microphone lost", now, chime=None)
        self._troubles.arise(Trouble.MICROPHONE, event.detail, now)

    def search(self, now: float) -> None:
        """No frame has come: open it anew, and say so when that did not help."""
        if self._silent_s and self.rate is not None:
            self._do(do.Fail("the microphone is open and silent, and was so before"))
            return
        if self._silent_s:
            self._line.end("microphone silent", now, chime=None)
            self._troubles.arise(Trouble.MICROPHONE, "the microphone delivers no sound", now)
        self.rate = None
        self._silent_s += self._policy.silent_microphone_s
        self._do(do.CloseMicrophone())
        self._open(now)

    def _open(self, now: float) -> None:
        self._timers.start(Timer.MICROPHONE, now + self._policy.silent_microphone_s)
        self._do(do.OpenMicrophone())

    def _forget(self) -> None:
        self._line.forget()
        self._do(do.ResetWake())
