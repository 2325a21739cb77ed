"""Broken worlds, each with what the doctor says of it, and the one thing to type."""

import asyncio
import contextlib
import ctypes
import errno
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from edged import control, pins, schema
from edged.doctor import _credential, _round, clock, disk, python, wake_word
from edged.doctor._finding import Finding
from edged.doctor._visit import PIP, Machine, Visit
from edged.earshot import Heard
from tests.closed import closed
from tests.conftest import Drop

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"


class World:
    """A machine made of files and programs, and a configuration."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.programs = folder / "bin"
        self.config = folder / "edged.toml"
        self.config.write_text("")
        self.programs.mkdir()
        self.root.mkdir()
        self.environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "STATE_DIRECTORY": str(folder / "state"),
            "XDG_RUNTIME_DIR": str(folder),
            "RUNTIME_DIRECTORY": str(folder),
        }
        self.service = False
        """Whether the service's configuration is looked at, and not one that is named."""

    def file(self, path: str, text: str = "", mode: int = 0o644) -> Path:
        """Put a file there."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)
        return place

    def systemd(self, **properties: object) -> None:
        """Have a systemd that says this of the unit."""
        (self.root / "run/systemd/system").mkdir(parents=True)
        said = "\n".join(f"{name}={value}" for name, value in properties.items())
        program = self.programs / "systemctl"
        program.write_text(f"#!/bin/sh\n[ \"$1\" = show ] || exit 1\ncat <<'E'\n{said}\nE\n")
        program.chmod(0o755)

    def packaged(self, status: str = "install ok installed") -> None:
        """Have a dpkg that knows edged in this state, and others in theirs."""
        self.file("/var/lib/dpkg/info/edged.list")
        known = {"dash": "install ok installed", "edged": status, "efi": "install ok installed"}
        told = (
            f"Package: {name}\nStatus: {its}\nVersion: 1.0-1\nDescription: a package\n it is one\n"
            for name, its in known.items()
        )
        self.file("/var/lib/dpkg/status", "\n".join(told))

    @property
    def visit(self) -> Visit:
        """The doctor's, in this world."""
        file = None if self.service else self.config
        return Visit(file=file, machine=Machine(self.root, self.environment))

    def look(self, name: str) -> Finding:
        """What is found by that check, after those that it needs."""
        (*_, outcome) = _round.outcomes(self.visit, [name])
        assert outcome.name == name
        return outcome.finding


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr(schema, "FILE", tmp_path / "etc/edged.toml")
    return made


def says(found: Finding, verdict: str, seen: str, fix: str) -> None:
    """Patterns for the whole of the fix, and for some of what was seen."""
    assert found.verdict == verdict, found
    assert re.search(seen, found.seen), found
    assert re.fullmatch(fix, found.fix), found


# --- the owner's programs -----------------------------------------------------------------


def called(world: World, file: str, table: str = "command") -> None:
    """The configuration names this program, and the service's is meant."""
    world.service = True
    world.file("/etc/passwd", "edged:x:4711:4711::/:/bin/false\n")
    schema.FILE.parent.mkdir(exist_ok=True)
    more = 'description = "A lamp."\n' if table == "command" else ""
    schema.FILE.write_text(f'[[tools.{table}]]\nname = "lamp"\n{more}argv = ["{file}"]\n')


def test_there_are_no_programs(world: World) -> None:
    says(world.look("tools"), "skipped", "no program of yours", "")


def test_a_program_that_anybody_may_run(world: World) -> None:
    called(world, "/usr/local/bin/lamp")
    world.file("/usr/local/bin/lamp", "#!/usr/bin/python3\n", 0o755)
    says(world.look("tools"), "ok", "lamp: /usr/local/bin/lamp", "")


@pytest.mark.parametrize("table", ["command", "server"])
def test_a_program_that_is_not_there(world: World, table: str) -> None:
    called(world, "/usr/local/bin/lamp", table)
    fix = "put it there, or change `argv` of lamp"
    says(world.look("tools"), "fail", "/usr/local/bin/lamp is not there", fix)


@pytest.mark.parametrize("where", ["/home/anna/lamp", str(Path("/root", "lamp")), "/tmp/lamp"])
def test_a_program_that_the_service_does_not_see(world: World, where: str) -> None:
    called(world, where)
    world.file(where, mode=0o755)
    fix = f"sudo install {where} /usr/local/bin/, and name that in `argv`"
    says(world.look("tools"), "fail", f"the service does not see {where}", re.escape(fix))
    world.systemd(ProtectHome="no", PrivateTmp="no")
    assert world.look("tools").verdict == "ok"


def test_a_link_leads_to_a_program_that_the_service_does_not_see(world: World) -> None:
    called(world, "/usr/local/bin/lamp")
    there = world.file("/home/anna/lamp", mode=0o755)
    link = world.root / "usr/local/bin/lamp"
    link.parent.mkdir(parents=True)
    link.symlink_to(there)
    assert "does not see /home/anna/lamp (ProtectHome=)" in world.look("tools").seen


