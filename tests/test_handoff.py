"""The bridge between foreign threads and the loop: in order, bounded, newest kept."""

import asyncio
from threading import Thread

from edged.handoff import Handoff, Tray


def put_all(handoff: Handoff[int] | Tray[int], count: int) -> None:
    for number in range(count):
        handoff.put(number)


def test_what_a_thread_hands_over_arrives_in_order() -> None:
    async def story() -> list[int]:
        got: list[int] = []
        done = asyncio.Event()

        def take(number: int) -> None:
            got.append(number)
            if number == 999:
                done.set()

        handoff = Handoff(take)
        thread = Thread(target=put_all, args=(handoff, 1000))
        thread.start()
        await asyncio.wait_for(done.wait(), 10)
        thread.join()
        return got

    assert asyncio.run(story()) == list(range(1000))


def test_a_stalled_loop_finds_the_newest_and_the_rest_counted() -> None:
    async def story() -> tuple[list[int], int]:
        got: list[int] = []
        handoff = Handoff(got.append, limit=10)
        thread = Thread(target=put_all, args=(handoff, 100))
        thread.start()
        thread.join()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return got, handoff.dropped

    got, dropped = asyncio.run(story())
    assert got == list(range(90, 100))
    assert dropped == 90


def test_nothing_arrives_after_it_was_closed() -> None:
    async def story() -> list[int]:
        got: list[int] = []
        handoff = Handoff(got.append)
        handoff.put(1)
        handoff.close()
        handoff.put(2)
        await asyncio.sleep(0)
        return got

    assert asyncio.run(story()) == []


def test_a_device_thread_may_outlive_the_loop() -> None:
    async def make() -> Handoff[int]:
        return Handoff(lambda _: None)

    handoff = asyncio.run(make())
    handoff.put(1)


def test_a_failure_to_take_one_does_not_stop_the_bridge() -> None:
    """The loop hears of the bug; what was handed over later still arrives."""

    async def story() -> tuple[list[int], list[object]]:
        got: list[int] = []
        problems: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(context["exception"]))

        def take(number: int) -> None:
            if number == 1:
                raise ValueError(number)
            got.append(number)

        handoff = Handoff(take)
        for number in range(3):
            handoff.put(number)
        await asyncio.sleep(0)
        handoff.put(3)
        for _ in range(5):
            await asyncio.sleep(0)
        return got, problems

    got, problems = asyncio.run(story())
    assert got == [0, 2, 3]
    assert len(problems) == 1


def test_a_tray_keeps_the_newest_until_somebody_comes_by() -> None:
    tray: Tray[int] = Tray(limit=10)
    for number in range(14):
        tray.put(number)
    assert list(tray.empty()) == list(range(4, 14))
    assert tray.dropped == 4
    assert list(tray.empty()) == []


def test_a_tray_loses_nothing_between_a_thread_and_the_loop() -> None:
    tray: Tray[int] = Tray(limit=10**6)
    thread = Thread(target=put_all, args=(tray, 20000))
    thread.start()
    got: list[int] = []
    while thread.is_alive():
        got += tray.empty()
    thread.join()
    got += tray.empty()
    assert got == list(range(20000))
    assert tray.dropped == 0
