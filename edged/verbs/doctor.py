"""Look at every part of this speaker, one after the other, with a fix for what is not well."""

import argparse
import json
import sys
from collections.abc import Sequence

from .. import schema
from ..doctor import _round
from ..doctor._finding import Verdict
from ..doctor._round import Outcome
from ..doctor._screen import Screen, terminal
from ..doctor._visit import Visit


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which checks, of which configuration, and for whom."""
    schema.arguments(parser)
    parser.add_argument(
        "checks",
        nargs="*",
        metavar="CHECK",
        help="only these, and those that they need: " + ", ".join(_round.names()),
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for programs")
    parser.add_argument(
        "--online", action="store_true", help="ask the provider, too; that costs nothing"
    )
    parser.add_argument(
        "--non-interactive",
        action="store_true",
        help="ask nobody for help, as where there is no terminal; what needs somebody is skipped",
    )


def run(options: argparse.Namespace) -> int:
    """0 when nothing fails; 1 when something does."""
    screen = Screen(terminal(stderr=options.json))
    asks = not options.non_interactive and sys.stdin.isatty() and screen.console.is_terminal
    visit = Visit(
        file=options.config,
        assignments=options.set,
        person=screen if asks else None,
        online=options.online,
        tell=screen.tell,
    )
    found: list[Outcome] = []
    with screen:
        for outcome in _round.outcomes(visit, options.checks):
            found.append(outcome)
            if not options.json:
                screen.show(outcome)
    if options.json:
        print(json.dumps(_told(found), ensure_ascii=False, indent=2))
    else:
        screen.console.print(_verdict(found))
    return 1 if _worst(found) == "fail" else 0


def _told(found: Sequence[Outcome]) -> dict[str, object]:
    checks = [{"name": each.name, "caption": each.caption, **vars(each.finding)} for each in found]
    return {"verdict": _worst(found), "checks": checks}


def _worst(found: Sequence[Outcome]) -> Verdict:
    there = {each.finding.verdict for each in found}
    order: tuple[Verdict, ...] = ("fail", "warn", "ok")
    return next((verdict for verdict in order if verdict in there), "skipped")


def _verdict(found: Sequence[Outcome]) -> str:
    """The whole in a sentence."""
    count = {
        verdict: sum(each.finding.verdict == verdict for each in found)
        for verdict in ("ok", "warn", "fail", "skipped")
    }
    parts = [
        f"{count[verdict]} {words}"
        for verdict, words in (
            ("fail", "must be mended"),
            ("warn", "should be"),
            ("skipped", "not looked at"),
        )
        if count[verdict]
    ]
    well = f"{count['ok']} of {len(found)} are well"
    if not parts:
        return f"All {len(found)} are well."
    return f"{well}; {', '.join(parts)}."
