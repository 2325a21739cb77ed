"""What breaks in the appliance, and how it comes to listen again by itself."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import house
from .house import PATIENCE_S
from .verdicts import Chapter

chapter = Chapter("restarts", disk="installed")
line = chapter.line

_MOST_S = 9.0
"""So long at most until it listens again, and as long as this machine takes from exec to READY."""
_RECORDING = Path("/tmp/heard.raw")


def _restarted(strike: Callable[[], None], mend: Callable[[], None] = lambda: None) -> str:
    """Strike again and again; it is to listen again in time, which `mend` is left after it."""
    took = []
    house.forgive()
    for count in range(1, 1 + int((house.SHARE / "times").read_text())):
        house.settled()
        began = time.monotonic()
        strike()
        house.wait("a restart", partial(_restarts, count), PATIENCE_S)
        mend()
        house.wait("listening again", house.listens, PATIENCE_S)
        took.append((time.monotonic() - began, house.start_took_s()))
    told = ", ".join(f"{all_s:.1f} s with {start_s:.1f} s from exec" for all_s, start_s in took)
    assert all(all_s <= _MOST_S + start_s for all_s, start_s in took), told
    return told


def _restarts(count: int) -> bool:
    """Whether systemd has started it again so often; it waits longer each time."""
    return house.show("NRestarts") == str(count)


def _sounded_s() -> float:
    return house.sounding_s(_RECORDING, house.SOFT)


def _unload() -> None:
    """Take both cards from their driver, which waits until nobody has them, and the driver away."""
    for card in (0, 1):
        file = "/sys/bus/platform/drivers/snd_aloop/unbind"
        house.run("sh", "-c", f"echo snd_aloop.{card} > {file}", within_s=30)
    house.run("modprobe", "-r", "snd-aloop")
    assert not Path("/sys/module/snd_aloop").exists()


@line
def the_service_is_active() -> str:
    house.run("systemctl", "start", "rig-provider.service")
    house.wait("active", lambda: house.show("ActiveState") == "active", PATIENCE_S)
    house.settled()
    return f"READY {house.start_took_s():.1f} s after exec"


@line
def killed_it_listens_again() -> str:
    return _restarted(lambda: os.kill(house.pid(), signal.SIGKILL))


@line
def hung_it_is_killed_and_listens_again() -> str:
    return _restarted(lambda: os.kill(house.pid(), signal.SIGSTOP))


@line
def a_capture_card_that_stalls_ends_in_listening_again() -> str:
    """The card's clock is another card's playback: when that ends, nothing is captured any more."""
    house.run("systemctl", "stop", "edged.service")
    house.run("modprobe", "-r", "snd-aloop")
    house.run(
        *("modprobe", "snd-aloop", "index=0,1,2", "enable=1,1,1", "id=Mic,Speaker,Clock"),
        *("pcm_substreams=1,1,1", "timer_source=2.0.0,,"),
    )
    clock = _Clock()
    clock.run()
    try:
        house.run("systemctl", "start", "edged.service")
        return _restarted(clock.stop, clock.run)
    finally:
        clock.stop()
        house.run("systemctl", "stop", "edged.service")
        house.run("modprobe", "-r", "snd-aloop")
        house.run("modprobe", "snd-aloop")
        house.run("systemctl", "start", "edged.service")


@line
def sound_cards_that_were_away_are_used_again_without_a_restart() -> str:
    mark = house.settled()
    before = house.pid()
    _unload()
    lost = house.journal().fact(mark, "microphone_lost", PATIENCE_S)
    house.journal().state(mark, "trouble", PATIENCE_S)
    house.run("modprobe", "snd-aloop")
    house.journal().fact(mark, "microphone_opened", PATIENCE_S)
    house.wait("listening again", house.listens, PATIENCE_S)
    with house.recorded(_RECORDING):
        house.talk()
        house.wait("a sound", lambda: _sounded_s() > 0.1, PATIENCE_S)
    assert house.pid() == before, "it was started again"
    return f"{lost['MESSAGE']}; afterwards {_sounded_s():.2f} s sounded"


@line
def sound_cards_that_come_after_it_has_started_are_used() -> str:
    """Even when the kernel had nothing to do with sound until then."""
    house.run("systemctl", "stop", "edged.service")
    _unload()
    house.run("modprobe", "-r", "snd-timer", "snd-pcm", "snd", ok=False)
    assert not Path("/sys/module/snd").exists()
    mark = len(house.journal())
    house.run("systemctl", "start", "edged.service")
    house.journal().fact(mark, "microphone_lost", PATIENCE_S)
    before = house.pid()
    house.run("modprobe", "snd-aloop")
    house.settled()
    ended = house.talk()
    assert (house.pid(), house.show("NRestarts")) == (before, "0"), "it was started again"
    return ended["MESSAGE"]


class _Clock:
    """What the microphone's card ticks by: as long as this plays, it captures."""

    def __init__(self) -> None:
        self._ticking: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        form = ("-q", "-D", "hw:2,0", "-f", "S16_LE", "-r", "48000", "-c", "1")
        self._ticking = subprocess.Popen(("aplay", *form, "/dev/zero"))

    def stop(self) -> None:
        if self._ticking is not None:
            self._ticking.terminate()
            self._ticking.wait()
