"""What is held, by what Kraken Futures lists of positions and accounts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.venues.live.kraken_names import currency
from engine.venues.live.numbers import positive


def net_of(positions: list[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return signed holdings by symbol. Raises what `UNREADABLE` lists where a position lacks a
    field.
    """
    net = dict[str, Decimal]()
    for row in positions:
        size = Decimal(str(row["size"])) * {"long": 1, "short": -1}[str(row["side"])]
        if size:
            net[str(row["symbol"]).upper()] = size
    return net


def entered_at(positions: list[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return the average price of each holding, by symbol; a position without one is left out."""
    return {
        str(row["symbol"]).upper(): price
        for row in positions
        if (price := positive(row.get("price"))) is not None
    }


def cash_of(accounts: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return what is in the flex account, by currency."""
    cash = dict[str, Decimal]()
    for code, row in (accounts.get("flex", {}).get("currencies") or {}).items():
        amount = Decimal(str(row["quantity"]))
        if amount:
            cash[currency(str(code).upper())] = amount
    return cash
