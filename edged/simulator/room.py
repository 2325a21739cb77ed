"""A room without hardware: a private PulseAudio with null sinks as microphone and loudspeaker.

The server has a runtime directory, socket and home of its own, so the sound server of whoever is
logged in is never touched; it ends when its standard input closes, hence also when we are killed.
"""

import contextlib
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

import numpy as np

from .hearing import PATIENCE_S, RATE, Place, Recording, Samples, Saying
from .programs import alsa_plugin, available, missing, modules, with_prefix

__all__ = ["RATE", "AcousticPath", "Recording", "Room", "Samples", "Saying", "available", "missing"]

_MONITORS: Final[Mapping[Place, str]] = {
    "loudspeaker": "speaker.monitor",
    "microphone": "virtmic.monitor",
}

# Small fragments keep the room's own latency small; a null sink takes the smallest block that any
# stream asks for, and without norewinds it would begin with one of two seconds.
_DAEMON_CONF: Final = """\
default-fragments = 4
default-fragment-size-msec = 5
default-sample-rate = 48000
alternate-sample-rate = 48000
resample-method = speex-float-{quality}
flat-volumes = no
exit-idle-time = -1
"""
_SINKS: Final = """\
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=virtmic norewinds=1 rate={rate} channels=1 format=s16le
load-module module-null-sink sink_name=speaker norewinds=1 rate={rate} channels=2 format=s16le
set-default-sink speaker
set-default-source virtmic.monitor
"""
_LOOPBACK: Final = """\
load-module module-loopback source=speaker.monitor sink=virtmic latency_msec={delay_ms} \
channels=1 adjust_time=0 source_dont_move=true sink_dont_move=true
set-sink-input-volume 0 {volume}
"""
# A null sink counts whole microseconds: at 48 kHz its clock gains up to one with each piece that
# it mixes, 200 ppm in all, and the way between two sinks, which counts samples, shrinks meanwhile.
# In this rate's microseconds nothing is lost, and a better resampler keeps the highest tones.
_TRUE_RATE: Final = 50_000
_COMMAND_LINE: Final = "load-module module-cli exit_on_eof=1\n"


@dataclass(frozen=True)
class AcousticPath:
    """How the loudspeaker is heard at the microphone."""

    delay_ms: int = 40
    """From the loudspeaker to the microphone; good to a block of the sinks, 10 ms."""
    gain_db: float = -10.0
    """At most 0."""


