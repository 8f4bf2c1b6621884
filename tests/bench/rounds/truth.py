"""What really happened at the venue, and what must hold of it. Nothing of the desk, of the gate or
of the last exit is asked here.
"""

import json
import sqlite3
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

Json = dict[str, Any]  # whatever a venue says
D = Decimal
ZERO = D(0)
OURS = "FO"
"""Begins each client order id of ours."""
OPEN = frozenset({"open", "partially-filled"})
STOPS = frozenset({"stop", "stop-limit", "trailing-stop"})
DUST = {
    "BTC/USD": D("0.0001"),
    "ETH/USD": D("0.005"),
    "PF_XBTUSD": D("0.0001"),
    "PF_ETHUSD": D("0.002"),
}
"""What is below the least that may be ordered, or near to it."""
ENTERS = {"BTC/USD": "buy", "ETH/USD": "buy", "PF_XBTUSD": "buy", "PF_ETHUSD": "sell"}
"""By symbol: the side on which the rounds enter; the other side only ever leaves."""
COIN = {"BTC/USD": "BTC", "ETH/USD": "ETH"}


class Row(Struct, frozen=True):
    """One order."""

    client: str
    symbol: str
    side: str
    type: str
    size: Decimal
    filled: Decimal
    status: str
    at: int

    @property
    def is_ours(self) -> bool:
        """Whether our program sent it."""
        return self.client.startswith(OURS)


class Execution(Struct, frozen=True):
    """One fill."""

    client: str
    symbol: str
    side: str
    size: Decimal
    at: int


class Truth(Struct, frozen=True):
    """One moment of the account."""

    orders: tuple[Row, ...]
    executions: tuple[Execution, ...]
    """Oldest first."""
    cash: Mapping[str, Decimal]
    net: Mapping[str, Decimal]
    """Derivatives, signed."""

    def held(self) -> dict[str, Decimal]:
        """By symbol: what our orders opened and have not closed, above zero; below it, more left
        than had come in.
        """
        found: dict[str, Decimal] = defaultdict(Decimal)
        for fill in self.executions:
            if fill.client.startswith(OURS):
                found[fill.symbol] += fill.size if fill.side == ENTERS[fill.symbol] else -fill.size
        return found

    def ours(self) -> list[Row]:
        """Our orders that are open."""
        return [row for row in self.orders if row.is_ours and row.status in OPEN]

    def naked(self) -> dict[str, str]:
        """Symbols in which something of ours is held without a resting stop for all of it: how much
        of how much.
        """
        found: dict[str, str] = {}
        stops: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.ours():
            if row.type in STOPS and row.side != ENTERS[row.symbol]:
                stops[row.symbol] += row.size - row.filled
        for symbol, size in self.held().items():
            if size > DUST[symbol] and stops[symbol] < size - DUST[symbol]:
                found[symbol] = f"{size - stops[symbol]} of {size}"
        return found

    def left(self) -> list[str]:
        """What is in the way of the word flat."""
        held = [
            f"{size} {symbol}" for symbol, size in self.held().items() if abs(size) > DUST[symbol]
        ]
        return [
            *held,
            *(
                f"{row.type} {row.side} {row.size} {row.symbol} {row.client} rests"
                for row in self.ours()
            ),
        ]


def broken(
    truth: Truth, asked: Mapping[str, set[Decimal]], own: Mapping[str, Decimal]
) -> list[tuple[str, str]]:
    """What must not be: (kind, words) each.

    `asked` are the sizes of entries by symbol, each asked for once; `own` the owner's coins by
    currency.
    """
    found: list[tuple[str, str]] = []
    taken = Counter(row.client for row in truth.orders if row.is_ours and row.status != "rejected")
    found += [
        ("doubled", f"{client} was accepted {count} times")
        for client, count in taken.items()
        if count > 1
    ]
    entries = [
        row for row in truth.orders if row.is_ours and row.side == ENTERS[row.symbol] and row.filled
    ]
    sizes = Counter((row.symbol, row.size) for row in entries)
    found += [
        ("doubled", f"{size} {symbol} was entered {count} times")
        for (symbol, size), count in sizes.items()
        if count > 1
    ]
    found += [
        ("unasked", f"{row.size} {row.symbol} was never asked")
        for row in entries
        if row.size not in asked[row.symbol]
    ]
    running: dict[str, Decimal] = defaultdict(Decimal)
    worst: dict[str, Decimal] = {}
    for fill in truth.executions:
        if fill.client.startswith(OURS):
            running[fill.symbol] += fill.size if fill.side == ENTERS[fill.symbol] else -fill.size
            if running[fill.symbol] < -DUST[fill.symbol]:
                worst[fill.symbol] = min(worst.get(fill.symbol, ZERO), running[fill.symbol])
    found += [
        ("oversold", f"{size} {symbol} beyond what was entered") for symbol, size in worst.items()
    ]
    for symbol, coin in COIN.items():
        if coin in own and truth.cash.get(coin, ZERO) < own[coin] - DUST[symbol]:
            found.append(
                ("own coins", f"{truth.cash.get(coin, ZERO)} {coin} of the owner's {own[coin]}")
            )
    return found


def of_paper(path: Path) -> Truth:
    """The account in `paper.sqlite`, which is only read."""
    database = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0, isolation_level=None
    )
    try:
        database.execute("BEGIN")
        (body,) = database.execute("SELECT body FROM fact WHERE name = 'account'").fetchone()
        orders = [
            json.loads(one, parse_float=D) for (one,) in database.execute("SELECT body FROM orders")
        ]
        fills = [
            json.loads(one, parse_float=D)
            for (one,) in database.execute("SELECT body FROM fills ORDER BY at, rowid")
        ]
    finally:
        database.close()
    account = json.loads(body, parse_float=D)
    return Truth(
        tuple(_row(row, row["client_order_id"]) for row in orders),
        tuple(_fill(row, row["client_order_id"]) for row in fills),
        {name: D(str(amount)) for name, amount in account["cash"].items()},
        {symbol: D(str(holding.get("size", 0))) for symbol, holding in account["holdings"].items()},
    )


def levels_of_paper(path: Path) -> list[list[Any]]:
    """Counters of the limit model as the paper venue wrote them last: name, used, capacity,
    when.
    """
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    try:
        (body,) = database.execute("SELECT body FROM fact WHERE name = 'account'").fetchone()
    finally:
        database.close()
    return [
        [row["name"], row["used"], row["capacity"], row["at"]] for row in json.loads(body)["levels"]
    ]


def of_wire(rest: str) -> Truth:
    """`GET /truth`."""
    with urllib.request.urlopen(f"{rest}/truth?requests=false", timeout=30) as answer:
        told = json.loads(answer.read(), parse_float=D)
    return Truth(
        tuple(_row(row, row["label"]["client"]) for row in told["orders"]),
        tuple(_fill(row, row["client"]) for row in told["executions"]),
        {name: D(str(amount)) for name, amount in told["accounts"]["cash"].items()},
        {symbol: D(str(size)) for symbol, size in told["accounts"]["net"].items()},
    )


def _row(row: Json, client: str) -> Row:
    size, filled = D(str(row["size"])), D(str(row.get("filled", 0)))
    return Row(
        client,
        row["symbol"],
        row["side"],
        row["type"],
        size,
        filled,
        row.get("status", "pending"),
        row.get("created_at", 0) or 0,
    )


def _fill(row: Json, client: str) -> Execution:
    return Execution(client, row["symbol"], row["side"], D(str(row["size"])), row["at"])
