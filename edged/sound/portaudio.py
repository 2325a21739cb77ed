"""ALSA microphones and loudspeakers through PortAudio, by PyAudio's callback streams."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import pyaudio

from ..ports import Echo, Feed, SoundCard
from ._capture import Capture
from ._card import Card
from ._devices import Device, Direction, find
from ._duplex import Duplex
from ._mixer import Mixer
from ._player import Player
from ._quiet import silence
from ._system import Opened

_CARDS: Final = Path("/proc/asound/cards")
_MOST_DELAY_S: Final = 1.0
"""A delay beyond this is a driver's mistake."""
_OTHER_RATES: Final = (48000, 44100, 16000)
_LEAST_RATE: Final = 16000
"""What wake engines hear; telephone sound is made of better."""
_USUAL_RATES: Final = (8000, 16000, 24000, 32000, 44100, 48000, 96000)


@dataclass(frozen=True)
class Settings:
    """Which devices, and how they are driven."""

    microphone: str = ""
    """Name, part of a name or index as `edged devices` shows it; "" for the default."""
    speaker: str = ""
    """Name, part of a name or index as `edged devices` shows it; "" for the default."""
    channel: Annotated[int, "0 to 31"] = 0
    """The microphone's channel that is listened to, from 0."""
    capture_rate: Annotated[int, "0 to 192000"] = 0
    """Samples per second of the microphone; 0 takes the provider's rate where the device has it
    and it is 16 kHz at least, else the device's own."""
    playback_rate: Annotated[int, "0 to 192000"] = 0
    """Samples per second of the loudspeaker; 0 chooses as for the microphone."""
    period_ms: Annotated[int, "5 to 20"] = 10
    """How much sound goes to and from the devices at a time; more is slower and cheaper."""
    mixer: str = ""
    """A control of the sound card's own that sets the volume, as "PCM" or "Master"; "" turns the
    sound itself down."""
    mixer_card: str = "default"
    """The sound card of that control, as ALSA knows it: "default", "hw:1", "hw:Device"."""
    longest_priming_ms: Annotated[int, "0 to 2000"] = 500
    """Answers that arrive unevenly are held back by the largest lateness seen, at most this."""
    rest_s: Annotated[float, "0 to 3600"] = 30.0
    """The loudspeaker's stream rests after this much silence, which saves power; 0 for never."""


def open(
    settings: Settings,
    feed: Feed,
    wire_rate: int,
    frame_ms: int,
    echo: Echo,
    echo_name: str,
    *,
    api: Callable[[], Any] = pyaudio.PyAudio,
    library: Any = None,
) -> SoundCard:
    """A sound card whose loudspeaker opens at once; call it on the loop's thread.

    `frame_ms` is the wire's and means nothing here: capture frames are always 20 ms. `echo` cleans
    them, and is told of by its name. `api` makes a PortAudio, and `library` stands for the
    system's libasound.
    """
    mixer = Mixer(settings.mixer_card, settings.mixer, library) if settings.mixer else None
    system = System(settings, wire_rate, api, mixer)
    player = Player(feed, wire_rate, settings.longest_priming_ms)
    duplex = Duplex(echo, echo_name, wire_rate)

    def capture() -> Capture:
        return Capture(feed, settings.channel, duplex.heard)

    card = Card(system, feed, player, duplex, capture, settings.rest_s)
    card.start()
    return card


def devices(api: Callable[[], Any] = pyaudio.PyAudio) -> Sequence[Device]:
    """All devices there are now; blocks for some tenths of a second."""
    silence()
    audio = api()
    try:
        return _list(audio)
    finally:
        audio.terminate()


