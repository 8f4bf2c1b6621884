"""The report of a run, as `scenario.md` lays it down: money as text, times as ISO-8601 UTC with nanoseconds. Fields may be added, none renamed."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.desk.state import State
from engine.journal import Journal
from engine.model.money import plain


def iso(at: int | None) -> str | None:
    """Nanoseconds as `2024-08-08T23:54:14.087891268Z`."""
    if at is None:
        return None
    seconds, nanoseconds = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def money(value: object) -> str | None:
    """An exact number as text."""
    return plain(value) if isinstance(value, Decimal) else None


def _row(row: Mapping[str, Any], texts: Iterable[str], amounts: Iterable[str], times: Iterable[str]) -> dict[str, Any]:
    told: dict[str, Any] = {name: row[name] for name in texts}
    told.update((name, money(row[name])) for name in amounts)
    told.update((name, iso(row[name])) for name in times)
    return told


def orders(journal: Journal) -> list[dict[str, Any]]:
    """Every order that was ever decided."""
    return [
        _row(
            row,
            ("client_order_id", "venue_order_id", "position", "symbol", "side", "type", "role", "status", "reduce_only", "reason", "label"),
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
            ("execution_id", "client_order_id", "position", "symbol", "side", "fee_currency", "liquidity"),
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
            ("entry_price", "exit_price", "realised_pnl", "fees", "r_multiple", "mae", "mfe", "stop", "target"),
            ("opened_at", "closed_at"),
        )
        line["held"], line["size"] = money(row["size"]), money(row["entry_size"])
        line["naked_seconds"] = plain(Decimal(naked) / 1_000_000_000)
        line["notes"], line["tags"] = row["note"], list(tags)
        told.append(line)
    return told


def alerts(journal: Journal) -> list[dict[str, Any]]:
    """Every alert, in the order in which they were raised."""
    return [_row(row, ("severity", "code", "subject", "text"), (), ("at", "cured_at")) for row in journal.rows("alerts")]
