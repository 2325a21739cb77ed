"""Measure how this box hears itself, and say what to set so that people can interrupt it."""

import argparse
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import control, schema
from ..acoustics.advice import Advice, advice
from ..acoustics.figures import Figures
from ..doctor import _box
from ..doctor._measured import Measured
from ..doctor._visit import Machine
from . import _socket


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which configuration, and what to leave out."""
    schema.arguments(parser)
    _socket.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the figures for programs")
    parser.add_argument("--no-voice", action="store_true", help="ask nobody to speak")
    parser.add_argument(
        "--volume", type=float, metavar="DB", help="play this loud instead of as it was left"
    )


def run(options: argparse.Namespace) -> int:
    """0 when the box is fit; 1 when something must be changed, or nothing can be measured."""
    settings = schema.from_options(options)
    if _running(options):
        print(
            "the speaker runs and holds the sound devices; stop it first: "
            "systemctl stop edged (and start it afterwards)",
            file=sys.stderr,
        )
        return 1
    screen = Console(stderr=True)
    machine = Machine()
    where = _box.folder(machine, options.config)
    volume_db = options.volume if options.volume is not None else _box.volume_db(settings, where)
    asks = not options.no_voice and sys.stdin.isatty()
    measured = _measure(settings, volume_db, screen, asks)
    figures = measured.figures
    told = list(advice(figures, settings.volume.lowest_db))
    kept = _box.keep(measured, machine, where)
    if options.json:
        words = [asdict(each) for each in told]
        best = asdict(measured.best)
        print(json.dumps({**asdict(figures), "recommended": best, "advice": words}))
    else:
        _show(figures, told)
        if kept:
            print(f"(kept in {kept})")
    return 1 if any(each.must for each in told) else 0


def _measure(settings: schema.Settings, volume_db: float, screen: Console, asks: bool) -> Measured:
    with screen.status("") as status:

        def tell(what: str, seconds: float) -> None:
            words = f"{what} ({seconds:.0f} s)" if seconds else what
            status.update(words)
            if not screen.is_terminal:
                screen.print(words)

        def ask() -> None:
            screen.print("[bold]Say a sentence from where you usually stand.[/bold]")

        return _box.measure(settings, volume_db, tell, ask if asks else None)


def _running(options: argparse.Namespace) -> bool:
    """Whether a speaker answers; one that may not be asked shows when its devices are busy."""
    try:
        _socket.ask(options, control.Request("status"))
    except control.ControlError:
        return False
    return True


def _show(figures: Figures, told: list[Advice]) -> None:
    table = Table(box=None, show_header=False)
    for name, value in _rows(figures):
        table.add_row(name, Text(value))
    # A device's name comes out whole, also where the terminal is narrow or there is none.
    Console(width=1000).print(table)
    for each in told:
        print("!" if each.must else "-", each.text)


def _rows(figures: Figures) -> list[tuple[str, str]]:
    """What was found, in words."""
    nobody = "" if figures.near_measured else " (nobody spoke: what is usual)"
    rows = [
        ("microphone", figures.microphone),
        ("loudspeaker", f"{figures.speaker}, at {figures.volume_db:g} dB"),
        ("the room", f"{figures.noise_dbfs:.0f} dBFS"),
        ("your voice", f"{figures.near_dbfs:.0f} dBFS{nobody}"),
    ]
    if figures.echo_dbfs is not None and figures.ser_db is not None:
        rows += [
            ("its own voice", f"{figures.echo_dbfs:.0f} dBFS, peak {figures.echo_peak_dbfs:.0f}"),
            ("you over it (SER)", f"{figures.ser_db:+.0f} dB"),
            (
                "delay",
                f"{figures.delay_ms:.0f} ms, {figures.path_ms:.0f} of them unknown to the "
                f"devices, within {figures.spread_ms:.1f} ms",
            ),
        ]
        drift = "unsteady"
        if figures.drift_ppm is not None:
            drift = f"{figures.drift_ppm:+.0f} ppm, within {figures.drift_within_ppm:.0f}"
        rows.append(("clocks apart", drift))
    rows.append(("cut off", f"{figures.clipped} samples"))
    return rows