def rates(
    device: Device, direction: Direction, api: Callable[[], Any] = pyaudio.PyAudio
) -> Sequence[int]:
    """The usual rates at which it would open; blocks for some tenths of a second."""
    silence()
    audio = api()
    way = "input" if direction == "microphone" else "output"
    asked = {f"{way}_device": device.index, f"{way}_channels": 1}
    asked[f"{way}_format"] = pyaudio.paInt16

    def opens(rate: int) -> bool:
        # PyAudio has an exception, not an answer, for "no".
        with suppress(ValueError):
            return bool(audio.is_format_supported(rate, **asked))
        return False

    try:
        return tuple(filter(opens, _USUAL_RATES))
    finally:
        audio.terminate()


class System:
    """PortAudio, as the `sound` thread uses it: every method blocks and belongs to that thread.

    Expected trouble is an `OSError`.
    """

    def __init__(
        self, settings: Settings, wire_rate: int, api: Callable[[], Any], mixer: Mixer | None
    ) -> None:
        self._settings = settings
        self._wire_rate = wire_rate
        self._api = api
        self._mixer = mixer
        self._mixer_found = False
        self.turns_volume = mixer is not None
        self._audio: Any = None
        self._streams: dict[Direction, Any] = {}
        self._again: dict[Direction, Callable[[], tuple[Any, int]]] = {}
        """Opens each stream as it was opened last."""
        self._cards = ""

    def begin(self) -> None:
        """Initialise, which is when PortAudio looks for devices."""
        self.end()
        silence()
        self._cards = _cards()
        self._audio = self._api()

    def end(self) -> None:
        """Close both streams and let PortAudio go."""
        self.close("microphone")
        self.close("speaker")
        if self._audio is not None:
            self._audio.terminate()
            self._audio = None

    def changed(self) -> bool:
        """Whether cards have come or gone since `begin`."""
        return _cards() != self._cards

    def open_microphone(self, capture: Capture) -> Opened:
        """Open, not yet started."""
        device = self._find(self._settings.microphone, "microphone")
        channels = self._settings.channel + 1
        latency_s = 0.0

        def deliver(
            block: bytes, frames: int, info: dict[str, float], status: int
        ) -> tuple[None, int]:
            now = info["current_time"]
            age_s = _plausible(now - info["input_buffer_adc_time"], latency_s)
            lost = bool(status & pyaudio.paInputOverflow)
            capture.take(block, frames, now - age_s, lost)
            return None, pyaudio.paContinue

        rates = self._rates(self._settings.capture_rate, device)
        opened = self._open("microphone", device, rates, channels, deliver)
        latency_s = opened.latency_ms / 1000
        capture.prepare(opened.rate, channels)
        return opened

    def open_speaker(self, player: Player) -> Opened:
        """Open, not yet started."""
        self._find_mixer()
        device = self._find(self._settings.speaker, "speaker")
        channels = min(2, device.outputs)
        latency_s = last_s = 0.0

        def fetch(
            _block: None, frames: int, info: dict[str, float], status: int
        ) -> tuple[bytes, int]:
            nonlocal last_s
            now = info["current_time"]
            if status & pyaudio.paOutputUnderflow:
                # Since the last block it had as much to sound as it holds.
                player.ran_dry(now - last_s - latency_s)
            last_s = now
            delay_s = _plausible(info["output_buffer_dac_time"] - now, latency_s)
            return player.fill(frames, channels, delay_s, now), pyaudio.paContinue

        rates = self._rates(self._settings.playback_rate, device)
        opened = self._open("speaker", device, rates, channels, fetch)
        latency_s = opened.latency_ms / 1000
        return opened

    def set_volume(self, volume_db: float) -> bool:
        """Turn the mixer's control; False when it does not answer."""
        if self._mixer is None:
            return False
        try:
            self._mixer.set_volume(volume_db)
        except OSError:
            return False
        return True

    def start(self, direction: Direction) -> None:
        """Let the stream run; one that rested is opened as it was.

        A stopped stream is never started again: PortAudio's `Pa_StartStream` does not come back
        when the device has gone meanwhile, while opening one that has gone is an error.
        """
        if direction not in self._streams:
            self._streams[direction], _ = self._again[direction]()
        self._streams[direction].start_stream()

    def rest(self, direction: Direction) -> None:
        """Stop the stream until `start`."""
        self.close(direction)

    def close(self, direction: Direction) -> None:
        """Stop the stream, if there is one, and give up the device."""
        stream = self._streams.pop(direction, None)
        if stream is None:
            return
        # A stream whose device is gone may refuse to stop, and must be closed all the same.
        with suppress(OSError):
            stream.stop_stream()
        with suppress(OSError):
            stream.close()

    def _find_mixer(self) -> None:
        """A control that never was there is a mistake; one that went with its card is not."""
        if self._mixer is not None and not self._mixer_found:
            self._mixer.check()
            self._mixer_found = True

    def _find(self, wanted: str, direction: Direction) -> Device:
        if self._audio is None:
            raise OSError("PortAudio did not start")
        return find(_list(self._audio), wanted, direction)

    def _rates(self, wanted: int, device: Device) -> Sequence[int]:
        if wanted:
            return (wanted,)
        rates = dict.fromkeys((self._wire_rate, device.rate, *_OTHER_RATES))
        return sorted(rates, key=lambda rate: rate < _LEAST_RATE)

    def _open(
        self,
        direction: Direction,
        device: Device,
        rates: Sequence[int],
        channels: int,
        callback: Callable[..., tuple[bytes | None, int]],
    ) -> Opened:
        self.close(direction)
        way = "input" if direction == "microphone" else "output"
        attempt = partial(
            self._audio.open,
            channels=channels,
            format=pyaudio.paInt16,
            start=False,
            stream_callback=callback,
            **{way: True, f"{way}_device_index": device.index},
        )
        period_ms = self._settings.period_ms
        stream, rate = _at_first_possible(rates, attempt, period_ms, device)
        self._streams[direction] = stream
        self._again[direction] = partial(_at_first_possible, (rate,), attempt, period_ms, device)
        latency_s = (
            stream.get_input_latency() if direction == "microphone" else stream.get_output_latency()
        )
        return Opened(device.name, rate, latency_s * 1000)


