"""The loudspeaker: whether a tone that rises is heard in the room."""

from . import _sound
from ._finding import Finding, fail, ok, skipped
from ._visit import Visit

ORDER = 120
NEEDS = ("microphone",)

_UNHEARD = ("off",)
"""Echo modes with which the microphone need not hear it."""


def look(visit: Visit) -> Finding:
    """The microphone hears it; a headset's, which cannot, is asked after."""
    measured = _sound.measured(visit)
    if isinstance(measured, Finding):
        return measured
    figures = measured.figures
    if figures.heard:
        return ok(f"{figures.speaker}, heard at {figures.volume_db:g} dB")
    if visit.person is not None and visit.person.confirms("Did you hear a rising tone?"):
        if figures.mode in _UNHEARD:
            return ok(f"{figures.speaker}, heard by you")
        return fail(
            f"{figures.speaker} is heard by you, but not by the microphone",
            'with a headset set mode = "off" in [echo]; else `edged devices`: is it the right '
            "microphone?",
        )
    if figures.mode in _UNHEARD and visit.person is None:
        return skipped("nobody is there who could hear a headset", "edged doctor, in a terminal")
    return fail(
        f"{figures.speaker} was not heard",
        "alsamixer: unmute (M) and turn up Master, PCM or Speaker; then: sudo alsactl store",
    )
