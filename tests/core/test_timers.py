"""The alarms."""

from edged.core.timers import Timer, Timers


def test_the_first_to_run_out_is_named_first_and_once() -> None:
    timers = Timers()
    assert timers.deadline() is None
    timers.start(Timer.LONGEST, 9.0)
    timers.start(Timer.FOLLOW_UP, 5.0)
    assert timers.deadline() == 5.0
    assert timers.due(4.9) is None
    assert [timers.due(9.0) for _ in range(3)] == [Timer.FOLLOW_UP, Timer.LONGEST, None]
    assert timers.deadline() is None


def test_a_timer_started_again_is_moved() -> None:
    timers = Timers()
    timers.start(Timer.ANSWER, 5.0)
    timers.start(Timer.ANSWER, 7.0)
    assert timers.due(6.0) is None
    assert timers.due(7.0) is Timer.ANSWER


def test_a_stopped_timer_does_not_run_out() -> None:
    timers = Timers()
    timers.start(Timer.ANSWER, 5.0)
    assert timers.running(Timer.ANSWER)
    timers.stop(Timer.ANSWER, Timer.CLOSE)
    assert not timers.running(Timer.ANSWER)
    assert timers.due(10.0) is None


def test_timers_that_run_out_together_come_in_the_same_order_always() -> None:
    orders = []
    for timers_in in (list(Timer), list(reversed(Timer))):
        timers = Timers()
        for timer in timers_in:
            timers.start(timer, 1.0)
        orders.append([timers.due(1.0) for _ in Timer])
    assert orders[0] == orders[1]
