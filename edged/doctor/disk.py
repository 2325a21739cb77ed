"""The disk: room for what is remembered, and whether it can be written."""

import os
from pathlib import Path

from . import _box
from ._finding import Finding, fail, ok, warn
from ._visit import Visit, me

ORDER = 230
NEEDS = ()

_LEAST, _LITTLE = 10 << 20, 200 << 20
"""Bytes: below the one nothing is saved for long, below the other the journal is thrown away."""


def look(visit: Visit) -> Finding:
    """Where the speaker keeps its state, or where that folder will be made."""
    folder = _box.folder(visit.machine, visit.file)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    space = os.statvfs(there)
    return judged(
        there,
        space.f_bavail * space.f_frsize,
        fixed=bool(space.f_flag & os.ST_RDONLY),
        open_to_us=folder == visit.machine.path(_box.SERVICE) or os.access(there, os.W_OK),
    )


def judged(folder: Path, free: int, *, fixed: bool, open_to_us: bool) -> Finding:
    """What to think of a folder with so many bytes, read-only or not, that we may write or not."""
    told = f"{free >> 20} MiB free for {folder}"
    if fixed:
        return warn(
            f"{folder} is read-only: volume, mute and calibration are forgotten at every start",
            f"sudo mount -o remount,rw {_mount(folder)}",
        )
    if free < _LEAST:
        return fail(told, _space(folder))
    if free < _LITTLE:
        return warn(told, _space(folder))
    if not open_to_us:
        return fail(f"{folder} cannot be written", f"sudo chown -R {me()}: {folder}")
    return ok(told)


def _mount(place: Path) -> Path:
    return next(each for each in (place, *place.parents) if each.is_mount())


def _space(place: Path) -> str:
    return f"sudo apt clean && sudo journalctl --vacuum-size=50M  (then: df -h {place})"
