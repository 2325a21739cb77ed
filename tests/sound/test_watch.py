"""What counts up is looked at from time to time."""

from edged.sound._watch import Watch


def test_a_number_that_stands_still_for_too_many_looks_has_stalled() -> None:
    watch = Watch(3)
    assert [watch.stalled(number) for number in (5, 5, 5, 5, 5, 6, 6)] == [
        *[False, False, False],
        *[True, True],
        *[False, False],
    ]
    assert watch.longest == 4


def test_all_is_well_once_it_has_moved_for_a_while() -> None:
    watch = Watch(3)
    well = []
    for number in (1, 2, 3, 3, 4, 5, 6, 7):
        watch.stalled(number)
        well.append(watch.well)
    assert well == [False] * 7 + [True]
