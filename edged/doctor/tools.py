"""Your own programs as tools: whether they are there, and whether the service can start them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ._finding import Finding, fail, ok, skipped, warn
from ._visit import USER, Visit

ORDER = 205
NEEDS = ("config",)

_HIDDEN = {
    "ProtectHome": ("/home", "/root", "/run/user"),
    "PrivateTmp": ("/tmp", "/var/tmp"),
}
"""What the service does not see, by the directive that hides it."""
_TRANSLATORS = ("bun", "deno", "java", "luajit", "node", "nodejs", "npm", "npx", "pypy3")
"""They write what they run while they run, for which they need memory that is both."""
_JIT = "MemoryDenyWriteExecute"
_LET_IT = (
    f"printf '[Service]\\n{_JIT}=no\\n' | sudo SYSTEMD_EDITOR=tee systemctl edit edged"
    ", then sudo systemctl restart edged"
)
_ANYBODY = 0o005
"""Of a file's mode: anybody may read and run it."""


def look(visit: Visit) -> Finding:
    """Each by the file that is started; the first that would fail."""
    extras = visit.settings.extras
    programs = {each.name: each.argv[0] for each in extras.command}
    programs |= {each.name: each.argv[0] for each in extras.server}
    if not programs:
        return skipped("the configuration names no program of yours")
    flaws = (flaw for name, file in programs.items() for flaw in _flaws(visit, name, file))
    found = sorted(flaws, key=lambda flaw: flaw.verdict != "fail")
    return found[0] if found else ok(", ".join(f"{name}: {programs[name]}" for name in programs))


def _flaws(visit: Visit, name: str, file: str) -> Iterator[Finding]:
    machine = visit.machine
    place = machine.path(file)
    real = _within(machine.root, place)
    bounds = _bounds(visit)
    for directive, folders in _HIDDEN.items():
        if bounds.get(directive) == "yes" and any(real.is_relative_to(each) for each in folders):
            seen = f"{name}: the service does not see {real} ({directive}=)"
            yield fail(seen, f"sudo install {file} /usr/local/bin/, and name that in `argv`")
            return
    if not place.is_file():
        yield fail(f"{name}: {file} is not there", f"put it there, or change `argv` of {name}")
        return
    if closed := _closed(machine.root, place, served=bool(bounds)):
        yield fail(f"{name}: {closed} is not for everybody", f"sudo chmod a+rx {closed}")
    if bounds.get(_JIT) == "yes" and (runs := _translator(real, place)):
        yield warn(f"{name}: {runs} does not run in the service ({_JIT}=)", _LET_IT)


def _bounds(visit: Visit) -> Mapping[str, str]:
    """The service's, where that is meant and there is one; as they come unless systemd tells."""
    if visit.file is not None or visit.machine.user(USER) is None:
        return {}
    names = (*_HIDDEN, _JIT)
    return {**dict.fromkeys(names, "yes"), **visit.machine.unit(*names)}


def _within(root: Path, place: Path) -> Path:
    """Where it is in the end, on that machine."""
    real = Path(os.path.realpath(place))
    real_root = Path(os.path.realpath(root))
    return Path("/", real.relative_to(real_root)) if real.is_relative_to(real_root) else real


def _closed(root: Path, place: Path, *, served: bool) -> Path | None:
    """The file, or a folder above it, that keeps others out; what is ours alone is, by hand."""
    if not served:
        return None if os.access(place, os.X_OK) else place
    above = [each for each in place.parents if each.is_relative_to(root) and each != root]
    kept = [each for each in above if not each.stat().st_mode & 0o001]
    if place.stat().st_mode & _ANYBODY != _ANYBODY:
        kept.append(place)
    return Path("/", kept[0].relative_to(root)) if kept else None


def _translator(real: Path, place: Path) -> str:
    """What translates it while it runs; "" for nothing that is known to."""
    with place.open("rb") as text:
        first = text.readline(200)
    words = first[2:].decode(errors="replace").split() if first.startswith(b"#!") else []
    names = [real.name, *(Path(word).name for word in words)]
    return next((name for name in names if name in _TRANSLATORS), "")
