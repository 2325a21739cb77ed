"""What a check is given: the configuration, the machine, and a person, where there is one."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .. import schema
from ..key import Key
from ._measured import Measured

PIP = f"{'sudo ' if Path(sys.prefix).stat().st_uid == 0 else ''}{sys.executable} -m pip install"
"""How a package is brought into this environment."""
_INSTALLED = "/opt/edged"
"""The environment of a speaker that was installed."""
_EXTRA = re.compile(r"'edged\[(\w+)\]'")
_ALWAYS = "pi"
"""The extra that the installer brings unasked."""
_PIP = re.compile(r"pip install ('[^']+')")
_PACKAGED = re.compile(
    r"^Package: edged\n(?:.+\n)*?Status: \w+ \w+ (?!config-files|not-installed)", re.MULTILINE
)
"""By dpkg-query(1): of one that was removed the configuration is left."""
UNIT = "edged.service"
USER = "edged"
"""Who the service runs as."""
_PATIENCE_S = 10.0
STARTS_S = 90.0
"""How long a service may take to be ready before systemd gives it up (DefaultTimeoutStartSec=)."""


def me() -> str:
    """What our user is called; its number where nobody gave it a name, as in a container."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


class Person(Protocol):
    """Somebody who sees, hears, speaks and presses."""

    def told(self, text: str) -> None:
        """Tell them what to do now."""

    def confirms(self, question: str) -> bool:
        """Ask for yes or no."""


@dataclass(frozen=True)
class Machine:
    """What is looked at of the machine; a test gives it another root and other programs."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def path(self, absolute: str) -> Path:
        """Where this path of the machine is."""
        return self.root / absolute.lstrip("/")

    def text(self, absolute: str) -> str:
        """What stands in that file; "" where it cannot be read."""
        try:
            return self.path(absolute).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def run(self, *command: str, given: str = "", patience_s: float = _PATIENCE_S) -> str | None:
        """What a program printed; None where it is not there, fails, or takes too long."""
        program = shutil.which(command[0], path=self.environment.get("PATH"))
        if program is None:
            return None
        try:
            done = subprocess.run(
                [program, *command[1:]],
                env={**self.environment, "LC_ALL": "C"},
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=patience_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def user(self, name: str) -> tuple[int, int] | None:
        """That user's number and first group, by passwd(5); None where there is none."""
        for line in self.text("/etc/passwd").splitlines():
            fields = line.split(":")
            if fields[0] == name and len(fields) > 3:
                return int(fields[2]), int(fields[3])
        return None

    @property
    def install(self) -> str:
        """What to type to have it installed again, as it was."""
        return "sudo apt reinstall ./edged_*.deb" if self._packaged else "sudo ./scripts/install"

    def bring(self, package: str) -> str:
        """What to type for a package that is named as for pip, in quotes as for a shell.

        The extras of an installed speaker are the installer's: only what it brings outlasts an
        upgrade.
        """
        extra = _EXTRA.fullmatch(package)
        if extra and self.installed and extra[1] == _ALWAYS:
            return self.install
        if extra and self.installed and not self._packaged:
            return f"{self.install} --with {extra[1]}"
        return f"{PIP} {package}"

    def lacks(self, message: str) -> str:
        """What to type for the package that a message wants installed; "" if it wants none."""
        wanted = _PIP.search(message)
        return self.bring(wanted[1]) if wanted else ""

    @property
    def installed(self) -> bool:
        """Whether this is the environment that the installer or the Debian package made."""
        return sys.prefix == _INSTALLED

    @property
    def _packaged(self) -> bool:
        return _PACKAGED.search(self.text("/var/lib/dpkg/status")) is not None

    @property
    def managed(self) -> bool:
        """Whether systemd is process 1, as sd_booted(3) tells."""
        return self.path("/run/systemd/system").is_dir()

    def unit(self, *properties: str) -> Mapping[str, str]:
        """These properties of the service; empty where systemd is not asked or does not answer."""
        if not self.managed:
            return {}
        told = self.run("systemctl", "show", UNIT, f"--property={','.join(properties)}") or ""
        pairs = (line.partition("=") for line in told.splitlines())
        return {name: value for name, equals, value in pairs if equals}


def _silent(what: str, seconds: float) -> None:
    """Nobody follows what is done."""


@dataclass
class Visit:
    """One visit of the doctor's; what one check learns, later ones may use."""

    file: Path | None = None
    """The configuration that is meant; None for the service's."""
    assignments: Sequence[str] = ()
    """Settings that are given over it, `section.key=value`."""
    machine: Machine = field(default_factory=Machine)
    person: Person | None = None
    """None where nobody can be asked."""
    online: bool = False
    """Whether the provider may be asked something that costs nothing."""
    tell: Callable[[str, float], None] = _silent
    """Takes what is being done, and for how many seconds; 0 where nobody knows."""
    configured: schema.Settings | None = None
    key: Key | None = None
    """One that is not kept yet."""
    measured: Measured | None = None
    """How the box hears itself, once that was measured."""

    @property
    def settings(self) -> schema.Settings:
        """For checks that need `config`."""
        if self.configured is None:
            raise RuntimeError("this check needs the check `config`")
        return self.configured

    def provider_url(self) -> str:
        """Where the provider is, model included; for checks that need `config`."""
        chosen = self.settings.provider
        url: str = chosen.module.open(self.settings.session, chosen.settings).url()
        return url
