"""Groups and devices: whether whoever runs the speaker may use what it needs."""

import grp
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ._finding import Finding, fail, ok, skipped
from ._visit import USER, Machine, Visit, me

ORDER = 200
NEEDS = ("config",)


@dataclass(frozen=True)
class Account:
    """Who would open the devices."""

    name: str
    uid: int
    gids: frozenset[int]

    def may(self, node: os.stat_result) -> bool:
        """Whether it may read and write a device."""
        if self.uid == 0:
            return True
        mode = stat.S_IMODE(node.st_mode)
        if self.uid == node.st_uid:
            return mode & 0o600 == 0o600
        if node.st_gid in self.gids:
            return mode & 0o060 == 0o060
        return mode & 0o006 == 0o006


def look(visit: Visit) -> Finding:
    """The service's user, where there is one and the service's configuration is meant."""
    who = _account(visit)
    closed: list[Path] = []
    there: list[Path] = []
    for node in _nodes(visit):
        there.append(node)
        if not who.may(node.stat()):
            closed.append(node)
    if closed:
        seen = f"{who.name} may not use {', '.join(f'/dev/{_short(node)}' for node in closed)}"
        return fail(seen, _fix(visit.machine, who, closed[0]))
    if not there:
        return skipped("there is neither a sound card nor a GPIO chip here")
    return ok(f"{who.name} may use {', '.join(f'/dev/{_short(node)}' for node in there)}")


def _nodes(visit: Visit) -> Iterator[Path]:
    """The device files that this configuration needs, as far as they are there."""
    settings, devices = visit.settings, visit.machine.path("/dev")
    drivers = {chosen.name for chosen in (*settings.lights, *settings.buttons)}
    if settings.sound.name == "portaudio":
        yield from sorted((devices / "snd").glob("pcm*"))
    if "gpio" in drivers:
        yield from sorted(devices.glob("gpiochip*"))
    if "apa102" in drivers:
        yield from sorted(devices.glob("spidev*"))


def _account(visit: Visit) -> Account:
    machine = visit.machine
    service = _service(machine) if visit.file is None else None
    if service is not None:
        return service
    return Account(me(), os.geteuid(), frozenset((*os.getgroups(), os.getegid())))


def _service(machine: Machine) -> Account | None:
    """The service's user with the groups that it and its unit have; None where there is none."""
    user = machine.user(USER)
    if user is None:
        return None
    asked = machine.unit("SupplementaryGroups").get("SupplementaryGroups", "").split()
    gids = {user[1]}
    for line in machine.text("/etc/group").splitlines():
        name, _, gid, members = [*line.split(":"), "", "", ""][:4]
        if gid and (name in asked or USER in members.split(",")):
            gids.add(int(gid))
    return Account(USER, user[0], frozenset(gids))


def _short(node: Path) -> str:
    return f"snd/{node.name}" if node.parent.name == "snd" else node.name


def _fix(machine: Machine, who: Account, node: Path) -> str:
    told = node.stat()
    if told.st_gid == 0 or stat.S_IMODE(told.st_mode) & 0o060 != 0o060:
        return f"{machine.install}, whose udev rule gives it to a group; then sudo reboot"
    try:
        group = grp.getgrgid(told.st_gid).gr_name
    except KeyError:
        group = str(told.st_gid)
    then = "sudo systemctl restart edged" if who.name == USER else "log in again"
    return f"sudo usermod -aG {group} {who.name}, then {then}"
