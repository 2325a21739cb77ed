"""A copy of this machine that may be spoilt: what is written to it lies in a folder beside it.

An overlay over the root file system, entered through namespaces of its own; also with systemd as
its process 1, without a network. Only root can make one.
"""

import hashlib
import os
import stat
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

_MOUNT = r"""
set -eu
home=$1 checkout=$2
shift 2
root=$home/root
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$home/upper,workdir=$home/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$checkout"
mount --bind "$checkout" "$root$checkout"
mount -o remount,bind,ro "$root$checkout"
mount --bind "$checkout/.cache/wheels" "$root$checkout/.cache/wheels"
"""

_ENTER = r"""
mount --rbind /dev "$root/dev"
mkdir "$root/run/lock"
cd "$root"
exec chroot . "$@"
"""

_BOOT = r"""
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
while read -r name major minor; do
    mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done <<DEVICES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mkdir "$root/run/before"
cd "$root"
pivot_root . run/before
umount -l /run/before
# Credentials are mounted elsewhere and moved; systemd counts on seeing that.
mount --make-rshared /
# The kernel is the one below, and none of its business.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_module,-sys_time,-syslog --inh-caps=-sys_module,-sys_time,-syslog \
    /lib/systemd/systemd --unit=try.service --log-target=journal --show-status=no
"""

_TRY = """\
[Unit]
Description=What the tests try
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate

[Service]
Type=oneshot
ExecStart=/bin/bash -eu /try/script
StandardOutput=file:/try/said
StandardError=inherit
"""

ABSENT = "absent"
BOOTED_S = 120.0
"""The longest a machine may be up."""


class Unbootable(Exception):
    """The kernel lets no second systemd run, as in a container that has few rights."""


class Machine:
    """A machine that begins like the one the tests run on, or like another of these."""

    def __init__(self, home: Path, like: "Machine | None" = None) -> None:
        self.home = home
        self.upper = home / "upper"
        for folder in ("upper", "work", "root"):
            (home / folder).mkdir(parents=True)
        if like:
            # With the attributes in which an overlay notes what it hides.
            subprocess.run(["cp", "-a", f"{like.upper}/.", self.upper], check=True)

    def _unshare(self, script: str, *arguments: str, flags: str = "") -> list[str]:
        namespaces = ["unshare", f"-mp{flags}", "--fork", "--kill-child"]
        inside = ["bash", "-c", _MOUNT + script, "machine", str(self.home), str(CHECKOUT)]
        return [*namespaces, *inside, *arguments]

    def run(self, *command: str, online: bool = False) -> subprocess.CompletedProcess[str]:
        """Have root run a command there, in the checkout, which is read-only there."""
        return subprocess.run(
            self._unshare(
                _ENTER, "env", "-C", str(CHECKOUT), *command, flags="" if online else "n"
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def boot(self, script: str) -> str:
        """Start it with systemd, have root run a script of bash, return what it said.

        Raises `Unbootable`.
        """
        place = self.upper / "try"
        place.mkdir()
        (place / "script").write_text(script)
        units = self.upper / "etc/systemd/system"
        units.mkdir(parents=True, exist_ok=True)
        (units / "try.service").write_text(_TRY)
        console = self.home / "console"
        with console.open("w") as log:
            subprocess.run(
                self._unshare(_BOOT, flags="uinC"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                timeout=BOOTED_S,
            )
        if not (place / "said").exists():
            raise Unbootable(console.read_text())
        return (place / "said").read_text()

    def written(self) -> set[str]:
        """Whatever was written to since it was the machine the tests run on."""
        return {"/" + str(path.relative_to(self.upper)) for path in self.upper.rglob("*")}

    def look(self, name: str) -> str:
        """Type, rights, owner and content of what is there; `ABSENT` where nothing is."""
        here = self.upper / name[1:]
        path = here if os.path.lexists(here) else Path(name)
        if not os.path.lexists(path):
            return ABSENT
        found = path.lstat()
        # An overlay's mark for what was deleted.
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
            return ABSENT
        inside = ""
        if path.is_symlink():
            inside = str(path.readlink())
        elif path.is_file():
            inside = hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{stat.filemode(found.st_mode)} {found.st_uid}:{found.st_gid} {inside}"


def why_not(home: Path) -> str:
    """Why no such machine can be made here; "" if it can."""
    if os.geteuid() != 0:
        return "only root can copy this machine"
    (CHECKOUT / ".cache/wheels").mkdir(parents=True, exist_ok=True)
    tried = Machine(home).run("true")
    return f"this machine cannot be copied: {tried.stdout}" if tried.returncode else ""


def do(machine: Machine, script: str) -> str:
    """What a script of bash says, to which nothing may happen."""
    told = machine.run("bash", "-euc", script)
    assert told.returncode == 0, told.stdout
    return told.stdout
