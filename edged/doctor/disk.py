"""The disk: room for what is remembered, and whether it can be written."""

import getpass
import os
from pathlib import Path

from .. import store
from ._finding import Finding, fail, ok, warn
from ._visit import Visit

ORDER = 230
NEEDS = ()

_SERVICE = "/var/lib/edged"
_LEAST, _LITTLE = 10 << 20, 200 << 20
"""Bytes: below the one nothing is saved for long, below the other the journal is thrown away."""


def look(visit: Visit) -> Finding:
    """Where the speaker keeps its state, or where that folder will be made."""
    folder = _folder(visit)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    space = os.statvfs(there)
    free = space.f_bavail * space.f_frsize
    told = f"{free >> 20} MiB free for {folder}"
    if space.f_flag & os.ST_RDONLY:
        return warn(
            f"{there} is read-only: volume, mute and calibration are forgotten at every start",
            f"sudo mount -o remount,rw {_mount(there)}",
        )
    if free < _LEAST:
        return fail(told, _space(there))
    if free < _LITTLE:
        return warn(told, _space(there))
    if folder != visit.machine.path(_SERVICE) and not os.access(there, os.W_OK):
        return fail(f"{there} cannot be written", f"sudo chown -R {getpass.getuser()}: {there}")
    return ok(told)


def _folder(visit: Visit) -> Path:
    service = visit.machine.path(_SERVICE)
    return service if service.exists() else store.folder(visit.machine.environment)


def _mount(place: Path) -> Path:
    return next(each for each in (place, *place.parents) if each.is_mount())


def _space(place: Path) -> str:
    return f"sudo apt clean && sudo journalctl --vacuum-size=50M  (then: df -h {place})"
