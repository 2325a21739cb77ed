"""What a driver costs: run in a process of its own, with one thread for numpy.

    python -m tests.benches.echo_cost DRIVER SCENE PASSES

SCENE is what `Taken.keep` wrote. Nothing is imported before the driver but what the daemon has
loaded without one.
"""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edged import plugins, ports

FRAME = 480
RATE = 24_000
_PATIENCE_S = 300
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


Samples = npt.NDArray[np.int16]
Turn = tuple[Sequence[bytes], bytes, int, int]
"""Frames written since the last turn, the microphone's frame, and both delays."""


@dataclass(frozen=True)
class Cost:
    """What one driver was measured to cost."""

    cpu_pct: float
    """Of one core while sound passes in real time: the best of several passes."""
    memory_mib: float
    """Resident, beyond a process with numpy and the same sound."""


def measured(driver: str, scene: Path, passes: int) -> Cost:
    """Measure in a process of its own; raises `OSError` when it fails."""
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
    command = [sys.executable, "-m", __name__, driver, str(scene), str(passes)]
    done = subprocess.run(
        command, capture_output=True, env=environment, timeout=_PATIENCE_S, check=False
    )
    if done.returncode:
        raise OSError(f"the cost of {driver} was not measured: {done.stderr.decode()[-300:]}")
    told: Mapping[str, float] = json.loads(done.stdout)
    return Cost(told["cpu_pct"], told["memory_mib"])


def _measure(driver: str, scene: Path, passes: int) -> Cost:
    with np.load(scene) as kept:
        sounds = _in_turn(kept["far"], kept["near"], kept["when"])
    # What numpy itself loads on first use is not the driver's.
    np.fft.irfft(np.fft.rfft(np.ones((2, FRAME), np.float32), axis=1), axis=1)
    np.random.default_rng(0)
    gc.collect()
    before = _resident_mib()
    module = plugins.load("echo", driver)
    opened: ports.Echo
    memory, best = 0.0, float("inf")
    for _ in range(passes):
        opened = module.open(module.Settings(), RATE)
        began = time.process_time()
        for played, heard, play_delay, capture_delay in sounds:
            for frame in played:
                opened.far(frame)
            opened.near(heard, play_delay, capture_delay)
        best = min(best, time.process_time() - began)
        memory = memory or _resident_mib() - before
    return Cost(100 * best / (len(sounds) * FRAME / RATE), memory)


def _in_turn(far: Samples, near: Samples, when: npt.NDArray[np.int64]) -> Sequence[Turn]:
    turns: list[Turn] = []
    written = 0
    for number, (until, play_delay, capture_delay) in enumerate(when.tolist()):
        played = [far[at : at + FRAME].tobytes() for at in range(written, until, FRAME)]
        heard = near[number * FRAME : (number + 1) * FRAME].tobytes()
        turns.append((played, heard, play_delay, capture_delay))
        written = until
    return turns


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(words: list[str]) -> int:
    """Print the cost as JSON."""
    driver, scene, passes = words
    cost = _measure(driver, Path(scene), int(passes))
    sys.stdout.write(json.dumps({"cpu_pct": cost.cpu_pct, "memory_mib": cost.memory_mib}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
