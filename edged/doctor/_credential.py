"""The key as the service is given it: a credential in a folder that only root may enter."""

import contextlib
import os
import re
import stat
from pathlib import Path

from .. import key
from ._visit import Machine, Visit

FOLDER = "/etc/edged/credentials"
"""What the unit loads as it is."""
SEALED = "/etc/edged/credentials.encrypted"
"""What the unit loads as `systemd-creds` encrypted it: of use on this machine alone."""
_UNNAMED = "--name="
"""What is encrypted can have a name in it, which systemd compares with that of the credential; the
names of those that it loads from a folder are its own affair."""


def find(visit: Visit) -> key.Key:
    """The key as the speaker of this configuration finds it.

    Raises `key.NoKey`, and PermissionError where only root may look.
    """
    if visit.key is not None:
        return visit.key
    machine, settings = visit.machine, visit.settings.key
    environment = dict(machine.environment)
    ours = visit.file is not None or "CREDENTIALS_DIRECTORY" in environment
    if not ours:
        _leave_to_the_service(environment, machine, settings.environment)
    if not ours and settings.credential:
        folders = [machine.path(FOLDER), machine.path(SEALED)]
        if any(each.exists() and not os.access(each, os.R_OK | os.X_OK) for each in folders):
            raise PermissionError(folders[0])
        environment["CREDENTIALS_DIRECTORY"] = str(folders[0])
        sealed = folders[1] / settings.credential
        if sealed.exists() and not (folders[0] / settings.credential).exists():
            return _unsealed(machine, sealed, settings)
    return key.find(settings, environment)


def _leave_to_the_service(environment: dict[str, str], machine: Machine, name: str) -> None:
    """Give that variable the value that an installed service has: it knows nothing of our shell."""
    unit = machine.unit("LoadState", "Environment")
    if unit.get("LoadState") == "loaded":
        given = re.search(
            rf"(?:^|[\s\"']){re.escape(name)}=([^\s\"']*)", unit.get("Environment", "")
        )
        environment[name] = given[1] if given else ""


def exposed(visit: Visit) -> tuple[str, str] | None:
    """What is wrong with who may read the credential, and the fix; None where nothing is."""
    if visit.file is not None:
        return None
    for folder in (visit.machine.path(FOLDER), visit.machine.path(SEALED)):
        for place in (folder, folder / visit.settings.key.credential):
            if place.exists() and stat.S_IMODE(place.stat().st_mode) & 0o077:
                mode = "700" if place.is_dir() else "600"
                return f"others than root can read {place}", f"sudo chmod {mode} {place}"
    return None


def write(machine: Machine, name: str, text: str) -> Path:
    """Keep the key as the service's credential, encrypted where systemd can, and say where.

    The one that was there is gone only when the new one is on the disk. Raises OSError.
    """
    plain, sealed = machine.path(FOLDER) / name, machine.path(SEALED) / name
    content = _seal(machine, text)
    if content is None:
        place(plain, text + "\n")
        _forget(sealed)
        return plain
    place(sealed, content)
    _forget(plain)
    return sealed


def place(file: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all; raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(handle)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def _forget(file: Path) -> None:
    """The speaker would take an old key that still stands in the other folder."""
    with contextlib.suppress(FileNotFoundError):
        file.unlink()


def _seal(machine: Machine, text: str) -> str | None:
    """The key encrypted, once it was seen that it can be decrypted again; None where it cannot."""
    if not machine.managed:
        return None
    sealed = _creds(machine, "encrypt", text)
    if not sealed or _creds(machine, "decrypt", sealed) != text:
        return None
    return sealed


def _unsealed(machine: Machine, file: Path, settings: key.Settings) -> key.Key:
    text = _creds(machine, "decrypt", file.read_text(encoding="ascii", errors="replace"))
    if not text:
        raise key.NoKey(settings, f"{file} cannot be decrypted on this machine")
    return key.Key(text.strip(), f"encrypted credential {settings.credential}")


def _creds(machine: Machine, verb: str, given: str) -> str:
    """What `systemd-creds` makes of it; the key goes through pipes, never over a command line."""
    return machine.run("systemd-creds", verb, _UNNAMED, "-", "-", given=given) or ""
