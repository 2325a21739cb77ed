"""The machine: QEMU with Debian's kernel, sound cards and GPIO lines, and a folder it shares.

Time is the guest's own. Without KVM, QEMU counts one nanosecond for each instruction (`-icount`):
a busy host makes the story longer to watch, but nothing in it late, and whoever is slow is slow
by the instructions it took.
"""

import functools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Tell = Callable[[str], None]
"""Told a line of what happens."""

_PROBE_S = 10
_COUNTED = ("-accel", "tcg,thread=single,tb-size=512", "-icount", "shift=0,sleep=on", "-cpu", "max")
_AS_FAST_AS_IT_IS = ("-accel", "kvm", "-cpu", "host", "-smp", "2")


class NotBooted(Exception):
    """The machine did not come to its end by itself."""


@dataclass(frozen=True)
class Machine:
    """Boots what `build` left in `folder`."""

    folder: Path
    share: Path
    """Seen by the guest as /mnt/host."""

    def disk(self, name: str) -> Path:
        """A disk that begins as `name`.ext4, which itself stays as it is."""
        layer = self.share.with_suffix(".qcow2")
        image = (self.folder / f"{name}.ext4").resolve()
        command = ("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(image))
        subprocess.run((*command, str(layer)), check=True)
        return layer

    def boot(self, disk: Path, console: Path, tell: Tell, within_s: float) -> None:
        """Run from power on to power off; raises `NotBooted`."""
        drive = f"file={disk},format=qcow2,if=none,id=disk,cache=unsafe"
        share = f"local,id=share,path={self.share},security_model=none,multidevs=remap"
        options = (
            *("-drive", drive, "-device", "virtio-blk-pci,drive=disk"),
            *("-fsdev", share, "-device", "virtio-9p-pci,fsdev=share,mount_tag=host"),
            *("-device", "virtio-rng-pci"),
        )
        words = "root=/dev/vda rw quiet loglevel=4 mitigations=off audit=0 systemd.show_status=0"
        with console.open("wb") as kept:
            if not self._run(self.accelerator, options, words, kept.write, tell, within_s):
                raise NotBooted(f"not at its end after {within_s} s; its console is in {console}")

    @functools.cached_property
    def accelerator(self) -> tuple[str, ...]:
        """KVM where a kernel is seen to boot with it: it may only seem to be there."""
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return _COUNTED
        seen: list[bytes] = []
        self._run(_AS_FAST_AS_IT_IS, (), "rig.probe", seen.append, lambda _: None, _PROBE_S)
        return _AS_FAST_AS_IT_IS if b"rig.probe.passed" in b"".join(seen) else _COUNTED

    def _run(
        self,
        accelerator: tuple[str, ...],
        options: tuple[str, ...],
        words: str,
        keep: Callable[[bytes], object],
        tell: Tell,
        within_s: float,
    ) -> bool:
        """Whether it came to its end in time; every line of its console is kept, its own told."""
        command = (
            *("qemu-system-x86_64", "-M", "q35", *accelerator, "-m", "1024", "-nodefaults"),
            *("-no-user-config", "-display", "none", "-no-reboot", "-rtc", "clock=vm"),
            *("-serial", "stdio", "-kernel", str(self.folder / "vmlinuz")),
            *("-initrd", str(self.folder / "initrd.img"), *options),
            *("-append", f"console=ttyS0 panic=-1 {words}"),
        )
        machine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

        assert machine.stdout is not None
        console = machine.stdout

        def follow() -> None:
            for line in console:
                keep(line)
                if b"rig: " in line:
                    tell(line.partition(b"rig: ")[2].decode(errors="replace").rstrip())

        follower = threading.Thread(target=follow)
        follower.start()
        try:
            machine.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        finally:
            machine.kill()
            machine.wait()
            follower.join()
            console.close()
        return True


def share(folder: Path, waves: Path, guest: Path) -> Path:
    """A fresh folder for the guest, with its part of the rig and what is said to it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(guest, folder / "guest", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(waves, folder / "waves")
    return folder
