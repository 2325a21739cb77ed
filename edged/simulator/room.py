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
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
"""Samples per second of both sinks and of everything said and heard."""

Samples = NDArray[np.int16]
Place = Literal["loudspeaker", "microphone"]

_MONITORS: Final[Mapping[Place, str]] = {
    "loudspeaker": "speaker.monitor",
    "microphone": "virtmic.monitor",
}
_PATIENCE_S: Final = 15.0
"""No step of the room's takes this long, not even on a Pi Zero that swaps."""

# Small fragments keep the room's own latency small; a null sink takes the smallest block that any
# stream asks for, and without norewinds it would begin with one of two seconds.
_DAEMON_CONF: Final = """\
default-fragments = 4
default-fragment-size-msec = 5
default-sample-rate = 48000
alternate-sample-rate = 48000
resample-method = speex-float-1
flat-volumes = no
exit-idle-time = -1
"""
_SINKS: Final = """\
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=virtmic norewinds=1 rate=48000 channels=1 format=s16le
load-module module-null-sink sink_name=speaker norewinds=1 rate=48000 channels=2 format=s16le
set-default-sink speaker
set-default-source virtmic.monitor
"""
_LOOPBACK: Final = """\
load-module module-loopback source=speaker.monitor sink=virtmic latency_msec={delay_ms} \
channels=1 adjust_time=0 source_dont_move=true sink_dont_move=true
set-sink-input-volume 0 {volume}
"""
_COMMAND_LINE: Final = "load-module module-cli exit_on_eof=1\n"


@dataclass(frozen=True)
class AcousticPath:
    """How the loudspeaker is heard at the microphone."""

    delay_ms: int = 40
    """From the loudspeaker to the microphone; the two null sinks themselves need about 20 ms."""
    gain_db: float = -10.0
    """At most 0."""


def missing() -> str:
    """What the room lacks on this machine and how to get it; empty when it can be opened."""
    prefix = _prefix()
    environment = _with_prefix(dict(os.environ), prefix)
    lacking = [
        package
        for program, package in (
            ("pulseaudio", "pulseaudio"),
            ("pacat", "pulseaudio-utils"),
            ("parec", "pulseaudio-utils"),
        )
        if shutil.which(program, path=environment.get("PATH")) is None
    ]
    if _alsa_plugin(prefix) is None:
        lacking.append("libasound2-plugins")
    if not lacking:
        return ""
    packages = " ".join(dict.fromkeys(lacking))
    return (
        f"the software room needs {packages}: apt-get install {packages}, or unpack them into a "
        "folder and name it in EDGED_ROOM_PREFIX"
    )


def available() -> bool:
    """Whether the room can be opened on this machine; `missing` says why not."""
    return not missing()


