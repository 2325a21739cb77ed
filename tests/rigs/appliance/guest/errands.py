"""What the appliance does for those who live with it: tools, timers, and the money it may spend."""

import ctypes
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import house
from .house import PATIENCE_S
from .verdicts import Chapter

chapter = Chapter("errands", disk="installed")
line = chapter.line

_QUESTION = house.SHARE / "waves/cmd_after_wake.wav"
_RECORDING = Path("/tmp/heard.raw")
_PROGRAMS = Path("/usr/local/bin")
_DROP_INS = Path("/etc/edged/edged.toml.d")
_GROUP = Path("/sys/fs/cgroup/system.slice/edged.service")
_OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
"""The service manager's own entry."""

_LAMP = """\
#!/bin/sh
read -r asked
key=$(cat /etc/edged/credentials/openai 2>&1) && echo "has the key"
home=$(ls /root 2>&1) && echo "sees a home"
touch /etc/lamp 2>/dev/null && echo "writes to /etc"
echo "asked $asked by $(id -un)"
"""
_GREEDY = """\
#!/usr/bin/python3 -I
import mmap
# Of a kind that no limit of one process counts.
shared = mmap.mmap(-1, 900 << 20)
for at in range(0, len(shared), 1 << 20):
    shared[at : at + (1 << 20)] = b"x" * (1 << 20)
print("has all of it")
"""
_BOMB = """\
#!/usr/bin/python3 -I
import os
# All threads and all the time that there are.
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
_TOOL = """
[[tools.command]]
name = "{name}"
description = "Try it."
argv = ["{program}"]
timeout_s = {timeout_s}
[tools.command.parameters.properties.on]
type = "boolean"
"""
_UNKNOWN_TIME = """
# A machine without a clock chip, as a Raspberry Pi is one.
[Service]
TemporaryFileSystem=/sys/class/rtc
"""


class _Provider:
    """Asks for tools, and keeps what it is told of them."""

    _told = Path("/run/rig-told.jsonl")
    _starts = 0

    def __init__(self, *says: str) -> None:
        """Start in the place of the one before."""
        cls = type(self)
        house.run("systemctl", "stop", f"rig-asks-{cls._starts}.service", ok=False)
        cls._starts += 1
        house.run(
            *("systemd-run", "--quiet", f"--unit=rig-asks-{cls._starts}"),
            *("/opt/edged/bin/edged", "simulate", "--certificate", "/etc/rig/provider.pem"),
            *("--voice", "melody", "--detector", "energy", "--log", str(cls._told), *says),
        )
        house.wait("the provider", lambda: house.answers_on(8765), PATIENCE_S)

    def heard(self) -> Mapping[str, str]:
        """What it was told by each tool, by the tool's name."""
        events: list[Mapping[str, Any]] = [
            json.loads(each) for each in self._told.read_text().splitlines()
        ]
        items = [event["item"] for event in events if "item" in event]
        names = {each["call_id"]: each["name"] for each in items if "name" in each}
        return {names[each["call_id"]]: each["output"] for each in items if "output" in each}


def _converses(mark: int) -> house.Entry:
    """Ask aloud, hear the answer, and let the conversation end; the turn."""
    house.say(_QUESTION)
    turn = house.journal().fact(mark, "turn_ended", PATIENCE_S)
    house.journal().fact(mark, "session_ended", PATIENCE_S)
    house.journal().state(mark, "asleep", PATIENCE_S)
    return turn


def _keep_time_as_chrony_without_rtcsync() -> None:
    """Tell the kernel how far off its clock is, and leave its verdict at "unsynchronised"."""

    class Timex(ctypes.Structure):
        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("esterror", ctypes.c_long),
            ("rest", ctypes.c_char * 480),
        )

    error_of_most = 0x0004
    verdict = ctypes.CDLL(None).adjtimex(ctypes.byref(Timex(error_of_most, 0, 0, 20_000)))
    assert verdict == 5, verdict


