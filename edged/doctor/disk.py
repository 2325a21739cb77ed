"""The disk: room for what is remembered, and whether it can be written."""

import os
from pathlib import Path

from .. import store
from . import _box
from ._finding import Finding, fail, ok, warn
from ._visit import Machine, Visit, me

ORDER = 230
NEEDS = ()

_LEAST, _LITTLE = 10 << 20, 200 << 20
"""Bytes: below the one nothing is saved for long, below the other the journal is thrown away."""
_KEEP = (
    r"printf '[Journal]\nStorage=persistent\n' | "
    "sudo install -Dm644 /dev/stdin /etc/systemd/journald.conf.d/90-edged.conf && "
    "sudo systemctl restart systemd-journald && sudo journalctl --flush"
)
"""By journald.conf(5); the name comes after 40-rpi-volatile-storage.conf of Raspberry Pi OS. With
the restart alone journald would begin with the disk at the next boot."""


def look(visit: Visit) -> Finding:
    """Where the speaker keeps its state, or where that folder will be made; and its journal."""
    try:
        folder = _box.folder(visit.machine, visit.file)
    except store.Homeless as homeless:
        return fail(str(homeless), homeless.hint)
    try:
        there = _nearest(folder)
    except OSError as error:
        return fail(f"{folder} cannot be looked at: {error.strerror}", store.Homeless.hint)
    if not there.is_dir():
        return fail(f"{there} is no folder", f"sudo mv {there} {there}.old")
    space = os.statvfs(there)
    found = judged(
        there,
        space.f_bavail * space.f_frsize,
        fixed=bool(space.f_flag & os.ST_RDONLY),
        open_to_us=folder == visit.machine.path(_box.SERVICE) or os.access(there, os.W_OK),
    )
    service = visit.file is None and visit.machine.managed
    if service and found.verdict == "ok" and _forgetful(visit.machine):
        return warn(f"{found.seen}; but the journal is gone with the power", _KEEP)
    return found


def _forgetful(machine: Machine) -> bool:
    """Whether what journald writes at this moment is not on the disk.

    Only one of the two is written; the other may be from another time.
    """
    disk, memory = (_written(machine.path(place)) for place in ("/var/log", "/run/log"))
    return disk <= memory


def _written(logs: Path) -> float:
    """When a journal there was last written, in seconds since 1970; 0 where there is none."""
    return max((file.stat().st_mtime for file in logs.glob("journal/*/system.journal")), default=0)


def _nearest(place: Path) -> Path:
    """The place, or what is there on the way to it; raises OSError where that may not be seen."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return _nearest(place.parent)
    return place


def judged(folder: Path, free: int, *, fixed: bool, open_to_us: bool) -> Finding:
    """What to think of a folder with so many bytes, read-only or not, that we may write or not."""
    told = f"{free >> 20} MiB free for {folder}"
    if fixed:
        return warn(
            f"{folder} is read-only: volume, mute and calibration are forgotten at every start",
            remount(folder),
        )
    if free < _LEAST:
        return fail(told, _space(folder))
    if free < _LITTLE:
        return warn(told, _space(folder))
    if not open_to_us:
        return fail(f"{folder} cannot be written", f"sudo chown -R {me()}: {folder}")
    return ok(told)


def remount(place: Path) -> str:
    """What to type so that the disk of this place, which is read-only, can be written."""
    mount = next(each for each in (place, *place.parents) if each.is_mount())
    return f"sudo mount -o remount,rw {mount}"


def _space(place: Path) -> str:
    return f"sudo apt clean && sudo journalctl --vacuum-size=50M  (then: df -h {place})"
