"""What a board can bear."""

import pytest

from edged import board

MIB = 1 << 20


@pytest.mark.parametrize(
    ("cores", "memory", "best"),
    [
        (4, 416 * MIB, "speex"),  # Zero 2 W
        (4, 905 * MIB, "dual"),  # Pi 4 of 1 GB, less what its graphics keep
        (4, 8000 * MIB, "dual"),
        (2, 8000 * MIB, "speex"),
    ],
)
def test_two_cancellers_are_for_boards_with_the_cores_and_the_memory(
    cores: int, memory: int, best: str
) -> None:
    modes = board.echo_modes(cores, memory)
    assert modes[0] == best
    assert modes[-2:] == ("speex", "gate"), "what needs no library comes last"


def test_this_board_is_known() -> None:
    assert board.echo_modes() in (board.echo_modes(1, 1), board.echo_modes(64, 1 << 40))
