"""The room's pins: lights seen and buttons pressed from outside an ordinary gpiozero process."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero import LED, PWMLED, RGBLED, DigitalInputDevice

from edged.simulator.pins import Change, PinsClient, RoomFactory

LAMP_AND_BUTTON = """
from signal import pause
from gpiozero import DigitalInputDevice, PWMLED
lamp = PWMLED(22, initial_value=0.25)
button = DigitalInputDevice(17, pull_up=True)
button.when_activated = lambda: setattr(lamp, "value", 1)
button.when_deactivated = lambda: setattr(lamp, "value", 0)
pause()
"""


@pytest.fixture
def stand(tmp_path: Path) -> Path:
    return tmp_path / "pins"


@pytest.fixture
def factory(stand: Path) -> Iterator[RoomFactory]:
    with contextlib.closing(RoomFactory(stand)) as made:
        yield made


def test_a_process_that_knows_nothing_of_the_room_is_seen_and_pressed(stand: Path) -> None:
    async def story() -> None:
        async with PinsClient(stand) as pins:
            await pins.wait_for(lambda values: values.get(22) == 0.25)
            pressed = await pins.press(17)
            lit = await pins.wait_for(lambda values: values[22] == 1)
            assert lit >= pressed
            await pins.release(17)
            await pins.wait_for(lambda values: values[22] == 0)
            process.terminate()

    environment = {**os.environ, "GPIOZERO_PIN_FACTORY": "room", "EDGED_ROOM_PINS": str(stand)}
    with subprocess.Popen([sys.executable, "-c", LAMP_AND_BUTTON], env=environment) as process:
        try:
            asyncio.run(story())
        finally:
            process.terminate()


def test_whoever_connects_late_learns_the_present_first(factory: RoomFactory, stand: Path) -> None:
    light = RGBLED(22, 23, 27, pin_factory=factory)
    light.value = (1, 0.5, 0)
    other = LED(5, initial_value=True, pin_factory=factory)

    async def story() -> None:
        async with PinsClient(stand) as pins:
            await pins.wait_for(lambda values: values == {22: 1, 23: 0.5, 27: 0, 5: 1})
            assert pins.hex(22, 23, 27) == "#ff8000"
        other.close()

    asyncio.run(story())


def test_every_change_is_seen_in_order_with_its_time(factory: RoomFactory, stand: Path) -> None:
    changes: list[Change] = []

    async def story() -> None:
        lamp = PWMLED(22, pin_factory=factory)
        async with PinsClient(stand, changes.append) as pins:
            await pins.wait_for(lambda values: values.get(22) == 0)
            for level in (0.25, 0.5, 0.75, 1.0):
                lamp.value = level
            await pins.wait_for(lambda values: values.get(22) == 1)
            lamp.close()
            await pins.wait_for(lambda values: 22 not in values)

    asyncio.run(story())
    levels = [change.value for change in changes if change.role == "output"]
    assert levels == [0, 0.25, 0.5, 0.75, 1, 0]
    assert changes[-1].role == "closed"
    times = [change.time for change in changes]
    assert times == sorted(times)


def test_a_flash_is_not_missed(factory: RoomFactory, stand: Path) -> None:
    async def story() -> None:
        lamp = LED(22, pin_factory=factory)
        async with PinsClient(stand) as pins:
            await pins.wait_for(lambda values: values.get(22) == 0)
            waiting = asyncio.create_task(pins.wait_for(lambda values: values.get(22) == 1))
            await asyncio.sleep(0)
            lamp.on()
            lamp.off()
            await waiting

    asyncio.run(story())


def test_a_press_waits_until_somebody_watches_the_pin(factory: RoomFactory, stand: Path) -> None:
    async def story() -> None:
        edges: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        async with PinsClient(stand) as pins:
            pressing = asyncio.create_task(pins.press(17))
            with pytest.raises(TimeoutError):
                await pins.wait_for(lambda values: 17 in values, timeout_s=0.05)
            button = DigitalInputDevice(17, pull_up=True, pin_factory=factory)
            button.when_activated = lambda: loop.call_soon_threadsafe(edges.put_nowait, "down")
            await pressing
            assert await edges.get() == "down"
            assert button.is_active

    asyncio.run(story())


def test_a_finger_on_the_button_is_stronger_than_its_pull_resistor(factory: RoomFactory) -> None:
    factory._drive(17, False)
    assert DigitalInputDevice(17, pull_up=True, pin_factory=factory).is_active


def test_two_onlookers_see_the_same(factory: RoomFactory, stand: Path) -> None:
    async def story() -> None:
        lamp = LED(22, pin_factory=factory)
        async with PinsClient(stand) as one, PinsClient(stand) as other:
            lamp.on()
            await one.wait_for(lambda values: values.get(22) == 1)
            await other.wait_for(lambda values: values.get(22) == 1)

    asyncio.run(story())


def test_rubbish_is_answered_and_does_no_harm(factory: RoomFactory, stand: Path) -> None:
    lamp = LED(22, pin_factory=factory)
    with socket.socket(socket.AF_UNIX) as rude:
        rude.settimeout(5)
        rude.connect(str(stand))
        lines = rude.makefile("rb")
        lines.readline()
        rude.sendall(b'{"pin": 17, "value": 7}\nnonsense\n')
        assert "error" in json.loads(lines.readline())
        assert "error" in json.loads(lines.readline())
        lamp.on()
        assert json.loads(lines.readline())["value"] == 1
        lines.close()


def test_an_onlooker_who_leaves_disturbs_nobody(factory: RoomFactory, stand: Path) -> None:
    lamp = PWMLED(22, pin_factory=factory)
    with socket.socket(socket.AF_UNIX) as passing:
        passing.connect(str(stand))

    async def story() -> None:
        async with PinsClient(stand) as pins:
            for step in range(100):
                lamp.value = step / 100
            await pins.wait_for(lambda values: values.get(22) == 0.99)

    asyncio.run(story())


def test_only_the_owner_may_touch_the_pins_and_the_socket_goes_with_them(stand: Path) -> None:
    factory = RoomFactory(stand)
    assert stat.S_IMODE(stand.stat().st_mode) == 0o600
    with pytest.raises(OSError, match="in use"):
        RoomFactory(stand)
    factory.close()
    assert not stand.exists()


def test_a_socket_that_a_killed_process_left_is_replaced(stand: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stand))
    RoomFactory(stand).close()


def test_waiting_ends_when_the_process_lets_its_pins_go(factory: RoomFactory, stand: Path) -> None:
    async def story() -> None:
        async with PinsClient(stand) as pins:
            waiting = asyncio.create_task(pins.wait_for(lambda values: 22 in values))
            await asyncio.to_thread(factory.close)
            with pytest.raises(ConnectionError, match="let its pins go"):
                await waiting
            assert pins.over

    asyncio.run(story())


def test_the_factory_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGED_ROOM_PINS", raising=False)
    with pytest.raises(OSError, match="EDGED_ROOM_PINS"):
        RoomFactory()
