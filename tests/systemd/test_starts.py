"""Under a real systemd: what breaks at once is given up, what takes its time is tried for ever.

All times are a tenth of the unit's, and the speaker is a shell that fails after a while.
"""

import pytest

from .machine import CHECKOUT, Machine

pytestmark = pytest.mark.timeout(300)

EVENING = r"""
show() { systemctl show edged --value -p "$1"; }
note() { echo "$1=$2"; }

interval=$(systemd-analyze timespan "$(show StartLimitIntervalUSec)" | sed -n 's/.*μs: //p')
burst=$(show StartLimitBurst)

# Fails $1 seconds after each start, and is started again after $2; notes as $3 what became of it.
fail_after() {
    systemctl stop edged
    cat >/etc/systemd/system/edged.service.d/try.conf <<CONF
[Unit]
StartLimitIntervalSec=$((interval / 10))us
[Service]
Type=exec
ExecStart=
ExecStart=/bin/sh -c 'sleep $1; exit 1'
RestartSec=$2
RestartSteps=0
CONF
    systemctl daemon-reload
    systemctl reset-failed edged 2>/dev/null || true
    systemctl start edged
    for _ in $(seq 400); do
        sleep 0.1
        [ "$(show ActiveState)" != failed ] && [ "$(show NRestarts)" -lt $((burst + 2)) ] || break
    done
    note "$3" "$(show ActiveState) $(show NRestarts)"
}

mkdir -p /etc/systemd/system/edged.service.d
# A device that is silent: 2.5 s at the least from the start to the end, and 1 s to the next start.
fail_after 0.25 100ms silent
fail_after 0 10ms broken
# An upgrade brings one that works, to an owner who wants it to run and to one who does not.
rm -f /usr/sbin/policy-rc.d # A container's, which lets nothing be started.
sed -i 's/exit 1/exec sleep 1000/' /etc/systemd/system/edged.service.d/try.conf
scripts/debian/postinst configure 0.0
note mended "$(show ActiveState)"
systemctl stop edged
scripts/debian/postinst configure 0.0
note stopped "$(show ActiveState)"
note burst "$burst"
"""


@pytest.fixture(scope="module")
def evening(installed: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was noted, by name."""
    said = Machine(tmp_path_factory.mktemp("starts"), like=installed).boot(
        f"cd {CHECKOUT}; {EVENING}"
    )
    noted = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    assert "burst" in noted, said
    return noted


def test_a_silent_device_is_waited_for_as_long_as_it_takes(evening: dict[str, str]) -> None:
    state, restarts = evening["silent"].split()
    assert state != "failed"
    assert int(restarts) >= int(evening["burst"]) + 2


def test_what_breaks_at_once_is_given_up(evening: dict[str, str]) -> None:
    state, restarts = evening["broken"].split()
    assert state == "failed"
    assert int(restarts) <= int(evening["burst"])


def test_what_was_given_up_is_started_by_an_upgrade(evening: dict[str, str]) -> None:
    assert evening["mended"] == "active"


def test_what_was_stopped_stays_so(evening: dict[str, str]) -> None:
    assert evening["stopped"] == "inactive"
