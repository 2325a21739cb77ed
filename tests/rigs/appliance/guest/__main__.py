"""Tells a chapter: tries its lines in their order, and leaves the verdicts for the host."""

import json
import sys
from dataclasses import asdict

from . import chapters, house
from .verdicts import judge


def say(text: str) -> None:
    """A line for the host's progress."""
    sys.stdout.write(f"rig: {text}\n")
    sys.stdout.flush()


chapter = chapters.NAMED[(house.SHARE / "chapter").read_text().strip()]
with (house.SHARE / "verdicts.jsonl").open("a") as verdicts:
    for name, attempt in chapter.lines.items():
        say(name)
        verdict = judge(name, attempt)
        say(f"    {'holds' if verdict.holds else 'DOES NOT HOLD'}, {verdict.seconds} s")
        for line in verdict.says.splitlines()[-30:]:
            say(f"    {line}")
        verdicts.write(json.dumps(asdict(verdict)) + "\n")
        verdicts.flush()
