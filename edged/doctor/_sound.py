"""The measurement that the checks of the sound card share."""

import re

from ..acoustics.probe import ProbeFailed
from . import _box
from ._finding import Finding, fail
from ._measured import Measured
from ._visit import Visit

_CARD = re.compile(r"\(hw:(\d+)")


def measured(visit: Visit) -> Measured | Finding:
    """Measured now, or what the first of them measured; a finding where nothing can be."""
    if visit.measured is None:
        settings = visit.settings
        where = _box.folder(visit.machine, visit.file)
        person = visit.person

        def ask() -> None:
            if person is not None:
                person.told("Say a sentence from where you usually stand.")

        try:
            visit.measured = _box.measure(
                settings, _box.volume_db(settings, where), visit.tell, ask if person else None
            )
        except ProbeFailed as failed:
            return fail(str(failed), failed.hint)
        except OSError as problem:
            return fail(f"the sound card does not open: {problem}", "edged devices")
    return visit.measured


def gain(device: str, by_db: float) -> str:
    """How to turn that microphone's gain, by so much, up or with a minus down."""
    found = _CARD.search(device)
    card = f" -c {found[1]}" if found else ""
    way = "up" if by_db > 0 else "down"
    return f"alsamixer{card}: F4, Capture {way} by {abs(by_db):.0f} dB; then: sudo alsactl store"
