"""What the lights show, seen as an eye sees it."""

import re
from itertools import pairwise

import pytest

from edged.core.events import Trouble
from edged.core.scenes import Colour, Look, Scene, colour, steady

LOOKS = [Look(scene) for scene in Scene if scene is not Scene.TROUBLE]
LOOKS += [Look(Scene.TROUBLE, trouble) for trouble in Trouble]
STEP_S = 0.01
WATCHED_S = 12.0


def name(look: Look) -> str:
    return look.trouble or look.scene


def luminances(look: Look) -> list[float]:
    """The relative luminance (Rec. 709 weights) of `look`, a hundred times a second."""
    colours = [colour(look, n * STEP_S) for n in range(round(WATCHED_S / STEP_S))]
    return [0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue for c in colours]


@pytest.mark.parametrize("look", LOOKS, ids=name)
def test_every_colour_is_within_bounds_and_has_a_hex(look: Look) -> None:
    for n in range(200):
        shown = colour(look, n * 0.07)
        assert all(0 <= part <= 1 for part in (shown.red, shown.green, shown.blue))
        assert re.fullmatch("#[0-9a-f]{6}", shown.hex)


@pytest.mark.parametrize("look", LOOKS, ids=name)
def test_nothing_flashes_three_times_in_any_second(look: Look) -> None:
    """A flash is a rise and a fall of a tenth of the full luminance (WCAG 2.3.1)."""
    rises, low, high, rising = [], 1.0, 0.0, False
    for n, luminance in enumerate(luminances(look)):
        low, high = min(low, luminance), max(high, luminance)
        if not rising and luminance - low >= 0.1:
            rises.append(n * STEP_S)
            rising, high = True, luminance
        elif rising and high - luminance >= 0.1:
            rising, low = False, luminance
    for at in rises:
        assert sum(at <= other < at + 1.0 for other in rises) < 3


@pytest.mark.parametrize("look", [look for look in LOOKS if look.trouble is None], ids=name)
def test_light_that_is_not_trouble_never_jumps(look: Look) -> None:
    assert all(abs(b - a) < 0.05 for a, b in pairwise(luminances(look)))


@pytest.mark.parametrize("look", LOOKS, ids=name)
def test_steady_light_is_steady(look: Look) -> None:
    assert steady(look) == (len(set(luminances(look))) == 1)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_blinks_its_own_number(trouble: Trouble) -> None:
    lit = [luminance > 0.3 for luminance in luminances(Look(Scene.TROUBLE, trouble))]
    number = list(Trouble).index(trouble) + 1
    round_s = number * 0.5 + 1.0
    first = lit[: round(round_s / STEP_S)]
    assert sum(b and not a for a, b in pairwise([False, *first])) == number


def test_asleep_is_dark_and_everything_else_is_not() -> None:
    for look in LOOKS:
        assert (max(luminances(look)) == 0) == (look.scene is Scene.ASLEEP)


def test_no_two_looks_are_alike() -> None:
    seen = {tuple(colour(look, n * STEP_S).hex for n in range(500)) for look in LOOKS}
    assert len(seen) == len(LOOKS)


def test_hex_and_dimming() -> None:
    assert Colour(1.0, 0.5, 0.0).hex == "#ff8000"
    assert Colour(1.0, 0.5, 0.0).dimmed(0.5) == Colour(0.5, 0.25, 0.0)
    assert Colour(1.0, 1.0, 1.0).dimmed(0.0).hex == "#000000"
