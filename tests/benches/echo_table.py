"""The figures of the echo bench as the tables of the README.

python -m tests.benches.echo_table FILE     what `scripts/bench echo --json FILE` has written
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

Values = Mapping[str, float | None]
"""By the figure's name."""

_DRIVERS: Final = ("gate", "speex", "dual")
_ALL: Final = ("off", "half_duplex", *_DRIVERS)
_SCENES: Final = (
    ("", "ser+5", "5 dB softer"),
    ("", "ser0", "as loud"),
    ("", "ser-10", "10 dB louder"),
    ("", "ser-20", "20 dB louder"),
    ("_ducked", "ser-20", "20 dB louder, and 12 dB less of it while a voice is supposed"),
    ("_overdriven", "ser-10", "10 dB louder, the loudspeaker overdriven"),
    ("_drift", "ser-10", "10 dB louder, clocks 100 ppm apart"),
    ("_jump_told", "ser-10", "10 dB louder, playback stalls for 45 ms and says so"),
    ("_jump", "ser-10", "10 dB louder, playback stalls for 45 ms unnoticed"),
)
"""What a figure's name has behind the driver's, what it ends in, and the echo in words."""


def tables(values: Values) -> str:
    """Both tables; what was not measured is left blank."""
    return "\n".join([*_heard(values), "", *_cost(values)]) + "\n"


def _heard(values: Values) -> Iterator[str]:
    yield from _heading("our echo at the microphone, to the person's voice", *_DRIVERS)
    for scene, at, words in _SCENES:
        yield _row(words, *(_in_scene(values, driver + scene, at) for driver in _DRIVERS))


def _in_scene(values: Values, prefix: str, at: str) -> str:
    share, worst = (values.get(f"{prefix}_falsely_on{kind}_pct_{at}") for kind in ("", "_worst"))
    if share is None or worst is None:
        return ""
    told = f"{share:.0f} / {worst:.0f} %"
    noticed, late = (values.get(f"{prefix}_barge_in_{unit}_{at}") for unit in ("pct", "ms"))
    if noticed is not None:
        told += f"; {noticed:.0f} %"
    return told if late is None else f"{told} after {late:.0f} ms"


def _cost(values: Values) -> Iterator[str]:
    yield from _heading("mode", "echo taken away", "a voice alone, STOI", "late", "core", "memory")
    for driver in _ALL:
        yield _row(
            f"`{driver}`",
            _number(values.get(f"{driver}_erle_db_ser-10"), ".0f", " dB"),
            _number(values.get(f"{driver}_near_alone_stoi"), ".3f"),
            _number(values.get(f"{driver}_near_alone_latency_ms"), ".0f", " ms"),
            _number(values.get(f"{driver}_cpu_pct"), ".2f", " %"),
            _number(values.get(f"{driver}_memory_mib"), ".1f", " MiB"),
        )


def _number(value: float | None, digits: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{digits}}{unit}"


def _heading(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield _row(*["---"] * len(cells))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def read(file: Path) -> Values:
    """The echo bench's figures; raises `OSError`, and `KeyError` where it was not run."""
    told = json.loads(file.read_text(encoding="utf-8"))
    return {figure["name"]: figure["value"] for figure in told["benches"]["echo"]["figures"]}


def main(words: Sequence[str]) -> int:
    """Print them."""
    if len(words) != 1:
        sys.stderr.write("usage: python -m tests.benches.echo_table FILE\n")
        return 2
    sys.stdout.write(tables(read(Path(words[0]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
