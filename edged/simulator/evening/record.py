"""The record of an evening: steps, lights over time, and figures."""

import colorsys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from .comparison import Comparison

STEPS = (
    "asleep",
    "wake",
    "uplink",
    "answer",
    "follow_up",
    "barge_in",
    "idle_close",
    "push_to_talk",
    "button_end",
    "button_wake",
    "false_wake",
)

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

_STOP_MS = 100
"""Nobody hears a delay below that as one."""
_TRUTH_MS = 20
_REDRAW_S = 0.015
_LAG_S = 0.1
"""A light may be this late: it is redrawn 20 times a second, its pins one after the other."""
SETTLING_S = 0.25
"""By then a change of state or light has arrived here too."""


@dataclass(frozen=True)
class Line:
    """One line of the story."""

    t: float
    who: str
    text: str


@dataclass(frozen=True)
class Step:
    """What became of one step."""

    name: str
    ok: bool
    observed: str


@dataclass(frozen=True)
class Look:
    """State and light at a moment."""

    t: float
    """Seconds since the evening began."""
    state: str
    light: str
    """#rrggbb as read at the pins."""


@dataclass(frozen=True)
class Wake:
    """A wake word that was recognised."""

    word: str
    score: float
    t: float
    """Seconds after the person began to speak."""


@dataclass(frozen=True)
class Turn:
    """The times of one answer."""

    speech_end_to_first_audio_ms: int
    """From the last sample of the question to the first of the answer at the server."""
    first_audio_to_sound_ms: int
    """From there to the loudspeaker."""
    interrupted: bool


@dataclass(frozen=True)
class BargeIn:
    """What became of the answer that was interrupted."""

    silence_ms: int
    """From the recognition of the wake word to its last sample at the loudspeaker."""
    told_ms: int | None
    """What the server was told that had been heard of it; None when nothing."""
    error_ms: int | None
    """How far that lies from where it can have ended."""
    sent_ms: int
    """How much of it had been sent."""
    lost_samples: int = 0
    """Of the question with which it was interrupted."""

    @property
    def true(self) -> bool:
        """Whether it stopped at once, and the server knows where."""
        return (
            self.silence_ms <= _STOP_MS
            and self.told_ms is not None
            and 0 < self.told_ms <= self.sent_ms
            and self.error_ms is not None
            and self.error_ms <= _TRUTH_MS
        )


@dataclass(frozen=True)
class Press:
    """What became of a press to talk."""

    light_ms: float
    """From the edge to the light, both at the pins."""
    before_ms: int
    """How long the person had been speaking when the button went down."""
    lost_samples: int
    """Of what was said, from its first sample on."""
    asked_ms: int | None
    """From the release to the request for an answer at the server; None when none came."""
    between_bytes: int
    """Room sound that was sent after that, until the next press."""


@dataclass(frozen=True)
class Mark:
    """Something that somebody did."""

    t: float
    """Seconds since the evening began."""
    name: str


@dataclass(frozen=True)
class Sound:
    """How loud it was at one place, moment after moment."""

    start: float = 0.0
    """Seconds since the evening began."""
    step: float = 0.05
    peaks: Sequence[float] = ()
    """The largest sample of each step, 0 to 1."""


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


@dataclass
class Record:
    """Everything that was observed."""

    steps: list[Step]
    timeline: Timeline
    wake: list[Wake] = field(default_factory=list)
    uplink: Comparison | None = None
    playback: Comparison | None = None
    turns: list[Turn] = field(default_factory=list)
    barge_in: BargeIn | None = None
    push_to_talk: Press | None = None
    asleep_bytes_sent: int | None = None
    idle_closed: bool = False
    marks: list[Mark] = field(default_factory=list)
    button: list[tuple[float, float]] = field(default_factory=list)
    """When it went down, and up again."""
    microphone: Sound = field(default_factory=Sound)
    loudspeaker: Sound = field(default_factory=Sound)

    @property
    def ok(self) -> bool:
        """Whether every step was observed, in order."""
        return [step.name for step in self.steps] == list(STEPS) and all(s.ok for s in self.steps)

    @property
    def next_step(self) -> str:
        """The step that is due."""
        return STEPS[min(len(self.steps), len(STEPS) - 1)]

    def as_json(self) -> dict[str, object]:
        """The record in its published form."""
        uplink, playback = self.uplink, self.playback
        return {
            "ok": self.ok,
            "steps": [asdict(step) for step in self.steps],
            "timeline": [asdict(look) for look in self.timeline],
            "wake": [asdict(wake) for wake in self.wake],
            "uplink": {
                "lost_samples": uplink.lost_samples if uplink else None,
                "doubled_samples": uplink.doubled_samples if uplink else None,
                "correlation": uplink.correlation if uplink else None,
            },
            "asleep_bytes_sent": self.asleep_bytes_sent,
            "playback": {
                "correlation": playback.correlation if playback else None,
                "gaps": playback.gaps if playback else None,
            },
            "turns": [asdict(turn) for turn in self.turns],
            "barge_in": asdict(self.barge_in) if self.barge_in else None,
            "push_to_talk": asdict(self.push_to_talk) if self.push_to_talk else None,
            "idle_closed": self.idle_closed,
        }

    def figures(self) -> list[tuple[str, str]]:
        """Names and values for a table."""
        rows = [
            (f"wake word {wake.word}", f"score {wake.score:.2f} after {wake.t:.2f} s")
            for wake in self.wake
        ]
        if self.uplink:
            lost, doubled = self.uplink.lost_samples, self.uplink.doubled_samples
            rows.append(("samples lost, doubled on the way up", f"{lost}, {doubled}"))
        if self.playback:
            alike, gaps = self.playback.correlation, self.playback.gaps
            rows.append(("answer at the loudspeaker", f"correlation {alike:.4f}, {gaps} gaps"))
        for number, turn in enumerate(self.turns, 1):
            answer, sound = turn.speech_end_to_first_audio_ms, turn.first_audio_to_sound_ms
            rows.append((f"turn {number}: end of speech → first audio", f"{answer} ms"))
            rows.append((f"turn {number}: first audio → sound", f"{sound} ms"))
        if self.barge_in:
            cut = self.barge_in
            rows.append(("wake word over the answer → silence", f"{cut.silence_ms} ms"))
            rows.append(("told of it against heard", f"{cut.error_ms} ms off"))
        if self.push_to_talk:
            press = self.push_to_talk
            rows.append(("button held → light", f"{press.light_ms:g} ms"))
            rows.append(("button let go → asked", f"{press.asked_ms} ms"))
        rows.append(("bytes sent while asleep", str(self.asleep_bytes_sent)))
        return rows


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
