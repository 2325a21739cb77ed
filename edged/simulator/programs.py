"""Where the software room's programs are: on the system, or unpacked into a private folder.

The environment variable `EDGED_ROOM_PREFIX` names a folder into which Debian packages were
unpacked with `dpkg-deb -x` (see `scripts/unpack-room`): installing PulseAudio would change how the
machine sounds.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def missing() -> str:
    """What the room lacks on this machine and how to get it; empty when it can be opened."""
    environment = with_prefix(os.environ)
    lacking = [
        package
        for program, package in (
            ("pulseaudio", "pulseaudio"),
            ("pacat", "pulseaudio-utils"),
            ("parec", "pulseaudio-utils"),
        )
        if shutil.which(program, path=environment.get("PATH")) is None
    ]
    if alsa_plugin() is None:
        lacking.append("libasound2-plugins")
    if not lacking:
        return ""
    packages = " ".join(dict.fromkeys(lacking))
    return (
        f"the software room needs {packages}: scripts/setup --room unpacks them for this folder "
        f"alone, apt-get install {packages} installs them"
    )


def available() -> bool:
    """Whether the room can be opened on this machine; `missing` says why not."""
    return not missing()


def _prefix() -> Path | None:
    """The folder into which Debian packages were unpacked, if there is one."""
    named = os.environ.get("EDGED_ROOM_PREFIX")
    return Path(named).resolve() if named else None


def _libraries(prefix: Path | None) -> list[Path]:
    """The library folders, Debian's architecture folders first."""
    roots = [(prefix or Path("/")) / folder for folder in ("usr", "")]
    named = [p for root in roots for p in (*sorted(root.glob("lib/*-linux-*")), root / "lib")]
    return [folder for folder in named if folder.is_dir()]


def modules() -> Path | None:
    """PulseAudio's module folder where it is not the built-in one."""
    prefix = _prefix()
    if prefix is None:
        return None
    found = [p.parent for lib in _libraries(prefix) for p in lib.glob("**/module-null-sink.so")]
    return found[0] if found else None


def alsa_plugin() -> Path | None:
    """ALSA's bridge to PulseAudio: the private one, else the system's."""
    prefix = _prefix()
    for root in (prefix, None) if prefix else (None,):
        for library in _libraries(root):
            if (plugin := library / "alsa-lib" / "libasound_module_pcm_pulse.so").exists():
                return plugin
    return None


def with_prefix(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the private programs and libraries are found first."""
    found = dict(environment)
    prefix = _prefix()
    if prefix is None:
        return found
    folders = [p for lib in _libraries(prefix) for p in (lib, lib / "pulseaudio") if p.is_dir()]
    # PulseAudio's modules need libraries that lie among them.
    folders += [private] if (private := modules()) else []
    for name, first in (("PATH", [prefix / "usr" / "bin"]), ("LD_LIBRARY_PATH", folders)):
        rest = [found[name]] if found.get(name) else []
        found[name] = os.pathsep.join([*map(str, first), *rest])
    return found
