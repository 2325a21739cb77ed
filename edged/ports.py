"""What edged needs from the world, on one page.

Four promises keep the core simple; drivers keep them and the fakes in the tests enforce them:

1. exactly one `LinkDown` follows every `OpenLink`, within a bounded time, whatever happens,
   and before the next `OpenLink`;
2. after `hush()` no progress is reported for sound queued before it; one `SpeakerHushed` is;
3. `queue()`, `offer()` and `show()` never block and never raise for a slow device;
4. a tool that fails returns the failure as text for the model.

All methods are called on the event loop's thread, and so is every `Feed`: a driver with
threads of its own crosses through `edged.handoff.Handoff`.
"""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from .core.commands import Book, Chime, LinkCommand, Note, Remember
from .core.events import Event, LinkDown
from .core.frames import Cleaned
from .core.scenes import Look
from .core.vigil import Pulse

Feed = Callable[[Event], None]
"""Takes one event into the core; on the loop's thread, never awaits."""


class PartBroken(Exception):
    """A part of the speaker is beyond repair from inside: the process must be started again."""


class SoundCard(Protocol):
    """A microphone and a loudspeaker; feeds `MicFrame`, `SpeakerProgress` and their kin.

    Opens the playback stream as soon as it can and reports `SpeakerOpened`. A device that is
    missing or vanishes is reported once (`MicLost`, `SpeakerLost`) and looked for until it is
    back (`MicOpened`, `SpeakerOpened`). One that is there and stays silent, although it was opened
    anew, is `PartBroken`, raised on the loop.
    """

    def open_microphone(self) -> None:
        """Start capturing; answered by `MicOpened` or `MicLost`, never from inside this call."""

    def close_microphone(self) -> None:
        """Stop capturing and release the device; no `MicFrame` follows."""

    def doze(self, dozing: bool) -> None:
        """While dozing, frames may come 80 ms at a time and are not cleaned, to spare the board.

        Else each `MicFrame` is 20 ms and `clean`. `EchoMeasured` may follow when dozing begins.
        """

    def queue(self, samples: bytes) -> None:
        """Append reply sound (16-bit mono at the wire's rate) to the spool; minutes fit."""

    def finish(self) -> None:
        """The reply is complete: from now on an empty spool is its end, not a gap."""

    def hush(self) -> None:
        """Fade the reply out within 12 ms and forget what is queued; progress restarts at 0.

        Answered by one `SpeakerHushed`, fed later, never from inside this call.
        """

    def set_volume(self, volume_db: float) -> None:
        """How loud everything is from now on; 0 is as loud as it goes, and the start."""

    def duck(self, by_db: float) -> None:
        """How much quieter than that, until told otherwise; 0 is not."""

    def sound(self, chime: Chime) -> None:
        """Mix an earcon over whatever plays; it never counts as progress."""

    def say(self, samples: bytes) -> None:
        """Append words of our own, 16-bit mono at the wire's rate, to the earcons; b"" ends them.

        The next earcon ends them too, but for the tick of the volume, which then is not heard.
        """

    def status(self) -> Mapping[str, str | int | float]:
        """Devices, the echo driver and what it found out, frames lost."""

    def pulse(self) -> Pulse:
        """What it has done so far."""

    async def close(self) -> None:
        """Stop both streams and release the devices, within a second."""


Change = Literal["underrun", "reopened", "volume", "rested"]
"""Why the way from loudspeaker to microphone may have changed. After `rested` both streams go on
as before, but nobody watched them meanwhile: only the delays are to be believed anew."""


class Echo(Protocol):
    """Takes the device's own voice out of its microphone; decides nothing about what is sent.

    All sound is 16-bit mono at the wire's rate, and all delays are samples of it.
    """

    hears_through: bool
    """Whether it tells a person from our own voice. One that does not is not given earcons, or
    what is said over them would be lost."""
    late: int
    """How many samples clean sound comes behind what was heard."""

    @property
    def drift_ppm(self) -> float:
        """How much faster the loudspeaker's clock runs than the microphone's; 0 until known."""

    def far(self, samples: bytes) -> None:
        """What was just handed to the device, after volume and mixing, silence included."""

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        """Clean 20 ms of the microphone; other lengths raise ValueError.

        `play_delay`: how much of what was given to `far` has not sounded yet. `capture_delay`:
        how long ago the frame's last sample was picked up.
        """

    def flushed(self, frames: int) -> None:
        """The last so many samples given to `far` were thrown away and will never sound."""

    def notify(self, why: Change) -> None:
        """The way from loudspeaker to microphone has changed.

        What was learned of it is learned again; the score stays below 1 for the next second of
        sound from the loudspeaker (not after `rested`).
        """


