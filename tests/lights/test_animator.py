"""How a look moves."""

import asyncio

import pytest

from edged.core.events import Trouble
from edged.core.scenes import Colour, Look, Scene, colour
from edged.lights import _animator
from edged.lights._animator import Animator


class Lamp:
    """Notes what is drawn, and when."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.drawn: list[tuple[float, Look, Colour]] = []
        self.shares: list[float] = []
        self._more = asyncio.Event()

    def draw(self, look: Look, lit: Colour, share: float) -> None:
        self.drawn.append((self.loop.time(), look, lit))
        self.shares.append(share)
        self._more.set()

    async def until(self, pictures: int) -> None:
        while len(self.drawn) < pictures:
            self._more.clear()
            await self._more.wait()


BRIGHT, MARKED = Look(Scene.THINKING), Look(Scene.THINKING, sending=True)


def test_a_mark_that_comes_and_goes_does_not_disturb_the_breath() -> None:
    async def story() -> None:
        lamp = Lamp()
        animator = Animator(lamp.draw)
        began = lamp.loop.time()
        animator.show(BRIGHT)
        async with asyncio.timeout(10):
            await lamp.until(7)
            animator.show(MARKED)
            assert lamp.drawn[-1][1] == MARKED
            await lamp.until(len(lamp.drawn) + 3)
            animator.show(BRIGHT)
            await lamp.until(len(lamp.drawn) + 3)
        animator.stop()
        looks = [look for _, look, _ in lamp.drawn]
        marked = looks.index(MARKED)
        unmarked = len(looks) - looks[::-1].index(MARKED)
        assert looks[:marked] == [BRIGHT] * marked
        assert looks[marked:unmarked] == [MARKED] * (unmarked - marked)
        assert looks[unmarked:] == [BRIGHT] * (len(looks) - unmarked)
        # One breath from the first picture to the last: every one is as dark as its time says.
        for at, look, lit in lamp.drawn:
            assert lit.red == pytest.approx(colour(look, at - began).red, abs=0.1)

    asyncio.run(story())


def test_the_mark_of_a_steady_look_is_drawn_once_and_at_once() -> None:
    async def story() -> None:
        lamp = Lamp()
        animator = Animator(lamp.draw)
        for sending in (False, True, True, False):
            animator.show(Look(Scene.LISTENING, sending=sending))
        assert [look.sending for _, look, _ in lamp.drawn] == [False, True, False]
        assert len({lit for _, _, lit in lamp.drawn}) == 1
        animator.stop()

    asyncio.run(story())


def test_another_scene_begins_anew() -> None:
    async def story() -> None:
        lamp = Lamp()
        animator = Animator(lamp.draw)
        animator.show(MARKED)
        async with asyncio.timeout(10):
            await lamp.until(4)
        animator.show(Look(Scene.SPEAKING, sending=True))
        assert lamp.drawn[-1][2].green == pytest.approx(
            colour(Look(Scene.SPEAKING), 0).green, abs=0.01
        )
        animator.stop()

    asyncio.run(story())


def test_a_light_that_stands_still_is_dimmed_when_night_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_animator, "_PATIENCE_S", 0.01)
    share = 1.0

    async def story() -> None:
        nonlocal share
        lamp = Lamp()
        animator = Animator(lamp.draw, lambda: share)
        animator.show(Look(Scene.MUTED))
        await asyncio.sleep(0.05)
        assert lamp.shares == [1.0], "nothing has changed"
        share = 0.1
        async with asyncio.timeout(5):
            await lamp.until(2)
        share = 1.0
        async with asyncio.timeout(5):
            await lamp.until(3)
        assert lamp.shares == [1.0, 0.1, 1.0]
        animator.stop()

    asyncio.run(story())


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_is_never_hidden_wholly(trouble: Trouble) -> None:
    async def story() -> None:
        lamp = Lamp()
        animator = Animator(lamp.draw, lambda: 0.0)
        animator.show(Look(Scene.TROUBLE, trouble))
        animator.show(Look(Scene.THINKING))
        assert lamp.shares == [_animator.LEAST, 0.0]
        animator.stop()

    asyncio.run(story())