@line
def a_program_of_its_owner_answers_in_a_conversation_and_sees_next_to_nothing() -> str:
    # Silence need not be looked into, which makes everything else quicker.
    tools = "[wake.openwakeword]\nenergy_gate = true\n"
    # The last one does not end by itself.
    for name, text, timeout_s in (("lamp", _LAMP, 20), ("greedy", _GREEDY, 20), ("bomb", _BOMB, 3)):
        program = _PROGRAMS / name
        program.write_text(text)
        program.chmod(0o755)
        tools += _TOOL.format(name=name, program=program, timeout_s=timeout_s)
    (_DROP_INS / "tools.toml").write_text(tools)
    drop_in = Path("/etc/systemd/system/edged.service.d/unknown.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text(_UNKNOWN_TIME)
    house.run("systemctl", "daemon-reload")
    house.run("systemctl", "restart", "edged.service")
    provider = _Provider(
        *("--call", 'lamp={"on": true}', "--and-call", 'set_alarm={"time": "07:00"}'),
        *("--and-call", "bomb", "--and-call", 'set_timer={"seconds": 45, "name": "tea"}'),
        *("--answer", "It is lit."),
    )
    mark, before = house.settled(), house.pid()
    _converses(mark)
    assert house.pid() == before, "it was started again"
    told = provider.heard()
    _Told.alarm, _Told.bomb = told["set_alarm"], told["bomb"]
    assert '"set": "tea"' in told["set_timer"], told["set_timer"]
    assert told["lamp"] == 'asked {"on": true} by edged', told["lamp"]
    return told["lamp"]


class _Told:
    """What one conversation tells of more than one line."""

    alarm = ""
    bomb = ""
    clock = ""


@line
def before_the_clock_is_set_an_alarm_says_that_it_waits() -> str:
    assert '"set"' in _Told.alarm, _Told.alarm
    assert "has not been set yet: the alarm waits until it is" in _Told.alarm, _Told.alarm
    return _Told.alarm


@line
def a_program_that_multiplies_takes_no_thread_of_the_speakers() -> str:
    assert "did not end" in _Told.bomb, _Told.bomb
    most = int((_GROUP / "pids.peak").read_text())
    assert most >= 35, f"it had next to none: {most}"
    refused = (_GROUP / "pids.events").read_text().split()
    assert refused == ["max", "0"], f"the unit's own bound was reached: {refused}"
    alone = len((_GROUP / "cgroup.procs").read_text().split())
    assert alone == 1, f"{alone} processes are left"
    return f"at most {most} at once; {_Told.bomb[:80]}"


@line
def a_program_that_eats_memory_is_killed_and_the_speaker_goes_on_talking() -> str:
    _keep_time_as_chrony_without_rtcsync()
    provider = _Provider(
        *("--call", "greedy", "--and-call", "clock", "--answer", "There was not enough memory."),
    )
    mark = house.settled()
    before = house.pid()
    turn = _converses(mark)
    told = provider.heard()
    _Told.clock = told["clock"]
    killed = house.journal().wait(mark, PATIENCE_S, MESSAGE_ID=_OUT_OF_MEMORY)
    assert "signal 9" in told["greedy"], told["greedy"]
    assert int(turn["EDGED_HEARD_MS"]) > 500, turn["MESSAGE"]
    assert house.pid() == before, "it was started again"
    assert house.show("ActiveState") == "active"
    peak = int((_GROUP / "memory.peak").read_text()) >> 20
    now = int((_GROUP / "memory.current").read_text()) >> 20
    return f"{killed['MESSAGE']}; {told['greedy']}; {now} MiB, at most {peak}"


@line
def a_clock_that_chrony_keeps_counts_as_set() -> str:
    assert '"time"' in _Told.clock, _Told.clock
    assert "has not been set" not in _Told.clock, _Told.clock
    return _Told.clock


@line
def a_timer_rings_after_the_speaker_was_killed_until_somebody_touches_it() -> str:
    mark = len(house.journal())
    house.forgive()
    os.kill(house.pid(), signal.SIGKILL)
    house.wait("a restart", lambda: house.show("NRestarts") == "1", PATIENCE_S)
    house.wait("listening again", house.listens, PATIENCE_S)
    with house.recorded(_RECORDING):
        rang = house.journal().fact(mark, "rang", PATIENCE_S)
        house.wait("an alarm", lambda: house.sounding_s(_RECORDING, house.SOFT) > 0.5, PATIENCE_S)
        house.press()
    assert "woken" not in [entry.get("EDGED_FACT") for entry in house.journal().since(mark)]
    assert house.status()["state"] == "asleep"
    return f"{rang['MESSAGE']}, {house.sounding_s(_RECORDING, house.SOFT):.1f} s of it sounded"


@line
def what_may_be_spent_is_spent_before_and_after_the_speaker_is_killed() -> str:
    spent = json.loads(house.run("edged", "usage", "--json"))
    (_DROP_INS / "budget.toml").write_text("[budget]\nday_usd = 0.00001\n")
    house.run("systemctl", "reload", "edged.service")
    for kill in (False, True):
        if kill:
            house.forgive()
            os.kill(house.pid(), signal.SIGKILL)
            house.wait("a restart", lambda: house.show("NRestarts") == "1", PATIENCE_S)
        mark = house.settled()
        house.press()
        trouble = house.journal().fact(mark, "trouble", PATIENCE_S)
        assert trouble["EDGED_TROUBLE"] == "budget", trouble["MESSAGE"]
        house.journal().state(mark, "asleep", PATIENCE_S)
        facts = [entry.get("EDGED_FACT") for entry in house.journal().since(mark)]
        assert "connected" not in facts, facts
    told = house.run("edged", "usage", ok=False)
    assert "no session is opened" in told, told
    return f"{trouble['MESSAGE']}; {spent}"[:400]