class Recording:
    """What is heard at one place, from the moment it began until it is closed.

    Sample positions count from its beginning; times are monotonic seconds.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._heard = bytearray()
        self._counts: list[int] = []
        self._times: list[float] = []
        self._grown = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, name="room-hear", daemon=True)
        self._reader.start()
        self.wait_for(1)

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Samples heard so far."""
        with self._grown:
            return len(self._heard) // 2

    @property
    def samples(self) -> Samples:
        """A copy of everything heard so far."""
        return self.cut(0, len(self))

    def cut(self, start: int, end: int) -> Samples:
        """The samples from position `start` to before `end`, as far as they were heard."""
        with self._grown:
            piece = bytes(self._heard[2 * max(0, start) : 2 * max(0, end)])
        return np.frombuffer(piece[: len(piece) // 2 * 2], dtype=np.int16)

    def between(self, start: float, end: float) -> Samples:
        """The samples heard from one time to another; waits until `end` has been heard."""
        self.wait_until(end)
        return self.cut(self.position_at(start), self.position_at(end))

    def time_of(self, position: int) -> float:
        """When the sample at `position` was heard.

        The earliest arrival within a second to either side tells: later ones were held up by the
        scheduler, and the sink's clock is only good (within 375 ppm) over a short window.
        """
        with self._grown:
            return self._offset(self._counts, position, RATE) + position / RATE

    def position_at(self, when: float) -> int:
        """Which sample was heard at `when`; 0 for anything before the beginning."""
        with self._grown:
            return max(0, round((when - self._offset(self._times, when, 1)) * RATE))

    def wait_for(self, count: int, timeout_s: float = _PATIENCE_S) -> None:
        """Wait until `count` samples were heard.

        Raises:
            TimeoutError: they were not heard in time.
            OSError: the recording has ended.

        """
        deadline = time.monotonic() + timeout_s
        with self._grown:
            while len(self._heard) < 2 * count:
                if self._over:
                    raise OSError("the recording of the room has ended")
                if not self._grown.wait(deadline - time.monotonic()):
                    raise TimeoutError("the room delivers no sound")

    def wait_until(self, when: float) -> None:
        """Wait until everything up to the time `when` was heard; raises as `wait_for` does."""
        while len(self) < (position := self.position_at(when)):
            ahead = (position - len(self)) / RATE
            self.wait_for(position, ahead + _PATIENCE_S)

    def level_dbfs(self, window_s: float = 0.05) -> float:
        """Root mean square of the last moment, for a meter; -120 for silence."""
        end = len(self)
        piece = self.cut(end - round(window_s * RATE), end).astype(np.float64)
        power = float(np.mean(np.square(piece / 32768))) if piece.size else 0.0
        return max(-120.0, 10 * float(np.log10(power + 1e-12)))

    def close(self) -> None:
        """Hear nothing more; what was heard stays."""
        _end(self._process)
        self._reader.join()

    def _offset(self, axis: list[int] | list[float], middle: float, second: int) -> float:
        if not self._counts:
            raise OSError("nothing was heard yet")
        first = min(bisect_left(axis, middle - second), len(axis) - 1)
        last = max(bisect_right(axis, middle + second), first + 1)
        return min(
            when - count / RATE
            for when, count in zip(self._times[first:last], self._counts[first:last], strict=True)
        )

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while piece := os.read(stream.fileno(), 65536):
            now = time.monotonic()
            with self._grown:
                self._heard += piece
                self._counts.append(len(self._heard) // 2)
                self._times.append(now)
                self._grown.notify_all()
        with self._grown:
            self._over = True
            self._grown.notify_all()
        stream.close()


class Saying:
    """Something being said into the microphone."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._began = threading.Event()
        self._over = threading.Event()
        self._started: float | None = None
        self._watcher = threading.Thread(target=self._watch, name="room-say", daemon=True)
        self._watcher.start()

    @property
    def started(self) -> float:
        """The monotonic time at which the first sample reached the microphone; waits for it.

        Raises:
            OSError: it never did.

        """
        self._began.wait(_PATIENCE_S)
        if self._started is None:
            raise OSError("nothing could be said in the room")
        return self._started

    @property
    def over(self) -> bool:
        """Whether the last sample was said, or it was stopped."""
        return self._over.is_set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the last sample was said; raises `TimeoutError`."""
        if not self._over.wait(timeout_s):
            raise TimeoutError("still being said")

    def stop(self) -> None:
        """Fall silent at once."""
        _end(self._process)
        self._watcher.join()

    def _watch(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as words:
            for line in words:
                if line.startswith(b"Stream started"):
                    self._started = time.monotonic()
                    self._began.set()
        self._process.wait()
        self._began.set()
        self._over.set()


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
            process = self._child(
                ["pacat", "--playback", "--device=virtmic", "--latency-msec=100", "--verbose"],
                stdin=words,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        saying = Saying(process)
        self._children.append(saying)
        return saying

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
            env=self.environment,
            **streams,
        )
        # A loaded machine must not make the room itself late; not everybody may.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(5))
        return process

    def _furnish(self) -> None:
        """Write the server's and ALSA's configuration, and the environment that finds them."""
        prefix = _prefix()
        home, runtime = self._folder / "home", self._folder / "run"
        for folder in (home, runtime):
            folder.mkdir(mode=0o700)
        plugin = _alsa_plugin(prefix)
        control = plugin.with_name("libasound_module_ctl_pulse.so") if plugin else None
        (home / ".asoundrc").write_text(
            f'pcm_type.pulse {{ lib "{plugin}" }}\nctl_type.pulse {{ lib "{control}" }}\n'
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n",
            encoding="utf-8",
        )
        (self._folder / "daemon.conf").write_text(_DAEMON_CONF, encoding="utf-8")
        script = _SINKS.format(socket=runtime / "native")
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
        self.environment = _with_prefix(kept, prefix) | {
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
        modules = _modules(_prefix())
        if modules is not None:
            command.append(f"--dl-search-path={modules}")
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
            )
        if not _answers(server):
            _close_server(server)
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise OSError(f"the room's PulseAudio did not start: {' / '.join(said[-3:])}")
        return server


def _answers(server: subprocess.Popen[bytes]) -> bool:
    """Ask for something and wait for the answer: by then every module is loaded and served."""
    assert server.stdin is not None
    assert server.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        server.stdin.write(b"list-modules\n")
        server.stdin.flush()
    deadline = time.monotonic() + _PATIENCE_S
    said = b""
    while b"module(s) loaded." not in said:
        ready, _, _ = select.select([server.stdout], [], [], max(0, deadline - time.monotonic()))
        piece = os.read(server.stdout.fileno(), 4096) if ready else b""
        if not piece:
            return False
        said += piece
    return True


def _close_server(server: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        server.communicate(b"exit\n", timeout=2)
        return
    server.kill()
    server.communicate()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# --- programs unpacked privately ----------------------------------------------------------


def _prefix() -> Path | None:
    """The folder into which Debian packages were unpacked, if there is one."""
    named = os.environ.get("EDGED_ROOM_PREFIX")
    return Path(named).resolve() if named else None


def _libraries(prefix: Path | None) -> list[Path]:
    """The library folders, Debian's architecture folder first."""
    root = (prefix or Path("/")) / "usr"
    return [*sorted(root.glob("lib/*-linux-*")), root / "lib64", root / "lib"]


def _modules(prefix: Path | None) -> Path | None:
    """PulseAudio's module folder where it is not the built-in one."""
    if prefix is None:
        return None
    found = [p.parent for lib in _libraries(prefix) for p in lib.glob("**/module-null-sink.so")]
    return found[0] if found else None


def _alsa_plugin(prefix: Path | None) -> Path | None:
    """ALSA's bridge to PulseAudio: the private one, else the system's."""
    for root in (prefix, None) if prefix else (None,):
        for library in _libraries(root):
            if (plugin := library / "alsa-lib" / "libasound_module_pcm_pulse.so").exists():
                return plugin
    return None


def _with_prefix(environment: dict[str, str], prefix: Path | None) -> dict[str, str]:
    """The environment in which programs and libraries under `prefix` are found first."""
    if prefix is None:
        return environment
    folders = [p for lib in _libraries(prefix) for p in (lib, lib / "pulseaudio") if p.is_dir()]
    for name, first in (("PATH", [prefix / "usr" / "bin"]), ("LD_LIBRARY_PATH", folders)):
        rest = [environment[name]] if environment.get(name) else []
        environment[name] = os.pathsep.join([*map(str, first), *rest])
    return environment