def test_a_program_of_ones_own_is_seen_by_a_speaker_that_one_starts(world: World) -> None:
    lamp = world.file("/home/anna/lamp", mode=0o700)
    tool = '[[tools.command]]\nname = "lamp"\ndescription = "A lamp."\nargv = ["/home/anna/lamp"]\n'
    world.config.write_text(tool)
    assert world.look("tools").verdict == "ok"
    lamp.chmod(0o600)
    assert "is not for everybody" in world.look("tools").seen


def test_a_program_that_is_its_owners_alone(world: World) -> None:
    called(world, "/opt/house/lamp")
    lamp = world.file("/opt/house/lamp", mode=0o700)
    says(world.look("tools"), "fail", "/opt/house/lamp", "sudo chmod a\\+rx /opt/house/lamp")
    lamp.chmod(0o755)
    lamp.parent.chmod(0o700)
    says(world.look("tools"), "fail", "/opt/house is not", "sudo chmod a\\+rx /opt/house")


@pytest.mark.parametrize("text", ["#!/usr/bin/node\n", "#!/usr/bin/env -S node --no-warnings\n"])
def test_a_program_that_translates_itself_while_it_runs(world: World, text: str) -> None:
    called(world, "/usr/local/bin/lamp")
    world.file("/usr/local/bin/lamp", text, 0o755)
    seen = r"node does not run in the service \(MemoryDenyWriteExecute=\)"
    says(world.look("tools"), "warn", seen, ".*SYSTEMD_EDITOR=tee systemctl edit edged, then .*")
    world.systemd(MemoryDenyWriteExecute="no")
    assert world.look("tools").verdict == "ok"


# --- Python and configuration -------------------------------------------------------------


def test_a_package_is_missing_or_too_old(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    assert world.look("python").verdict == "ok"
    wanted = ["rich>=99", "rich>=1,<2", "nowhere-to-be-found>=1", "numpy>=2.0,<3"]
    monkeypatch.setattr(python, "_required", lambda *_: wanted)
    says(
        world.look("python"),
        "fail",
        r"rich is [\d.]+, >=99 is needed; .*; nowhere-to-be-found is missing",
        re.escape(f"{PIP} 'rich>=99' 'rich>=1,<2' 'nowhere-to-be-found>=1'"),
    )


@pytest.mark.parametrize(
    ("there", "seen"),
    [(None, "lgpio is missing"), ("0.0.0.2", "lgpio is 0.0.0.2, "), ("0.2.2.0", "")],
)
def test_an_installed_speaker_needs_the_library_of_the_pins(
    monkeypatch: pytest.MonkeyPatch, world: World, there: str | None, seen: str
) -> None:
    """A board without pins has it, too; and there is one of that name that does nothing."""
    told = metadata.version

    def version(name: str) -> str:
        if name == "lgpio" and there:
            return there
        return told("nowhere-to-be-found" if name == "lgpio" else name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(python, "_CHECKOUT", world.root / "none")
    assert world.look("python").verdict == "ok"
    monkeypatch.setattr(sys, "prefix", "/opt/edged")
    found = world.look("python")
    if seen:
        says(found, "fail", seen, "sudo ./scripts/install")
    else:
        assert found.verdict == "ok", found


@pytest.mark.parametrize(
    ("requirement", "met"),
    [
        ("rich", True),
        ("rich>=1.0.0.0", True),
        ("rich<1", False),
        ("rich==0", False),
        ("Rich >=1", True),
    ],
)
def test_versions_are_compared_as_numbers(requirement: str, met: bool) -> None:
    assert (python.lacking(requirement) == "") is met


def test_a_mistake_in_the_configuration(world: World) -> None:
    world.config.write_text("[volume]\ndb = 5\nloud = 1\n")
    says(
        world.look("config"),
        "fail",
        r"edged\.toml:2: volume\.db: expected .* \(and 1 more\)",
        rf"change line 2 of {world.config} as the message says, then: "
        rf"edged check --config {world.config}",
    )


@pytest.mark.parametrize(
    ("raised", "fix"),
    [
        (
            "it needs a package more: pip install 'edged[microwakeword]'",
            rf"{re.escape(PIP)} 'edged\[microwakeword\]'",
        ),
        (
            "libportaudio.so.2: cannot open shared object file: No such file or directory",
            "sudo apt install libportaudio2",
        ),
    ],
)
def test_a_driver_whose_library_is_not_there(
    world: World, drop_driver: Drop, raised: str, fix: str
) -> None:
    drop_driver("wake", "needy", f'raise ImportError("{raised}")\nclass Settings: ...\n')
    world.config.write_text('[wake]\ndriver = "needy"\n')
    says(world.look("config"), "fail", "cannot be used here", fix)


@pytest.mark.parametrize("packaged", [False, True])
def test_an_extra_of_an_installed_speaker_is_the_installers_which_keeps_it(
    world: World, drop_driver: Drop, monkeypatch: pytest.MonkeyPatch, packaged: bool
) -> None:
    lacking = "it needs a package more: pip install 'edged[aec]'"
    drop_driver("wake", "lacking", f'raise ImportError("{lacking}")\nclass Settings: ...\n')
    world.config.write_text('[wake]\ndriver = "lacking"\n')
    monkeypatch.setattr(sys, "prefix", "/opt/edged")
    if packaged:
        world.packaged()
    wanted = f"{PIP} 'edged[aec]'" if packaged else "sudo ./scripts/install --with aec"
    says(world.look("config"), "fail", "cannot be used here", re.escape(wanted))


# --- the key ------------------------------------------------------------------------------


def test_no_key_at_all(world: World) -> None:
    says(
        world.look("key"),
        "fail",
        "there is no key",
        rf"edged setup --config {world.config}",
    )
    world.service = True
    says(world.look("key"), "fail", "there is no key", "sudo edged setup")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("sk-...", "placeholder"),
        ("sk-xxxxxxxxxxxxxxxxxxxxxxxxxx", "placeholder"),
        ("your-key-here-please-put-it", "placeholder"),
        ('"sk-proj-abcdefghijklmnopqrs"', "quotation marks"),
        ("AIzaSyabcdefghijklmnopqrstuvwx", "does not begin with sk- or ek_"),
        ("sk-abcdef", "only 9 characters long"),
        ("sk-abc def", "one line of ASCII without spaces"),
    ],
)
def test_what_can_be_no_key(world: World, key: str, said: str) -> None:
    world.service = True
    world.file("/etc/edged/credentials/openai", key + "\n", 0o600)
    found = world.look("key")
    says(found, "fail", said, "sudo edged setup")
    assert key not in found.seen


