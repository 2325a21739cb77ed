"""The speaker's states and its light over time: whether it showed what it should."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

LIGHTS = {
    "asleep": "#000000",
    "waking": "#ffffff",
    "connecting": "#57b5e8",
    "listening": "#0073b2",
    "hearing": "#57b5e8",
    "thinking": "#cc78a6",
    "speaking": "#009e73",
    "working": "#f0e342",
    "muted": "#d65e00",
    "trouble": "#e69e00",
}
"""The light of each state at its brightest, as the README promises it."""

_REDRAW_S = 0.015
_LAG_S = 0.1
"""A light may be this late: it is redrawn 20 times a second, its pins one after the other."""
SETTLING_S = 0.25
"""By then a change of state or light has arrived here too."""


@dataclass(frozen=True)
class Look:
    """State and light at a moment."""

    t: float
    """Seconds since the evening began."""
    state: str
    light: str
    """#rrggbb as read at the pins."""


_Change = tuple[float, str]
"""When, and to what."""


class Timeline(list[Look]):
    """Every change of state or light, in order.

    They come on two ways, each with the time at which it happened: either may arrive late.
    """

    def __init__(self) -> None:
        super().__init__()
        self._states: list[_Change] = []
        self._lights: list[_Change] = []

    def enter(self, t: float, state: str) -> None:
        """The speaker said that it is in `state`."""
        self._states.append((t, state))
        self._merge()

    def shine(self, t: float, light: str) -> None:
        """A pin changed, and the light with it.

        The three pins of a light are set one after the other: what lies between is no light.
        """
        if self._lights and t - self._lights[-1][0] < _REDRAW_S:
            t = self._lights.pop()[0]
        self._lights.append((t, light))
        self._merge()

    def lights(self, states: Sequence[str], now: float) -> tuple[bool, str]:
        """Whether the light was right in each of `states` so far, and how it was in words."""
        shown = {state: self._shown(state, now) for state in states}
        right = all(
            bool(lights) and all(_is_shade(light, LIGHTS[state]) for light in lights)
            for state, lights in shown.items()
            if lights is not None
        )
        words = ", ".join(
            f"{state} {max(lights, key=_brightness)}" for state, lights in shown.items() if lights
        )
        return right, f"light {words}" if words else "no light was due"

    def _shown(self, state: str, now: float) -> list[str] | None:
        """The lights while in `state`, but for the moment a change takes; None if never there."""
        stays = [
            (since, until)
            for (since, name), until in _until(self._states, now)
            if name == state and until - since > _LAG_S
        ]
        lights = [
            light
            for (lit, light), dark in _until(self._lights, now)
            for since, until in stays
            if min(dark, until) - max(lit, since) > _LAG_S
            or (max(lit, since) < min(dark, until) and _is_shade(light, LIGHTS[state]))
        ]
        return lights if stays else None

    def _merge(self) -> None:
        self.clear()
        moments = sorted({t for t, _ in self._states} | {t for t, _ in self._lights})
        for t in moments:
            state, light = _at(self._states, t), _at(self._lights, t)
            if state is None or light is None:
                continue
            if not self or (self[-1].state, self[-1].light) != (state, light):
                self.append(Look(round(t, 3), state, light))


def _until(
    changes: Sequence[tuple[float, str]], now: float
) -> list[tuple[tuple[float, str], float]]:
    """Each change with the time of the next."""
    return list(zip(changes, [*(t for t, _ in changes[1:]), now], strict=True))


def _at(changes: Sequence[_Change], when: float) -> str | None:
    """What holds at `when`."""
    return next((name for t, name in reversed(changes) if t <= when), None)


def _rgb(light: str) -> tuple[float, float, float]:
    return (int(light[1:3], 16) / 255, int(light[3:5], 16) / 255, int(light[5:7], 16) / 255)


def _brightness(light: str) -> float:
    return colorsys.rgb_to_hsv(*_rgb(light))[2]


def _is_shade(light: str, brightest: str) -> bool:
    """Whether `light` is `brightest`, dimmed or not; black is the shade of black alone."""
    shade, full = _rgb(light), _rgb(brightest)
    if max(full) == 0:
        return max(shade) == 0
    factor = max(shade) / max(full)
    return 0.02 < factor <= 1.02 and all(
        abs(a - factor * b) < 0.03 for a, b in zip(shade, full, strict=True)
    )
