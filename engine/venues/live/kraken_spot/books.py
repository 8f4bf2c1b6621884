"""Levels of Kraken's book channel, for the symbols that somebody looks at.

A book is kept to the depth that was asked for: levels beyond it are not told to be gone (Kraken API
centre, WebSocket v2 book). Each message carries a checksum over the ten best levels of each
side; a book whose own differs is not shown, and asked for anew.
"""

import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.clock import Clock
from engine.model.quote import BookShown

DEPTH = 500
"""Levels of each side that are asked for: 10, 25, 100, 500 or 1,000."""
CHECKED = 10
Json = dict[str, Any]
Side = dict[Decimal, Decimal]


class Books:
    """The books that are looked at."""

    def __init__(self, clock: Clock, say: Callable[[Json], None]) -> None:
        """`say` sends a frame on the public line, and does nothing where there is none."""
        self._clock = clock
        self._say = say
        self._wanted: dict[str, None] = {}
        self._known: dict[str, tuple[Side, Side]] = {}
        self._at: dict[str, int] = {}

    def follow(self, symbol: str) -> None:
        """From now on somebody looks at it."""
        if symbol not in self._wanted:
            self._wanted[symbol] = None
            self._say(self._subscription(symbol))

    def leave(self, symbol: str) -> None:
        """Nobody looks at it any more."""
        if self._wanted.pop(symbol, self) is None:
            self._known.pop(symbol, None)
            self._say(self._subscription(symbol, "unsubscribe"))

    def opened(self) -> list[Json]:
        """What a new line is to be told."""
        self._known.clear()
        return [self._subscription(symbol) for symbol in self._wanted]

    @staticmethod
    def _subscription(symbol: str, method: str = "subscribe") -> Json:
        params = {"channel": "book", "symbol": [symbol], "depth": DEPTH}
        return {"method": method, "params": params}

    def hear(self, frame: Json) -> None:
        """Take in a frame of the channel. Raises what a frame that makes no sense raises."""
        for row in frame["data"]:
            symbol = str(row["symbol"])
            if frame.get("type") == "snapshot":
                self._known[symbol] = ({}, {})
            if symbol in self._known:
                self._change(symbol, row)

    def _change(self, symbol: str, row: Mapping[str, Any]) -> None:
        bids, asks = self._known[symbol]
        for side, name in ((bids, "bids"), (asks, "asks")):
            for level in row[name]:
                price, size = Decimal(str(level["price"])), Decimal(str(level["qty"]))
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)
        for side, beyond in ((bids, False), (asks, True)):
            for price in sorted(side, reverse=beyond)[: max(0, len(side) - DEPTH)]:
                del side[price]
        if int(row["checksum"]) == checksum(bids, asks):
            self._at[symbol] = self._clock.now()
            return
        del self._known[symbol]
        self._say(self._subscription(symbol, "unsubscribe"))
        self._say(self._subscription(symbol))

    def shown(self, symbol: str, count: int) -> BookShown | None:
        """At most `count` levels a side; None where nobody has told them."""
        sides = self._known.get(symbol)
        if sides is None:
            return None
        bids = tuple(sorted(sides[0].items(), reverse=True)[:count])
        return BookShown(self._at[symbol], bids, tuple(sorted(sides[1].items())[:count]), deep=True)


def checksum(bids: Side, asks: Side) -> int:
    """CRC32 over the ten best asks, then bids: prices and sizes as they were written, without the
    point and leading zeros.
    """
    rows = sorted(asks.items())[:CHECKED] + sorted(bids.items(), reverse=True)[:CHECKED]
    parts = (f"{number:f}".replace(".", "").lstrip("0") for row in rows for number in row)
    return zlib.crc32("".join(parts).encode())
