"""The echo: does the speaker answer itself, and does it hear a person over its own voice?

A simulation without a clock: what every driver of `edged/echo` does in the same rooms with the same
voices, judged by stand-ins for the provider's ear. The assistant never falls silent when it is
interrupted, which is worse than in the product. Costs are measured in processes of their own.

    python -m tests.benches.echo DRIVER...      one short table, from the cast that tunes
"""

import argparse
import asyncio
import concurrent.futures
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from rich.console import Console

from edged import plugins
from edged.core.frames import Cleaned
from edged.ports import Change

from .echo_chain import BASELINES, NotThere, open_driver, play, through
from .echo_cost import Cost, measured
from .echo_ears import EARS, listen, of_gate
from .echo_scene import FRAME, Scene, staged
from .echo_verdict import (
    CPU_PCT,
    LIMITS,
    MEMORY_MIB,
    Hearing,
    Limits,
    Outcome,
    decided,
    judged,
    outcome,
    sounded,
    untouched,
)
from .echo_voices import CACHE, REPORTED, TUNING, Cast
from .report import Figure, Result, table
from .rig import Tell

EXPECTED: Final = ("gate", "speex", "dual")
"""Drivers that are named even where they cannot be measured."""
_GATE = "opened"
"""Figures of the gate's own decision, before any ear."""
_HARD_DB = -10.0
_BASELINE_DB = -10.0


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    seeds: int = 10
    bursts: int = 10
    sers_db: tuple[float, ...] = (5, 0, -10, -20)
    stresses: tuple[str, ...] = ("drift", "overdriven", "ducked", "jump", "jump_told")
    alone: int = 5
    """Scenes in which the person speaks alone, of each kind."""
    passes: int = 5
    """Of the measurement of costs."""


SHORT = Plan(seeds=4, bursts=5, sers_db=(0, -10, -20), stresses=("jump_told",), alone=2, passes=3)


@dataclass(frozen=True)
class Kind:
    """Scenes that are told together."""

    name: str
    """Empty for the usual ones."""
    ser_db: float
    scenes: Sequence[Scene]


async def run(*, short: bool, tell: Tell) -> Sequence[Figure]:
    """Measure every driver there is; raises `OSError` when voices or libraries are missing."""
    return await measure(SHORT if short else Plan(), drivers(), REPORTED, short=short, tell=tell)


def drivers() -> list[str]:
    """Those that are there and those that should be."""
    known = (*BASELINES, *EXPECTED)
    return [*known, *(name for name in plugins.drivers("echo") if name not in known)]


async def measure(
    plan: Plan, names: Sequence[str], cast: Cast, *, short: bool, tell: Tell
) -> Sequence[Figure]:
    """Play the plan's scenes through the drivers named; through baselines only one level."""
    figures: list[Figure] = []
    workers = len(os.sched_getaffinity(0))
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=fresh) as pool:
        try:
            for name in names:
                try:
                    open_driver(name)
                except NotThere as reason:
                    tell(f"{name} is not measured: {reason}")
                    figures.append(Figure(f"{name}_measured", None, str(reason)))
                    continue
                kinds = list(_kinds(plan, cast, baseline=name in BASELINES))
                for kind in kinds:
                    tell(f"{name}: {_told(kind)}")
                    outcomes = await _played(pool, kind.scenes, cast, name)
                    tell(_in_short([one.hearings[EARS[0]] for one in outcomes]))
                    figures += _figures(name, kind, outcomes, short=short)
                tell(f"{name}: what it costs")
                cost = await asyncio.to_thread(_cost, name, cast, plan.passes)
                figures += _cost_figures(name, cost)
        except ImportError as missing:
            raise OSError(f"a library of the bench's is missing: {missing}") from missing
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return figures


# --- which scenes -----------------------------------------------------------------------------


def _kinds(plan: Plan, cast: Cast, *, baseline: bool) -> Iterator[Kind]:
    seeds = cast.seeds[: plan.seeds]
    for ser_db in (_BASELINE_DB,) if baseline else plan.sers_db:
        yield Kind("", ser_db, [Scene(seed, ser_db, plan.bursts) for seed in seeds])
    few = cast.seeds[: plan.alone]
    # With 30 dB over the noise, as where the limits come from: noise costs intelligibility too.
    usual = Scene(0, bursts=5, every_s=4.0, noise_dbfs=-66.0)
    silent = replace(usual, settled_s=2.0, far_until_s=0.0)
    yield Kind("silent_reference", 0, [replace(silent, seed=seed) for seed in few])
    after = replace(usual, far_until_s=12.0)
    yield Kind("near_alone", 0, [replace(after, seed=seed) for seed in few])
    if baseline:
        return
    hard = Scene(0, _HARD_DB, plan.bursts)
    jump = Scene(0, _HARD_DB, bursts=0, settled_s=30.0, jump_s=0.045)
    for name, scene in (
        ("drift", replace(hard, drift_ppm=100.0)),
        ("overdriven", replace(hard, distortion_db=-20.0)),
        ("ducked", replace(hard, duck_db=12.0)),
        ("ducked", replace(hard, duck_db=12.0, ser_db=-20.0)),
        ("jump", jump),
        ("jump_told", replace(jump, jump_told=True)),
    ):
        if name in plan.stresses:
            yield Kind(name, scene.ser_db, [replace(scene, seed=seed) for seed in seeds])


