"""The unit under a real systemd: a copy of this machine is booted, and edged is its service.

There are no sound cards, no pins and no network: what systemd does to a process, and the process
for systemd, is all there is to see. One boot is enough for all that is asked here.
"""

import pytest

from .machine import Machine, Unbootable

pytestmark = pytest.mark.timeout(300)

KEY = "sk-this-is-nobodys-key"
OTHER_KEY = "sk-nor-this-one"
BACK_WITHIN_S = 9.0
"""Besides what the start itself takes."""

INSIDE = r"""
import asyncio, ctypes
from edged import night, programs

TRY = "import os, sys; print(sys.stdin.read(), os.getuid() == os.geteuid() != 0, end=' ')"

def told(*argv):
    tool = programs.Command("tool", "A tool.", argv)
    try:
        return asyncio.run(programs.run(tool, "{}"))
    except programs.Failed as failed:
        return failed.args[0]

class Setting(ctypes.Structure):
    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_char * 500))

change_the_error = ctypes.byref(Setting(0x0004))
print("inside_asks", night._error_us() >= 0)
print("inside_sets", ctypes.CDLL(None).adjtimex(change_the_error))
print("inside_ran", told("/usr/bin/python3", "-c", TRY))
print("inside_home", told("/home/anna/lamp"))
print("inside_writes", told("/usr/bin/touch", "/etc/lamp"))
print("inside_rises", told("/usr/bin/su", "-c", "id"))
print("inside_hides", told("/usr/bin/unshare", "-r", "true"))
"""

EVENING = rf"""
show() {{ systemctl show edged --value -p "$1"; }}
microseconds() {{ awk '{{printf "%.0f\n", $1 * 1e6}}' /proc/uptime; }}
note() {{ echo "$1=$2"; }}

# Leaves in $gone how long edged was away, without what its own start took, in microseconds.
back_after() {{
    local begin restarts=$(show NRestarts)
    begin=$(microseconds)
    kill "$1" "$(show MainPID)"
    for _ in $(seq 400); do
        sleep 0.05
        [ "$(show NRestarts)" = "$restarts" ] || [ "$(show ActiveState)" != active ] || break
    done
    gone=$(($(show ExecMainStartTimestampMonotonic) - begin))
}}

mkdir /etc/edged/edged.toml.d
echo 'sound.driver = "wavefile"' >/etc/edged/edged.toml.d/try.toml

systemctl start edged
note ready "$(show ActiveState) $(show StatusText)"

echo {KEY} >/etc/edged/credentials/openai
systemctl restart edged
note plain "$(cat /run/credentials/edged.service/edged_openai)"
process=/proc/$(show MainPID)
note in_process "$(cat "$process/environ" "$process/cmdline" | grep -ac {KEY})"
rm /etc/edged/credentials/openai
echo {OTHER_KEY} | systemd-creds encrypt --with-key=host --name= - \
    /etc/edged/credentials.encrypted/openai
systemctl restart edged
note encrypted "$(cat /run/credentials/edged.service/edged-encrypted_openai)"
note exposed "$(grep -rlsF -e {KEY} -e {OTHER_KEY} /etc /run /var/lib/edged | sort | xargs)"
note told "$(journalctl -o export | grep -acF -e {KEY} -e {OTHER_KEY})"

before=$(show MainPID)
systemctl reload edged
sleep 1
note reloaded "$before $(show MainPID) $(show ActiveState)"

back_after -KILL
note after_kill $gone
back_after -STOP
note after_stop $gone
note restarts "$(show NRestarts)"

begin=$(microseconds)
systemctl stop edged
note stopping $(($(microseconds) - begin))
note stopped "$(show ActiveState) $(show Result)"

echo junk >/etc/edged/credentials.encrypted/openai
systemctl start edged || true
sleep 3
note broken_credential "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)"
rm /etc/edged/credentials.encrypted/openai

mkdir -p /home/anna
printf '#!/bin/sh\necho lit\n' >/home/anna/lamp
chmod -R a+rx /home/anna
cat >/try/inside.py <<'PROGRAM'
{INSIDE}
PROGRAM
# The service's unit, for another program.
sed -e 's|^ExecStart=.*|ExecStart=/opt/edged/bin/python -P /try/inside.py|' -e '/^ExecReload/d' \
    -e 's/^Type=.*/Type=oneshot/' -e '/^\(Restart\|Watchdog\)/d' -e '/^\[Install\]/,$d' \
    -e '/^\[Service\]/a StandardOutput=file:/try/told' \
    "$(show FragmentPath)" >/run/systemd/system/inside.service
systemctl start inside || true
sed 's/ /=/' /try/told

echo 'sound.drivel = "wavefile"' >/etc/edged/edged.toml.d/try.toml
systemctl start edged || true
sleep 3
note mistake "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)"
note named "$(journalctl -u edged -o cat | grep -c drivel)"
"""


@pytest.fixture(scope="module")
def evening(installed: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was noted, by name; times in microseconds."""
    try:
        said = Machine(tmp_path_factory.mktemp("booted"), like=installed).boot(EVENING)
    except Unbootable as reason:
        pytest.skip(f"no copy of this machine can be booted: {reason}")
    noted = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    assert "named" in noted, said
    return noted


def seconds(evening: dict[str, str], name: str) -> float:
    return int(evening[name]) / 1e6


def test_it_is_ready_without_network_key_and_sound_card(evening: dict[str, str]) -> None:
    assert evening["ready"].startswith("active")


def test_the_key_comes_from_either_folder_and_is_nowhere_else(evening: dict[str, str]) -> None:
    assert evening["plain"] == KEY
    assert evening["encrypted"] == OTHER_KEY
    assert evening["in_process"] == "0"
    assert evening["told"] == "0"
    assert evening["exposed"] == "/run/credentials/edged.service/edged-encrypted_openai"


def test_a_reload_is_no_restart(evening: dict[str, str]) -> None:
    before, after, state = evening["reloaded"].split()
    assert before == after
    assert state in ("active", "reloading")


@pytest.mark.parametrize("how", ["after_kill", "after_stop"])
def test_it_is_soon_back(how: str, evening: dict[str, str]) -> None:
    """Killed; or hanging, when it feeds the watchdog no more."""
    assert 0 < seconds(evening, how) < BACK_WITHIN_S
    assert evening["restarts"] == "2"


def test_it_leaves_when_asked_to(evening: dict[str, str]) -> None:
    assert evening["stopped"] == "inactive success"
    assert seconds(evening, "stopping") < 2


def test_what_starting_again_would_not_mend_is_not_started_again(evening: dict[str, str]) -> None:
    assert evening["broken_credential"] == "failed 243 0"
    assert evening["mistake"] == "failed 78 0"
    assert evening["named"] == "1"


def test_it_may_ask_whether_the_clock_is_kept_right_and_not_set_it(evening: dict[str, str]) -> None:
    """Behind chrony and ntpd nobody else tells."""
    assert evening["inside_asks"] == "True"
    assert evening["inside_sets"] == "-1"


def test_a_program_of_the_owners_runs_in_the_services_bounds(evening: dict[str, str]) -> None:
    assert evening["inside_ran"] == "{} True"
    assert "No such file" in evening["inside_home"] or "denied" in evening["inside_home"]
    assert "Read-only file system" in evening["inside_writes"]
    for attempt in ("inside_rises", "inside_hides"):
        assert "it ended with status" in evening[attempt]
