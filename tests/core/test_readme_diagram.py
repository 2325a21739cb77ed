"""The picture of the states in the README shows every row of the tables once."""

import re
from pathlib import Path

from .test_machines import MACHINES

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_tables() -> None:
    (picture,) = re.findall(
        r"^```mermaid\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE
    )
    arrows = [line.strip() for line in picture.splitlines() if "-->" in line]
    assert len(arrows) == len(set(arrows))
    drawn = set()
    for arrow in arrows:
        ends, _, moves = arrow.partition(": ")
        source, _, target = ends.partition(" --> ")
        if source != "[*]":
            drawn |= {(source, move, target) for move in moves.split(", ")}
    assert drawn == {
        (source.value, move.value, target.value)
        for table, _ in MACHINES
        for (source, move), target in table.items()
    }
    begins = [arrow for arrow in arrows if arrow.startswith("[*]")]
    assert begins == [f"[*] --> {first.value}" for _, first in MACHINES]
