"""The key as the service is given it: a credential in a folder that only root may enter."""

import os
import stat
from pathlib import Path

from .. import key
from ._visit import Machine, Visit

FOLDER = "/etc/edged/credentials"
"""What the unit loads."""


def find(visit: Visit) -> key.Key:
    """The key as the speaker of this configuration finds it.

    Raises `key.NoKey`, and PermissionError where only root may look.
    """
    environment = dict(visit.machine.environment)
    folder = visit.machine.path(FOLDER)
    if visit.file is None and "CREDENTIALS_DIRECTORY" not in environment and folder.exists():
        if not os.access(folder, os.R_OK | os.X_OK):
            raise PermissionError(folder)
        environment["CREDENTIALS_DIRECTORY"] = str(folder)
    return key.find(visit.settings.key, environment)


def exposed(visit: Visit) -> tuple[str, str] | None:
    """What is wrong with who may read the credential, and the fix; None where nothing is."""
    folder = visit.machine.path(FOLDER)
    places = [folder, folder / visit.settings.key.credential] if visit.file is None else []
    for place in places:
        if place.exists() and stat.S_IMODE(place.stat().st_mode) & 0o077:
            mode = "700" if place.is_dir() else "600"
            return f"others than root can read {place}", f"sudo chmod {mode} {place}"
    return None


def write(machine: Machine, name: str, text: str) -> Path:
    """Keep the key as a credential; the old one is there until the new one is on the disk.

    Raises OSError.
    """
    return place(machine.path(FOLDER) / name, text)


def place(file: Path, text: str) -> Path:
    """Write a file for its owner alone, whole or not at all, and return where."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(handle)
    fresh.replace(file)
    return file
