"""What terminals are drawn with: a console, a level, a light."""

from rich.console import Console
from rich.text import Text

WIDTH = 110
_METER = 24
_FLOOR_DBFS = -70.0


def console() -> Console:
    """The terminal, where brackets are just brackets; where there is none, long enough lines.

    One that cannot draw anew what it has drawn (TERM=dumb) is none.
    """
    terminal = Console(highlight=False, markup=False)
    if terminal.is_terminal and not terminal.is_dumb_terminal:
        return terminal
    return Console(highlight=False, markup=False, width=WIDTH, force_terminal=False)


def meter(dbfs: float) -> Text:
    """A bar as long as the sound is loud."""
    return bar(1 - dbfs / _FLOOR_DBFS)


def bar(share: float) -> Text:
    """A bar that is full at 1."""
    filled = round(_METER * max(0.0, min(1.0, share)))
    return Text.assemble(("━" * filled, "green"), ("━" * (_METER - filled), "grey30"))


def visible(light: str) -> str:
    """A light, as #rrggbb, that is off, as a terminal can show it."""
    return "grey30" if light == "#000000" else light
