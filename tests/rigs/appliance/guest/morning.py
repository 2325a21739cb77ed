"""The morning after: what stays of the evening, and what those see who look after the appliance."""

import json
import re
import subprocess
from collections.abc import Mapping

from . import evening, house
from .house import PATIENCE_S
from .verdicts import Chapter

chapter = Chapter("morning", disk="installed")
line = chapter.line

_MOST_EXPOSED = 2.0
"""Of 10, by `systemd-analyze security`."""
_DOCTOR = 'mount --bind /run/rig-cpuinfo /proc/cpuinfo; exec edged doctor --json "$@"'
"""Where the board is a Raspberry Pi by its revision, as it is for the service."""
_NOBODY = "nobody is there"
_WELL = (
    *("python", "config", "key", "network", "provider", "devices", "cards", "microphone", "noise"),
    *("clipping", "loudspeaker", "wake", "lights", "rights", "watchdog", "disk"),
)


@line
def the_volume_persists_over_a_reboot() -> str:
    house.wait("active", lambda: house.show("ActiveState") == "active", PATIENCE_S)
    house.settled()
    status = house.status()
    assert status["volume_db"] == float(evening.VOLUME_DB), status["volume_db"]
    return f"{status['volume_db']} dB"


@line
def each_recipe_of_the_readme_says_what_it_says_there() -> str:
    """Of the evening, which had a question, its answer and a conversation without either."""
    told = {typed: house.recipe(typed) for typed in house.recipes()}
    expected = {
        "edged -f": r" appliance \w+\[\d+\]: ",
        "-p notice": r": woken by hey_jarvis$[\s\S]*: session ended: silence",
        "-x -n 20": r"^░░ Subject: edged has started$",
        "=turn_ended -o cat": r"^turn 1: .* \d+ ms heard$",
        "edged -n 1 -o verbose": r"^ +EDGED_FACT=\w+$",
    }
    for part, said in expected.items():
        (shown,) = (shown for typed, shown in told.items() if part in typed)
        assert re.search(said, shown, re.MULTILINE), f"{part}: {shown}"
    figures = [json.loads(each) for each in house.recipe("=turn_ended -o json").splitlines()]
    assert int(figures[0]["EDGED_FIRST_AUDIO_TO_SOUND_MS"]) >= 0, figures
    sessions = house.recipe("-F EDGED_SESSION").split()
    for session in sessions:
        one = house.recipe("EDGED_SESSION=sess_1", sess_1=session).splitlines()
        assert any(each.endswith(": connected") for each in one), one
        assert any(": session ended: " in each for each in one), one
    entries = [json.loads(each) for each in house.recipe("edged -o json").splitlines()]
    return f"{len(told)} recipes, {len(sessions)} conversations, {len(entries)} entries"


@line
def systemd_finds_nothing_in_the_unit_and_little_exposed() -> str:
    said = house.run("systemd-analyze", "verify", "--man=no", "edged.service")
    assert said == "", said
    verdict = house.run("systemd-analyze", "security", "--no-pager", "edged.service").splitlines()[
        -1
    ]
    found = re.search(r"Overall exposure level for edged\.service: ([\d.]+)", verdict)
    assert found, verdict
    assert float(found[1]) <= _MOST_EXPOSED, verdict
    return found[0]


@line
def the_doctor_asks_a_speaker_that_runs() -> str:
    """Whose microphone's other end nobody plays to: that is what it hears, and what it says."""
    found = _doctor("devices", "unit", "watchdog")
    assert found["unit"]["verdict"] == found["watchdog"]["verdict"] == "ok", found
    assert found["devices"]["verdict"] == "fail", found["devices"]
    assert "the speaker runs (asleep)" in found["devices"]["seen"], found["devices"]
    assert "nothing but zeros" in found["devices"]["seen"], found["devices"]
    return f"{found['unit']['seen']}; {found['devices']['seen']}"


@line
def the_doctor_finds_every_part_well() -> str:
    """With the cards and pins for itself, and a loudspeaker that the microphone hears."""
    house.run("systemctl", "start", "rig-provider.service")
    house.wait("the provider", lambda: house.answers_on(8765), PATIENCE_S)
    house.run("systemctl", "stop", "edged.service")
    try:
        with house.one_room():
            found = _doctor("--online")
    finally:
        house.run("systemctl", "start", "edged.service")
    ill = {name: found[name] for name in _WELL if found[name]["verdict"] != "ok"}
    assert not ill, ill
    # The air of this room is two programs, which may stumble: how late it comes back may jump.
    assert found["echo"]["verdict"] in ("ok", "warn"), found["echo"]
    assert "(kept in " in found["echo"]["seen"], found["echo"]
    # It was stopped for this, and no time server is there.
    assert found["unit"]["verdict"] == found["clock"]["verdict"] == "warn", found
    for name in ("buttons", "voice", "wake_word"):
        assert found[name]["verdict"] == "skipped", found[name]
        assert _NOBODY in found[name]["seen"], found[name]
    house.settled()
    return f"{len(_WELL)} parts; {found['echo']['seen']}; {found['wake']['seen']}"


def _doctor(*options: str) -> Mapping[str, Mapping[str, str]]:
    """What each check found, by its name."""
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-ec", _DOCTOR, "sh", *options),
        text=True,
        capture_output=True,
        check=False,
        timeout=300,
    )
    told = json.loads(done.stdout)
    assert done.returncode == (told["verdict"] == "fail"), f"{done.returncode}: {done.stdout}"
    return {check["name"]: check for check in told["checks"]}
