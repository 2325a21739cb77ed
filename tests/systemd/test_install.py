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
    assert "it starts with this machine's next boot" in said
    assert said.endswith("and its loudspeaker: sudo edged setup\n")


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
    assert "there are: --with --wheels" in refused(installed, "scripts/install --fast")
    assert "--uninstall" in refused(installed, "scripts/debian/preinst install")
    assert "aec mcp microwakeword" in refused(installed, "scripts/install --with everything")
    said = refused(installed, "flock /run/edged-install.lock scripts/install --uninstall")
    assert "another scripts/install" in said
    assert do(installed, "cd /; edged --version").startswith("edged ")
    assert do(installed, "ls /opt; ls /try || true").count("edged") == 1


def test_what_is_not_edgeds_own_is_left_alone(stocked: Machine, tmp_path: Path) -> None:
    house = Machine(tmp_path, like=stocked)
    do(house, "useradd --uid 1500 edged; scripts/debian/postrm purge; id edged; userdel edged")
    do(house, "mkdir /opt/edged; cp README.md /opt/edged")
    assert "/opt/edged is where" in refused(house, "scripts/install --wheels .cache/wheels")
    assert "/opt/edged is where" in refused(house, "scripts/install --purge")
    do(house, "cmp README.md /opt/edged/README.md; rm -r /opt/edged")
    do(house, "cp README.md /usr/local/bin/edged")
    assert "move it away" in refused(house, "scripts/install --wheels .cache/wheels")
    do(house, "cmp README.md /usr/local/bin/edged")


UNLUCKY = """
umask 077
mkdir -p /tmp/'my checkout' /tmp/'my wheels' /etc/edged
cp -R edged scripts systemd config pyproject.toml README.md LICENSE /tmp/'my checkout'
ln -s "$PWD"/.cache/wheels/* /tmp/'my wheels'
[ -e /etc/edged/edged.toml ] || echo 'volume.db = -20.0' >/etc/edged/edged.toml
cd /tmp/'my checkout'
"""
INSTALL = "scripts/install --wheels '../my wheels' --with aec"
CUT_SHORT = """
mkdir /try
cat >/try/systemd-tmpfiles <<'POWER'
#!/bin/sh
kill -9 $(ps -o ppid= $PPID) $PPID
POWER
chmod 755 /try /try/systemd-tmpfiles
export PATH=/try:$PATH
"""
"""The power goes when edged is half installed."""
CUT_AGAIN = """
cat >/try/rm <<'POWER'
#!/bin/sh
[ "$1" = -rf ] && [ -e "$2" ] || exec /bin/rm "$@"
/bin/rm -f "$2/pyvenv.cfg"
kill -9 $PPID
POWER
chmod 755 /try/rm
export PATH=/try:$PATH
"""
"""And when it is half taken away."""


def test_what_was_cut_short_is_made_whole(stocked: Machine, tmp_path: Path) -> None:
    """By a full disk, a missing wheel and the power; from a checkout in an odd place."""
    house = Machine(tmp_path, like=stocked)
    full = "mount -t tmpfs -o size=30m tmpfs /opt;"
    said = refused(house, f"{UNLUCKY} {full} {INSTALL} || {{ ls -A /opt; exit 1; }}")
    assert "No space left on device" in said
    assert not said.rstrip().endswith("edged.new")
    lacking = "rm '../my wheels'/pywebrtc*;"
    said = refused(house, f"{UNLUCKY} {lacking} {INSTALL}")
    assert "pywebrtc-audio" in said
    assert "scripts/wheels" in said
    assert house.run("bash", "-euc", f"{UNLUCKY} {CUT_SHORT} {INSTALL}").returncode
    assert house.look("/opt/edged/bin/edged") != ABSENT
    assert do(house, "systemctl is-enabled edged || true") == "disabled\n"

    said = do(house, f"{UNLUCKY} {INSTALL}")
    # What its owner wrote under this umask only root can read.
    assert "/etc/edged/edged.toml: cannot be read" in said
    assert do(house, "systemctl is-enabled edged") == "enabled\n"
    do(house, "chmod 644 /etc/edged/edged.toml; cd /; runuser -u edged -- edged check")
    assert do(house, "/opt/edged/bin/python -P -c 'import pywebrtc_audio'") == ""
    assert do(house, "cat /etc/edged/edged.toml") == "volume.db = -20.0\n"
    assert house.run("bash", "-euc", f"{CUT_AGAIN} scripts/install --purge").returncode
    do(house, "rm -r /try; scripts/install --purge")
    assert left_over(house, stocked) == {}


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
        echo aec >/var/lib/edged-install/extras
        install -D -m 644 /dev/stdin /etc/systemd/system/edged.service.d/mine.conf <<<'[Service]'
        """,
    )
    kept = "tail -n 1 /etc/edged/edged.toml; cat /etc/edged/credentials/openai /var/lib/edged/*"

    do(house, "scripts/install --wheels .cache/wheels")
    assert do(house, kept).split("\n") == ["# mine", KEY, "louder", ""]
    assert do(house, "systemctl is-enabled edged || true") == "disabled\n"
    assert "of-yesterday" not in do(house, "ls /opt /opt/edged")
    assert do(house, "/opt/edged/bin/python -P -c 'import pywebrtc_audio'") == ""

    do(house, "scripts/install --uninstall")
    assert do(house, kept).split("\n") == ["# mine", KEY, "louder", ""]
    there = {name for name in house.written() if house.look(name) != ABSENT}
    assert not [name for name in there if re.search(r"/opt/|/bin/edged|/lib/.*/edged\.", name)]

    said = do(house, "scripts/install --purge")
    own = "/etc/systemd/system/edged.service.d"
    assert f"{own} stays" in said
    assert left_over(house, stocked).keys() == {own, f"{own}/mine.conf"}
    do(house, f"rm {own}/mine.conf; scripts/install --purge")
    assert left_over(house, stocked) == {}


def test_one_who_forbids_the_service_has_it_installed_all_the_same(
    installed: Machine, tmp_path: Path
) -> None:
    house = Machine(tmp_path, like=installed)
    said = do(house, "systemctl --quiet mask edged; scripts/debian/postinst configure ''")
    assert "will not start at boot" in said
    do(house, "scripts/install --uninstall")
    assert do(house, "readlink /etc/systemd/system/edged.service") == "/dev/null\n"


def test_what_it_can_do_without_is_installed_along_or_named(
    installed: Machine, tmp_path: Path
) -> None:
    house = Machine(tmp_path, like=installed)
    do(house, "dpkg --force-depends --remove espeak-ng")
    do(house, "mkdir -p /try /var/cache/edged; ln -s $PWD/.cache/wheels /var/cache/edged/wheels")
    do(house, "echo 'echo apt-get $*' >/try/apt-get; chmod +x /try/apt-get")
    said = do(house, "PATH=/try:$PATH scripts/install")
    assert re.search("apt-get .* install espeak-ng$", do(house, "cat /var/log/*install.log"), re.M)
    # This apt-get does not keep what it promises.
    assert "sudo apt install espeak-ng" in said


SHORT_LISTS = r"""
mkdir /try
cp -R scripts /try
cd /try
for list in scripts/requirements-3*.txt; do
    sed -n '/^\(gpiozero\|systemd-python\)==/,/[^\\]$/p' "$list" >short
    { echo '# A short list. Written here'; cat short; } >"$list"