def _told(kind: Kind) -> str:
    seconds = sum(scene.length for scene in kind.scenes) / (FRAME * 50)
    words = kind.name.replace("_", " ") or "as usual"
    return f"{words} at {kind.ser_db:+g} dB, {len(kind.scenes)} rooms, {seconds:.0f} s of sound"


def _in_short(hearings: Sequence[Hearing]) -> str:
    shares = [hearing.falsely_on_pct for hearing in hearings]
    words = f"    falsely on {median(shares):.0f} %, {max(shares):.0f} % in the worst room"
    pooled = [late for hearing in hearings for late in hearing.latencies_ms]
    found = [late for late in pooled if late is not None]
    if pooled:
        words += f"; {len(found)} of {len(pooled)} interruptions noticed"
    return words + (f", after {median(found):.0f} ms" if found else "")


# --- playing them -----------------------------------------------------------------------------


async def _played(
    pool: concurrent.futures.Executor, scenes: Sequence[Scene], cast: Cast, name: str
) -> Sequence[Outcome]:
    loop = asyncio.get_running_loop()
    started = [loop.run_in_executor(pool, lived, scene, cast, name) for scene in scenes]
    return [await each for each in started]


def lived(scene: Scene, cast: Cast, name: str) -> Outcome:
    """One scene through one driver, heard and judged."""
    played = play(scene, cast, name)
    judgements = {ear: listen(ear, played.sent, played.sent_at) for ear in EARS}
    judgements[_GATE] = of_gate(played.opened)
    hearings = {ear: judged(played, judgement) for ear, judgement in judgements.items()}
    return outcome(played, hearings)


def _cost(name: str, cast: Cast, passes: int) -> Cost:
    taken = Taken()
    through(staged(Scene(cast.seeds[0], _HARD_DB, bursts=2), cast), taken)
    CACHE.mkdir(parents=True, exist_ok=True)
    return measured(name, taken.keep(CACHE / "cost.npz"), passes)


class Taken:
    """A driver that does nothing but remember what it was given."""

    hears_through = True
    late = 0
    drift_ppm: float = 0.0
    """Not known."""

    def __init__(self) -> None:
        self._far = bytearray()
        self._near = bytearray()
        self._when: list[tuple[int, int, int]] = []

    def far(self, samples: bytes) -> None:
        """Remember it."""
        self._far += samples

    def near(self, samples: bytes, play_delay: int, capture_delay: int) -> Cleaned:
        """Remember it."""
        self._near += samples
        self._when.append((len(self._far) // 2, play_delay, capture_delay))
        return Cleaned(samples, 0.0, 0.0, bytes(len(samples)))

    def flushed(self, frames: int) -> None:
        """Does not happen."""

    def notify(self, why: Change) -> None:
        """Does not happen."""

    def keep(self, file: Path) -> Path:
        """Write all of it into `file`: `far`, `near`, and for each frame of `near` how much of
        `far` came before it and both delays."""
        far, near = (np.frombuffer(bytes(each), "<i2") for each in (self._far, self._near))
        np.savez(file, far=far, near=near, when=np.array(self._when))
        return file


# --- what it comes to -------------------------------------------------------------------------


def _figures(
    name: str, kind: Kind, outcomes: Sequence[Outcome], *, short: bool
) -> Iterator[Figure]:
    if kind.name in ("near_alone", "silent_reference"):
        yield from untouched(f"{name}_{kind.name}", outcomes)
        return
    if kind.name:
        heard = [one.hearings[EARS[0]] for one in outcomes]
        yield from decided(f"{name}_{kind.name}", kind.ser_db, heard, Limits(), short=short)
        return
    for ear in (*EARS, _GATE):
        heard = [one.hearings[ear] for one in outcomes]
        trusted = ear == EARS[0]
        limits = LIMITS.get(name, {}).get(kind.ser_db, Limits()) if trusted else Limits()
        prefix = name if trusted else f"{name}_{ear}"
        yield from decided(prefix, kind.ser_db, heard, limits, short=short)
    yield from sounded(name, kind.ser_db, outcomes)


def _cost_figures(name: str, cost: Cost) -> Iterator[Figure]:
    yield Figure(f"{name}_cpu_pct", cost.cpu_pct, "% of a core", limit=CPU_PCT.get(name))
    yield Figure(f"{name}_memory_mib", cost.memory_mib, "MiB", limit=MEMORY_MIB.get(name))


def main(words: Sequence[str]) -> int:
    """Show what the tuning cast comes to; 0 when it keeps the limits."""
    parser = argparse.ArgumentParser(prog="python -m tests.benches.echo", description=__doc__)
    parser.add_argument("drivers", nargs="+")
    parser.add_argument("--seeds", type=int, default=SHORT.seeds)
    parser.add_argument("--bursts", type=int, default=SHORT.bursts)
    parser.add_argument("--stresses", nargs="*", default=[])
    parser.add_argument("--sers", type=float, nargs="+", default=SHORT.sers_db)
    options = parser.parse_args(words)
    plan = replace(
        SHORT,
        seeds=options.seeds,
        bursts=options.bursts,
        sers_db=tuple(options.sers),
        stresses=tuple(options.stresses),
    )
    console = Console(width=100)
    figures = asyncio.run(
        measure(plan, options.drivers, TUNING, short=True, tell=Console(stderr=True).print)
    )
    result = Result(figures)
    console.print(table("echo, tuning", result))
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
