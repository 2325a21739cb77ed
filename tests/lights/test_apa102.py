"""A row of LEDs on the SPI bus, as they themselves read what is clocked into them."""

import asyncio
import contextlib
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edged.core.events import Trouble
from edged.core.scenes import Colour, Look, Scene, colour, steady
from edged.lights import apa102
from edged.simulator.pins import PinsClient

MUTED, ASLEEP = Look(Scene.MUTED), Look(Scene.ASLEEP)


@dataclass
class Led:
    """What one LED shines with, each 0 to 1."""

    red: float
    green: float
    blue: float

    def is_like(self, wanted: Colour) -> bool:
        there, asked = (self.red, self.green, self.blue), (wanted.red, wanted.green, wanted.blue)
        return all(abs(a - b) < 0.004 for a, b in zip(there, asked, strict=True))


class Spidev:
    """The kernel's device, and the LEDs behind it; objects to whatever they would not understand.

    A pipe stands for the device: what is written to it is what was clocked out.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "spidev0.0"
        os.mkfifo(self.path)
        self._pipe = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self._mode: int | None = None
        self._speed_hz: int | None = None
        self.refuses = 0

    def ioctl(self, handle: int, request: int, argument: bytes) -> int:
        """What linux/spi/spidev.h names SPI_IOC_WR_MODE and SPI_IOC_WR_MAX_SPEED_HZ."""
        assert os.fstat(handle).st_ino == self.path.stat().st_ino, "another device"
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        write, size, kind, number = (
            request >> 30, (request >> 16) & 0x3FFF, (request >> 8) & 0xFF, request & 0xFF,
        )  # fmt: skip
        assert (write, chr(kind), len(argument)) == (1, "k", size)
        match number, size:
            case 1, 1:
                (self._mode,) = struct.unpack("B", argument)
            case 4, 4:
                (self._speed_hz,) = struct.unpack("I", argument)
            case _:
                raise AssertionError(f"no request that a light needs: {number}")
        return 0

    def rows(self, leds: int) -> list[list[Led]]:
        """What the LEDs have shown since the last look, one row for each frame."""
        assert self._mode == 0, "APA102 take their bits in mode 0"
        assert self._speed_hz is not None, "as fast as the board can is too fast"
        assert self._speed_hz <= 8_000_000
        clocked = b""
        while True:
            try:
                clocked += os.read(self._pipe, 1 << 16)
            except BlockingIOError:
                break
        return list(self._frames(clocked, leds))

    def _frames(self, clocked: bytes, leds: int) -> Iterator[list[Led]]:
        while clocked:
            start, body = clocked[:4], clocked[4 : 4 + 4 * leds]
            assert start == bytes(4), "a frame begins with 32 zeros"
            assert len(body) == 4 * leds
            yield [_led(body[at : at + 4]) for at in range(0, len(body), 4)]
            rest = clocked[4 + 4 * leds :]
            # Each LED passes the data on half a clock late, and an SK9822 wants 32 zeros first.
            clocks = 4 + -(-leds // 16)
            assert rest[:clocks] == bytes(clocks), "the last LED has not got its bits yet"
            assert clocks * 8 >= leds / 2 + 32
            clocked = rest[clocks:]

    def close(self) -> None:
        os.close(self._pipe)


def _led(bits: bytes) -> Led:
    own, blue, green, red = bits
    assert own >> 5 == 0b111, "an LED's bits begin with three ones"
    scale = (own & 31) / 31 / 255
    return Led(red * scale, green * scale, blue * scale)


@pytest.fixture
def spidev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spidev]:
    device = Spidev(tmp_path)
    monkeypatch.setattr(apa102, "_DEVICES", tmp_path)
    monkeypatch.setattr(fcntl, "ioctl", device.ioctl)
    yield device
    device.close()


def handles(file: Path) -> int:
    """How often this process has the file open."""
    wanted, found = file.stat(), 0
    for handle in Path("/proc/self/fd").iterdir():
        # The folder lists the handle that it is read by, too.
        with contextlib.suppress(OSError):
            found += os.path.samestat(os.fstat(int(handle.name)), wanted)
    return found


def evening(story: Callable[[], None]) -> None:
    async def told() -> None:
        story()

    asyncio.run(told())


@pytest.mark.parametrize("leds", [1, 3, 12, 16, 17, 64, 240])
def test_every_led_of_a_row_shows_the_colour_of_every_steady_scene(
    spidev: Spidev, leds: int
) -> None:
    def story() -> None:
        light = apa102.open(apa102.Settings(leds=leds, brightness=1.0))
        assert spidev.rows(leds) == [[Led(0, 0, 0)] * leds], "dark until it is shown something"
        for look in [Look(scene) for scene in Scene if steady(Look(scene))]:
            light.show(look)
            (row,) = spidev.rows(leds)
            assert len(row) == leds
            assert all(led.is_like(colour(look, 0)) for led in row)
        light.show(MUTED)
        light.close()
        assert spidev.rows(leds)[-1] == [Led(0, 0, 0)] * leds

    evening(story)


@pytest.mark.parametrize("brightness", [0.5, 0.3, 0.1, 0.03])
def test_a_dim_light_has_the_same_colour(spidev: Spidev, brightness: float) -> None:
    def story() -> None:
        light = apa102.open(apa102.Settings(brightness=brightness))
        light.show(MUTED)
        lit = spidev.rows(3)[-1][0]
        assert lit.is_like(colour(MUTED, 0).dimmed(brightness))
        assert lit.green / lit.red == pytest.approx(0.37 / 0.84, rel=0.03)
        light.close()

    evening(story)


def test_by_night_it_is_dimmer_and_trouble_is_still_seen(spidev: Spidev) -> None:
    def story() -> None:
        share = 1.0
        light = apa102.open(apa102.Settings(brightness=1.0), lambda: share)
        light.show(MUTED)
        assert spidev.rows(3)[-1][0].is_like(colour(MUTED, 0))
        light.show(ASLEEP)
        share = 0.0
        light.show(MUTED)
        assert spidev.rows(3)[-1][0] == Led(0, 0, 0)
        trouble = Look(Scene.TROUBLE, Trouble.KEY)
        light.show(trouble)
        assert spidev.rows(3)[-1][0].is_like(colour(trouble, 0).dimmed(0.1))
        light.close()

    evening(story)


def test_one_led_tells_that_somebody_listens_whatever_the_hour(spidev: Spidev) -> None:
    def story() -> None:
        settings = apa102.Settings(brightness=0.5, sending_led=2)
        light = apa102.open(settings, lambda: 0.0)
        light.show(Look(Scene.LISTENING))
        assert spidev.rows(3)[-1] == [Led(0, 0, 0)] * 3
        light.show(Look(Scene.LISTENING, sending=True))
        *others, last = spidev.rows(3)[-1]
        assert others == [Led(0, 0, 0)] * 2
        assert last.is_like(Colour(0.5, 0.5, 0.5))
        light.close()

    evening(story)


def test_the_leds_get_their_power_and_lose_it_again(spidev: Spidev, stand: Path) -> None:
    async def story() -> None:
        light = apa102.open(apa102.Settings(leds=12, power_pin=5))
        async with PinsClient(stand) as pins:
            await pins.wait_for(lambda values: values.get(5) == 1)
            light.close()
            await pins.wait_for(lambda values: values.get(5) == 0)

    asyncio.run(story())


def test_a_bus_that_goes_away_is_the_end_of_the_light_and_of_nothing_else(spidev: Spidev) -> None:
    def story() -> None:
        light = apa102.open(apa102.Settings())
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, light._bus)  # type: ignore[attr-defined]
        os.close(full)
        light.show(MUTED)
        light.close()

    evening(story)


def test_a_pi_whose_spi_is_off_is_told_how_to_switch_it_on(spidev: Spidev) -> None:
    spidev.path.unlink()
    with pytest.raises(apa102.SpiTrouble, match=r"spidev0\.0: No such file") as dark:
        evening(lambda: apa102.open(apa102.Settings()).close())
    assert "do_spi 0" in dark.value.hint
    with pytest.raises(apa102.SpiTrouble, match=r"spidev1\.2"):
        evening(lambda: apa102.open(apa102.Settings(bus=1, device=2)).close())
    os.mkfifo(spidev.path)


def test_a_device_that_is_no_spi_bus_is_left_alone(spidev: Spidev) -> None:
    spidev.refuses = 25
    before = handles(spidev.path)
    with pytest.raises(apa102.SpiTrouble, match="Inappropriate ioctl"):
        evening(lambda: apa102.open(apa102.Settings()).close())
    assert handles(spidev.path) == before == 1


def test_an_led_that_is_not_there_cannot_tell_anything() -> None:
    with pytest.raises(ValueError, match="the first is 0"):
        replace(apa102.Settings(), sending_led=3)
