"""What goes wrong around the appliance, and what it says of it."""

import os
import subprocess
import time
from pathlib import Path

from . import house
from .house import PATIENCE_S
from .verdicts import Chapter

chapter = Chapter("troubles", disk="installed")
line = chapter.line

_DROP_INS = Path("/etc/edged/edged.toml.d")
_CREDENTIALS = Path("/etc/edged/credentials")
_SEALED = Path("/etc/edged/credentials.encrypted")


def _network(way: str) -> None:
    """Take away the one way that leads anywhere from here, or bring it back."""
    house.run("busybox", "ip", "link", "set", "lo", way)


@line
def the_service_waits_for_its_button() -> str:
    """A wake engine that listens would make everything else slow."""
    house.run("systemctl", "start", "rig-provider.service")
    (_DROP_INS / "wake.toml").write_text('[wake]\ndriver = "button"\n')
    house.run("systemctl", "restart", "edged.service")
    house.settled()
    assert house.status()["wake"] == {"engine": "button", "words": ""}
    assert "onnxruntime" not in Path(f"/proc/{house.pid()}/maps").read_text()
    return f"READY {house.start_took_s():.1f} s after exec"


@line
def lights_that_are_missing_do_not_silence_it() -> str:
    """As on a board whose SPI bus was never switched on."""
    row = _DROP_INS / "row.toml"
    row.write_text('[lights]\ndrivers = ["apa102", "gpio"]\n')
    mark = len(house.journal())
    try:
        house.run("systemctl", "restart", "edged.service")
        house.settled()
        missing = house.journal().fact(mark, "part_missing")
        house.talk()
        assert house.show("NRestarts") == "0", "it was started again"
    finally:
        row.unlink()
    assert "do_spi" in missing["MESSAGE"], missing["MESSAGE"]
    return missing["MESSAGE"]


@line
def without_a_network_it_starts_shows_so_and_works_when_it_is_back() -> str:
    """No start is spent on it: none that failed counts towards the limit of the unit."""
    _network("down")
    try:
        house.run("systemctl", "restart", "edged.service")
        mark = house.settled()
        before = house.pid()
        house.press()
        trouble = house.journal().fact(mark, "trouble", PATIENCE_S)
        shown = house.journal().state(mark, "trouble")
        with house.Lights() as lights:
            gone = house.journal().state(mark, "asleep", PATIENCE_S)
    finally:
        _network("up")
    assert trouble["EDGED_TROUBLE"] == "network", trouble["MESSAGE"]
    seen = lights.between(house.monotonic_s(shown), house.monotonic_s(gone))
    red, green, blue, _ = house.share(seen)
    assert red > green > 5 * blue, f"not orange, but {red:.2f}/{green:.2f}/{blue:.2f}"
    assert trouble["MESSAGE"] in house.recipe("EDGED_TROUBLE=network")
    house.talk()
    assert (house.pid(), house.show("NRestarts")) == (before, "0"), "it was started again"
    return f"{trouble['MESSAGE']}; shown as {red:.2f}/{green:.2f}/{blue:.2f}"


@line
def a_mistake_in_the_configuration_is_told_once_and_is_no_restart_loop() -> str:
    mark = len(house.journal())
    before = int(house.show("NRestarts"))
    mistake = _DROP_INS / "mistake.toml"
    mistake.write_text("[volume]\nlouder = true\n")
    try:
        house.run("systemctl", "restart", "edged.service", ok=False)
        house.wait("failed", lambda: house.show("ActiveState") == "failed", PATIENCE_S)
        time.sleep(5)
        assert house.show("ActiveState") == "failed"
        assert house.show("ExecMainStatus") == "78"
        assert int(house.show("NRestarts")) == before or house.show("NRestarts") == "0"
        told = [e for e in house.journal().since(mark) if e.get("EDGED_FACT") == "not_started"]
        assert len(told) == 1, told
        assert "louder" in told[0]["MESSAGE"], told[0]["MESSAGE"]
        shown = house.show("StatusText")
        assert shown.startswith("not started"), shown
        assert "louder" in shown, shown
    finally:
        mistake.unlink()
        house.forgive()
        house.run("systemctl", "start", "edged.service")
    house.settled()
    return told[0]["MESSAGE"]


@line
def what_breaks_at_once_again_and_again_is_given_up() -> str:
    broken = Path("/etc/systemd/system/edged.service.d/broken.conf")
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("[Service]\nType=exec\nExecStart=\nExecStart=/bin/false\n")
    mark = len(house.journal())
    began = time.monotonic()
    try:
        house.run("systemctl", "daemon-reload")
        house.run("systemctl", "restart", "edged.service", ok=False)
        house.wait("failed", lambda: house.show("ActiveState") == "failed", 2 * PATIENCE_S)
        after_s = time.monotonic() - began
        restarts = int(house.show("NRestarts"))
    finally:
        broken.unlink()
        house.run("systemctl", "daemon-reload")
        house.forgive()
        house.run("systemctl", "restart", "edged.service")
    # systemd 252 counts the one that it refuses, too.
    assert restarts in (19, 20), restarts
    told = [entry.get("MESSAGE", "") for entry in house.journal().since(mark)]
    assert any("repeated too quickly" in each for each in told), told[-5:]
    house.settled()
    return f"after {restarts} restarts in {after_s:.0f} s"


@line
def without_a_key_it_starts_and_says_what_to_type() -> str:
    key = _CREDENTIALS / "openai"
    aside = Path("/etc/key-put-aside")
    key.replace(aside)
    mark = len(house.journal())
    try:
        house.run("systemctl", "restart", "edged.service")
        trouble = house.journal().fact(mark, "trouble", PATIENCE_S)
        house.settled()
    finally:
        aside.replace(key)
    assert trouble["EDGED_TROUBLE"] == "key", trouble["MESSAGE"]
    assert "edged setup" in trouble["MESSAGE"], trouble["MESSAGE"]
    return trouble["MESSAGE"]


@line
def a_key_that_is_encrypted_opens_a_conversation() -> str:
    """As the README says how; afterwards it lies in the open again."""
    plain, aside = _CREDENTIALS / "openai", Path("/etc/key-put-aside")
    sealed = _SEALED / "openai"
    house.run("systemd-creds", "encrypt", "--name=", str(plain), str(sealed))
    plain.replace(aside)
    try:
        house.run("systemctl", "restart", "edged.service")
        ended = house.talk()
    finally:
        aside.replace(plain)
        sealed.unlink()
        house.run("systemctl", "restart", "edged.service")
    return ended["MESSAGE"]


@line
def the_key_is_nowhere_but_where_it_was_put() -> str:
    house.settled()
    key = (_CREDENTIALS / "openai").read_bytes().strip()
    assert len(key) > 20
    entries = subprocess.run(("journalctl", "-o", "export"), capture_output=True, check=True)
    assert key not in entries.stdout, "the journal has it"
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                assert key not in (process / name).read_bytes(), f"{process / name} has it"
            except (FileNotFoundError, ProcessLookupError):
                continue
    files = 0
    for top in ("/etc", "/var", "/opt/edged", "/run", "/tmp", "/home", "/root", "/dev/shm"):
        for folder, folders, names in os.walk(top):
            if Path(folder) in (_CREDENTIALS, Path("/run/credentials")):
                folders.clear()
                continue
            for path in (Path(folder, name) for name in names):
                if path.is_file() and not path.is_symlink():
                    files += 1
                    assert key not in path.read_bytes(), f"{path} has it"
    return f"not in {len(entries.stdout)} bytes of journal, nor in {files} files"
