"""Buttons on GPIO pins, pressed by somebody who stands beside the speaker."""

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Final, Literal

import pytest
from gpiozero import LED, Device
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from edged import config, schema
from edged.buttons import gpio
from edged.core.events import ButtonPressed, ButtonReleased, Event, MuteAsked, VolumeTurned
from edged.pins import PinTrouble
from edged.simulator.pins import PinsClient

Level = Literal[0, 1]
"""0 is a contact closed to ground."""


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
def test_a_pin_that_somebody_else_has_is_refused_and_nothing_stays_claimed() -> None:
    async def story() -> None:
        two = {"talk": gpio.Wiring(pin=5), "stop": gpio.Wiring(pin=6)}
        with contextlib.closing(LED(6)):
            with pytest.raises(PinTrouble, match="button stop") as trouble:
                gpio.open(gpio.Settings(wired=two), lambda event: None)
            assert "pin of its own" in trouble.value.hint
        gpio.open(gpio.Settings(wired=two), lambda event: None).close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wired.red.pin = 5\nwired.stop.pin = 5", "wired.red and wired.stop are both on GPIO 5"),
        ("mute_switch.pin = 17", "wired.talk and mute_switch are both on GPIO 17"),
        ("volume_knob = {a = 5, b = 5}", "volume_knob.a and volume_knob.b are both on GPIO 5"),
        ("volume_knob.a = 5", "give both `a` and `b`"),
    ],
)
def test_wiring_that_cannot_be_is_said_when_the_configuration_is_read(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(f"[buttons.gpio]\n{text}")
    with pytest.raises(config.ConfigError) as caught:
        schema.read(file)
    (mistake,) = caught.value.mistakes
    assert told in mistake.message
    assert mistake.key.startswith("buttons.gpio")
    assert mistake.line is not None


# --- the mute switch ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wiring", "levels"),
    [
        # Open, then closed: between the pin and ground, and between the pin and 3.3 V.
        (gpio.Switch(pin=5, muted_when="closed"), (1, 0)),
        (gpio.Switch(pin=5, muted_when="open"), (0, 1)),
        (gpio.Switch(pin=5, pull_up=False, muted_when="closed"), (0, 1)),
        (gpio.Switch(pin=5, pull_up=False, muted_when="open"), (1, 0)),
    ],
)
def test_a_mute_switch_tells_where_it_stands_and_how_it_is_moved(
    stand: Path, wiring: gpio.Switch, levels: tuple[Level, Level]
) -> None:
    async def story() -> None:
        fed: asyncio.Queue[Event] = asyncio.Queue()
        heard, muted = levels
        async with PinsClient(stand) as pins, asyncio.timeout(10):
            # It was put there while the speaker was off.
            Device.pin_factory.driven[5] = bool(muted)
            buttons = gpio.open(gpio.Settings(wired={}, mute_switch=wiring), fed.put_nowait)
            assert fed.get_nowait() == MuteAsked(True, switch=True)
            for _ in range(3):
                await pins.drive(5, heard)
                assert await fed.get() == MuteAsked(False, switch=True)
                await pins.drive(5, muted)
                assert await fed.get() == MuteAsked(True, switch=True)
            buttons.close()
        assert fed.empty()

    asyncio.run(story())


@given(moves=st.lists(st.tuples(st.booleans(), st.booleans())))
def test_a_mute_switch_that_trembles_is_believed_where_it_comes_to_rest(
    moves: list[tuple[bool, bool]],
) -> None:
    async def story() -> None:
        factory = MockFactory()
        with pytest.MonkeyPatch.context() as patch, contextlib.closing(factory):
            patch.setattr(Device, "pin_factory", factory)
            fed: list[Event] = []
            settings = gpio.Settings(mute_switch=gpio.Switch(pin=5))
            with contextlib.closing(gpio.open(settings, fed.append)):
                contact = factory.pin(5)
                for closed, seen in [*moves, (False, False), (True, True)]:
                    (contact.drive_low if closed else contact.drive_high)()
                    if seen:
                        await asyncio.sleep(0)
                        assert fed[-1] == MuteAsked(closed, switch=True)
            # Moved and moved back before anybody could look is not moved: never twice the same.
            assert fed == [MuteAsked(n % 2 == 1, switch=True) for n in range(len(fed))]

    asyncio.run(story())