def test_another_providers_key_may_look_as_it_likes(world: World) -> None:
    world.environment["OPENAI_API_KEY"] = "AIza-short"
    world.config.write_text('[provider.openai]\nurl = "wss://localhost/v1"\n')
    says(
        world.look("key"),
        "warn",
        "comes from the environment variable OPENAI_API_KEY",
        f"edged setup --config {world.config}",
    )


@pytest.mark.parametrize("installed", [True, False])
def test_the_service_has_no_key_of_whoever_asks(world: World, installed: bool) -> None:
    world.service = True
    world.environment["OPENAI_API_KEY"] = KEY
    world.systemd(LoadState="loaded" if installed else "not-found")
    world.file("/etc/edged/credentials/none").unlink()
    if installed:
        says(world.look("key"), "fail", "there is no key", "sudo edged setup")
    else:
        says(world.look("key"), "warn", "environment variable", "sudo edged setup")


def test_a_key_in_the_services_own_environment_is_one(world: World) -> None:
    world.service = True
    world.systemd(LoadState="loaded", Environment=f'LG_WD=/run/edged "OPENAI_API_KEY={KEY}"')
    seen = "comes from the environment variable OPENAI_API_KEY"
    says(world.look("key"), "warn", seen, "sudo edged setup")


def test_a_key_that_others_can_read(world: World) -> None:
    world.service = True
    credential = world.file("/etc/edged/credentials/openai", KEY, 0o644)
    credential.parent.chmod(0o700)
    says(world.look("key"), "warn", "others than root", f"sudo chmod 600 {credential}")
    credential.chmod(0o600)
    credential.parent.chmod(0o755)
    says(world.look("key"), "warn", "others than root", f"sudo chmod 700 {credential.parent}")
    credential.parent.chmod(0o700)
    assert world.look("key") == Finding("ok", f"{len(KEY)} characters, from the credential openai")


def test_a_key_in_a_file_that_others_can_read(world: World) -> None:
    file = world.file("/home/key", KEY, 0o644)
    world.config.write_text(f'[key]\nfile = "{file}"\n')
    says(world.look("key"), "fail", "others can read the key", f"chmod 600 {file}")


