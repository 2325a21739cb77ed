"""Under a real systemd: a new configuration, also in a conversation, and one with a mistake."""

import pytest

from .machine import Machine

pytestmark = pytest.mark.timeout(300)

EVENING = r"""
show() { systemctl show edged --value -p "$1"; }
note() { echo "$1=$2"; }
waits() { for _ in $(seq 200); do [ "$(told "$1")" -lt "${2:-1}" ] || return 0; sleep 0.1; done; }
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

# Somebody talks, with a key that only `systemd-creds` can read.
/opt/edged/bin/edged simulate --key KEY --voice melody --detector energy &
echo -n KEY | systemd-creds encrypt --name= - - >/etc/edged/credentials.encrypted/openai
cat >/etc/edged/edged.toml.d/try.toml <<CONF
sound.driver = "wavefile"
wake.driver = "button"
conversation.false_wake_s = 60
provider.openai.url = "ws://127.0.0.1:8765/v1/realtime"
CONF
mkdir /etc/systemd/system/edged.service.d
# A conversation lasts longer than a start, or a reload, may.
printf '[Service]\nTimeoutStartSec=4\n' >/etc/systemd/system/edged.service.d/try.conf
systemctl daemon-reload
systemctl restart edged
until (exec 3<>/dev/tcp/127.0.0.1/8765) 2>/dev/null; do sleep 0.1; done
edged wake
waits connected
note talking "$(told connected) $(told session_ended)"
echo 'volume.step_db = 4.0' >>/etc/edged/edged.toml.d/try.toml
before=$(show MainPID)
systemctl reload edged && note reloading done &
reloading=$!
sleep 6
note amid "$(($(show MainPID) - before)) $(told session_ended) $(told reloaded)"
edged stop
waits session_ended
waits reloaded 2
wait $reloading
note hung_up "$(($(show MainPID) - before)) $(told session_ended) $(told reloaded)"
note survived "$(show ActiveState) $(show NRestarts)"
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


def test_a_conversation_with_an_encrypted_key_is_not_lost(evening: dict[str, str]) -> None:
    assert evening["talking"] == "1 0"
    assert evening["amid"] == "0 0 1"
    assert evening["reloading"] == "done"
    assert evening["hung_up"] == "0 1 2"
    assert evening["survived"] == "active 0"
