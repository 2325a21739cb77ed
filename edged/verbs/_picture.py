"""An evening as a picture: what was heard at both ends, the light, and the state, over time."""

from collections.abc import Sequence
from html import escape

from ..simulator.evening.record import Record, Sound
from ..simulator.evening.timeline import Look

_LEFT, _WIDTH, _LANE, _GAP = 120, 1040, 60, 10
_INK, _PAPER, _FAINT = "#d8dee9", "#1d2129", "#6b7587"
_STATE_ROWS = 4
_LETTER = 6.5
"""How wide one of the small letters is, about."""
_COLUMN, _VALUE = 540, 290


def picture(record: Record) -> str:
    """The record as an SVG that loads nothing from elsewhere."""
    end = max((look.t for look in record.timeline), default=1.0) + 0.5
    figures = record.figures()
    rows = -(-len(figures) // 2)
    tall = 2 * (_LANE + _GAP) + 28 + 60 + 44 + 26 * _STATE_ROWS + 12 + 50 + 22 * rows
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="{tall}"'
        f' viewBox="0 0 1200 {tall}" font-family="ui-sans-serif, sans-serif" font-size="14">',
        f'<rect width="1200" height="{tall}" rx="10" fill="{_PAPER}"/>',
        _text(24, 36, "./scripts/demo", size=18),
    ]
    top = 60
    drawn += [_text(_x(mark.t, end), top, mark.name, size=12) for mark in record.marks]
    for name, sound, ink in (
        ("microphone", record.microphone, "#e5c07b"),
        ("loudspeaker", record.loudspeaker, "#61afef"),
    ):
        drawn += [_text(24, top + _LANE // 2 + 5, name), _wave(sound, top, end, ink)]
        top += _LANE + _GAP
    drawn += [_text(24, top + 11, "button"), *_presses(record.button, top, end)]
    top += 28
    drawn += [_text(24, top + 24, "light"), *_lights(record.timeline, top, end)]
    drawn += _states(record.timeline, top + 44, end)
    top += 44 + 26 * _STATE_ROWS + 12
    drawn += _axis(top, end)
    top += 50
    for number, (name, value) in enumerate(figures):
        left, y = _LEFT + _COLUMN * (number // rows), top + 22 * (number % rows)
        drawn += [_text(left, y, name, ink=_FAINT), _text(left + _VALUE, y, value)]
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


def _presses(button: Sequence[tuple[float, float]], top: int, end: float) -> list[str]:
    """The button while it was down; a short press is still to be seen."""
    line = f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{top + 7}" y2="{top + 7}"'
    return [f'{line} stroke="{_FAINT}" stroke-opacity="0.4"/>'] + [
        f'<rect x="{_x(down, end)}" y="{top}" height="14" rx="2" fill="{_INK}"'
        f' width="{max(4.0, _x(up, end) - _x(down, end)):.1f}"/>'
        for down, up in button
    ]


def _states(timeline: Sequence[Look], top: int, end: float) -> list[str]:
    """The names of the states where they begin, each on the first row where it has room."""
    drawn: list[str] = []
    taken = [0.0] * _STATE_ROWS
    before = ""
    for look in timeline:
        if look.state == before:
            continue
        before = look.state
        x = _x(look.t, end)
        row = next((n for n, until in enumerate(taken) if until < x), taken.index(min(taken)))
        taken[row] = x + 6 + _LETTER * len(look.state)
        y = top + 18 + 26 * row
        drawn.append(
            f'<line x1="{x}" x2="{x}" y1="{top - 8}" y2="{y}" stroke="{_FAINT}"'
            ' stroke-width="0.7"/>'
        )
        drawn.append(_text(x + 3, y, look.state, size=12))
    return drawn


def _axis(top: int, end: float) -> list[str]:
    marks = range(0, int(end) + 1, 5)
    return [_text(_x(t, end), top + 14, f"{t} s", ink=_FAINT, size=12) for t in marks]


def _spans(timeline: Sequence[Look], end: float) -> list[tuple[Look, float]]:
    ends = [*(look.t for look in timeline[1:]), end]
    return list(zip(timeline, ends, strict=True))


def _text(x: float, y: float, words: str, *, ink: str = _INK, size: int = 14) -> str:
    return f'<text x="{x}" y="{y}" fill="{ink}" font-size="{size}">{escape(words)}</text>'
