"""Show what was spent on each day and on what, and how much of what may be spent is left."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from functools import reduce
from math import ceil
from operator import add
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .. import config, ledger, night, schema, store
from ..core.budget import Budget, Prices, Purse
from ..ledger import Day
from ._screen import console

_SERVICE = Path("/var/lib/edged")
"""Where the service keeps its state."""
_LONGEST = 40
"""The bar of the day on which most was spent, in characters."""
_UNDATED = "without date"


def arguments(parser: argparse.ArgumentParser) -> None:
    """How far back, for whom, and whose books."""
    parser.add_argument(
        "--days", type=_count, default=14, metavar="N", help="show the last N days (14)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"the speaker that is meant was started with this instead of {schema.FILE}",
    )


def run(options: argparse.Namespace) -> int:
    """0 while there is something left, or no limit; 1 when no session would be opened any more.

    `ledger.Unreadable` when nobody can say.
    """
    days = _books(options.config)
    budget, prices = _configured(options.config)
    today = date.today().isoformat() if night.clock_is_set() else ""
    purse = Purse(prices, budget, "")
    purse.turned(*ledger.sums(days, today))
    shown = _last(days, today, options.days)
    if options.json:
        print(json.dumps(_told(purse, budget, today, shown) | {"prices_as_of": prices.as_of}))
    else:
        console().print(_drawn(purse, budget, today, shown))
        print(f"reckoned at the prices of {prices.as_of}: see [prices] in the configuration")
    return 1 if purse.spent_out else 0


def _books(file: Path | None) -> Mapping[str, Day]:
    """Those of the speaker that is meant: for root the service's before their own."""
    places = [store.folder()]
    if file is None and "STATE_DIRECTORY" not in os.environ:
        places.insert(0 if os.geteuid() == 0 else 1, _SERVICE)
    return next((days for place in places if (days := ledger.read(place))), {})


def _configured(file: Path | None) -> tuple[Budget, Prices]:
    """What may be spent; what is wrong there is told, and what is elsewhere not even read."""
    document = config.layers(file or schema.FILE, needed=file is not None)
    reader = config.Reader(document)
    found = reader.section(("budget",), Budget), reader.section(("prices",), Prices)
    for mistake in document.ordered():
        print(f"edged usage: {mistake} (passed over)", file=sys.stderr)
    return found


def _last(days: Mapping[str, Day], today: str, count: int) -> dict[str, Day]:
    """The last days, the oldest first, those too on which nothing was spent.

    Where nobody knows which day it is: those in the books. What has no date comes last, as "".
    """
    dates = sorted(day for day in days if day)[-count:]
    if today:
        now = date.fromisoformat(today)
        dates = [(now - timedelta(days=ago)).isoformat() for ago in reversed(range(count))]
    return {day: days.get(day, Day()) for day in [*dates, *([""] if "" in days else [])]}


def _told(purse: Purse, budget: Budget, today: str, shown: Mapping[str, Day]) -> dict[str, object]:
    return {
        "today": today or None,
        "clock_is_set": bool(today),
        "day_usd": purse.day_usd,
        "day_limit_usd": budget.day_usd or None,
        "month_usd": purse.month_usd,
        "month_limit_usd": budget.month_usd or None,
        "spent_out": purse.spent_out,
        "days": {day or _UNDATED: spent.kinds() for day, spent in shown.items()},
    }


def _drawn(purse: Purse, budget: Budget, today: str, shown: Mapping[str, Day]) -> RenderableType:
    chart = Table.grid(padding=(0, 2))
    most = max((spent.usd for spent in shown.values()), default=0.0)
    for day, spent in shown.items():
        answers = f"{spent.answers} answer{'' if spent.answers == 1 else 's'}"
        told = Text(answers if spent.answers else "", "dim")
        length = ceil(_LONGEST * spent.usd / most) if most else 0
        chart.add_row(day or _UNDATED, Text("━" * length, "green"), _usd(spent.usd), told)
    totals = Table.grid(padding=(0, 2))
    for name, usd, limit in (
        ("today", purse.day_usd, budget.day_usd),
        ("this month", purse.month_usd, budget.month_usd),
    ):
        used = usd / limit if limit else 0.0
        of = f"of {limit:.2f} USD, {100 * used:.0f} %" if limit else "USD, no limit"
        style = "bold red" if used >= 1 else "yellow" if used >= budget.warn_share else ""
        totals.add_row(name, Text(_usd(usd), style), Text(of, style))
    parts: list[RenderableType] = [chart, Text(), _kinds(shown), Text(), totals]
    if purse.spent_out:
        parts.append(Text(f"no session is opened: {purse.state}", "bold red"))
    if not today:
        parts.append(
            Text(
                "the clock of this machine is not set: what is spent has no date until it is, and "
                "the last day in the books is taken for today",
                "yellow",
            )
        )
    return Group(*parts)


def _kinds(shown: Mapping[str, Day]) -> Table:
    """What all of it was spent on."""
    total = reduce(add, shown.values(), Day())
    table = Table.grid(padding=(0, 2))
    for name, tokens, cached in (
        ("sound heard", total.audio_in, total.cached_audio),
        ("sound spoken", total.audio_out, 0),
        ("text read", total.text_in, total.cached_text),
        ("text written", total.text_out, 0),
        ("transcribed", total.transcribed_in + total.transcribed_out, 0),
    ):
        if tokens:
            before = f", {cached:,} of them cached" if cached else ""
            table.add_row(name, f"{tokens:,} tokens{before}")
    for name, seconds in (("transcribed", total.transcribed_s), ("on the line", total.session_s)):
        if seconds:
            table.add_row(name, f"{seconds / 60:.1f} min")
    return table


def _usd(usd: float) -> str:
    return f"{usd:9.4f}"


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 400:
        raise argparse.ArgumentTypeError(f"{text}: a number of days, 1 to 400")
    return int(text)
