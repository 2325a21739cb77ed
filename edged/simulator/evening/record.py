"""The record of an evening: steps and figures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from .comparison import Comparison
from .timeline import Timeline

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
    "echo",
)

_STOP_MS = 800
"""Both witnesses have heard a person by then, and nobody goes on talking for longer."""
_TRUTH_MS = 20
_SYLLABLE_MS = 80


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
    """From the first sound of the person's words to its last sample at the loudspeaker."""
    told_ms: int | None
    """What the server was told that had been heard of it; None when nothing."""
    error_ms: int | None
    """How far that lies from where it can have ended."""
    sent_ms: int
    """How much of it had been sent."""
    louder_db: float = 0.0
    """How much louder it was at the microphone than the words."""
    lost_samples: int = 0
    """Of the words with which it was interrupted."""
    missing_ms: int = 0
    """How much of the beginning of those words never arrived."""

    @property
    def true(self) -> bool:
        """Whether it stopped for the words and soon, and the server knows where, and has them."""
        return (
            0 < self.silence_ms <= _STOP_MS
            and self.told_ms is not None
            and 0 < self.told_ms <= self.sent_ms
            and self.error_ms is not None
            and self.error_ms <= _TRUTH_MS
            and self.missing_ms <= _SYLLABLE_MS
        )


@dataclass(frozen=True)
class Echo:
    """What became of the speaker's own voice at its microphone, over the whole evening."""

    driver: str
    louder_db: float
    """How much louder it was than a person."""
    answers: int
    self_interruptions: int
    """Answers that were cut while nobody spoke."""
    own_turns: int
    """Utterances the provider heard that nobody said."""
    erle_db: float
    """How much quieter the driver made it, by its own account."""


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
    echo: Echo | None = None
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
            "echo": asdict(self.echo) if self.echo else None,
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
            rows.append(("speech over the answer → silence", f"{cut.silence_ms} ms"))
            rows.append(("told of it against heard", f"{cut.error_ms} ms off"))
        if self.echo:
            echo = self.echo
            rows.append(("own voice at the microphone", f"{echo.louder_db:+.1f} dB"))
            rows.append((f"made quieter by {echo.driver}", f"{echo.erle_db:.0f} dB"))
            taken = f"{echo.self_interruptions}, {echo.own_turns}"
            rows.append(("self-interruptions, turns of its own", taken))
        if self.push_to_talk:
            press = self.push_to_talk
            rows.append(("button held → light", f"{press.light_ms:g} ms"))
            rows.append(("button let go → asked", f"{press.asked_ms} ms"))
        rows.append(("bytes sent while asleep", str(self.asleep_bytes_sent)))
        return rows
