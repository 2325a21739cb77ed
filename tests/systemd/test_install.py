"""Installed, booted, upgraded and taken away again: scripts/install and the package, for real.

They run in copies of this machine, so nothing of it changes; see `machine`.
"""

import re
from pathlib import Path

import pytest

from .machine import ABSENT, Machine, do

HERE = Path(__file__).parents[2]
KEY = "sk-this-is-nobodys-key"
REWRITTEN = re.compile(r"/etc/[a-z]+-|/var/lib/systemd/catalog/database|/var/log/[a-z]+log")
"""What others write anew when a user or a message comes or goes: its content tells nothing."""


pytestmark = pytest.mark.timeout(300)


def refused(machine: Machine, script: str) -> str:
    told = machine.run("bash", "-euc", script)
    assert told.returncode == 1, told.stdout
    return told.stdout


def left_over(machine: Machine, since: Machine) -> dict[str, str]:
    """What is not as it was on the other machine."""
    changed = {}
    for name in machine.written():
        before, now = since.look(name), machine.look(name)
        if REWRITTEN.fullmatch(name):
            before, now = before.split()[0], now.split()[0]
        if before != now:
            changed[name] = f"{before} -> {now}"
    return changed


def test_it_says_what_it_does(installed: Machine) -> None:
    said = (installed.home / "said").read_text()
    steps = re.findall(r"^\[(\d)/(\d)\] \w", said, re.M)
    assert steps == [(str(number), "5") for number in range(1, 6)]


def test_it_is_there_and_complete(installed: Machine) -> None:
    assert do(installed, "cd /; /usr/local/bin/edged --version").startswith("edged ")
    # As the speaker's own user, for whom everything must be readable.
    assert "OK" in do(installed, "cd /; runuser -u edged -- edged check")
    modules = "lgpio, numpy, onnxruntime, pyaudio, systemd.daemon"
    assert do(installed, f"cd /; LG_WD=/run /opt/edged/bin/python -P -c 'import {modules}'") == ""
    assert {"edged", "audio", "gpio", "spi"} <= set(do(installed, "id -nG edged").split())
    assert "edged" in do(installed, "id -nG games").split()
    assert do(installed, "systemctl is-enabled edged") == "enabled\n"
    assert do(installed, "stat -c '%a %U' /etc/edged/credentials*") == "700 root\n" * 2
    assert do(installed, "cmp /etc/edged/edged.toml config/edged.toml") == ""


def test_systemd_has_nothing_to_say_about_it(installed: Machine) -> None:
    assert do(installed, "systemd-analyze verify edged.service") == ""


def test_the_journal_can_explain_itself(installed: Machine) -> None:
    listed = do(installed, "journalctl --list-catalog")
    for found in re.findall(r"^-- (\w{32})$", (HERE / "systemd/edged.catalog").read_text(), re.M):
        assert found in listed


def test_what_cannot_be_is_said_and_nothing_happens(installed: Machine) -> None:
    do(installed, "mkdir /try; echo 'echo armhf' >/try/dpkg; chmod +x /try/dpkg")
    said = refused(installed, "PATH=/try:$PATH scripts/install")
    assert "armhf" in said
    assert "64-bit" in said
    do(installed, "rm -r /try")
    assert "sudo scripts/install" in refused(installed, "runuser -u games -- scripts/install")
    assert "scripts/wheels" in refused(installed, "scripts/install --wheels /nowhere")
    assert "there are: --wheels" in refused(installed, "scripts/install --fast")
    assert "--uninstall" in refused(installed, "scripts/debian/preinst install")
    assert do(installed, "cd /; edged --version").startswith("edged ")
    assert do(installed, "ls /opt; ls /try || true").count("edged") == 1


def test_an_upgrade_keeps_what_its_owner_did_and_purge_keeps_nothing(
    installed: Machine, stocked: Machine, tmp_path: Path
) -> None:
    house = Machine(tmp_path, like=installed)
    do(
        house,
        f"""
        echo '# mine' >>/etc/edged/edged.toml
        echo {KEY} >/etc/edged/credentials/openai
        install -D -o edged /dev/stdin /var/lib/edged/state.json <<<louder
        systemctl --quiet disable edged
        touch /opt/edged/of-yesterday
        """,
    )
    kept = "tail -n 1 /etc/edged/edged.toml; cat /etc/edged/credentials/openai /var/lib/edged/*"

    do(house, "scripts/install --wheels .cache/wheels")
    assert do(house, kept).split("\n") == ["# mine", KEY, "louder", ""]
    assert do(house, "systemctl is-enabled edged || true") == "disabled\n"
    assert "of-yesterday" not in do(house, "ls /opt /opt/edged")

    do(house, "scripts/install --uninstall")
    assert do(house, kept).split("\n") == ["# mine", KEY, "louder", ""]
    there = {name for name in house.written() if house.look(name) != ABSENT}
    assert not [name for name in there if re.search(r"/opt/|/bin/edged|/lib/.*/edged\.", name)]

    do(house, "scripts/install --purge")
    assert left_over(house, stocked) == {}


def test_the_package_comes_and_goes(stocked: Machine, tmp_path: Path) -> None:
    factory = Machine(tmp_path / "factory", like=stocked)
    do(factory, "scripts/package --wheels .cache/wheels /packages")
    house = Machine(tmp_path / "house", like=factory)
    said = do(house, "ls /packages; dpkg --force-unsafe-io -i /packages/*.deb")
    assert re.search(r"^edged_.*\+deb\d+_(amd64|arm64)\.deb$", said, re.M)
    assert "OK" in do(house, "cd /; runuser -u edged -- /usr/bin/edged check")
    assert do(house, "systemctl is-enabled edged") == "enabled\n"
    assert do(house, "dpkg --verify edged; systemd-analyze verify edged.service") == ""
    assert "apt remove edged" in refused(house, "scripts/install --wheels .cache/wheels")
    do(house, "echo '# mine' >>/etc/edged/edged.toml; systemctl --quiet disable edged")
    do(house, "dpkg --force-unsafe-io -i /packages/*.deb")
    assert do(house, "tail -n 1 /etc/edged/edged.toml") == "# mine\n"
    assert do(house, "systemctl is-enabled edged || true") == "disabled\n"

    do(house, "dpkg -r edged")
    assert house.look("/opt/edged") == ABSENT
    do(house, "dpkg --force-unsafe-io -i /packages/*.deb")
    assert do(house, "systemctl is-enabled edged") == "enabled\n"
    do(house, "dpkg -P edged")
    noted = re.compile(r"/var/lib/dpkg/.*|/var/log/.*")
    # dpkg takes /opt away with the last package in it.
    assert {name for name in left_over(house, factory) if not noted.fullmatch(name)} <= {"/opt"}