class Room:
    """A microphone and a loudspeaker in software, for as long as the `with` block lasts.

    As many may be open at once as there is memory for; each is a world of its own.

    Raises:
        OSError: on entering, when programs are missing or the server does not start.

    """

    def __init__(self, acoustic_path: AcousticPath | None = None) -> None:
        self._path = acoustic_path
        self._children: list[Recording | Saying] = []
        self.environment: dict[str, str] = {}
        """The whole environment of a child process whose ALSA default is this room."""

    def __enter__(self) -> "Room":
        if lacking := missing():
            raise OSError(lacking)
        self._folder = Path(tempfile.mkdtemp(prefix="edged-room-"))
        try:
            self._furnish()
            self._server = self._serve()
            if self._path is not None:
                # A sink's pace changes with who plays to it, and with it the way from the other:
                # somebody is silent there all the time.
                with Path("/dev/zero").open("rb") as silence:
                    self._play(silence)
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self._children:
            if isinstance(child, Saying):
                child.stop()
            else:
                child.close()
        self._children.clear()
        _close_server(self._server)
        shutil.rmtree(self._folder)

    def say(self, samples: Samples) -> Saying:
        """Begin to play `samples` (mono, 48 kHz) into the microphone; they sound in the background.

        What is said while something else is being said is mixed, as in air.
        """
        # A file in memory needs nobody to feed it while it is played.
        with os.fdopen(os.memfd_create("edged-say"), "w+b") as words:
            words.write(np.ascontiguousarray(samples, dtype="<i2").tobytes())
            words.seek(0)
            return self._play(words)

    def hear(self, place: Place = "loudspeaker") -> Recording:
        """Record what the loudspeaker plays, or what is at the microphone, from now on.

        Returns when the first sound has arrived; use it in a `with` block or close it.
        """
        process = self._child(
            ["parec", f"--device={_MONITORS[place]}", "--latency-msec=10"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        recording = Recording(process)
        self._children.append(recording)
        return recording

    def _play(self, words: BinaryIO) -> Saying:
        process = self._child(
            ["pacat", "--playback", "--device=virtmic", "--latency-msec=100", "--verbose"],
            stdin=words,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        saying = Saying(process)
        self._children.append(saying)
        return saying

    def _child(self, command: list[str], **streams: Any) -> subprocess.Popen[bytes]:
        program = shutil.which(command[0], path=self.environment["PATH"]) or command[0]
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [
                program,
                *command[1:],
                "--raw",
                "--format=s16le",
                f"--rate={RATE}",
                "--channels=1",
            ],
            env=self.environment | {"LC_ALL": "C"},
            **streams,
        )
        # A loaded machine must not make the room itself late; not everybody may.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(5))
        return process

    def _furnish(self) -> None:
        """Write the server's and ALSA's configuration, and the environment that finds them."""
        home, runtime = self._folder / "home", self._folder / "run"
        for folder in (home, runtime):
            folder.mkdir(mode=0o700)
        plugin = alsa_plugin()
        control = plugin.with_name("libasound_module_ctl_pulse.so") if plugin else None
        (home / ".asoundrc").write_text(
            f'pcm_type.pulse {{ lib "{plugin}" }}\nctl_type.pulse {{ lib "{control}" }}\n'
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n",
            encoding="utf-8",
        )
        rate, quality = (RATE, 1) if self._path is None else (_TRUE_RATE, 5)
        configuration = _DAEMON_CONF.format(quality=quality)
        (self._folder / "daemon.conf").write_text(configuration, encoding="utf-8")
        script = _SINKS.format(socket=runtime / "native", rate=rate)
        if self._path is not None:
            # PulseAudio's volumes are cubic: 65536 is 0 dB.
            volume = round(65536 * 10 ** (min(0.0, self._path.gain_db) / 60))
            script += _LOOPBACK.format(delay_ms=self._path.delay_ms, volume=volume)
        (self._folder / "room.pa").write_text(script + _COMMAND_LINE, encoding="utf-8")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PULSE_", "ALSA_", "PIPEWIRE_", "DBUS_SESSION_"))
            and name not in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_CONFIG_HOME")
        }
        self.environment = with_prefix(kept) | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PULSE_RUNTIME_PATH": str(runtime),
            "PULSE_STATE_PATH": str(runtime),
            "PULSE_CONFIG": str(self._folder / "daemon.conf"),
            "PULSE_SERVER": f"unix:{runtime / 'native'}",
            # PortAudio asks JACK too, which would start a server.
            "JACK_NO_START_SERVER": "1",
        }

    def _serve(self) -> subprocess.Popen[bytes]:
        command = ["pulseaudio", "-n", "-F", str(self._folder / "room.pa"), "--daemonize=no"]
        command += ["--use-pid-file=no", "--log-level=warning", "--log-target=stderr"]
        if (private := modules()) is not None:
            command.append(f"--dl-search-path={private}")
        command[0] = shutil.which(command[0], path=self.environment["PATH"]) or command[0]
        # Its own server is a child's business: PULSE_SERVER would make it refuse to start.
        environment = {k: v for k, v in self.environment.items() if k != "PULSE_SERVER"}
        environment["LC_ALL"] = "C"
        log = self._folder / "log"
        with log.open("wb") as words:
            server = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                # With a terminal, module-cli would take its commands from there instead.
                start_new_session=True,
            )
        if not _answers(server):
            _close_server(server)
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise OSError(f"the room's PulseAudio did not start: {' / '.join(said[-3:])}")
        # Its sinks are punctual by themselves; who carries the sound to them must be so, too.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(
                server.pid, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(4)
            )
        return server


def _answers(server: subprocess.Popen[bytes]) -> bool:
    """Ask for something and wait for the answer: by then every module is loaded and served."""
    assert server.stdin is not None
    assert server.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        server.stdin.write(b"list-modules\n")
        server.stdin.flush()
    deadline = time.monotonic() + PATIENCE_S
    said = b""
    while b"module(s) loaded." not in said:
        ready, _, _ = select.select([server.stdout], [], [], max(0, deadline - time.monotonic()))
        piece = os.read(server.stdout.fileno(), 4096) if ready else b""
        if not piece:
            return False
        said += piece
    return True


def _close_server(server: subprocess.Popen[bytes]) -> None:
    try:
        server.communicate(b"exit\n", timeout=2)
    except subprocess.TimeoutExpired:
        server.kill()
        server.communicate()