class Uplink(Protocol):
    """Turns sound of any length into wire frames; keeps the resampler's state between them."""

    def restart(self, capture_rate: int) -> None:
        """Begin anew, at this capture rate."""

    def room(self, samples: bytes) -> bytes:
        """Room sound at the wire's rate; may be empty while a wire frame fills."""

    def clean(self, samples: bytes) -> bytes:
        """The same of sound that is at the wire's rate already."""


class Resampler(Protocol):
    """One direction of one stream, from one rate to another."""

    def convert(self, samples: bytes) -> bytes:
        """The next samples, 16-bit mono, a few milliseconds late at most."""


class Wake(Protocol):
    """An engine that listens for wake words on 16 kHz sound, on a thread of its own.

    Feeds `WakeHeard` and `WakeNearlyHeard`, with `position` in 16 kHz samples as offered.
    """

    @property
    def examined(self) -> int | None:
        """Frames it is done with, those too that it found too quiet; None where it hears none."""

    def offer(self, samples: bytes, position: int) -> None:
        """Let the engine hear the next sound, 16-bit mono at 16 kHz.

        The newest is kept when the engine falls behind. A jump of `position` is a gap.
        """

    def reset(self) -> None:
        """Forget everything heard, and be deaf until 16 frames have passed."""

    def scores(self) -> Mapping[str, float]:
        """The best score of each word, 0 to 1, in the last tenths of a second."""

    def status(self) -> Mapping[str, str | int]:
        """Engine, words, models with SHA-256 and licence, frames examined and dropped."""

    async def close(self) -> None:
        """End the worker, within a second."""


class Session(Protocol):
    """One conversation over one line."""

    def offer(self, command: LinkCommand) -> None:
        """Send a command as soon as the line takes it.

        Sound waits in a bounded lane whose oldest falls out and is counted; everything else is
        never dropped. `SendAudio` and `SendNoise` both arrive here as `SendAudio` with samples
        at the wire's rate.
        """

    def close(self) -> None:
        """Begin an orderly end: `run` returns soon, within the close time-out."""

    async def run(self, feed: Feed) -> LinkDown:
        """Connect, configure and converse; return how it ended.

        Feeds `LinkAccepted`, `LinkReady` and what the provider says. Raises nothing for trouble
        of the network's, the provider's or the owner's making.
        """


class Provider(Protocol):
    """Whoever answers."""

    def session(self) -> Session:
        """A new session, not yet connected."""


class Lights(Protocol):
    """Something that can show a colour."""

    def show(self, look: Look) -> None:
        """Show `look` until told otherwise."""

    def close(self) -> None:
        """Go dark and release the device."""


class Buttons(Protocol):
    """Something that can be pressed; feeds `ButtonPressed` and `ButtonReleased`."""

    def close(self) -> None:
        """Release the device; no event follows."""


class Tools(Protocol):
    """What the model may call."""

    async def call(self, name: str, arguments: str) -> str:
        """The tool's output as text; its failure too."""

    def farewell(self, name: str) -> bool:
        """Whether that tool says goodbye: the conversation ends once the answer was heard."""


class Memory(Protocol):
    """What outlives a restart."""

    def remember(self, what: Remember) -> None:
        """Save it; a disk that refuses is told to the journal and nobody else."""


class Ledger(Protocol):
    """Where it is written what was spent."""

    def book(self, what: Book) -> None:
        """Write it down soon, without waiting for the disk."""


class Recorder(Protocol):
    """The flight recorder: the last minutes of events, without sound and without words."""

    def took(self, event: Event, now: float) -> None:
        """Note an event on its way into the core."""

    def failed(self, why: str) -> None:
        """Something failed: keep the last minutes on disk."""


class Journal(Protocol):
    """Where the story is told."""

    def note(self, note: Note, state: str) -> None:
        """Write one entry; never blocks for long and never raises."""


class Service(Protocol):
    """The service manager, or nobody."""

    def ready(self) -> None:
        """The speaker serves."""

    def status(self, text: str) -> None:
        """One line of words for `systemctl status`."""

    def alive(self) -> None:
        """Feed the watchdog."""

    def turning(self) -> None:
        """The event loop turns, whatever else does not."""

    def stopping(self) -> None:
        """The end has begun."""
