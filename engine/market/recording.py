"""Prices as they come, in the files that a recorded market plays:
`ts_ns,symbol,bid,bid_size,ask,ask_size` and `ts_ns,symbol,price,size,side`.
"""

import csv
import gzip
from pathlib import Path
from typing import TextIO, cast

from engine.model.quote import Quote, Trade

QUOTES = ("ts_ns", "symbol", "bid", "bid_size", "ask", "ask_size")
TRADES = ("ts_ns", "symbol", "price", "size", "side")


class Recording:
    """Two files in a folder; what is there already is never overwritten."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.quotes = 0
        self.trades = 0
        self.paths = (folder / "quotes.csv.gz", folder / "trades.csv.gz")
        for path in self.paths:
            if path.exists():
                raise FileExistsError(
                    17, "there is a recording already; name another folder", str(path)
                )
        self._files = [
            cast("TextIO", gzip.open(path, "wt", newline="", encoding="utf-8"))  # noqa: SIM115 - `close` ends them
            for path in self.paths
        ]
        self._quotes, self._trades = (csv.writer(file) for file in self._files)
        self._quotes.writerow(QUOTES)
        self._trades.writerow(TRADES)
        self._last = 0

    def quote(self, quote: Quote) -> None:
        """Write a quote. Raises OSError."""
        row = (
            self._at(quote.at),
            quote.symbol,
            *(f"{value:f}" for value in (quote.bid, quote.bid_size, quote.ask, quote.ask_size)),
        )
        self._quotes.writerow(row)
        self.quotes += 1

    def trade(self, trade: Trade) -> None:
        """Write a trade. Raises OSError."""
        side = "" if trade.taker is None else trade.taker.value
        self._trades.writerow(
            (self._at(trade.at), trade.symbol, f"{trade.price:f}", f"{trade.size:f}", side)
        )
        self.trades += 1

    def _at(self, at: int) -> int:
        """A recorded market goes forward only."""
        self._last = max(self._last, at)
        return self._last

    def close(self) -> None:
        """Finish the files."""
        for file in self._files:
            file.close()