done
for list in scripts/requirements-[amp]*.txt; do cp scripts/requirements-build.txt "$list"; done
scripts/wheels wheels
"""
"""Two packages: one that comes as a wheel, and one that is built."""
OLDER = r"""
for wheel in wheels/{gpio,systemd}*.whl; do
    mv "$wheel" "$(sed 's/-[0-9][^-]*-/-1.0-/' <<<"$wheel")"
done
sed -i 's/^\(gpiozero\|systemd_python\)-[0-9][^-]*-/\1-1.0-/' wheels/complete-*
touch wheels/mine-1.0-py3-none-any.whl
for list in scripts/requirements-3*.txt; do echo >>"$list"; done
"""
"""As if the lists had named other versions when they were gathered."""


def test_wheels_for_older_lists_are_in_nobodys_way(stocked: Machine, tmp_path: Path) -> None:
    house = Machine(tmp_path, like=stocked)
    told = house.run("bash", "-euc", SHORT_LISTS, online=True)
    assert told.returncode == 0, told.stdout
    there = do(house, "cd /try; ls wheels; cat wheels/built-*")
    assert re.search("^systemd_python-[2-9].*whl$", there, re.M)
    do(house, f"cd /try; {OLDER}")
    again = house.run("bash", "-euc", "cd /try; scripts/wheels wheels", online=True)
    assert again.returncode == 0, again.stdout
    now = do(house, "cd /try; ls wheels; cat wheels/built-*").splitlines()
    assert [name for name in now if "-1.0-" in name] == ["mine-1.0-py3-none-any.whl"]
    (built,) = [line for line in now if "==" in line]
    assert built.startswith("systemd_python==2")


def test_the_package_comes_and_goes(stocked: Machine, tmp_path: Path) -> None:
    factory = Machine(tmp_path / "factory", like=stocked)
    do(factory, "scripts/package --wheels .cache/wheels /packages")
    house = Machine(tmp_path / "house", like=factory)
    said = do(house, "ls /packages; dpkg --force-unsafe-io -i /packages/*.deb")
    assert re.search(r"^edged_.*\+deb\d+_(amd64|arm64)\.deb$", said, re.M)
    assert do(house, "dpkg -f /packages/*.deb Recommends") == "alsa-utils, espeak-ng\n"
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
    script = Machine(tmp_path / "script", like=house)
    do(script, "dpkg -r edged; scripts/install --wheels .cache/wheels")
    do(script, f"echo {KEY} >/etc/edged/credentials/openai; dpkg -P edged; id edged")
    assert KEY in do(script, "cat /etc/edged/credentials/openai; cd /; edged check >&2")
    do(house, "dpkg -P edged")
    noted = re.compile(r"/var/lib/dpkg/.*|/var/log/.*")
    # dpkg takes /opt away with the last package in it.
    assert {name for name in left_over(house, factory) if not noted.fullmatch(name)} <= {"/opt"}
