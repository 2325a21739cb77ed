"""The sound cards: what the kernel has, which devices are meant, and at which rates they open."""

import os
import re
from collections.abc import Sequence
from typing import Any

from ._finding import Finding, fail, ok
from ._visit import Visit, me

ORDER = 70
NEEDS = ("config", "devices")

_CARD = re.compile(r"^ *\d+ \[(\S+) *\]", re.MULTILINE)
_NO_CARD = "plug one in; one on the header wants its dtoverlay= in /boot/firmware/config.txt"


def look(visit: Visit) -> Finding:
    """With PortAudio, as the speaker sees them."""
    sound = visit.settings.sound
    if sound.name != "portaudio":
        return ok(f"the sound driver is {sound.name}, which needs none")
    cards = _CARD.findall(visit.machine.text("/proc/asound/cards"))
    there: Sequence[Any] = ()
    try:
        there = sound.module.devices()
        microphone = sound.module.find(there, _wanted(visit, "microphone"), "microphone")
        speaker = sound.module.find(there, _wanted(visit, "speaker"), "speaker")
    except OSError as problem:
        if not cards and not visit.machine.environment.get("PULSE_SERVER"):
            return fail("the kernel has no sound card", _NO_CARD)
        if cards and not there:
            return fail(f"PortAudio sees nothing of the cards {', '.join(cards)}", _unseen())
        return fail(str(problem), "edged setup, which lists them, or: edged devices")
    told = []
    for device, direction in ((microphone, "microphone"), (speaker, "speaker")):
        rates = sound.module.rates(device, direction)
        asked = getattr(
            sound.settings, "capture_rate" if direction == "microphone" else "playback_rate"
        )
        if asked and asked not in rates:
            key = "capture_rate" if direction == "microphone" else "playback_rate"
            return fail(
                f'"{device.name}" does not open at {asked} Hz, but at {_listed(rates)}',
                f"set {key} = 0 in [sound.portaudio]",
            )
        if not rates:
            return fail(f'"{device.name}" opens at no rate', _busy(direction))
        told.append(f'{direction} "{device.name}" at {_listed(rates)}')
    return ok(", ".join(told))


def _unseen() -> str:
    if os.geteuid() == 0:
        return "end what uses them: sudo fuser -v /dev/snd/*"
    return f"sudo usermod -aG audio {me()}, then log in again"


def _wanted(visit: Visit, direction: str) -> str:
    return str(getattr(visit.settings.sound.settings, direction))


def _listed(rates: tuple[int, ...]) -> str:
    return ", ".join(f"{rate / 1000:g}" for rate in rates) + " kHz" if rates else "no usual rate"


def _busy(direction: str) -> str:
    nodes = "/dev/snd/pcm*c" if direction == "microphone" else "/dev/snd/pcm*p"
    return f"end what uses it: sudo fuser -v {nodes}"