def _at_first_possible(
    rates: Sequence[int], attempt: Callable[..., Any], period_ms: int, device: Device
) -> tuple[Any, int]:
    problem: OSError | None = None
    for rate in rates:
        try:
            return attempt(rate=rate, frames_per_buffer=rate * period_ms // 1000), rate
        except OSError as error:
            problem = error
            if error.errno != pyaudio.paInvalidSampleRate:
                break
    said = problem.args[-1] if problem else "no rate to try"
    tried = ", ".join(map(str, rates))
    raise OSError(f'"{device.name}" does not open: {said} (rates to try: {tried} Hz)')


def _plausible(delay_s: float, latency_s: float) -> float:
    """What a driver tells of a block's delay, or where that cannot be, its stream's latency."""
    return delay_s if 0 < delay_s < _MOST_DELAY_S else latency_s


def _list(audio: Any) -> Sequence[Device]:
    defaults: dict[int, tuple[Direction, ...]] = {}
    # PyAudio has an exception, not an answer, for "there is none".
    with suppress(OSError):
        defaults[audio.get_default_input_device_info()["index"]] = ("microphone",)
    with suppress(OSError):
        index = audio.get_default_output_device_info()["index"]
        defaults[index] = (*defaults.get(index, ()), "speaker")
    infos = (audio.get_device_info_by_index(index) for index in range(audio.get_device_count()))
    return tuple(
        Device(
            info["index"],
            str(info["name"]),
            info["maxInputChannels"],
            info["maxOutputChannels"],
            int(info["defaultSampleRate"]),
            defaults.get(info["index"], ()),
        )
        for info in infos
    )


def _cards() -> str:
    """The kernel's list of sound cards; "" where there is none."""
    try:
        return _CARDS.read_text(encoding="utf-8")
    except OSError:
        return ""
