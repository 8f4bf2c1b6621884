"""Kraken Futures' public feeds: best prices from the book, funding and the market's mode from the
ticker.

The ticker is throttled to one frame a second (Kraken API centre, WebSocket ticker, read 2026-11): a
guard on it acts a second late. It is what prices come from only while there is no book, and what
says that a book which does not move is still right.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from engine.clock import SECOND
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.money import ZERO
from engine.model.quote import BookShown, Quote, Trade
from engine.model.side import Side
from engine.venues.live.kraken_futures.base import FuturesBase
from engine.venues.live.kraken_futures.rows import MILLISECOND, UNREADABLE
from engine.venues.live.socket import Json, Socket, StreamError

DOUBTFUL = 2 * SECOND
"""A price that is older than this when it comes, or younger than now, makes us ask for the
exchange's time.
"""
CONTRADICTED = 3
"""So many tickers in a row that tell other prices than a book that has not moved: the book is asked
for anew.
"""


class Ladder:
    """One product's book. Levels change one by one: between two of them it may be crossed, and then
    it tells no prices.
    """

    __slots__ = ("best", "contradicted", "seq", "sides")

    def __init__(self, frame: Json) -> None:
        """Raises what `UNREADABLE` lists for a snapshot that lacks a field."""
        self.sides: dict[str, dict[Decimal, Decimal]] = {}
        for side, name in (("buy", "bids"), ("sell", "asks")):
            rows = ((Decimal(str(row["price"])), Decimal(str(row["qty"]))) for row in frame[name])
            self.sides[side] = {price: size for price, size in rows if size}
        self.best = {side: self._best(side) for side in self.sides}
        self.seq, self.contradicted = int(frame["seq"]), 0

    def _best(self, side: str) -> Decimal | None:
        levels = self.sides[side]
        return None if not levels else max(levels) if side == "buy" else min(levels)

    def change(self, frame: Json) -> bool:
        """Take in a level; whether a best price or its size is another one. Raises StreamError for
        a gap, and as the snapshot does.
        """
        side, price, size, seq = (
            str(frame["side"]),
            Decimal(str(frame["price"])),
            Decimal(str(frame["qty"])),
            int(frame["seq"]),
        )
        if seq <= self.seq:
            return False
        if seq != self.seq + 1:
            raise StreamError(f"messages {self.seq + 1} to {seq - 1} of the book are missing")
        self.seq, levels, best = seq, self.sides[side], self.best[side]
        if size:
            levels[price] = size
        else:
            levels.pop(price, None)
        better = best is None or (price >= best if side == "buy" else price <= best)
        if better:
            self.best[side] = self._best(side) if not size else price
            self.contradicted = 0
        return better

    def quote(self, symbol: str, at: int) -> Quote | None:
        """The best prices; None while there are none, or they are crossed."""
        bid, ask = self.best["buy"], self.best["sell"]
        if bid is None or ask is None or bid >= ask:
            return None
        return Quote(symbol, at, bid, self.sides["buy"][bid], ask, self.sides["sell"][ask])

    def shown(self, at: int, count: int) -> BookShown:
        """At most `count` levels a side, best first."""
        bids = tuple(sorted(self.sides["buy"].items(), reverse=True)[:count])
        return BookShown(at, bids, tuple(sorted(self.sides["sell"].items())[:count]), deep=True)


class PublicStream:
    """Prices."""

    def __init__(self, venue: FuturesBase) -> None:
        self._venue = venue
        self._rates: dict[str, tuple[Decimal, int]] = {}
        self._books: dict[str, Ladder] = {}
        self._told: dict[str, int] = {}
        """When the book of a product was last told to be so."""
        self.socket = Socket(
            venue.stream_url(),
            opened=self._opened,
            heard=self._heard,
            lost=lambda _: None,  # prices that stop are stale, and the desk sees that by itself
            silence=venue.profile.silence,
            broke=lambda text: venue.broke("prices", text),
        )

    async def _opened(self, socket: Socket) -> None:
        self._books.clear()
        for wanted in self._subscriptions(self._venue.heard):
            await socket.send(wanted)
        await socket.send({"event": "subscribe", "feed": "heartbeat"})

    def _subscriptions(self, symbols: Iterable[str], event: str = "subscribe") -> list[Json]:
        """What asks for the prices and, where somebody hears them, the trades of products."""
        feeds = ("book", "ticker", *(("trade",) if self._venue.on_trade is not None else ()))
        return [{"event": event, "feed": feed, "product_ids": list(symbols)} for feed in feeds]

    def hear(self, symbols: Sequence[str]) -> None:
        """Ask for the prices of more products; a new line asks for them by itself."""
        for wanted in self._subscriptions(symbols):
            self.socket.later(wanted)

    def leave(self, symbol: str) -> None:
        """Ask for the prices of a product no more."""
        self._books.pop(symbol, None)
        for unwanted in self._subscriptions([symbol], "unsubscribe"):
            self.socket.later(unwanted)

    def _heard(self, frame: Any) -> None:
        if not isinstance(frame, dict):
            raise StreamError("a frame that is no object")
        event, feed = frame.get("event"), str(frame.get("feed", ""))
        if event in ("error", "alert", "subscribed_failed"):
            self._refused(str(frame.get("message", "")))
        if event is not None:
            return
        try:
            self._row(feed, frame)
        except UNREADABLE:
            self._venue.skipped(feed, str(frame.get("product_id") or "of no product"), "")

    def _row(self, feed: str, frame: Json) -> None:
        if feed == "ticker":
            self._mode(frame)
            self._funding(frame)
            self._ticker(frame)
        elif feed == "book_snapshot":
            symbol = str(frame["product_id"]).upper()
            if symbol not in self._venue.unheard:
                self._books[symbol] = Ladder(frame)
                self._tell(symbol, frame.get("timestamp"))
        elif feed == "book":
            self._level(str(frame["product_id"]).upper(), frame)
        elif feed == "trade" and self._venue.on_trade is not None:
            symbol, at = (
                str(frame["product_id"]).upper(),
                self._venue.ours(int(frame["time"]) * MILLISECOND),
            )
            if symbol in self._venue.unheard:
                return
            self._venue.on_trade(
                Trade(
                    symbol,
                    at,
                    Decimal(str(frame["price"])),
                    Decimal(str(frame["qty"])),
                    Side(str(frame["side"])),
                )
            )

    def _refused(self, text: str) -> None:
        """A subscription was refused: the others go on."""
        if not text.startswith("Already subscribed"):
            self._venue.notice(
                AlertCode.FEED_REFUSED, f"prices of {', '.join(self._venue.heard)}", text
            )

    # The book

    def _level(self, symbol: str, frame: Json) -> None:
        book = self._books.get(symbol)
        if book is None:
            return  # its snapshot was asked for
        try:
            changed = book.change(frame)
        except (StreamError, *UNREADABLE):
            self._again(symbol)
            return
        if changed:
            self._tell(symbol, frame.get("timestamp"))
        else:
            self._told[symbol] = self._venue.clock.now()

    def book(self, symbol: str, count: int) -> BookShown | None:
        """The levels of a product; None while its book is asked for."""
        book = self._books.get(symbol)
        return None if book is None else book.shown(self._told.get(symbol, 0), count)

    def _again(self, symbol: str) -> None:
        """Ask for a book anew; prices come from the ticker meanwhile."""
        self._books.pop(symbol, None)
        for event in ("unsubscribe", "subscribe"):
            self.socket.later({"event": event, "feed": "book", "product_ids": [symbol]})

    def _tell(self, symbol: str, timestamp: object) -> None:
        at = self._told[symbol] = self._at(timestamp)
        quote = self._books[symbol].quote(symbol, at)
        if quote is not None:
            self._venue.quote(quote)

    def _at(self, timestamp: object) -> int:
        """When the exchange says that it was so, on our clock: the age of a price is shown, and a
        guard acts on no price that is old.

        A time that is far off is one of three things. Our clock has jumped: then it is not known,
        and our own time is taken until the exchange's clock was asked. Or the exchange's has, which
        that question finds out. Or the price is old: then it stays old.
        """
        now, clocks = self._venue.clock.now(), self._venue.clocks
        if timestamp is None:
            return now
        told = self._venue.ours(int(str(timestamp)) * MILLISECOND)
        if abs(now - told) > DOUBTFUL:
            clocks.suspect()
            told = now if clocks.doubtful else told
        return min(told, now)

    # The ticker

    def _ticker(self, row: Json) -> None:
        """Prices, where there is no book; what agrees with one says that it still stands."""
        if row.get("bid") is None or row.get("ask") is None:
            return  # nobody quotes, or it is not told: what was told before grows old
        symbol, bid, ask = (
            str(row["product_id"]).upper(),
            Decimal(str(row["bid"])),
            Decimal(str(row["ask"])),
        )
        if not (ZERO < bid <= ask) or symbol in self._venue.unheard:
            return
        book = self._books.get(symbol)
        if book is None:
            sizes = Decimal(str(row["bid_size"])), Decimal(str(row["ask_size"]))
            self._venue.quote(
                Quote(symbol, self._at(row.get("time")), bid, sizes[0], ask, sizes[1])
            )
        elif (bid, ask) == (book.best["buy"], book.best["sell"]):
            book.contradicted = 0
            self._tell(symbol, row.get("time"))
        else:
            book.contradicted += 1
            if book.contradicted >= CONTRADICTED:
                self._again(symbol)

    def _mode(self, row: Json) -> None:
        """Whether the market takes orders, where the ticker says so."""
        if row.get("suspended") is None and row.get("post_only") is None:
            return
        mode = (
            "suspended"
            if row.get("suspended")
            else "post_only"
            if row.get("post_only")
            else "online"
        )
        self._venue.modes.told(str(row["product_id"]).upper(), mode)

    def _funding(self, row: Json) -> None:
        """The rate relative to the index, per hour, whenever it is another. A rate of zero is left
        out of the frame (recorded payloads).
        """
        next_at = row.get("next_funding_rate_time")
        if next_at is None:
            return
        symbol = str(row["product_id"]).upper()
        told = (Decimal(str(row.get("relative_funding_rate") or 0)), int(next_at))
        if self._rates.get(symbol) != told:
            self._rates[symbol] = told
            self._venue.tell(
                r.FundingRate(
                    symbol,
                    told[0],
                    self._venue.ours(told[1] * MILLISECOND),
                    self._venue.clock.now(),
                )
            )
