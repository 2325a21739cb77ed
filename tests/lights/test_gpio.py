"""Lights on GPIO pins, as somebody sees them who stands beside the speaker."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin

from edged import config, schema
from edged.core.events import Trouble
from edged.core.scenes import Colour, Look, Scene, colour, steady
from edged.lights import gpio
from edged.pins import PinTrouble
from edged.simulator.pins import Change, PinsClient

RGB = gpio.Settings(kind="rgb", red=22, green=23, blue=27)
STEADY = [Look(scene) for scene in Scene if steady(Look(scene))]


def shows(wanted: Colour, values: Mapping[int, float]) -> bool:
    return (values.get(22), values.get(23), values.get(27)) == (
        wanted.red,
        wanted.green,
        wanted.blue,
    )


def test_an_rgb_light_shows_the_colour_of_every_steady_scene(stand: Path) -> None:
    async def story() -> None:
        light = gpio.open(RGB)
        async with PinsClient(stand) as pins:
            for look in STEADY:
                light.show(look)
                await pins.wait_for(partial(shows, colour(look, 0)))
        light.close()

    asyncio.run(story())


def test_half_the_brightness_is_half_the_light(stand: Path) -> None:
    async def story() -> None:
        light = gpio.open(replace(RGB, brightness=0.5))
        light.show(Look(Scene.MUTED))
        async with PinsClient(stand) as pins:
            wanted = colour(Look(Scene.MUTED), 0).dimmed(0.5)
            await pins.wait_for(partial(shows, wanted))
        light.close()

    asyncio.run(story())


def test_a_common_anode_light_is_driven_the_other_way_round(stand: Path) -> None:
    async def story() -> None:
        light = gpio.open(replace(RGB, active_high=False))
        light.show(Look(Scene.WAKING))
        async with PinsClient(stand) as pins:
            await pins.wait_for(partial(shows, Colour(0, 0, 0)))
        light.close()

    asyncio.run(story())


def test_thinking_breathes_and_listening_keeps_still(stand: Path) -> None:
    changes: list[Change] = []

    async def story() -> None:
        light = gpio.open(replace(RGB, kind="pwm", pin=22))
        async with PinsClient(stand, changes.append) as pins:
            light.show(Look(Scene.THINKING))
            bright = colour(Look(Scene.THINKING), 0).red
            await pins.wait_for(lambda values: 0 < values.get(22, 0) < bright / 2)
            changes.clear()
            await pins.wait_for(lambda values: values.get(22, 0) > bright * 0.9)
            levels = [change.value for change in changes]
            darkest = levels.index(min(levels))
            assert levels[:darkest] == sorted(levels[:darkest], reverse=True)
            assert levels[darkest:] == sorted(levels[darkest:])
            assert len(levels) > 5
            # Twenty pictures a second, not more.
            span = changes[-1].time - changes[0].time
            assert len(changes) <= span / 0.05 + 2
            light.show(Look(Scene.LISTENING))
            await pins.wait_for(lambda values: values.get(22) == 0.70)
            changes.clear()
            with pytest.raises(TimeoutError):
                await pins.wait_for(lambda values: values.get(22) != 0.70, timeout_s=0.3)
            assert not changes
        light.close()

    asyncio.run(story())


def test_a_plain_led_blinks_the_number_of_the_trouble(stand: Path) -> None:
    changes: list[Change] = []

    async def story() -> None:
        light = gpio.open(gpio.Settings(kind="led", pin=22))
        async with PinsClient(stand, changes.append) as pins:
            await pins.wait_for(lambda values: values.get(22) == 0)
            changes.clear()
            light.show(Look(Scene.TROUBLE, Trouble.KEY))
            await pins.wait_for(lambda values: len(changes) >= 4)
        light.close()

    asyncio.run(story())
    assert [change.value for change in changes[:4]] == [1, 0, 1, 0]


def test_a_plain_led_is_on_for_all_that_is_lit_and_off_asleep(stand: Path) -> None:
    async def story() -> None:
        light = gpio.open(gpio.Settings(kind="led", pin=22))
        async with PinsClient(stand) as pins:
            for look in STEADY:
                light.show(look)
                wanted = {22: float(look.scene is not Scene.ASLEEP)}
                await pins.wait_for(wanted.__eq__)
        light.close()

    asyncio.run(story())


def test_a_second_led_is_lit_while_room_sound_leaves_the_device(stand: Path) -> None:
    async def story() -> None:
        light = gpio.open(replace(RGB, sending_pin=24, brightness=0))
        async with PinsClient(stand) as pins:
            light.show(Look(Scene.LISTENING))
            await pins.wait_for(lambda values: values.get(24) == 0)
            light.show(Look(Scene.LISTENING, sending=True))
            await pins.wait_for(lambda values: values.get(24) == 1)
            light.show(Look(Scene.HEARING, sending=True))
            light.show(Look(Scene.THINKING))
            await pins.wait_for(lambda values: values.get(24) == 0)
            light.show(Look(Scene.LISTENING, sending=True))
            await pins.wait_for(lambda values: values.get(24) == 1)
            light.close()
            await pins.wait_for(lambda values: not values)
        gpio.open(gpio.Settings(kind="led", pin=24)).close()

    asyncio.run(story())


@pytest.mark.parametrize("wiring", ["sending_pin = 23", 'kind = "led"\nsending_pin = 22'])
def test_the_second_led_has_a_pin_of_its_own(wiring: str, tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(f"[lights.gpio]\n{wiring}")
    with pytest.raises(config.ConfigError, match=r"lights\.gpio: sending_pin .* of its own"):
        schema.read(file)


def test_a_closed_light_is_dark_and_its_pins_are_free(stand: Path) -> None:
    changes: list[Change] = []

    async def story() -> None:
        light = gpio.open(RGB)
        async with PinsClient(stand, changes.append) as pins:
            light.show(Look(Scene.SPEAKING))
            await pins.wait_for(lambda values: values.get(23, 0) > 0)
            light.close()
            await pins.wait_for(lambda values: not values)
        dark = {change.pin: change.value for change in changes if change.role == "output"}
        assert dark == {22: 0, 23: 0, 27: 0}
        gpio.open(RGB).close()

    asyncio.run(story())


@pytest.mark.usefixtures("stand")
def test_a_pin_that_is_taken_is_said_with_what_to_do() -> None:
    async def story() -> None:
        light = gpio.open(RGB)
        with pytest.raises(PinTrouble, match="GPIO22") as trouble:
            gpio.open(gpio.Settings(kind="led", pin=22))
        assert "pin of its own" in trouble.value.hint
        light.close()

    asyncio.run(story())


def test_a_pin_without_dimming_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        with pytest.raises(PinTrouble) as trouble:
            gpio.open(gpio.Settings(kind="pwm", pin=22))
        assert "lgpio" in trouble.value.hint

    # gpiozero's plain mock pins know no PWM, like its own driver without a library.
    monkeypatch.setattr(Device, "pin_factory", MockFactory())
    asyncio.run(story())


def test_gpiozeros_own_mock_pins_serve_too(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = MockFactory(pin_class=MockPWMPin)
    monkeypatch.setattr(Device, "pin_factory", factory)

    async def story() -> None:
        light = gpio.open(RGB)
        assert getattr(light, "notice", None) == ""
        light.show(Look(Scene.MUTED))
        assert [factory.pin(number).state for number in (22, 23, 27)] == [0.84, 0.37, 0]
        light.close()

    asyncio.run(story())


def elsewhere(**environment: str) -> str:
    """What opening a light says in a process of its own, on this machine without a board."""
    story = (
        "import asyncio\n"
        "from edged.lights import gpio\n"
        "from edged.core.scenes import Look, Scene\n"
        "async def main():\n"
        "    try:\n"
        "        light = gpio.open(gpio.Settings())\n"
        "    except OSError as error:\n"
        "        return print(error, '/', error.hint)\n"
        "    light.show(Look(Scene.WAKING))\n"
        "    print(light.notice)\n"
        "asyncio.run(main())\n"
    )
    # Without asyncio's debug mode, which complains of a slow machine as of a mistake.
    unwanted = ("GPIOZERO_", "PYTHONASYNCIODEBUG")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", story],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_where_there_are_no_pins_the_light_is_imagined_and_says_so() -> None:
    assert "no GPIO pins" in elsewhere()


def test_a_pin_factory_that_was_asked_for_and_fails_is_never_imagined() -> None:
    said = elsewhere(GPIOZERO_PIN_FACTORY="nonesuch")
    assert "Unable to find pin factory" in said
    assert "GPIOZERO_PIN_FACTORY=nonesuch was asked for" in said
