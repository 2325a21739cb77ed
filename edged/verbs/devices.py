"""List the microphones and loudspeakers, by the names the configuration takes."""

import argparse
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import plugins


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed behind the verb."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Print the devices; 1 when there is none that can be used."""
    try:
        found = plugins.load("sound", "portaudio").devices()
    except (ImportError, OSError) as problem:
        print(f"PortAudio does not start: {problem}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([asdict(device) for device in found], indent=2))
        return 0 if found else 1
    if not found:
        print(
            "no sound device found; is one plugged in, and may this user use it "
            "(group audio)? `arecord -l` and `aplay -l` show what the kernel sees",
            file=sys.stderr,
        )
        return 1
    table = Table("index", "name", "microphone", "speaker", "Hz", "default", box=None)
    for device in found:
        table.add_row(
            str(device.index),
            Text(device.name),
            f"{device.inputs} ch" if device.inputs else "-",
            f"{device.outputs} ch" if device.outputs else "-",
            str(device.rate),
            ", ".join(device.default_for),
        )
    # A name comes out whole, also where the terminal is narrow or there is none.
    Console(width=1000).print(table)
    print(
        "Set `microphone` and `speaker` in [sound.portaudio] to a name, a part of one or an index."
    )
    return 0
