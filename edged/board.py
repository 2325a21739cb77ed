"""What this board can bear."""

import os
from collections.abc import Sequence
from typing import Final

_CORES: Final = 4
_MEMORY: Final = 768 << 20
"""A board of 1 GB shows less, since its graphics take some of it. A Zero 2 W has four cores too,
and half of that."""

TOO_WEAK: Final = "wants four cores and 1 GB"
"""What is said of a driver that is not tried."""


def echo_modes(cores: int | None = None, memory: int | None = None) -> Sequence[str]:
    """The echo drivers to try, the best first; None stands for what there is.

    Two cancellers want a core that is not needed for anything else: by estimate 16 % of a Pi 4's,
    but nearly 40 % of a Zero 2 W's.
    """
    cores = cores or os.cpu_count() or 1
    memory = memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    strong = cores >= _CORES and memory >= _MEMORY
    return (*(("dual",) if strong else ()), "speex", "gate")
