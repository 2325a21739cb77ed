"""An evening as a picture: what was heard at both ends, the light, and the state, over time."""

from collections.abc import Sequence
from html import escape

from ..simulator.evening.record import Look, Record, Sound

_LEFT, _WIDTH, _LANE, _GAP = 120, 1040, 60, 10
_INK, _PAPER, _FAINT = "#d8dee9", "#1d2129", "#6b7587"
_STATE_ROWS = 3


def picture(record: Record) -> str:
    """The record as an SVG that loads nothing from elsewhere."""
    end = max((look.t for look in record.timeline), default=1.0) + 0.5
    tall = 2 * (_LANE + _GAP) + 260 + 22 * len(record.figures())
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="{tall}"'
        f' viewBox="0 0 1200 {tall}" font-family="ui-sans-serif, sans-serif" font-size="14">',
        f'<rect width="1200" height="{tall}" rx="10" fill="{_PAPER}"/>',
        _text(24, 36, "./scripts/demo", size=18),
    ]
    top = 60
    for name, sound, ink in (
        ("microphone", record.microphone, "#e5c07b"),
        ("loudspeaker", record.loudspeaker, "#61afef"),
    ):
        drawn += [_text(24, top + _LANE // 2, name), _wave(sound, top, end, ink)]
        top += _LANE + _GAP
    drawn += [_text(24, top + 24, "light"), *_lights(record.timeline, top, end)]
    drawn += _states(record.timeline, top + 44, end)
    top += 44 + 26 * _STATE_ROWS + 12
    drawn += _axis(top, end)
    top += 50
    for name, value in record.figures():
        drawn += [_text(_LEFT, top, name, ink=_FAINT), _text(_LEFT + 320, top, value)]
        top += 22
    return "\n".join([*drawn, "</svg>\n"])


def _x(t: float, end: float) -> float:
    return round(_LEFT + _WIDTH * t / end, 1)


def _wave(sound: Sound, top: int, end: float, ink: str) -> str:
    """The envelope, mirrored about the middle of its lane."""
    middle = top + _LANE / 2
    up = [
        (_x(sound.start + number * sound.step, end), peak * _LANE / 2)
        for number, peak in enumerate(sound.peaks)
    ]
    points = [(x, middle - height) for x, height in up]
    points += [(x, middle + height) for x, height in reversed(up)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{middle}" y2="{middle}" stroke="{ink}"'
    return f'{line} stroke-opacity="0.4"/><polygon points="{path}" fill="{ink}"/>'


def _lights(timeline: Sequence[Look], top: int, end: float) -> list[str]:
    """The light as it was at the pins, moment after moment; they overlap, or seams would show."""
    return [
        f'<rect x="{_x(look.t, end)}" y="{top}" height="36" fill="{look.light}"'
        f' width="{_x(until, end) - _x(look.t, end) + 0.6:.1f}"/>'
        for look, until in _spans(timeline, end)
    ]


def _states(timeline: Sequence[Look], top: int, end: float) -> list[str]:
    """The names of the states where they begin, on two rows so that short ones can be read."""
    drawn: list[str] = []
    before = ""
    for look in timeline:
        if look.state != before:
            x, y = _x(look.t, end), top + 18 + 26 * (len(drawn) // 2 % _STATE_ROWS)
            drawn.append(
                f'<line x1="{x}" x2="{x}" y1="{top - 8}" y2="{y}" stroke="{_FAINT}"'
                ' stroke-width="0.7"/>'
            )
            drawn.append(_text(x + 3, y, look.state, size=12))
            before = look.state
    return drawn


def _axis(top: int, end: float) -> list[str]:
    marks = range(0, int(end) + 1, 5)
    return [_text(_x(t, end), top + 14, f"{t} s", ink=_FAINT, size=12) for t in marks]


def _spans(timeline: Sequence[Look], end: float) -> list[tuple[Look, float]]:
    ends = [*(look.t for look in timeline[1:]), end]
    return list(zip(timeline, ends, strict=True))


def _text(x: float, y: float, words: str, *, ink: str = _INK, size: int = 14) -> str:
    return f'<text x="{x}" y="{y}" fill="{ink}" font-size="{size}">{escape(words)}</text>'
