"""How the process is: its memory, processor, threads and descriptors, and what it has lost."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .core.commands import Fact, Note, note

LOSSES = {
    "capture_overflows": ("sound", "capture_overflows"),
    "capture_frames_lost": ("sound", "capture_frames_lost"),
    "capture_blocks_dropped": ("sound", "capture_blocks_dropped"),
    "speaker_underruns": ("sound", "speaker_underruns"),
    "speaker_gaps": ("sound", "speaker_gaps"),
    "speaker_blocks_dropped": ("sound", "speaker_blocks_dropped"),
    "wake_frames_dropped": ("wake", "frames_dropped"),
}
"""For each counter of the heartbeat its place in the runner's status: overflows and underruns are
the device's, and so are the frames (samples at its rate) that it lost in them; blocks and the wake
engine's frames fell out inside because something was late; a gap was heard."""


class Vitals:
    """Looks at this process; each look covers the time since the last one, or since this began."""

    def __init__(
        self,
        process: Path = Path("/proc/self"),
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        """`process`: its folder in proc(5); `cpu`: the seconds of a processor it has used."""
        self._process = process
        self._clock = clock
        self._cpu = cpu
        self._looked_at = clock()
        self._cpu_s = cpu()
        self._counted: dict[str, int] = {}

    def note(self, status: Mapping[str, object]) -> Note:
        """The heartbeat's entry, with what `status` has counted meanwhile."""
        lost = {name: self._since(name, _counter(status, place)) for name, place in LOSSES.items()}
        losses = ", ".join(f"{many} {_said(name)}" for name, many in lost.items() if many)
        try:
            figures = self._figures()
        except OSError as problem:
            # No descriptor is left, for one: an hour's heartbeat is no reason to die.
            return note(Fact.HEARTBEAT, f"{self._process} cannot be read: {problem}", **lost)
        story = (
            f"{figures['rss_mib']:g} MiB, {figures['cpu_pct']:g} % of a processor,"
            f" {figures['threads']} threads, {figures['descriptors']} descriptors;"
            f" {losses or 'no sound lost'}"
        )
        return note(Fact.HEARTBEAT, story, **figures, **lost)

    def _figures(self) -> dict[str, int | float]:
        now, cpu_s = self._clock(), self._cpu()
        interval_s, used_s = now - self._looked_at, cpu_s - self._cpu_s
        self._looked_at, self._cpu_s = now, cpu_s
        resident, threads = _resident_and_threads(self._process)
        return {
            "rss_mib": round(resident / 1024, 1),
            "cpu_pct": round(100 * used_s / interval_s, 2) if interval_s > 0 else 0.0,
            "threads": threads,
            # Less the one that reads the folder.
            "descriptors": sum(1 for _ in (self._process / "fd").iterdir()) - 1,
            "interval_s": round(interval_s),
        }

    def _since(self, name: str, count: int) -> int:
        """How much was counted since the last look; a device that was opened anew begins at 0."""
        before, self._counted[name] = self._counted.get(name, 0), count
        return count - before if count >= before else count


def _counter(status: Mapping[str, object], place: tuple[str, str]) -> int:
    part = status.get(place[0])
    count = part.get(place[1]) if isinstance(part, Mapping) else None
    return count if isinstance(count, int) else 0


def _said(name: str) -> str:
    return name.replace("_", " ")


def _resident_and_threads(process: Path) -> tuple[int, int]:
    """KiB in memory and the number of threads, as proc(5)'s file status says."""
    lines = (process / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(said["VmRSS"].split()[0]), int(said["Threads"])
