"""The report of a run, as `scenario.md` lays it down: money as text, times as ISO-8601 UTC with
nanoseconds. Fields may be added, none renamed.
"""

import resource
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from engine.desk import State
from engine.journal import Journal
from engine.market import RecordedMarket
from engine.model import figures
from engine.model.money import plain
from engine.model.view import AccountView, PeriodView


class Tally(Struct):
    """What a run counts."""

    quotes: int = 0
    trades: int = 0
    candles: int = 0
    depths: int = 0
    messages: int = 0
    first: int | None = None
    last: int | None = None
    statistics: dict[str, int] = field(default_factory=dict)
    low_water: float | None = None
    resolved: int = 0


def iso(at: int | None) -> str | None:
    """Nanoseconds as `2024-08-08T23:54:14.087891268Z`."""
    if at is None:
        return None
    seconds, nanoseconds = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def money(value: object) -> str | None:
    """An exact number as text."""
    return plain(value) if isinstance(value, Decimal) else None


def _row(
    row: Mapping[str, Any], texts: Iterable[str], amounts: Iterable[str], times: Iterable[str]
) -> dict[str, Any]:
    told: dict[str, Any] = {name: row[name] for name in texts}
    told.update((name, money(row[name])) for name in amounts)
    told.update((name, iso(row[name])) for name in times)
    return told


def orders(journal: Journal) -> list[dict[str, Any]]:
    """Every order that was ever decided."""
    return [
        _row(
            row,
            (
                "client_order_id",
                "venue_order_id",
                "position",
                "symbol",
                "side",
                "type",
                "role",
                "status",
                "reduce_only",
                "reason",
                "label",
            ),
            ("size", "filled", "average_price", "price", "trigger"),
            ("created_at", "closed_at"),
        )
        for row in journal.rows("orders")
    ]


def fills(journal: Journal) -> list[dict[str, Any]]:
    """Every execution."""
    return [
        _row(
            row,
            (
                "execution_id",
                "client_order_id",
                "position",
                "symbol",
                "side",
                "fee_currency",
                "liquidity",
            ),
            ("price", "size", "fee"),
            ("at",),
        )
        for row in journal.rows("fills")
    ]


def positions(journal: Journal, state: State, ended_at: int) -> list[dict[str, Any]]:
    """Every position that ever held something. `size` is what was entered; `held` what is left."""
    told = []
    for row in journal.rows("positions"):
        if row["opened_at"] is None:
            continue
        still = state.positions.get(str(row["id"]))
        naked: Any = row["naked_ns"] if still is None else still.naked_until(ended_at)
        tags: Any = row["tags"]
        line = _row(
            row,
            ("id", "label", "symbol", "side", "close_reason", "protection", "currency"),
            (
                "entry_price",
                "exit_price",
                "realised_pnl",
                "fees",
                "r_multiple",
                "mae",
                "mfe",
                "stop",
                "target",
            ),
            ("opened_at", "closed_at"),
        )
        goals = () if still is None else still.goals_left(state.instruments[still.symbol])
        line["targets"] = [{"price": money(price), "size": money(size)} for price, size in goals]
        line["held"], line["size"] = money(row["size"]), money(row["entry_size"])
        line["naked_seconds"] = plain(Decimal(naked) / 1_000_000_000)
        line["notes"], line["tags"] = row["note"], list(tags)
        line |= _figures(state, str(row["id"]))
        told.append(line)
    return told


def _figures(state: State, name: str) -> dict[str, Any]:
    """1R, funding, and excursions in R of a position that is still at hand; null where they are not
    known.
    """
    position = state.positions.get(name) or state.closed.get(name)
    if position is None:
        return {"one_r": None, "funding": None, "mae_r": None, "mfe_r": None}
    instrument, known = state.instruments[position.symbol], state.money_of(name)
    mae, mfe = figures.excursions(position, known, instrument)
    unit = figures.one_r(position, known, instrument)
    return {
        "one_r": money(unit),
        "funding": plain(known.funding),
        "mae_r": money(mae),
        "mfe_r": money(mfe),
    }


def alerts(journal: Journal) -> list[dict[str, Any]]:
    """Every alert, in the order in which they were raised."""
    return [
        _row(row, ("severity", "code", "subject", "text"), (), ("at", "cured_at"))
        for row in journal.rows("alerts")
    ]


def account(view: AccountView, state: State) -> dict[str, Any]:
    """The account at the end."""
    return {
        "currency": view.currency,
        "cash": {name: plain(amount) for name, amount in sorted(view.cash.items())},
        "equity": money(view.equity),
        "unpriced": list(view.unpriced),
        "realised_pnl": plain(view.realised - view.fees),
        "unrealised_pnl": plain(view.unrealised),
        "fees": plain(view.fees),
        "financing": plain(view.financing),
        "max_drawdown": plain(max(state.day.trough, view.drawdown)),
        "at_stops": money(view.at_stops),
        "unbounded": view.unbounded,
        "periods": {one.name: _period(one) for one in view.periods},
    }


def _period(view: PeriodView) -> dict[str, Any]:
    """Day, session or all, by the names of the P&L pane."""
    names = (
        "result",
        "realised",
        "unrealised",
        "fees",
        "funding",
        "other",
        "exit_fees",
        "if_flat",
        "drawdown",
        "deepest",
    )
    told: dict[str, Any] = {name: money(getattr(view, name)) for name in names}
    return told | {"closed": view.closed, "began_at": iso(view.began_at)}


def requests(tally: Tally) -> dict[str, Any]:
    """What was sent, and what became of it."""
    counted, low = tally.statistics, tally.low_water
    return {
        **{
            name: counted.get(name, 0) for name in ("submit", "amend", "cancel", "query", "retried")
        },
        "in_doubt": counted.get("unknown", 0),
        "in_doubt_resolved": tally.resolved,
        "rate_limited_by_venue": counted.get("rate_limited_by_venue", 0),
        "tokens_low_water": None if low is None else plain(Decimal(str(round(low, 6)))),
    }


def market(tally: Tally, recorded: RecordedMarket | None) -> dict[str, Any]:
    """What was played, and which rows of its files were not."""
    skipped = () if recorded is None else recorded.skipped_rows
    return {
        "quotes": tally.quotes,
        "trades": tally.trades,
        "candles": tally.candles,
        "depths": tally.depths,
        "skipped": 0 if recorded is None else recorded.skipped,
        "files": [] if recorded is None else list(recorded.told),
        "skipped_rows": [
            {"file": Path(row.path).name, "line": row.line, "reason": row.reason} for row in skipped
        ],
        "first": iso(tally.first),
        "last": iso(tally.last),
    }


def wall(tally: Tally, seconds: float) -> dict[str, Any]:
    """What it cost: not the same twice."""
    told = tally.quotes + tally.trades + tally.candles + tally.depths + tally.messages
    return {
        "seconds": round(seconds, 3),
        "messages_per_second": round(told / seconds),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