# --- the knob -------------------------------------------------------------------------------

# The contacts of an encoder between two clicks to the right: closed is 0.
Turn = tuple[tuple[int, Level], ...]
RIGHT: Final[Turn] = ((5, 0), (6, 0), (5, 1), (6, 1))
LEFT: Final[Turn] = ((6, 0), (5, 0), (6, 1), (5, 1))


def turned(*moves: tuple[int, int]) -> list[Event]:
    """What a knob with A on GPIO 5 and B on GPIO 6 tells, if its contacts move like this."""

    async def story() -> list[Event]:
        factory = MockFactory()
        with pytest.MonkeyPatch.context() as patch, contextlib.closing(factory):
            patch.setattr(Device, "pin_factory", factory)
            fed: list[Event] = []
            settings = gpio.Settings(volume_knob=gpio.Knob(5, 6))
            with contextlib.closing(gpio.open(settings, fed.append)):
                for pin, level in moves:
                    contact = factory.pin(pin)
                    (contact.drive_high if level else contact.drive_low)()
                await asyncio.sleep(0)
            return fed

    return asyncio.run(story())


def test_each_click_of_the_knob_is_one_step_its_way() -> None:
    assert turned(*RIGHT) == [VolumeTurned(1)]
    assert turned(*LEFT) == [VolumeTurned(-1)]
    assert turned(*RIGHT * 3, *LEFT * 2) == [VolumeTurned(1)] * 3 + [VolumeTurned(-1)] * 2


@pytest.mark.parametrize("way", [RIGHT, LEFT])
@pytest.mark.parametrize("far", [1, 2, 3])
def test_a_knob_turned_half_way_and_back_has_not_clicked(way: Turn, far: int) -> None:
    there = list(way[:far])
    back = [(pin, 1 - level) for pin, level in reversed(there)]
    assert turned(*there, *back) == []
    # And it is not confused by it.
    assert turned(*there, *back, *RIGHT, *LEFT) == [VolumeTurned(1), VolumeTurned(-1)]


@given(
    way=st.sampled_from([RIGHT, LEFT]),
    trembles=st.lists(st.integers(0, 4), min_size=4, max_size=4),
)
def test_a_knob_whose_contacts_tremble_clicks_once(way: Turn, trembles: list[int]) -> None:
    moves = []
    for (pin, level), times in zip(way, trembles, strict=True):
        moves += [(pin, level), (pin, 1 - level)] * times + [(pin, level)]
    assert turned(*moves) == [VolumeTurned(1 if way is RIGHT else -1)]


def test_a_knob_that_can_be_pushed_is_a_button_too(stand: Path) -> None:
    async def story() -> None:
        fed: asyncio.Queue[tuple[Event, int]] = asyncio.Queue()
        here = threading.get_ident()
        settings = gpio.Settings(
            wired={"knob": gpio.Wiring(pin=13)}, volume_knob=gpio.Knob(a=5, b=6)
        )
        before = threading.active_count()
        buttons = gpio.open(settings, lambda event: fed.put_nowait((event, threading.get_ident())))
        async with PinsClient(stand) as pins, asyncio.timeout(10):
            for pin, level in RIGHT:
                await pins.drive(pin, level)
            assert await fed.get() == (VolumeTurned(1), here)
            await pins.press(13)
            assert await fed.get() == (ButtonPressed("knob"), here)
            assert threading.active_count() == before
            buttons.close()
            await pins.wait_for(lambda values: not values)

    asyncio.run(story())
