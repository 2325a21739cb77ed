"""What the speaker shows: one scene per state, one colour per scene and moment."""

from dataclasses import dataclass
from enum import StrEnum
from math import cos, pi


class Trouble(StrEnum):
    """What can be wrong with the speaker, as shown, sounded and journalled."""

    NETWORK = "network"
    KEY = "key"
    CREDIT = "credit"
    PROVIDER = "provider"
    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    CLOCK = "clock"
    BUDGET = "budget"


class Scene(StrEnum):
    """The names everything outside uses for the speaker as a whole."""

    ASLEEP = "asleep"
    WAKING = "waking"
    CONNECTING = "connecting"
    LISTENING = "listening"
    HEARING = "hearing"
    THINKING = "thinking"
    SPEAKING = "speaking"
    WORKING = "working"
    MUTED = "muted"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Colour:
    """Red, green and blue, each 0 to 1, before brightness."""

    red: float
    green: float
    blue: float

    def dimmed(self, factor: float) -> "Colour":
        """The same colour at `factor` (0 to 1) of its light."""
        return Colour(self.red * factor, self.green * factor, self.blue * factor)

    @property
    def hex(self) -> str:
        """The colour as #rrggbb."""
        return "#" + "".join(f"{round(255 * c):02x}" for c in (self.red, self.green, self.blue))


@dataclass(frozen=True, slots=True)
class Look:
    """What the lights are asked to show."""

    scene: Scene
    trouble: Trouble | None = None
    """Which trouble, when the scene is `TROUBLE`."""
    sending: bool = False
    """Room sound is leaving the device; a mark beside the scene, which changes no colour."""


# Hues of the Okabe-Ito palette (Okabe & Ito 2008), told apart with every common colour vision;
# each scene differs from its neighbours in rhythm too, never in colour alone.
_SKY = Colour(0.34, 0.71, 0.91)
_BLUE = Colour(0.00, 0.45, 0.70)
_GREEN = Colour(0.00, 0.62, 0.45)
_YELLOW = Colour(0.94, 0.89, 0.26)
_ORANGE = Colour(0.90, 0.62, 0.00)
_VERMILION = Colour(0.84, 0.37, 0.00)
_PURPLE = Colour(0.80, 0.47, 0.65)
_WHITE = Colour(1.00, 1.00, 1.00)
_BLACK = Colour(0.00, 0.00, 0.00)

_HUES = {
    Scene.ASLEEP: _BLACK,
    Scene.WAKING: _WHITE,
    Scene.CONNECTING: _SKY,
    Scene.LISTENING: _BLUE,
    Scene.HEARING: _SKY,
    Scene.THINKING: _PURPLE,
    Scene.SPEAKING: _GREEN,
    Scene.WORKING: _YELLOW,
    Scene.MUTED: _VERMILION,
    Scene.TROUBLE: _ORANGE,
}

# Seconds of one breath and how dark its low end is; 0 seconds is a steady light.
# No rhythm comes near the 3 Hz above which flashing can harm (WCAG 2.3.1).
_BREATHS = {
    Scene.CONNECTING: (1.0, 0.2),
    Scene.THINKING: (1.2, 0.3),
    Scene.SPEAKING: (2.4, 0.6),
    Scene.WORKING: (0.8, 0.3),
}

# Trouble blinks its own number, so that its kind is told without colour.
_BLINKS = {
    Trouble.NETWORK: 1,
    Trouble.KEY: 2,
    Trouble.CREDIT: 3,
    Trouble.PROVIDER: 4,
    Trouble.MICROPHONE: 5,
    Trouble.SPEAKER: 6,
    Trouble.CLOCK: 7,
    Trouble.BUDGET: 8,
}
_BLINK_S = 0.5
_BLINK_PAUSE_S = 1.0


def colour(look: Look, seconds: float) -> Colour:
    """The colour of `look` when it has been shown for `seconds`."""
    hue = _HUES[look.scene]
    if look.trouble is not None and look.scene is Scene.TROUBLE:
        blinks = _BLINKS[look.trouble]
        phase = seconds % (blinks * _BLINK_S + _BLINK_PAUSE_S)
        lit = phase < blinks * _BLINK_S and phase % _BLINK_S < _BLINK_S / 2
        return hue if lit else hue.dimmed(0.1)
    period, low = _BREATHS.get(look.scene, (0.0, 1.0))
    if not period:
        return hue
    swing = 0.5 + 0.5 * cos(2 * pi * seconds / period)
    return hue.dimmed(low + (1 - low) * swing)


def steady(look: Look) -> bool:
    """Whether the colour of `look` never changes, so that nothing needs to be redrawn."""
    return look.scene not in _BREATHS and look.scene is not Scene.TROUBLE
