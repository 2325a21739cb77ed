"""Installed, brought up to date, taken away and cleaned up after, on a machine that runs."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import house
from .house import PATIENCE_S
from .verdicts import Chapter

chapter = Chapter("moving", disk="bare")
line = chapter.line

_PROJECT = Path("/root", "project")
_WHEELS = str(house.SHARE / "wheels")
_OWN = ("/dev", "/mnt", "/proc", "/root", "/run", "/sys", "/tmp", "/var/log", "/var/tmp")
"""Folders of the kernel's, of the rig's and of the moment."""
_ALSO = ("/etc/.pwd.lock", "/etc/group-", "/etc/gshadow-", "/etc/passwd-", "/etc/shadow-")
"""What passwd keeps of the state before its last change."""

Listing = Mapping[str, str]


def _listing() -> Listing:
    return dict(_walk())


def _walk() -> Iterator[tuple[str, str]]:
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if str(Path(folder, name)) not in _OWN]
        for path in (Path(folder, name) for name in (*folders, *names)):
            if str(path) in _ALSO or path.name == "__pycache__" or path.suffix == ".pyc":
                continue
            about = path.lstat()
            content = ""
            if stat.S_ISLNK(about.st_mode):
                content = str(path.readlink())
            elif stat.S_ISREG(about.st_mode) and folder.startswith(("/etc", "/var")):
                content = hashlib.sha1(path.read_bytes()).hexdigest()
            elif stat.S_ISREG(about.st_mode):
                content = f"{about.st_size} {about.st_mtime}"
            yield str(path), f"{about.st_mode:o} {about.st_uid} {about.st_gid} {content}"


class _Before:
    listing: Listing


def _install(*options: str) -> str:
    return house.run(str(_PROJECT / "scripts/install"), *options, within_s=900)


@line
def it_installs_and_starts() -> str:
    house.run("cp", "-r", str(house.SHARE / "checkout"), str(_PROJECT))
    _Before.listing = _listing()
    _install("--wheels", _WHEELS)
    house.wait("active", lambda: house.show("ActiveState") == "active", PATIENCE_S)
    return house.run("edged", "--version")


@line
def an_upgrade_keeps_configuration_key_and_state() -> str:
    mine = Path("/etc/edged/edged.toml")
    mine.write_text(mine.read_text() + "\n# Mine.\n")
    kept = [mine, Path("/etc/edged/credentials/openai"), Path("/var/lib/edged/mine")]
    for file in kept[1:]:
        file.write_text("sk-mine\n")
    # Nobody speaks here, and a wake engine that listens makes everything else slow.
    kept.append(Path("/etc/edged/edged.toml.d/mine.toml"))
    kept[-1].parent.mkdir(exist_ok=True)
    kept[-1].write_text('[wake]\ndriver = "button"\n')
    house.run("systemctl", "restart", "edged.service")
    before = [file.read_bytes() for file in kept]
    first = house.pid()
    _install("--wheels", _WHEELS)
    assert [file.read_bytes() for file in kept] == before
    house.wait("active", lambda: house.show("ActiveState") == "active", PATIENCE_S)
    assert house.pid() != first, "the old one still runs"
    return f"{len(kept)} files as before"


@line
def uninstalled_only_what_is_its_owners_stays() -> str:
    _install("--uninstall")
    added = sorted(set(_listing()) - set(_Before.listing))
    strange = [path for path in added if not path.startswith(("/etc/edged", "/var/lib/edged"))]
    assert not strange, strange
    assert "/etc/edged/edged.toml" in added
    return f"{len(added)} paths stay"


@line
def purged_the_file_system_is_as_before() -> str:
    _install("--purge")
    before, after = _Before.listing, _listing()
    changed = sorted(
        f"{path}: {before.get(path, 'not there')} -> {after.get(path, 'not there')}"
        for path in {*before, *after}
        if before.get(path) != after.get(path)
    )
    assert not changed, "\n".join(changed)
    return f"{len(after)} paths as before"
