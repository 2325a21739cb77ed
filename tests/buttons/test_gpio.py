"""Buttons on GPIO pins, pressed by somebody who stands beside the speaker."""

import asyncio
import threading
from pathlib import Path

import pytest

from edged.buttons import gpio
from edged.core.events import ButtonPressed, ButtonReleased, Event
from edged.pins import PinTrouble
from edged.simulator.pins import PinsClient


def test_a_press_and_a_release_arrive_as_edges_on_the_loops_thread(stand: Path) -> None:
    async def story() -> None:
        fed: asyncio.Queue[tuple[Event, int]] = asyncio.Queue()
        buttons = gpio.open(
            gpio.Settings(), lambda event: fed.put_nowait((event, threading.get_ident()))
        )
        async with PinsClient(stand) as pins, asyncio.timeout(10):
            for _ in range(20):
                await pins.press(17)
                assert await fed.get() == (ButtonPressed("talk"), threading.get_ident())
                await pins.release(17)
                assert await fed.get() == (ButtonReleased("talk"), threading.get_ident())
        buttons.close()

    asyncio.run(story())


def test_each_button_has_its_name_and_its_wiring(stand: Path) -> None:
    async def story() -> None:
        fed: asyncio.Queue[Event] = asyncio.Queue()
        wired = {"talk": gpio.Wiring(pin=5), "stop": gpio.Wiring(pin=6, pull_up=False)}
        buttons = gpio.open(gpio.Settings(wired=wired), fed.put_nowait)
        async with PinsClient(stand) as pins, asyncio.timeout(10):
            # Between the pin and 3.3 V: high is pressed.
            await pins.drive(6, 1)
            assert await fed.get() == ButtonPressed("stop")
            await pins.drive(5, 0)
            assert await fed.get() == ButtonPressed("talk")
            await pins.drive(6, 0)
            assert await fed.get() == ButtonReleased("stop")
        buttons.close()

    asyncio.run(story())


def test_watching_buttons_starts_no_thread(stand: Path) -> None:
    async def story() -> None:
        before = threading.active_count()
        wired = {name: gpio.Wiring(pin=pin) for name, pin in (("a", 5), ("b", 6), ("c", 13))}
        buttons = gpio.open(gpio.Settings(wired=wired), lambda event: None)
        async with PinsClient(stand) as pins:
            await pins.press(5)
            assert threading.active_count() == before
        buttons.close()

    asyncio.run(story())


def test_nothing_follows_once_the_buttons_are_closed(stand: Path) -> None:
    async def story() -> None:
        fed: list[Event] = []
        buttons = gpio.open(gpio.Settings(), fed.append)
        async with PinsClient(stand) as pins:
            await pins.wait_for(lambda values: values.get(17) == 1)
            await pins.press(17)
            buttons.close()
            await pins.wait_for(lambda values: 17 not in values)
        assert fed in ([], [ButtonPressed("talk")])

    asyncio.run(story())


@pytest.mark.usefixtures("stand")
def test_two_buttons_on_one_pin_are_refused_and_nothing_stays_claimed() -> None:
    async def story() -> None:
        twice = {"talk": gpio.Wiring(pin=5), "stop": gpio.Wiring(pin=5)}
        with pytest.raises(PinTrouble, match="button stop") as trouble:
            gpio.open(gpio.Settings(wired=twice), lambda event: None)
        assert "pin of its own" in trouble.value.hint
        gpio.open(gpio.Settings(wired={"talk": gpio.Wiring(pin=5)}), lambda event: None).close()

    asyncio.run(story())
