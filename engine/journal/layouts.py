"""Executions and trades as other journals and a tax return want them, one row each.

Tradervue: its generic import format (tradervue.com/help/generic). TradeZella: its generic template;
never tried against the site. Times are UTC: both ask for the zone when they import.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

Row = dict[str, object]


class Layout(Struct, frozen=True):
    """How a file looks."""

    of: str
    """What it is made of: fills or trades."""
    names: tuple[str, ...]
    """Its columns."""
    row: Callable[[Row], Row]


def _time(at: Any) -> datetime:
    return datetime.fromtimestamp(at // 1_000_000_000, UTC)


def _short(symbol: Any) -> str:
    """BTC/USD as BTCUSD."""
    return str(symbol).replace("/", "").partition(":")[0]


def _tradervue(fill: Row) -> Row:
    at = _time(fill["at"])
    return {
        "Date": f"{at:%Y-%m-%d}",
        "Time": f"{at:%H:%M:%S}",
        "Symbol": _short(fill["symbol"]),
        "Quantity": fill["size"],
        "Price": fill["price"],
        "Side": str(fill["side"]).capitalize(),
        "Commission": fill["fee_value"],
    }


def _tradezella(fill: Row) -> Row:
    at, symbol = _time(fill["at"]), str(fill["symbol"])
    return {
        "Date": f"{at:%m/%d/%y}",
        "Time": f"{at:%H:%M:%S}",
        "Symbol": _short(symbol),
        "Buy/Sell": str(fill["side"]).capitalize(),
        "Quantity": fill["size"],
        "Price": fill["price"],
        "Spread": "Crypto" if "/" in symbol else "Future",
        "Expiration": "",
        "Strike": "",
        "Call/Put": "",
        "Commission": fill["fee_value"],
        "Fees": "",
    }


def _tax(trade: Row) -> Row:
    """Gain is net of all fees. Cost and proceeds stand only where size times price is money of the
    trade's own currency; of a short the sale comes first.
    """
    symbol, currency = str(trade["symbol"]), trade["currency"]
    gain: Any = trade["realised_pnl"]
    size: Any = trade["size"]
    entry: Any = trade["entry_price"]
    opened, closed = _time(trade["opened_at"]), _time(trade["closed_at"])
    long = trade["side"] == "buy"
    cost: Decimal | str = ""
    proceeds: Decimal | str = ""
    if symbol.partition("/")[2] == currency and entry is not None:
        value = size * entry
        cost, proceeds = (value, value + gain) if long else (value - gain, value)
    acquired, sold = (opened, closed) if long else (closed, opened)
    return {
        "Description": f"{size.normalize():f} {symbol} {'long' if long else 'short'}",
        "Date acquired": f"{acquired:%Y-%m-%d}",
        "Date sold": f"{sold:%Y-%m-%d}",
        "Proceeds": proceeds,
        "Cost basis": cost,
        "Gain or loss": gain,
        "Fees included": trade["fees"],
        "Currency": currency,
        "Reference": trade["id"],
    }


LAYOUTS = {
    "tradervue": Layout(
        "fills",
        ("Date", "Time", "Symbol", "Quantity", "Price", "Side", "Commission"),
        _tradervue,
    ),
    "tradezella": Layout(
        "fills",
        (
            "Date", "Time", "Symbol", "Buy/Sell", "Quantity", "Price", "Spread", "Expiration",
            "Strike", "Call/Put", "Commission", "Fees",
        ),
        _tradezella,
    ),
    "tax": Layout(
        "trades",
        (
            "Description", "Date acquired", "Date sold", "Proceeds", "Cost basis", "Gain or loss",
            "Fees included", "Currency", "Reference",
        ),
        _tax,
    ),
}  # fmt: skip


def laid_out(rows: Iterable[Row], layout: Layout) -> Iterator[Row]:
    """The rows as a layout has them."""
    return (layout.row(row) for row in rows)
