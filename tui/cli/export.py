"""`flatout export`: rows of the read models, to a file or to standard output."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from engine.inspection import looking
from engine.journal import Journal, JournalError
from engine.journal import export as exports
from engine.journal.latest import KEYS, caught_up, latest
from engine.journal.layouts import LAYOUTS, laid_out
from engine.journal.shapes import columns
from engine.model import blotter
from tui.cli.bars import busy, counting
from tui.cli.chosen import account_of
from tui.cli.common import FILE, Common
from tui.cli.journal import open_journal
from tui.cli.output import say
from tui.cli.whole import whole

TABLES: dict[str, Any] = {
    "orders": "orders",
    "fills": "fills",
    "positions": "positions",
    "alerts": "alerts",
    "equity": "equity",
    "trades": "trades",
    "refusals": "refusals",
    "snapshots": "position_snapshots",
    "daily": "daily_pnl",
    "fees": "fees_by_symbol",
}
"""What can be exported, and the table or view that it is."""
WHAT = (*TABLES, "blotter")


class Wanted(Struct, frozen=True):
    """What was asked for."""

    what: str
    form: str
    output: Path | None
    iso: bool
    layout: str | None


@click.command("export")
@click.argument("what", type=click.Choice(WHAT))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "parquet"]),
    default="csv",
    show_default=True,
)
@click.option(
    "--output",
    "-o",
    type=FILE,
    help="The file to write; default: standard output (not for parquet).",
)
@click.option("--iso", is_flag=True, help="Times as ISO text in UTC; default: nanoseconds.")
@click.option(
    "--layout",
    type=click.Choice(list(LAYOUTS)),
    help="As another journal imports it: fills for tradervue and tradezella, trades for tax.",
)
@click.pass_obj
def command(common: Common, /, **options: Any) -> None:
    """Write orders, fills, positions, alerts, the equity, trades, refusals and more to a file.

    `trades`: all positions that ended. `snapshots`: how positions stood, each minute and at each
    change. `daily`, `fees`: sums by day and by symbol. `blotter`: the last 100 positions that
    ended, with R, MAE and MFE in R, fees and funding.
    """
    sys.exit(export_rows(common, Wanted(**options)))


def _blotter(common: Common) -> Iterator[dict[str, object]]:
    """The positions that ended, as the journal tells them, oldest first."""
    resolved = account_of(common)
    known = looking.last_known(resolved.settings, resolved.folder)
    return (blotter.row(one) for one in reversed(known.view.closed))


def _rows(common: Common, journal: Journal, what: str) -> Iterator[dict[str, object]]:
    """A read model's rows; those of what is open as the events say, which are never behind."""
    if what == "blotter":
        return _blotter(common)
    name = TABLES[what]
    if name not in KEYS:
        return journal.rows(name)
    resolved = account_of(common)
    state = looking.last_state(resolved.settings, resolved.folder)
    held = [
        (one, state.instruments[one.symbol], state.money_of(one.id))
        for one in state.positions.values()
    ]
    return caught_up(name, journal.rows(name), latest(name, state.orders.values(), held))


def _columns(what: str) -> dict[str, bool]:
    """The columns, and which of them are times."""
    if what == "blotter":
        return {name: name.endswith("_at") for name in blotter.FIELDS}
    return columns(TABLES[what])


def _write_file(
    rows: Iterator[dict[str, object]], output: Path, wanted: Wanted, names: list[str]
) -> None:
    """Write a file whole, or leave what was there. Raises OSError, ExtraMissingError."""
    what = f"exporting {wanted.what}"
    with busy(what) as hear, whole(output) as path:
        rows = counting(rows, what, hear)
        if wanted.form == "parquet":
            exports.write_parquet(rows, path, names)
            return
        write = exports.write_json if wanted.form == "json" else exports.write_csv
        with path.open("w", encoding="utf-8", newline="") as file:
            write(rows, file, names)


def export_rows(common: Common, wanted: Wanted) -> int:
    """Stream the rows of a read model."""
    what, form, output = wanted.what, wanted.form, wanted.output
    layout = LAYOUTS[wanted.layout] if wanted.layout else None
    if form == "parquet" and output is None:
        say("flatout export: parquet needs --output FILE", err=True)
        return 2
    if layout is not None and layout.of != what:
        say(f"flatout export: --layout {wanted.layout} is of {layout.of}", err=True)
        return 2
    journal, _ = open_journal(common)
    write = exports.write_json if form == "json" else exports.write_csv
    kinds = _columns(what)
    names = list(kinds) if layout is None else list(layout.names)
    try:
        with busy(f"reading {what}"):
            rows = _rows(common, journal, what)
        if layout is not None:
            rows = laid_out(rows, layout)
        elif wanted.iso:
            rows = exports.iso(rows, {name for name, is_time in kinds.items() if is_time})
        if output is None:
            write(rows, sys.stdout, names)
        else:
            _write_file(rows, output, wanted, names)
    except (JournalError, OSError, exports.ExtraMissingError) as error:
        say(f"flatout export: {error}", err=True)
        return 1
    finally:
        journal.close()
    return 0