def test_a_client_secret_is_a_key(world: World) -> None:
    secret = "ek_68af296e8e408191a1120ab6383263c2"
    file = world.file("/home/key", secret, 0o600)
    world.config.write_text(f'[key]\nfile = "{file}"\n')
    found = world.look("key")
    assert found == Finding("ok", f"a client secret of 35 characters, from the file {file}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_only_root_may_look_at_the_services_key(world: World) -> None:
    world.service = True
    folder = world.file("/etc/edged/credentials/openai", KEY, 0o600).parent
    folder.chmod(0)
    says(world.look("key"), "skipped", "only root", "sudo edged doctor")
    folder.chmod(0o700)


needs_creds = pytest.mark.skipif(
    shutil.which("systemd-creds") is None or os.geteuid() != 0,
    reason="encrypts with systemd-creds, as root",
)


@needs_creds
def test_the_key_is_encrypted_where_systemd_can(world: World, tmp_path: Path) -> None:
    world.systemd()
    world.service = True
    world.environment["SYSTEMD_CREDENTIAL_SECRET"] = str(tmp_path / "secret")
    world.file("/etc/edged/credentials/openai", "sk-old", 0o600).parent.chmod(0o700)
    file = _credential.write(world.visit.machine, "openai", KEY)
    assert file == world.root / "etc/edged/credentials.encrypted/openai"
    assert KEY not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert not (world.root / "etc/edged/credentials/openai").exists()
    says(world.look("key"), "ok", f"{len(KEY)} characters, from the encrypted credential", "")
    # As on another machine, whose secret is another one.
    (tmp_path / "secret").unlink()
    says(world.look("key"), "fail", "cannot be decrypted on this machine", "sudo edged setup")


@pytest.mark.parametrize("managed", [False, True])
def test_where_it_cannot_the_key_is_a_file_for_root_alone(world: World, managed: bool) -> None:
    if managed:
        world.systemd()
        program = world.programs / "systemd-creds"
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
    file = _credential.write(world.visit.machine, "openai", KEY)
    assert file == world.root / "etc/edged/credentials/openai"
    assert file.read_text() == KEY + "\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [each.name for each in file.parent.iterdir()] == ["openai"]


# --- time and room ------------------------------------------------------------------------


def test_no_piece_of_a_key_is_left_on_a_full_disk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.file("/etc/edged/credentials/openai", "sk-the-old-one\n", 0o600).parent
    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        _credential.place(folder / "openai", KEY + "\n")
    assert [each.read_text() for each in folder.iterdir()] == ["sk-the-old-one\n"]


def no_room(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_clock() -> None:
    now = 1_800_000_000.0
    ntp = "sudo timedatectl set-ntp true"
    says(clock.judged(now, now - 9, kept=True), "ok", "2027-01-15 08:00", "")
    says(clock.judged(now, now - 9, kept=False), "warn", "nothing keeps it right", ntp)
    says(clock.judged(5.0, now, kept=True), "fail", "not 1970-01-01.*never set", ntp)


def test_this_machines_clock_can_be_read(world: World) -> None:
    assert world.look("clock").verdict in ("ok", "warn")


def test_a_kernel_that_may_not_be_asked_keeps_no_time_right(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = SimpleNamespace(adjtimex=lambda _: -1)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: kernel)
    assert world.look("clock").verdict == "warn"


def test_the_disk(tmp_path: Path, world: World) -> None:
    def judged(free: int, *, fixed: bool = False, ours: bool = True) -> Finding:
        return disk.judged(tmp_path, free, fixed=fixed, open_to_us=ours)

    clean = re.escape("sudo apt clean && sudo journalctl --vacuum-size=50M") + ".*"
    assert judged(1 << 30).verdict == "ok"
    says(judged(100 << 20), "warn", "100 MiB free", clean)
    says(judged(1 << 20), "fail", "1 MiB free", clean)
    says(judged(1 << 30, fixed=True), "warn", "read-only", r"sudo mount -o remount,rw /.*")
    says(
        judged(1 << 30, ours=False), "fail", "cannot be written", rf"sudo chown -R \w+: {tmp_path}"
    )
    says(world.look("disk"), "ok", rf"MiB free for {tmp_path}", "")


@pytest.mark.parametrize(
    ("places", "kept"),
    [
        (("var",), True),
        ((), False),
        (("run",), False),
        # Storage=volatile was set later, or no longer is.
        (("var", "run"), False),
        (("run", "var"), True),
    ],
)
def test_the_journal_is_gone_with_the_power(
    world: World, places: tuple[str, ...], kept: bool
) -> None:
    """As Raspberry Pi OS has it, unless the owner says otherwise."""
    world.service = True
    world.systemd()
    for when, place in enumerate(places, 1):
        file = world.file(f"/{place}/log/journal/0123456789abcdef/system.journal")
        os.utime(file, (when, when))
    found = world.look("disk")
    if kept:
        assert found.verdict == "ok", found
    else:
        says(found, "warn", "the journal is gone with the power", "printf .* && .*")


def test_the_journal_of_a_speaker_that_is_no_service_is_not_looked_at(world: World) -> None:
    assert world.look("disk").verdict == "ok"
    world.systemd()
    assert world.look("disk").verdict == "ok"


def test_what_keeps_the_journal_is_read_after_what_raspberry_pi_os_has(
    world: World, tmp_path: Path
) -> None:
    world.service = True
    world.systemd()
    typed = world.look("disk").fix
    for name in ("systemctl", "journalctl"):
        (world.programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/typed\n')
        (world.programs / name).chmod(0o755)
    (world.programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (world.programs / "sudo").chmod(0o755)
    here = typed.replace("/etc/", f"{world.root}/etc/")
    subprocess.run(["sh", "-ec", here], env=world.environment, check=True)
    (drop_in,) = (world.root / "etc/systemd/journald.conf.d").iterdir()
    assert drop_in.read_text() == "[Journal]\nStorage=persistent\n"
    assert drop_in.name > "40-rpi-volatile-storage.conf"
    assert drop_in.stat().st_mode & 0o444 == 0o444
    # Restarted alone it would go on in memory until the next boot.
    assert (tmp_path / "typed").read_text().splitlines() == [
        "systemctl restart systemd-journald",
        "journalctl --flush",
    ]


@pytest.mark.parametrize("below", ["", "/kitchen"])
def test_a_file_stands_where_the_state_would_be(tmp_path: Path, world: World, below: str) -> None:
    (tmp_path / "file").write_text("dear diary")
    world.environment["STATE_DIRECTORY"] = f"{tmp_path}/file{below}"
    file = re.escape(f"{tmp_path}/file")
    says(world.look("disk"), "fail", f"^{file} is no folder", f"sudo mv {file} {file}.old")


def test_the_state_may_not_be_looked_at(tmp_path: Path, world: World) -> None:
    (tmp_path / "others").mkdir()
    world.environment["STATE_DIRECTORY"] = f"{tmp_path}/others/state"
    assert world.look("disk").verdict == "ok"
    with closed(tmp_path / "others"):
        says(world.look("disk"), "fail", "others/state cannot be looked at", "set STATE_DIR.*")


def test_a_user_without_a_home_has_no_place_for_the_state(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    del world.environment["STATE_DIRECTORY"]
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    says(world.look("disk"), "fail", "this user has no home", "set STATE_DIRECTORY.*")


# --- who may use the devices, and who does ------------------------------------------------


def test_the_services_user_is_not_in_the_group_of_a_device(world: World) -> None:
    world.service = True
    node = world.file("/dev/snd/pcmC0D0c", mode=0o660)
    world.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nedged:x:4711:4711::/:/bin/false\n")
    group = 29 if os.geteuid() == 0 else os.getgid()
    os.chown(node, -1, group)
    name = Path("/etc/group").read_text()
    named = re.search(rf"^(\w+):[^:]*:{group}:", name, re.MULTILINE)
    assert named
    world.file("/etc/group", f"edged:x:4711:\n{named[1]}:x:{group}:root\n")
    says(
        world.look("rights"),
        "fail",
        "edged may not use /dev/snd/pcmC0D0c",
        rf"sudo usermod -aG {named[1]} edged, then sudo systemctl restart edged",
    )
    world.file("/etc/group", f"edged:x:4711:\n{named[1]}:x:{group}:root,edged\n")
    says(world.look("rights"), "ok", "edged may use /dev/snd/pcmC0D0c", "")
    world.file("/etc/group", f"edged:x:4711:\n{named[1]}:x:{group}:\n")
    world.systemd(SupplementaryGroups=f"{named[1]} spi")
    assert world.look("rights").verdict == "ok"


def test_a_user_without_a_name_is_known_by_the_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    world.file("/dev/snd/pcmC0D0c", mode=0o660)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(os, "getegid", lambda: 54321)
    monkeypatch.setattr(os, "getgroups", lambda: [54321])
    assert "54321 may not use /dev/snd/pcmC0D0c" in world.look("rights").seen
    assert disk.judged(Path("/x"), 1 << 30, fixed=False, open_to_us=False).fix.endswith("54321: /x")


def test_a_device_that_no_group_may_use(world: World) -> None:
    world.service = True
    world.file("/etc/passwd", "edged:x:4711:4711::/:/bin/false\n")
    world.file("/dev/gpiochip0", mode=0o600)
    says(
        world.look("rights"),
        "fail",
        "edged may not use /dev/gpiochip0",
        r"sudo ./scripts/install, whose udev rule gives it to a group; then sudo reboot",
    )


def test_a_package_is_installed_again_as_a_package(world: World) -> None:
    world.packaged()
    world.systemd(**(WELL | {"LoadState": "not-found"}))
    assert world.look("unit").fix == "sudo apt reinstall ./edged_*.deb"


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        ("hold ok installed", "sudo apt reinstall ./edged_*.deb"),
        ("install ok half-configured", "sudo apt reinstall ./edged_*.deb"),
        ("deinstall ok config-files", "sudo ./scripts/install"),
        ("purge ok not-installed", "sudo ./scripts/install"),
    ],
)
def test_a_package_of_which_only_traces_are_left_is_none(
    world: World, status: str, fix: str
) -> None:
    """After `apt remove` dpkg still knows its configuration."""
    world.packaged(status)
    world.systemd(**(WELL | {"LoadState": "not-found"}))
    assert world.look("unit").fix == fix


def test_a_key_may_hold_letters_that_look_like_words(world: World) -> None:
    world.service = True
    key = "sk-proj-AbyourXXXcdefghijk$lmnop"
    world.file("/etc/edged/credentials/openai", key, 0o600).parent.chmod(0o700)
    assert world.look("key").verdict == "ok"


def test_no_device_no_verdict(world: World) -> None:
    says(world.look("rights"), "skipped", "neither a sound card nor a GPIO chip", "")


@contextlib.contextmanager
def running(socket: Path, level: float | None) -> Iterator[None]:
    """A speaker's control socket, behind which the microphone is so loud; None: nothing is told."""

    async def news() -> AsyncGenerator[Mapping[str, object], None]:
        while True:
            yield {"now": {"state": "asleep", "microphone_dbfs": level}}
            await asyncio.sleep(0.1)

    def answer(request: control.Request) -> Mapping[str, object] | control.News:
        if request.verb == "watch":
            return news()
        if level is None:
            raise control.ControlError("it is busy", "later")
        sound = {"microphone": "USB", "microphone_rate": 48000, "speaker": "Jack"}
        return {"state": "asleep", "sound": sound}

    async def serve() -> None:
        async with control.serve(socket, answer):
            ready.set()
            await asyncio.to_thread(over.wait)

    ready, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_speaker_that_runs_holds_the_devices_and_is_asked_about_them(
    world: World, tmp_path: Path
) -> None:
    with running(tmp_path / "control", -58.2):
        says(
            world.look("devices"),
            "skipped",
            r"the speaker runs \(asleep\) and holds microphone USB \(48000 Hz\), "
            r"loudspeaker Jack \(\? Hz\); it hears the room at -58 dBFS",
            r"stop `edged run` \(edged.service does not run it\), then: edged doctor",
        )
        world.systemd(ActiveState="active")
        assert world.look("devices").fix == (
            "sudo systemctl stop edged && sudo edged doctor; sudo systemctl start edged"
        )
        says(world.look("lights"), "skipped", "it needs devices, which is skipped", "")


def test_a_speaker_that_runs_and_hears_nothing_but_zeros(world: World, tmp_path: Path) -> None:
    with running(tmp_path / "control", -120.0):
        says(world.look("devices"), "fail", "USB delivers nothing but zeros", "alsamixer: F4.*")


def test_a_speaker_that_does_not_answer_holds_them_too(world: World, tmp_path: Path) -> None:
    with running(tmp_path / "control", None):
        says(world.look("devices"), "skipped", "a speaker runs, and holds them .it is busy.", ".*")


@pytest.mark.parametrize("state", ["activating", "reloading"])
def test_a_service_without_a_socket_holds_them_too(world: World, state: str) -> None:
    world.systemd(ActiveState=state)
    says(world.look("devices"), "skipped", "the service runs", "sudo systemctl stop edged && .*")


def test_a_socket_that_nobody_listens_on_any_more(world: World) -> None:
    assert world.look("devices") == Finding("ok", "no speaker runs")


# --- systemd ------------------------------------------------------------------------------

WELL = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "Result": "success",
    "ExecMainStatus": "0",
    "NRestarts": "0",
    "StatusText": "asleep",
    "NeedDaemonReload": "no",
    "WatchdogUSec": "6s",
    "Restart": "on-failure",
    "NotifyAccess": "main",
    "Type": "notify",
}
MISREAD = "systemd-analyze verify edged.service"


@pytest.mark.parametrize(
    ("broken", "verdict", "seen", "fix"),
    [
        ({}, "ok", "runs and starts at boot: asleep", ""),
        ({"LoadState": "not-found"}, "fail", "not-found", r"sudo \./scripts/install"),
        (
            {"LoadState": "masked", "ActiveState": "inactive", "UnitFileState": "masked"},
            "fail",
            "is masked",
            "sudo systemctl unmask edged && sudo systemctl enable --now edged",
        ),
        ({"LoadState": "bad-setting"}, "fail", r"\(bad-setting\)", MISREAD),
        ({"LoadState": "error"}, "fail", r"\(error\)", MISREAD),
        (
            {"ActiveState": "activating", "Result": "exit-code", "ExecMainStatus": "203"},
            "fail",
            "the command that it starts is not there",
            r"sudo \./scripts/install",
        ),
        ({"NeedDaemonReload": "yes"}, "warn", "changed on disk", ".*daemon-reload.*"),
        ({"ActiveState": "reloading"}, "ok", "runs and starts at boot: asleep", ""),
        ({"ActiveState": "activating"}, "warn", "it is starting", "edged doctor unit"),
        (
            {"ActiveState": "activating", "NRestarts": "7"},
            "warn",
            "it is starting, but was started again 7 times",
            "journalctl -u edged -b -n 20",
        ),
        ({"ActiveState": "inactive"}, "warn", "does not run", "sudo systemctl enable --now edged"),
        ({"UnitFileState": "disabled"}, "warn", "at boot", "sudo systemctl enable edged"),
        ({"NRestarts": "7"}, "warn", "again 7 times", "journalctl -u edged -b -n 20"),
        (
            {"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "78"},
            "fail",
            "exit-code, status 78",
            "edged check",
        ),
        (
            {"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "243"},
            "fail",
            "status 243",
            "sudo systemd-tmpfiles --create && sudo systemctl restart edged",
        ),
        (
            {"ActiveState": "activating", "Result": "watchdog", "ExecMainStatus": "9"},
            "fail",
            "watchdog",
            "journalctl -u edged -b -n 20",
        ),
    ],
)
def test_the_unit(world: World, broken: dict[str, str], verdict: str, seen: str, fix: str) -> None:
    world.systemd(**(WELL | broken))
    says(world.look("unit"), verdict, seen, fix)


def test_a_kernel_that_counts_no_memory_does_not_limit_it(world: World) -> None:
    """As the firmware of Raspberry Pis starts it."""
    world.systemd(**WELL)
    controllers = world.file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n")
    assert world.look("unit").verdict == "ok"
    controllers.write_text("cpuset cpu io pids\n")
    fix = world.look("unit").fix
    says(world.look("unit"), "warn", r"MemoryMax= .* does not hold", "sudo sed .* && sudo reboot")
    line = world.file("/boot/firmware/cmdline.txt", "console=tty1 rootwait\n")
    typed = fix.replace("sudo ", "").replace("/boot/", f"{world.root}/boot/").partition(" &&")[0]
    subprocess.run(["sh", "-ec", typed], check=True)
    assert line.read_text() == "console=tty1 rootwait cgroup_enable=memory\n"


def test_the_unit_has_its_folders_and_cannot_decrypt_what_is_in_them(world: World) -> None:
    """As when /etc came from another board."""
    broken = {"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "243"}
    world.systemd(**(WELL | broken))
    for folder in ("credentials", "credentials.encrypted"):
        assert "systemd-tmpfiles" in world.look("unit").fix
        (world.root / "etc/edged" / folder).mkdir(parents=True)
    says(world.look("unit"), "fail", "status 243", "sudo edged setup")


@pytest.mark.parametrize(
    ("broken", "seen"),
    [
        ({"WatchdogUSec": "infinity"}, "no watchdog .*: take out the line WatchdogSec="),
        ({"WatchdogUSec": "0"}, "no watchdog .*: take out the line WatchdogSec="),
        ({"Restart": "no"}, "nobody starts it again: take out the line Restart=no"),
        ({"Type": "simple"}, "does not listen .*: take out the line Type=simple"),
        ({"NotifyAccess": "none"}, "does not listen .*: take out the line NotifyAccess=none"),
    ],
)
def test_a_line_of_the_owners_that_undoes_the_watchdog_is_the_only_one_to_go(
    world: World, broken: dict[str, str], seen: str
) -> None:
    """What else stands in their drop-ins stays: the fix shows them, and deletes nothing."""
    world.systemd(**(WELL | broken))
    fix = "sudo systemctl edit edged && sudo systemctl restart edged"
    says(world.look("watchdog"), "warn", seen, fix)


def test_the_watchdog(world: World) -> None:
    world.systemd(**WELL)
    says(world.look("watchdog"), "ok", "after 6s of silence", "")


def test_without_systemd_there_is_nothing_to_look_at(world: World) -> None:
    says(world.look("unit"), "skipped", "systemd is not process 1", "")
    says(world.look("watchdog"), "skipped", "needs unit", "")


def test_a_systemd_that_does_not_answer(world: World) -> None:
    world.systemd()
    (world.programs / "systemctl").write_text("#!/bin/sh\nexit 1\n")
    says(world.look("unit"), "skipped", "does not answer", "systemctl status edged")


# --- cards, lights, buttons, wake word ----------------------------------------------------


def test_the_kernel_has_no_sound_card(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    portaudio = schema.read(world.config).sound.module
    monkeypatch.setattr(portaudio, "devices", lambda: ())
    says(world.look("cards"), "fail", "no sound card", "plug one in; .*dtoverlay=.*")
    world.file("/proc/asound/cards", " 1 [Device         ]: USB-Audio - USB\n")
    unseen = "end what uses them: sudo fuser -v /dev/snd/.|sudo usermod -aG audio .*"
    says(world.look("cards"), "fail", "sees nothing of the cards Device", unseen)
    device = portaudio.Device(3, "USB: - (hw:1,0)", 0, 2, 44100, ("speaker",))
    monkeypatch.setattr(portaudio, "devices", lambda: (device,))
    listed = "edged setup, which lists them, or: edged devices"
    says(world.look("cards"), "fail", "no default microphone; there are: none", listed)


def test_a_rate_that_the_card_does_not_have(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    portaudio = schema.read(world.config).sound.module
    device = portaudio.Device(3, "USB: - (hw:1,0)", 1, 2, 44100, ("microphone", "speaker"))
    monkeypatch.setattr(portaudio, "devices", lambda: (device,))
    monkeypatch.setattr(portaudio, "rates", lambda _device, _direction: (44100, 48000))
    says(world.look("cards"), "ok", r'microphone "USB: - \(hw:1,0\)" at 44.1, 48 kHz, speaker', "")
    world.config.write_text("[sound.portaudio]\ncapture_rate = 16000\n")
    says(
        world.look("cards"),
        "fail",
        "does not open at 16000 Hz, but at 44.1, 48 kHz",
        r"set capture_rate = 0 in \[sound.portaudio\]",
    )
    world.config.write_text("")
    monkeypatch.setattr(portaudio, "rates", lambda _device, _direction: ())
    says(world.look("cards"), "fail", "at no rate", r"end what uses it: sudo fuser -v /dev/snd/.*c")


def test_a_wake_model_that_is_none(world: World, tmp_path: Path) -> None:
    model = tmp_path / "mine.onnx"
    model.write_text("not at all")
    world.config.write_text(f'[wake.openwakeword.words.mine]\nmodel = "{model}"\n')
    fix = r"correct `model` in \[wake.openwakeword.words.mine\]"
    says(world.look("wake"), "fail", "is not a model", fix)
    model.unlink()
    says(world.look("wake"), "fail", "No such file", fix)


def test_a_wake_engine_that_keeps_up(world: World) -> None:
    assert re.match(r"hey_jarvis; \d+ % of a core", world.look("wake").seen)
    world.config.write_text('[wake]\ndriver = "button"\n')
    says(world.look("wake"), "skipped", "no wake word", "")


def test_a_board_that_is_too_slow_for_its_wake_engine(world: World, drop_driver: Drop) -> None:
    drop_driver("wake", "snail", SNAIL)
    world.config.write_text('[wake]\ndriver = "snail"\n')
    says(world.look("wake"), "fail", "does not keep up", "set energy_gate = true.*")


SNAIL = '''\
    """A wake engine that takes longer than what it hears."""
    import time
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Settings:
        """None."""

    class Snail:
        def offer(self, samples, position):
            self.began = time.monotonic()

        def status(self):
            late = time.monotonic() - getattr(self, "began", 0.0)
            return {"words": "snail", "frames_examined": int(min(late, 2.0) / 0.2)}

        async def close(self): ...

    def open(settings, feed):
        return Snail()
'''


@pytest.mark.parametrize(
    ("scores", "verdict", "fix"),
    [
        ((0.9, 0.8, 0.97), "ok", ""),
        ((0.9, 0.4, 0.97), "warn", r"set threshold = 0.35 in \[wake.openwakeword.words.alexa\]"),
        ((0.3, 0.4, 0.97), "fail", r"set threshold = 0.25 in \[wake.openwakeword.words.alexa\]"),
        ((0.0, 0.01, 0.97), "fail", "speak nearer and clearer; .*: edged doctor voice"),
    ],
)
def test_a_word_that_was_said_three_times(
    scores: tuple[float, ...], verdict: str, fix: str
) -> None:
    heard = [Heard("alexa", score, score > 0.5) for score in scores]
    found = wake_word.judged(heard, "openwakeword", "score 1, 2, 3")
    says(found, verdict, rf"{sum(score > 0.5 for score in scores)} of 3 times", fix)


def test_lights_and_buttons_that_do_not_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nonsense")
    monkeypatch.setattr("gpiozero.Device.pin_factory", None)
    asked = "GPIOZERO_PIN_FACTORY=nonsense was asked for: unset it and gpiozero chooses"
    says(world.look("lights"), "fail", "the light gpio does not open", re.escape(asked))
    says(world.look("buttons"), "fail", "the button gpio does not open", re.escape(asked))


@pytest.mark.parametrize("installed", [True, False])
def test_a_pi_without_the_library_of_its_pins(
    world: World, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    """The installer has brought it, and brings it again: as an extra it takes no `pi`."""

    def unusable() -> str:
        raise pins.PinTrouble("none works", "install lgpio (pip install 'edged[pi]')")

    monkeypatch.setattr(pins, "prepare", unusable)
    fix = f"{PIP} 'edged[pi]'"
    if installed:
        monkeypatch.setattr(sys, "prefix", "/opt/edged")
        fix = "sudo ./scripts/install"
    for part in ("lights", "buttons"):
        says(world.look(part), "fail", "gpio does not open", re.escape(fix))
    if installed:
        world.packaged()
        assert world.look("lights").fix == "sudo apt reinstall ./edged_*.deb"


def test_lights_and_buttons_that_are_not_there(world: World) -> None:
    world.config.write_text("[lights]\ndrivers = []\n[buttons]\ndrivers = []\n")
    says(world.look("lights"), "skipped", "there are none", "")
    says(world.look("buttons"), "skipped", "there are none", "")
