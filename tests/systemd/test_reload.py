"""Under a real systemd: a new configuration, and one with a mistake."""

import pytest

from .machine import Machine

pytestmark = pytest.mark.timeout(300)

EVENING = r"""
show() { systemctl show edged --value -p "$1"; }
note() { echo "$1=$2"; }
told() { journalctl -u edged -o json | grep -c "\"EDGED_FACT\":\"$1\""; }

mkdir /etc/edged/edged.toml.d
echo 'sound.driver = "wavefile"' >/etc/edged/edged.toml.d/try.toml
systemctl start edged

before=$(show MainPID)
echo 'volume.step_db = 2.0' >>/etc/edged/edged.toml.d/try.toml
systemctl reload edged
sleep 1
note watchdog "$(show WatchdogUSec)"
echo 'volume.stepp_db = 2.0' >>/etc/edged/edged.toml.d/try.toml
systemctl reload edged
# Longer than the watchdog waits.
sleep 7
note after "$(show ActiveState) $(show NRestarts) $(($(show MainPID) - before)) $(show Result)"
note taken "$(told reloaded)"
note refused "$(told reload_refused)"
note done yes
"""


@pytest.fixture(scope="module")
def evening(installed: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was noted, by name."""
    said = Machine(tmp_path_factory.mktemp("reloaded"), like=installed).boot(EVENING)
    noted = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    assert "done" in noted, said
    return noted


def test_the_service_goes_on_through_a_reload_and_a_mistake(evening: dict[str, str]) -> None:
    assert evening["after"] == "active 0 0 success"


def test_one_entry_tells_of_each(evening: dict[str, str]) -> None:
    assert (evening["taken"], evening["refused"]) == ("1", "1")


def test_the_watchdogs_patience_was_for_the_reload_only(evening: dict[str, str]) -> None:
    assert evening["watchdog"] == "6s"
